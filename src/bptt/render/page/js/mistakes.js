// The mistakes that people make most often in this backward pass, each with the place where it can be seen.
import { button, h } from "./dom.js";
import { prose } from "./format.js";
import { app, go } from "./store.js";

/** The kinds of mistake that `bptt check` names, in a few words. @type {Record<string, string>} */
export const KIND_OF = {
  R1: "the recurrent term is dropped",
  R2: "only the recurrent term",
  R3: "transpose of W_aa missing",
  R4: "output gradient at the wrong steps",
  T1: "the boundary at t = 0",
  T2: "off by one in time",
  T3: "a step of the loop is missed",
  A1: "slope at the wrong argument",
  A2: "a slope is missing",
  S1: "softmax derivative as a diagonal",
  S2: "division that overflows",
  L1: "scale",
  L2: "another cost is differentiated",
  M1: "np.dot for *, or the reverse",
  M2: "stacked weights not undone",
  M3: "sum over the batch",
  W1: "the wrong variable",
  W2: "forward and backward disagree",
  U1: "changed while it is still needed",
  K: "name, key or return",
  FWD: "the forward pass itself",
};

/** code, what happens, where the page shows it (t from the end if negative)
 * @type {[string, string, Record<string, any>][]} */
const COMMON = [
  [
    "R1",
    "da_from_future is never added, or never updated in the loop. It still trains, only without memory.",
    { level: "steps", step: "B5", t: -2, future: false },
  ],
  [
    "R3",
    "W_aa instead of W_aaᵀ on the way back. W_aa is square, so no shape complains.",
    { level: "steps", step: "B10", t: -2, lab: "plain" },
  ],
  [
    "M1",
    "np.dot where every number has its own slope, or * where a product is meant.",
    { level: "steps", step: "B6", t: -2, lab: "dot" },
  ],
  [
    "S1",
    "s (1 − s) is only the diagonal of the softmax Jacobian: the other classes are left out.",
    { level: "stuck", ask: "loss" },
  ],
  ["A1", "1 − z² or 1 − tanh(a)² for 1 − a²: a small error that still trains.", { level: "stuck", ask: "slope" }],
  ["T1", "A[:, :, t − 1] at t = 0 is the last state in Python, not a0.", { level: "stuck", ask: "zero" }],
  [
    "M3",
    "A bias served all m examples; without the sum over m its gradient keeps m columns.",
    { level: "stuck", ask: "sum" },
  ],
];

/** @returns {HTMLElement} */
export function commonMistakes() {
  const { T_x } = app.model.sizes;
  const see = (/** @type {Record<string, any>} */ place) => () =>
    go({ cell: [0, 0], lab: "", future: true, ...place, t: Math.max(0, place.t ? T_x + place.t : 0) });
  return h(
    "section.panel",
    null,
    h("h2", null, "The usual suspects"),
    h("p.note", null, "What goes wrong most often, and where this page shows it happen."),
    h(
      "ul.suspects",
      null,
      COMMON.map(([code, text, place]) =>
        h(
          "li",
          null,
          h("span.code-chip", null, h("b", null, code), ` ${KIND_OF[code]}`),
          h("span", null, prose(text)),
          button("See it", see(place), { class: "ask", key: `see${code}` }),
        ),
      ),
    ),
  );
}
