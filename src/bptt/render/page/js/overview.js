// The level Overview: the network rolled up and unrolled, and what backpropagation through time does, in four sentences.
import { button, h, svg } from "./dom.js";
import { exact, prose } from "./format.js";
import { chip } from "./equation.js";
import { letters } from "./arrows.js";
import { strip } from "./strip.js";
import { app, go } from "./store.js";

let rolled = false;

/** @returns {any[]} */
export function overviewLevel() {
  const { sizes } = app.model;
  const last = sizes.T_x - 1;
  const begin = app.model.equations[0].id;
  const ideas = [
    [
      "Forward",
      `At each step the network mixes the new input x_t with what it remembers, a_prev, into a new state a_t, and reads a prediction from it. The same five parameters work at every step.`,
      () => go({ level: "steps", t: 0, step: begin, cell: [0, 0] }),
      "Watch step 0",
    ],
    [
      "Cost",
      `Every step's prediction is compared with its target. All losses, over all steps and all examples, make one number: J = ${exact(app.trace.J)}.`,
      () => go({ level: "steps", t: last, step: "F5", cell: [0, 0] }),
      "See a loss",
    ],
    [
      "Backward",
      `From the last step to the first, each state learns how J would change with it. It was used twice, by its own output and by the next state, so two gradients arrive and add up.`,
      () => go({ level: "steps", t: Math.max(0, last - 1), step: "B5", cell: [0, 0] }),
      "See the two terms",
    ],
    [
      "Sum",
      `Because the same weights acted at every step and on every example, each step adds its share to dW_aa, dW_ax, dW_ya, db_a and db_y.`,
      () => go({ level: "steps", t: Math.max(0, last - 1), step: "B7", cell: [0, 0] }),
      "See a share",
    ],
  ];
  return [
    h(
      "section.intro",
      null,
      h("h2", null, "Backpropagation through time, with nothing hidden"),
      h(
        "p",
        null,
        "A recurrent network is one small network used again at every step. Unroll it, and its backward pass is ordinary backpropagation from right to left.",
      ),
    ),
    h(
      "div.choices",
      { role: "group", "aria-label": "how the network is drawn" },
      [
        ["Unrolled", false],
        ["Rolled", true],
      ].map(([text, value]) =>
        button(
          String(text),
          () => {
            rolled = Boolean(value);
            go({});
          },
          { class: "choice", key: `draw${text}`, "aria-pressed": String(rolled === value) },
        ),
      ),
    ),
    rolled ? rolledUp() : strip(true),
    colours(),
    h(
      "ol.ideas",
      null,
      ideas.map(([title, text, act, label]) =>
        h(
          "li.panel",
          null,
          h("h3", null, title),
          h("p", null, prose(/** @type {string} */ (text))),
          button(label, /** @type {() => void} */ (act), { class: "quiet", key: `idea${title}` }),
        ),
      ),
    ),
    h(
      "section.panel",
      null,
      h("h2", null, "The sizes here"),
      h(
        "p.sizes",
        null,
        Object.keys(sizes).map((dim) => h("span", null, chip(dim, sizes), ` ${app.data.dims[dim] || ""}`)),
      ),
      h(
        "p.note",
        null,
        new Set(Object.values(sizes)).size === Object.keys(sizes).length
          ? "All different on purpose: a dimension that fits only by accident would hide a mistake. "
          : "",
        "Each has one colour and one letter everywhere.",
      ),
    ),
  ];
}

/** What the colours mean. */
export function colours() {
  const key = (/** @type {string} */ kind, /** @type {any} */ text) =>
    h("span.key", null, h("span", { class: `swatch ${kind}`, "aria-hidden": "true" }), text);
  return h(
    "p.keys",
    null,
    key("grey", "forward"),
    key("accent", "backward"),
    key("from-output", "from the output"),
    key("from-future", "from the future"),
    key("pos", "positive"),
    key("neg", "negative"),
    key("framed", "framed: a gradient"),
  );
}

/** One cell with its loop. */
function rolledUp() {
  const box = (/** @type {number} */ x, /** @type {string} */ base, /** @type {string} */ low) =>
    svg(
      "g",
      {},
      svg("rect", { x: x - 44, y: 88, width: 88, height: 44, rx: 10, class: "rolled-box" }),
      svg(
        "text",
        { x, y: 116, "text-anchor": "middle", class: "rolled-name" },
        base,
        svg("tspan", { dy: 4, class: "rolled-low" }, low),
      ),
    );
  const line = (/** @type {string} */ d, /** @type {string} */ kind) =>
    svg("path", { d, class: `rolled-line ${kind}`, "marker-end": `url(#roll-${kind})` });
  const word = (/** @type {number} */ x, /** @type {number} */ y, /** @type {string} */ text, kind = "") =>
    svg("text", { x, y, "text-anchor": "middle", class: `rolled-word ${kind}` }, letters(text));
  const heads = ["grey", "accent", "from-output", "from-future"].map((kind) =>
    svg(
      "marker",
      {
        id: `roll-${kind}`,
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
  );
  return h(
    "div.rolled",
    {
      role: "img",
      "aria-label":
        "x t goes into the state a t, which goes back into itself one step later and out to the prediction and the loss; gradients run the other way",
    },
    svg(
      "svg",
      { viewBox: "0 0 760 200", width: 760, height: 200 },
      svg("defs", {}, heads),
      box(90, "x", "t"),
      box(300, "a", "t"),
      box(500, "ŷ", "t"),
      box(670, "L", "t"),
      line("M136,102 L252,102", "grey"),
      line("M346,102 L452,102", "grey"),
      line("M546,102 L622,102", "grey"),
      line("M622,120 L548,120", "accent"),
      line("M452,120 L348,120", "from-output"),
      line("M252,120 L138,120", "accent"),
      line("M318,86 C340,18 260,18 282,84", "grey"),
      line("M276,134 C250,196 350,196 324,136", "from-future"),
      word(194, 92, "W_ax"),
      word(399, 92, "W_ya"),
      word(300, 24, "W_aa, one step later"),
      word(300, 198, "from the future", "from-future"),
      word(400, 138, "from the output", "from-output"),
    ),
  );
}
