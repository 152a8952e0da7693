// The worksheet: the backward pass of one step on paper, with blanks, and an answer page.
import { h } from "./dom.js";
import { equationLine } from "./equation.js";
import { matrix } from "./matrix.js";
import { outputOf } from "./network.js";
import { prose } from "./format.js";
import { pickBlanks } from "./practice.js";
import { rowsAndColumns } from "./tensor.js";
import { app, state } from "./store.js";

/** Both pages; blanks the same on both. @param {number} t @param {number} seed */
function worksheet(t, seed) {
  const { model, truth } = app;
  const names = truth.scope[t];
  const given = ["W_ya", "W_aa", "y_pred_t", "y_t", "a_t", "a_prev", "x_t", "da_from_future"];
  const show = (
    /** @type {string} */ name,
    /** @type {Tensor} */ value,
    /** @type {Set<string>} */ blank,
    /** @type {string} */ key,
  ) => matrix({ name, value, sizes: model.sizes, key, blank });
  const page = (/** @type {boolean} */ answers) =>
    h(
      "section.sheet",
      null,
      h("h2", null, answers ? "Answers" : "Worksheet", `: the backward pass at t = ${t}`),
      h(
        "p",
        null,
        answers
          ? "The numbers that were blank are framed."
          : `Given: the forward values at t = ${t} and the future term that step ${t + 1 < model.sizes.T_x ? t + 1 : "after the last (zeros)"} sent. Fill in each "?", to two decimals. Numbers: ${state.numbers}.`,
      ),
      answers
        ? null
        : h(
            "div.numbers",
            null,
            given.map((name) => show(name, names[name], new Set(), `given${name}`)),
          ),
      h(
        "ol.sheet-steps",
        null,
        model.equations
          .filter((/** @type {Equation} */ eq) => eq.phase === "backward")
          .map((/** @type {Equation} */ eq, /** @type {number} */ k) => {
            const value = outputOf(truth, eq, t);
            const [rows, columns] = rowsAndColumns(value);
            const cells = new Set(
              pickBlanks(
                Math.min(rows, 16),
                Math.min(columns, 16),
                Math.max(1, Math.round(rows * columns * 0.4)),
                seed * 13 + k,
              ).map((cell) => cell.join(",")),
            );
            const before = eq.accumulate
              ? [
                  h("span.mark", null, "so far"),
                  show(eq.target, truth.before[t][eq.target], new Set(), `before${eq.id}`),
                ]
              : null;
            const result = matrix({
              name: eq.target,
              value,
              sizes: model.sizes,
              key: `sheet${answers}${eq.id}`,
              blank: answers ? undefined : cells,
              mark: answers ? (i, j) => (cells.has(`${i},${j}`) ? "lit" : "") : undefined,
            });
            return h(
              "li",
              null,
              h("p", null, h("b", null, `${eq.id} `), equationLine(eq)),
              answers ? h("p.note", null, prose(eq.why)) : null,
              h(
                "div.numbers",
                null,
                answers ? null : before,
                answers ? null : before && h("span.mark", null, "→"),
                result,
              ),
            );
          }),
      ),
    );
  return h("div", { id: "worksheet" }, page(false), page(true));
}

/** Put the worksheet in place of the page while printing. @param {number} t @param {number} seed */
export function printWorksheet(t, seed) {
  document.getElementById("worksheet")?.remove();
  document.body.append(worksheet(t, seed));
  document.body.classList.add("printing-worksheet");
  const end = () => {
    document.body.classList.remove("printing-worksheet");
    document.getElementById("worksheet")?.remove();
  };
  window.addEventListener("afterprint", end, { once: true });
  window.print();
}
