// Each forward line of the cell and, on the same height, the backward lines that it asks for.
import { button, h } from "./dom.js";
import { equationLine } from "./equation.js";
import { prose } from "./format.js";
import { equationOf, go } from "./store.js";

/** The forward lines and, on the same height, the backward lines they ask for. */
export function mirror() {
  const groups = [
    [["F4", "F5"], ["B1"]],
    [["F3"], ["B2", "B3", "B4"]],
    [[], ["B5"]],
    [["F2"], ["B6"]],
    [["F1"], ["B7", "B8", "B9", "B10", "B11"]],
  ];
  const cellOf = (/** @type {string[]} */ ids) =>
    h(
      "td",
      null,
      ids.map((id) => {
        const eq = equationOf(id);
        return h(
          "p.pair",
          null,
          button(id, () => go({ level: "steps", step: id, cell: [0, 0] }), { class: "ask", key: `mirror${id}` }),
          equationLine(eq),
          eq.phase === "backward" ? h("span.note", null, prose(eq.why)) : null,
        );
      }),
      ids.length ? null : h("p.note", null, prose("a_t is used twice: by its output and by the next step")),
    );
  return h(
    "section.panel",
    null,
    h("h2", null, "Each forward line asks for its backward lines"),
    h(
      "p.note",
      null,
      "Read the left column upwards for the forward pass, the right column downwards for the backward pass.",
    ),
    h(
      "div.table-box",
      { tabindex: 0, role: "group", "aria-label": "forward and backward lines" },
      h(
        "table.mirror",
        null,
        h(
          "thead",
          null,
          h("tr", null, h("th", { scope: "col" }, "forward ↑"), h("th", { scope: "col" }, "backward ↓")),
        ),
        h(
          "tbody",
          null,
          groups.map(([left, right]) => h("tr", null, cellOf(left), cellOf(right))),
        ),
      ),
    ),
  );
}
