// The level Notation: dimensions, tensors, the whole table of equations, conventions and keys.
import { button, h } from "./dom.js";
import { chip, chips, equationLine } from "./equation.js";
import { prose, symbol } from "./format.js";
import { colours } from "./overview.js";
import { app, go } from "./store.js";

const MEANING = {
  X: "inputs",
  Y: "targets; each column sums to 1",
  a0: "the state before step 0",
  W_aa: "from the old state to the new one",
  W_ax: "from the input to the state",
  W_ya: "from the state to the output",
  b_a: "bias of the state",
  b_y: "bias of the output",
};

/** @returns {any[]} */
export function notationLevel() {
  const { sizes, tensors, equations } = app.model;
  const table = (/** @type {string} */ phase) =>
    h(
      "div.table-box",
      { tabindex: 0, role: "group", "aria-label": `${phase} equations` },
      h(
        "table.facts.equations",
        null,
        h(
          "caption",
          null,
          prose(phase === "forward" ? "Forward, t from 0 to T_x − 1" : "Backward, t from T_x − 1 to 0"),
        ),
        h(
          "tbody",
          null,
          equations
            .filter((/** @type {Equation} */ eq) => eq.phase === phase)
            .map((/** @type {Equation} */ eq) =>
              h(
                "tr",
                null,
                h(
                  "th",
                  { scope: "row" },
                  button(eq.id, () => go({ level: "steps", step: eq.id, cell: [0, 0] }), {
                    class: "ask",
                    key: `table${eq.id}`,
                    "aria-label": `${eq.id}: ${eq.title}`,
                  }),
                ),
                h("td", null, equationLine(eq)),
              ),
            ),
        ),
      ),
    );
  return [
    h(
      "section.intro",
      null,
      h("h2", null, "Notation"),
      h(
        "p",
        null,
        "One name for one thing, in the equations, the code and the messages. A gradient is d and the name; it has the shape of what it belongs to.",
      ),
    ),
    h(
      "div.two",
      null,
      h(
        "section.panel",
        null,
        h("h2", null, "Dimensions"),
        h(
          "dl.glossary",
          null,
          Object.keys(sizes).map((dim) => [h("dt", null, chip(dim, sizes)), h("dd", null, app.data.dims[dim] || dim)]),
        ),
        h("h2", null, "Given"),
        h(
          "dl.glossary",
          null,
          Object.keys(tensors).map((name) => [
            h("dt", null, symbol(name), " ", chips(tensors[name].dims, sizes)),
            h("dd", null, MEANING[name] || ""),
          ]),
        ),
      ),
      h("section.panel", null, h("h2", null, "The whole calculation"), table("forward"), table("backward")),
    ),
    h(
      "section.panel.prose",
      null,
      h("h2", null, "Conventions"),
      h(
        "ul.plain",
        null,
        h(
          "li",
          null,
          "Units are rows, examples are columns, time is the third axis. ",
          prose("a_t"),
          " is the state after step t, ",
          prose("a_prev"),
          " the one before it.",
        ),
        h(
          "li",
          null,
          `The cost J is the ${app.data.reduction === "mean" ? "mean over all steps and examples" : "sum over all steps and examples"} of the losses, in nats.`,
        ),
        h(
          "li",
          null,
          "A product written side by side is a matrix product (np.dot or @). ⊙ is element by element (*). T in a corner is the transpose.",
        ),
        h("li", null, "B10 gives the future term of the step before; after t = 0 it is ", prose("da0"), "."),
        h(
          "li",
          null,
          "Numbers are shown with two decimals and calculated with all of them; point at one to read it in full.",
        ),
      ),
      colours(),
    ),
  ];
}
