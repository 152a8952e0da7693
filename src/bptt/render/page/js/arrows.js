// The arrows of the unrolled network: forward ones in grey, backward ones in the accent colour, the two terms of da in theirs.
import { svg } from "./dom.js";
import { app, indexOf, position, state } from "./store.js";

export const ROWS = { L: 18, y: 66, a: 130, x: 194 }; // middle of each row, in pixels
export const CELL = 6; // one number of a small picture, in pixels
/** Whether both passes are drawn as done, wherever the reader is. */
export const progress = { whole: false };

/** Is an equation at step t done, under way, or still to come? @param {string} id @param {number} t */
export function status(id, t) {
  if (progress.whole) return "done";
  const index = indexOf(id, t);
  const here = position();
  return index < here ? "done" : index === here ? "now" : "todo";
}

/** The arrows into and out of one step. @param {number} t @param {number} x @param {number} pitch @param {number} box @param {boolean} leftmost @param {number} first */
export function arrows(t, x, pitch, box, leftmost, first) {
  const T = app.model.sizes.T_x;
  const current = t === state.t;
  const half = box / 2;
  const rowHalf = { L: 9, y: 14, a: 20, x: 16 };
  for (const [row, name] of [
    ["y", "n_y"],
    ["a", "n_a"],
    ["x", "n_x"],
  ])
    rowHalf[row] = 5 + (CELL * Math.min(5, app.model.sizes[name])) / 2;
  const backing = progress.whole || app.model.equations.find((eq) => eq.id === state.step)?.phase === "backward";
  const term = (kind, at, id) => (backing && state.t === at && status(id, at) !== "todo" ? kind : "");
  const up = (from, to, id, weight, name) =>
    arrow(
      [x - 9, ROWS[from] - rowHalf[from] - 3],
      [x - 9, ROWS[to] + rowHalf[to] + 4],
      "forward",
      status(id, t),
      "",
      current ? weight : "",
      name,
      "end",
    );
  const down = (from, to, id, kind = "", weight = "") =>
    arrow(
      [x + 9, ROWS[from] + rowHalf[from] + 3],
      [x + 9, ROWS[to] - rowHalf[to] - 4],
      "backward",
      status(id, t),
      kind,
      weight,
      kind,
      "start",
    );
  const previous = leftmost ? (first > 0 ? x - pitch + half : 76) : x - pitch + half;
  const list = [
    up("x", "a", "F1", "W_ax", "W_ax"),
    up("a", "y", "F3", "W_ya", "W_ya"),
    up("y", "L", "F5"),
    down("L", "y", "B1"),
    down("y", "a", "B4", term("from-output", t, "B4"), term("from-output", t, "B4") && "from the output"),
    down("a", "x", "B11"),
    arrow(
      [previous + 3, ROWS.a - 9],
      [x - half - 5, ROWS.a - 9],
      "forward",
      status("F1", t),
      "",
      current ? "W_aa" : "",
      "W_aa",
      "middle",
    ),
    arrow(
      [x - half - 3, ROWS.a + 9],
      [previous + 5, ROWS.a + 9],
      "backward",
      status("B10", t),
      t > 0 ? term("from-future", t - 1, "B5") : "",
      t > 0 && term("from-future", t - 1, "B5") ? "from the future" : "",
      "from-future",
      "middle",
    ),
  ];
  if (!state.future && t > 0 && t < T) list[7].classList.add("cut");
  return list;
}

/** @param {number[]} from @param {number[]} to @param {string} kind @param {string} when @param {string} term @param {string} [label] @param {string} [name] @param {string} [anchor] */
function arrow(from, to, kind, when, term, label, name, anchor) {
  const flat = from[1] === to[1];
  const middle = [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2];
  const text = label
    ? svg(
        "text",
        {
          x: flat ? middle[0] : middle[0] + (kind === "forward" ? -6 : 7),
          y: flat ? middle[1] + (kind === "forward" ? -6 : 21) : middle[1] + 4,
          "text-anchor": flat ? "middle" : anchor,
          "data-sym": kind === "forward" ? name : term === "from-output" ? "da_from_output" : "da_from_future",
        },
        letters(label),
      )
    : null;
  const head = term || (kind === "forward" ? "grey" : "accent");
  return svg(
    "g",
    { class: `arrow ${kind} ${when} ${term}` },
    svg("line", {
      x1: from[0],
      y1: from[1],
      x2: to[0],
      y2: to[1],
      "marker-end": `url(#head-${when === "todo" ? "todo" : head})`,
    }),
    text,
  );
}

export function heads() {
  return svg(
    "defs",
    {},
    ["grey", "accent", "from-output", "from-future", "todo"].map((kind) =>
      svg(
        "marker",
        {
          id: `head-${kind}`,
          viewBox: "0 0 8 8",
          refX: 6,
          refY: 4,
          markerWidth: 7,
          markerHeight: 7,
          orient: "auto",
          markerUnits: "userSpaceOnUse",
        },
        svg("path", { d: "M0,0.5 L7.5,4 L0,7.5 z", class: `head ${kind}` }),
      ),
    ),
  );
}

/** A name with a subscript inside an SVG text. @param {string} text */
export function letters(text) {
  return text.split(/(?<=_[a-z]+)(?![a-z])/).flatMap((part) => {
    const [base, low] = part.split("_");
    return low ? [base, svg("tspan", { class: "low", dy: 3 }, low), svg("tspan", { dy: -3 }, "\u200b")] : [part];
  });
}
