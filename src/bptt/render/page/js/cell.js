// The level Cell: one step as a graph. Every node carries its value and its gradient; every forward line its backward lines.
import { button, h, svg } from "./dom.js";
import { equationLine } from "./equation.js";
import { prose, symbol } from "./format.js";
import { grid, paint, sheet } from "./heatmap.js";
import { mirror } from "./mirror.js";
import { matrix } from "./matrix.js";
import { letters } from "./arrows.js";
import { outputOf } from "./network.js";
import { largest } from "./tensor.js";
import { editable } from "./numbers.js";
import { app, equationOf, go, state } from "./store.js";

let selected = "a_t";

/** name, its gradient, middle of the node, the equations that make value and gradient
 * @type {[string, string, number, number, string, string][]} */
const NODES = [
  ["x_t", "dx_t", 74, 214, "", "B11"],
  ["a_prev", "da_from_future", 74, 50, "", "B10"],
  ["z_a", "dz_a", 296, 132, "F1", "B6"],
  ["a_t", "da", 500, 132, "F2", "B5"],
  ["z_y", "dz_y", 716, 50, "F3", "B1"],
  ["y_pred_t", "", 912, 50, "F4", ""],
  ["L_t", "", 1134, 50, "F5", ""],
  ["y_t", "", 1134, 160, "", ""],
];

/** from, to, forward's words, forward equation, backward equation
 * @type {[number, number, string, string, string][]} */
const EDGES = [
  [0, 2, "W_ax ·", "F1", "B11"],
  [1, 2, "W_aa ·", "F1", "B10"],
  [2, 3, "activation", "F2", "B6"],
  [3, 4, "W_ya ·", "F3", "B4"],
  [4, 5, "softmax", "F4", "B1"],
  [5, 6, "cross-entropy", "F5", "B1"],
  [7, 6, "", "F5", ""],
];

/** @returns {any[]} */
export function cellLevel() {
  const { t } = state;
  return [
    h(
      "section.intro",
      null,
      h("h2", null, `One step, t = ${t}: every value with its gradient`),
      h(
        "p",
        null,
        "Left in each node the value, right in a frame its gradient, always of the same shape. Forward runs right, backward runs left.",
      ),
    ),
    h(
      "div.choices",
      { role: "group", "aria-label": "which step" },
      [...Array(app.model.sizes.T_x).keys()]
        .slice(0, 40)
        .map((k) =>
          button(`t = ${k}`, () => go({ t: k }), { class: "choice", key: `cell${k}`, "aria-pressed": String(k === t) }),
        ),
    ),
    graph(t),
    detail(t),
    mirror(),
  ];
}

/** @param {number} t */
function graph(t) {
  const width = 1200;
  const height = 250;
  const half = 64;
  const lines = EDGES.map(([a, b, words, , backward]) => {
    const [[, , ax, ay], [, , bx, by]] = [NODES[a], NODES[b]];
    if (ax === bx) return line(ax, ay - 24, bx, by + 24, "grey");
    const [x1, x2, middle] = [ax + half + 4, bx - half - 4, (ax + bx) / 2];
    const steep = Math.sign(by - ay); // words stand clear of a slanted pair of arrows
    const kind = backward === "B4" ? "from-output" : "accent";
    return [
      line(x1, ay - 8, x2, by - 8, "grey"),
      line(x2, by + 8, x1, ay + 8, kind),
      svg(
        "text",
        {
          x: middle + 14 * steep,
          y: (ay + by) / 2 - 18,
          "text-anchor": ["end", "middle", "start"][steep + 1],
          class: "edge-word",
        },
        letters(words),
      ),
      svg(
        "text",
        {
          x: middle - 14 * steep,
          y: (ay + by) / 2 + 28,
          "text-anchor": ["start", "middle", "end"][steep + 1],
          class: `edge-word ${kind}`,
        },
        backward,
      ),
    ];
  });
  const [, , ax, ay] = NODES[3];
  const onward = [
    line(ax + half + 4, ay + 14, 650, 206, "grey"),
    line(650, 224, ax + half + 4, ay + 32, "from-future"),
    svg(
      "text",
      { x: 660, y: 212, class: "edge-word" },
      t + 1 < app.model.sizes.T_x ? `step t = ${t + 1}` : "no step after this",
    ),
    svg("text", { x: 660, y: 232, class: "edge-word from-future" }, "from the future"),
  ];
  const nodes = NODES.map((node) => nodeButton(node, t));
  return h(
    "div.scroller.graph",
    { "data-scroll": "graph", tabindex: 0, role: "group", "aria-label": "the graph of one step" },
    h(
      "div.board",
      { vars: { "--w": `${width}px`, "--h": `${height}px` } },
      svg(
        "svg",
        { width, height, "aria-hidden": "true" },
        svg(
          "defs",
          {},
          ["grey", "accent", "from-output", "from-future"].map((kind) =>
            svg(
              "marker",
              {
                id: `cell-${kind}`,
                viewBox: "0 0 8 8",
                refX: 6,
                refY: 4,
                markerWidth: 8,
                markerHeight: 8,
                orient: "auto",
                markerUnits: "userSpaceOnUse",
              },
              svg("path", { d: "M0,0.5 L7.5,4 L0,7.5 z", class: `head ${kind}` }),
            ),
          ),
        ),
        lines,
        onward,
      ),
      nodes,
    ),
  );
}

/** @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2 @param {string} kind */
function line(x1, y1, x2, y2, kind) {
  return svg("line", { x1, y1, x2, y2, class: `rolled-line ${kind}`, "marker-end": `url(#cell-${kind})` });
}

/** The value and the gradient of a node. @param {string} name @param {string} gradient @param {number} t */
function valuesOf(name, gradient, t) {
  const names = app.trace.scope[t];
  const value = names[name];
  if (!gradient) return { value, slope: null };
  const slope = gradient === "da_from_future" ? outputOf(app.trace, equationOf("B10"), t) : names[gradient];
  return { value, slope };
}

/** @param {[string, string, number, number, string, string]} node @param {number} t */
function nodeButton([name, gradient, x, y], t) {
  const { value, slope } = valuesOf(name, gradient, t);
  const picture = (/** @type {Tensor} */ tensor, /** @type {string} */ kind, /** @type {string} */ lights) => {
    const [rows, columns] = grid(tensor);
    const { canvas, ink } = sheet(columns * 7, rows * 7);
    paint(ink, tensor, { x: 0, y: 0, cell: 7, scale: largest(tensor) || 1 });
    canvas.className = `glyph ${kind}`;
    canvas.dataset.sym = lights;
    return canvas;
  };
  const shown = button(
    [
      h("span.node-name", null, symbol(name)),
      picture(value, "", name),
      slope ? picture(slope, "gradient", gradient) : null,
    ],
    () => {
      selected = name;
      go({});
    },
    {
      class: `node ${selected === name ? "here" : ""}`,
      key: `graph${name}`,
      "aria-pressed": String(selected === name),
    },
  );
  shown.style.left = `${x}px`;
  shown.style.top = `${y}px`;
  return shown;
}

/** @param {number} t */
function detail(t) {
  const [name, gradient, , , forward, backward] = /** @type {any} */ (NODES.find((node) => node[0] === selected));
  const { value, slope } = valuesOf(name, gradient, t);
  const row = (/** @type {string} */ id) => {
    const eq = equationOf(id);
    return eq
      ? h(
          "p.pair",
          null,
          button(id, () => go({ level: "steps", step: id, cell: [0, 0] }), { class: "ask", key: `pair${id}` }),
          equationLine(eq),
          h("span.note", null, prose(eq.why)),
        )
      : null;
  };
  const show = (/** @type {string} */ label, /** @type {Tensor} */ tensor, /** @type {string} */ key) =>
    matrix({
      name: label,
      value: tensor,
      sizes: app.model.sizes,
      key,
      change: editable(label) ? (i, j, x) => editable(label)?.(t, i, j, x) : undefined,
    });
  return h(
    "section.panel",
    null,
    h(
      "div.change-body",
      null,
      show(name, value, "cellvalue"),
      slope ? show(name === "a_prev" && t === 0 ? "da0" : gradient, slope, "cellslope") : null,
      h(
        "div.pairs",
        null,
        forward
          ? row(forward)
          : h(
              "p.note",
              null,
              name === "x_t"
                ? "The input: given."
                : name === "y_t"
                  ? "The target: given."
                  : t
                    ? "The state after the step before."
                    : "a0: the state before step 0.",
            ),
        backward
          ? row(backward)
          : h(
              "p.note",
              null,
              name === "y_t"
                ? "It is no parameter: nobody changes it, so nobody asks for its gradient."
                : "Softmax and logarithm are taken back together, straight to the logits: B1.",
            ),
      ),
    ),
  );
}
