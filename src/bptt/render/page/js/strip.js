// The unrolled network: x, a, y_pred and L at every step, forward arrows in grey, backward arrows in the accent colour.
import { CELL, ROWS, arrows, heads, progress, status } from "./arrows.js";
import { button, h, svg } from "./dom.js";
import { symbol } from "./format.js";
import { grid, paint, sheet } from "./heatmap.js";
import { largest } from "./tensor.js";
import { app, go, state } from "./store.js";

const MOST_STEPS = 8;
const HEIGHT = 216;

const NAME = 34; // room for a node's letter
const GAP = 8; // between a value and its gradient
/** @type {HTMLCanvasElement | undefined} */
let board; // one canvas for all small pictures, kept from drawing to drawing

/** @param {boolean} [all] @returns {HTMLElement} */
export function strip(all = false) {
  progress.whole = all;
  const T = app.model.sizes.T_x;
  const count = Math.min(T, MOST_STEPS);
  const first = Math.max(0, Math.min(T - count, state.t - Math.floor(count / 2)));
  const room = Math.max(300, Math.min(1240, document.documentElement.clientWidth - 48));
  const left = 84;
  const pitch = Math.max(134, Math.floor((room - left) / count));
  const width = left + pitch * count;
  const centre = (/** @type {number} */ k) => left + pitch * (k + 0.5);
  const scale = scales();
  const box = boxWidth();
  const { canvas, ink } = sheet(width, HEIGHT, board);
  board = canvas;
  const drawing = [];
  const nodes = [];
  for (let k = 0; k < count; k += 1) {
    const t = first + k;
    const x = centre(k);
    drawing.push(...arrows(t, x, pitch, box, k === 0, first));
    nodes.push(...column(t, x, box, scale, ink));
  }
  nodes.push(startNode(first, left, scale, ink));
  if (first + count < T) nodes.push(place(h("span.more", null, "…"), width - 12, ROWS.a));
  const network = h(
    "div.board",
    { vars: { "--w": `${width}px`, "--h": `${HEIGHT}px` } },
    svg("svg", { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, "aria-hidden": "true" }, heads(), drawing),
    nodes,
    canvas,
  );
  const times = h(
    "div.times",
    { vars: { "--w": `${width}px` } },
    [...Array(count).keys()].map((k) => timeButton(first + k, centre(k))),
  );
  return h(
    "section.strip",
    { "aria-label": "the network, one column a step" },
    h(
      "div.scroller",
      { "data-scroll": "strip", tabindex: 0, role: "group", "aria-label": "unrolled network" },
      network,
      times,
    ),
  );
}

/** One scale a kind of value, so that colours can be compared between steps. */
function scales() {
  const out = {};
  for (const name of ["x_t", "a_t", "y_pred_t", "L_t", "dx_t", "da", "dz_y"])
    out[name] = Math.max(1e-12, ...app.trace.scope.map((s) => largest(s[name])));
  return out;
}

function boxWidth() {
  return NAME + 2 * (Math.min(8, app.model.sizes.m) * CELL + GAP);
}

/** @param {HTMLElement} node @param {number} x @param {number} y */
function place(node, x, y) {
  node.style.left = `${x}px`;
  node.style.top = `${y}px`;
  return node;
}

/** What a model that reads text reads at step t, and what it should predict. @param {number} t */
function read(t) {
  const { vocabulary } = app.data;
  if (
    !vocabulary ||
    app.model.sizes.m !== 1 ||
    app.model.sizes.n_x !== vocabulary.length ||
    state.numbers !== Object.keys(app.sets)[0]
  )
    return null;
  const letter = (/** @type {Tensor} */ value) =>
    JSON.stringify(vocabulary[value.data.indexOf(Math.max(...value.data))])
      .slice(1, -1)
      .replace(/ /g, "␣");
  return h("span.reads", null, ` ${letter(app.trace.scope[t].x_t)} → ${letter(app.trace.scope[t].y_t)}`);
}

/** @param {number} t @param {number} x */
function timeButton(t, x) {
  const future = !state.future && t < app.model.sizes.T_x - 1 && status("B5", t) !== "todo";
  const node = button(h("span", null, "t = ", String(t), future ? " ≠" : "", read(t)), () => go({ t, cell: [0, 0] }), {
    class: `time ${t === state.t ? "here" : ""}`,
    key: `time${t}`,
    "aria-current": t === state.t ? "step" : null,
    title: future ? "without the future term this step's gradient is wrong" : null,
  });
  return place(node, x, 0);
}

/** The four nodes of one step. @param {number} t @param {number} x @param {number} box @param {any} scale @param {CanvasRenderingContext2D} ink */
function column(t, x, box, scale, ink) {
  const scope = app.trace.scope[t];
  const make = (
    /** @type {string} */ row,
    /** @type {string} */ base,
    /** @type {string} */ id,
    /** @type {string} */ name,
    gradientId = "",
    gradientName = "",
  ) => {
    const parts = [half(scope[name], here(t, name), status(id, t) !== "todo", scale[name], "")];
    if (gradientName)
      parts.push(
        half(
          scope[gradientName],
          here(t, gradientName),
          status(gradientId, t) !== "todo",
          scale[gradientName],
          "gradient",
        ),
      );
    const node = button(
      [h("span.node-name", null, h("i", null, base)), parts.map((part) => part.frame)],
      () => go({ t, step: id, cell: [0, 0] }),
      {
        class: `node row-${row} ${t === state.t ? "here" : ""}`,
        key: `node${row}${t}`,
        tabindex: -1,
        "aria-label": `${base} at step ${t}: go to ${id}`,
        vars: { "--box": `${box}px` },
      },
    );
    let left = x - box / 2 + NAME;
    for (const part of parts) {
      if (part.value)
        paint(ink, part.value, { x: left, y: ROWS[row] - part.height / 2, cell: CELL, scale: part.scale });
      left += part.width + GAP;
    }
    return place(node, x, ROWS[row]);
  };
  return [
    make("L", "L", "F5", "L_t"),
    make("y", "ŷ", "F4", "y_pred_t", "B1", "dz_y"),
    make("a", "a", "F2", "a_t", "B5", "da"),
    make("x", "x", "F1", "x_t", "B11", "dx_t"),
  ];
}

/** The name a step's tensor has in the equation on the card, so that both light up together. @param {number} t @param {string} name */
function here(t, name) {
  if (t === state.t) return name;
  return name === "a_t" && t === state.t - 1 ? "a_prev" : null;
}

/** @param {Tensor} value @param {string | null} lights @param {boolean} known @param {number} scale @param {string} kind */
function half(value, lights, known, scale, kind) {
  const [rows, columns] = grid(value);
  const frame = h("span", {
    class: `glyph ${kind} ${known ? "" : "unknown"}`,
    "data-sym": lights,
    vars: { "--rows": rows, "--columns": columns },
  });
  return { frame, value: known ? value : null, width: columns * CELL, height: rows * CELL, scale };
}

/** @param {number} first @param {number} left @param {any} scale @param {CanvasRenderingContext2D} ink */
function startNode(first, left, scale, ink) {
  if (first > 0) return place(h("span.more", null, "…"), left / 2 - 6, ROWS.a);
  const value = app.model.tensors.a0;
  const part = half(value, state.t === 0 ? "a_prev" : "a0", true, scale.a_t, "");
  const width = NAME + part.width + 6;
  const node = h(
    "span.node.row-a.start",
    { vars: { "--box": `${width}px` } },
    h("span.node-name", null, symbol("a0", { plain: true })),
    part.frame,
  );
  paint(ink, value, { x: left / 2 - 5 - width / 2 + NAME, y: ROWS.a - part.height / 2, cell: CELL, scale: scale.a_t });
  return place(node, left / 2 - 5, ROWS.a);
}
