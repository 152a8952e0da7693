// One step on a card: equation, named dimensions, numbers, one number written out, the reason, the code.
import { button, h } from "./dom.js";
import { dimLetters, dimText, plainText } from "./equation.js";
import { exact, prose, short, spoken, symbol } from "./format.js";
import { matrix } from "./matrix.js";
import { evaluate } from "./evaluate.js";
import { outputOf } from "./network.js";
import { rowsAndColumns, largest } from "./tensor.js";
import { sources, termsAt } from "./terms.js";
import { code } from "./code.js";
import { editable } from "./numbers.js";
import { app, go, state } from "./store.js";

/** The expression as the card shows it: B5 carries B4 inside, so that both terms are on one card.
 * @param {Equation} eq @returns {Expression} */
export function onCard(eq) {
  if (eq.id !== "B5") return eq.expression;
  const output = app.model.equations.find((/** @type {Equation} */ other) => other.target === "da_from_output");
  const args = /** @type {Expression[]} */ (eq.expression.args).map((arg) => {
    if (arg.name === "da_from_output" && output)
      return { ...output.expression, group: "from-output", stands: "da_from_output" };
    return arg.name === "da_from_future" ? { ...arg, group: "from-future" } : arg;
  });
  return { ...eq.expression, args };
}

/** The numbers of one step. @param {Equation} eq @param {number} t */
function facts(eq, t) {
  const { trace } = app;
  const before = eq.accumulate ? trace.before[t][eq.target] : null;
  return { names: trace.scope[t], value: outputOf(trace, eq, t), before };
}

/** All matrices of one step, in the order of the equation. @param {Equation} eq @param {number} t @param {Set<string>} [blank] cells to leave out */
export function numbersRow(eq, t, blank) {
  const { names, value, before } = facts(eq, t);
  const expression = onCard(eq);
  const [rows, columns] = rowsAndColumns(value);
  const cell = state.cell && state.cell[0] < rows && state.cell[1] < columns ? state.cell : null;
  /** @type {Map<any, any>} */
  const lit = new Map();
  const region = cell && { i: cell[0], j: cell[1] };
  if (region) sources(expression, region, (leaf, from) => lit.set(leaf, from));
  const show = (leaf, path) => operand(leaf, names, t, path, lit.get(leaf));
  const result = matrix({
    name: eq.target,
    value,
    sizes: app.model.sizes,
    key: "result",
    chosen: cell,
    pick: (i, j) => go({ cell: [i, j] }),
    before: app.flash && outputOf(app.flash, eq, t), // so that changed cells can flash
    group: "result",
    label: resultLabel(eq, t),
    blank,
  });
  const start = before
    ? [
        matrix({
          name: eq.target,
          value: before,
          sizes: app.model.sizes,
          key: "before",
          lit: region,
          label: h("span.letters", null, symbol(eq.target), h("span.so-far", null, " so far")),
        }),
        mark("+"),
      ]
    : [];
  return h(
    "div.numbers",
    { "data-scroll": "numbers" },
    start,
    laid(expression, show, "e"),
    h("span.laid", null, mark("="), result),
  );
}

/** B10 gives a value to the step before. @param {Equation} eq @param {number} t */
function resultLabel(eq, t) {
  if (eq.target !== "da_from_future") return null;
  const letters = t === 0 ? symbol("da0") : symbol(eq.target);
  return h("span.letters", null, letters, t === 0 ? null : h("span.so-far", null, ` for t = ${t - 1}`));
}

/** @param {any} text */
function mark(text) {
  return h("span.mark", { "aria-hidden": "true" }, text);
}

/** Matrices and signs, nested as the expression is. @param {any} expression @param {(leaf: Expression, path: string) => HTMLElement} show @param {string} path */
function laid(expression, show, path) {
  const { op, group, stands } = expression;
  const args = expression.args || [];
  const inner = () => {
    if (op === "symbol" || (op === "transpose" && args[0].op === "symbol")) return show(expression, path);
    if (op === "const") return h("span.number", null, String(expression.value));
    const parts = args.map((/** @type {any} */ arg, /** @type {number} */ k) => laid(arg, show, `${path}${k}`));
    if (op === "matmul") return h("span.laid", null, parts[0], mark("·"), parts[1]);
    const signs = {
      add: "+",
      sub: "−",
      mul: args.some((/** @type {any} */ a) => !a.dims.length) ? "×" : "⊙",
      div: "/",
    }[op];
    if (op === "xlogy") return h("span.laid", null, parts[0], mark("⊙ log"), parts[1]);
    if (signs)
      return h(
        "span.laid",
        null,
        parts.map((/** @type {any} */ part, /** @type {number} */ k) => {
          const wrapped = op === "mul" && (args[k].op === "sub" || args[k].op === "add");
          return [k ? mark(signs) : null, wrapped ? [mark("("), part, mark(")")] : part];
        }),
      );
    if (op === "square") return h("span.laid", null, parts, h("span.power.mark", null, "²"));
    if (op === "neg") return h("span.laid", null, mark("−"), parts);
    const word = op === "sum" ? ["Σ", h("sub", null, dimLetters(expression.axis))] : op === "step" ? "1 where > 0" : op;
    return h("span.laid", null, mark(word), mark("("), parts, mark(")"));
  };
  if (!group) return inner();
  const title = group === "from-output" ? "from the output" : "from the future";
  const source =
    group === "from-output"
      ? "B4: this step's own prediction"
      : state.t + 1 < app.model.sizes.T_x
        ? `B10 of t = ${state.t + 1}`
        : "nothing comes after";
  const sum = stands ? [mark("="), show({ op: "symbol", name: stands, dims: expression.dims }, `${path}s`)] : [];
  return h(
    "div",
    { class: `term ${group}`, role: "group", "aria-label": title },
    h(
      "p.term-title",
      null,
      h("b", null, title),
      h("span", null, source),
      group === "from-future" ? futureSwitch() : null,
    ),
    h("div.laid", null, inner(), sum),
  );
}

/** @param {Expression} leaf @param {Record<string, Tensor>} names @param {number} t @param {string} path @param {any} lit */
function operand(leaf, names, t, path, lit) {
  const turned = leaf.op === "transpose";
  const name = /** @type {string} */ (turned ? /** @type {any} */ (leaf.args)[0].name : leaf.name);
  const value = evaluate(leaf, names);
  if (!value.shape.length) return h("span.number", { "data-sym": name }, symbol(name), ` ${short(value.data[0])}`);
  const group = name === "da_from_output" ? "from-output-value" : name === "da_from_future" ? "from-future-value" : "";
  const chosen = !lit && /** @type {any} */ (state.cell);
  return matrix({
    name,
    value,
    sizes: app.model.sizes,
    key: path,
    turned,
    group,
    lit: lit || (group && chosen ? { i: chosen[0], j: chosen[1] } : null),
    before: app.flash && evaluate(leaf, app.flash.scope[t]),
    change: editable(name) ? (i, j, x) => editable(name)?.(t, turned ? j : i, turned ? i : j, x) : undefined,
  });
}

function futureSwitch() {
  return button(
    [h("span.knob", { "aria-hidden": "true" }), state.future ? "on" : "off"],
    () => go({ future: !state.future }),
    {
      class: "switch",
      role: "switch",
      "aria-checked": String(state.future),
      key: "future",
      "aria-label": "the future term",
      title: "switch the future term off and see what goes wrong",
    },
  );
}

/** The chosen number, term by term with a running sum. @param {Equation} eq @param {number} t */
export function writtenOut(eq, t) {
  const { names, value, before } = facts(eq, t);
  const [rows, columns] = rowsAndColumns(value);
  if (!state.cell || state.cell[0] >= rows || state.cell[1] >= columns)
    return h("p.terms.hint", null, "Choose a number of the result to see the terms it is the sum of.");
  const [i, j] = state.cell;
  const terms = termsAt(onCard(eq), names, i, j);
  if (before) terms.unshift({ value: before.data[i * columns + j], text: "so far" });
  let sum = 0;
  const many = terms.length > 12;
  const shown = terms.map((term) => ({ ...term, sum: (sum += term.value) }));
  const list = many ? [...shown.slice(0, 10), null, shown[shown.length - 1]] : shown;
  return h(
    "div.terms",
    { "data-scroll": "terms", tabindex: 0, role: "group", "aria-label": "the chosen number, term by term" },
    h(
      "span.terms-name",
      null,
      symbol(eq.target),
      h("span.index", null, value.shape.length > 1 ? `[${i}, ${j}]` : `[${j}]`),
      h("span.sign", null, "="),
    ),
    h(
      "ol",
      null,
      list.map((term, k) =>
        term === null
          ? h("li.gap", null, `… ${terms.length - 11} more …`)
          : h(
              "li",
              { class: term.group || "" },
              h("span.term-text", null, k ? h("span.sign", null, "+") : null, term.text),
              h("span.term-sum", null, terms.length > 1 ? (k ? short(term.sum) : short(term.value)) : ""),
            ),
      ),
    ),
    h("span.total", null, h("span.sign", null, "="), h("b", null, exact(value.data[i * columns + j]))),
  );
}

/** @param {Equation} eq */
export function reason(eq) {
  return h("p.why", null, prose(eq.why));
}

/** @param {Equation} eq */
export function codeRow(eq) {
  return h(
    "div.code-row",
    null,
    code(`${eq.target} ${eq.accumulate ? "+=" : "="} ${eq.numpy}`),
    eq.code ? h("span.place", null, `${eq.code.file}:${eq.code.line}`) : null,
  );
}

/** What a screen reader hears at each step. @param {Equation} eq @param {number} t */
export function sentence(eq, t) {
  const { value } = facts(eq, t);
  return `Step ${eq.id} at t = ${t}: ${spoken(eq.target)} ${eq.accumulate ? "grows by" : "is"} ${plainText(eq.expression)}, ${value.dims.map((dim) => dimText(dim, app.model.sizes)).join(" by ") || "a number"}, largest size ${exact(largest(value))}. ${eq.why}`;
}
