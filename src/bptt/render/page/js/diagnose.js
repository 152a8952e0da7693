// What went wrong in a wrong answer: the right line with one mistake in it, evaluated, and compared with what was typed.
import { evaluate } from "./evaluate.js";
import { outputOf } from "./network.js";
import { entry } from "./terms.js";
import { rowsAndColumns, tensor } from "./tensor.js";

/** @param {any} expression @param {(node: any) => any} change @returns {any} */
function rewriteAll(expression, change) {
  const args = expression.args ? expression.args.map((/** @type {any} */ arg) => rewriteAll(arg, change)) : undefined;
  return change(args ? { ...expression, args } : expression);
}

/** @param {any} expression @param {(node: any) => boolean} test @returns {boolean} */
function has(expression, test) {
  return test(expression) || (expression.args || []).some((/** @type {any} */ arg) => has(arg, test));
}

/** @param {string} from @param {string} to */
const renamed = (from, to) => (/** @type {any} */ node) =>
  node.op === "symbol" && node.name === from ? { ...node, name: to } : node;

/** Near enough to two decimals or to one percent. @param {number} answer @param {number} right */
function near(answer, right) {
  return Math.abs(answer - right) <= Math.max(0.0051, 0.01 * Math.abs(right));
}

/** Wrong calculations that people make of this line, each with its sentence.
 * @param {Model} model @param {Trace} trace @param {Equation} eq @param {number} t @returns {[string, Tensor][]} */
function mistakes(model, trace, eq, t) {
  const names = trace.scope[t];
  const { expression } = eq;
  const { args = [] } = expression;
  /** @type {[string, any, Record<string, Tensor>?][]} */
  const list = [];
  const rename = (from, to, text) =>
    has(expression, (node) => node.name === from) &&
    names[to] &&
    list.push([text, rewriteAll(expression, renamed(from, to))]);
  if (expression.op === "add") {
    args.forEach((/** @type {any} */ arg, /** @type {number} */ k) => {
      const rest = args.filter((/** @type {any} */ _, /** @type {number} */ other) => other !== k);
      const called =
        { da_from_future: "the future term", da_from_output: "the term from the output" }[arg.name] ||
        (arg.op === "matmul"
          ? `the term with ${(arg.args[0].args ? arg.args[0].args[0] : arg.args[0]).name}`
          : arg.name);
      list.push([`${called} is missing.`, rest.length === 1 ? rest[0] : { ...expression, args: rest }]);
    });
  }
  if (has(expression, (node) => node.op === "square")) {
    list.push(["you used a, not a².", rewriteAll(expression, (node) => (node.op === "square" ? node.args[0] : node))]);
    list.push([
      "that is 1 − z²: the slope of tanh is written with its value a_t, not with z_a.",
      rewriteAll(expression, renamed("a_t", "z_a")),
    ]);
    list.push([
      "that is 1 − tanh(a)²: a_t is already tanh(z_a).",
      rewriteAll(expression, (node) => (node.name === "a_t" ? { op: "tanh", dims: node.dims, args: [node] } : node)),
    ]);
  }
  if (expression.op === "mul") {
    list.push(["the slope is missing: that is da unchanged.", args[0]]);
    list.push(["that is the slope alone; multiply it by da.", args[1]]);
  }
  if (
    has(expression, (node) => node.op === "transpose" && model.sizes.n_a > 1) &&
    has(expression, (node) => node.name === "W_aa")
  )
    list.push([
      "the transpose is missing: that is W_aa dz_a.",
      rewriteAll(expression, (node) => (node.op === "transpose" ? node.args[0] : node)),
    ]);
  rename("a_prev", "a_t", "you used a_t; this line reads the state before the step, a_prev.");
  rename("a_t", "a_prev", "you used a_prev; this line reads the state after the step, a_t.");
  rename("da_from_future", "da_from_output", "that is the output's term twice.");
  rename("dz_a", "da", "you used da; this line needs dz_a, after the slope.");
  if (has(expression, (node) => node.name === "a_prev") && t === 0)
    list.push(["a0 is not zero here.", expression, { a_prev: tensor(["n_a", "m"], model.sizes) }]);
  if (expression.op === "tanh" || expression.op === "softmax")
    list.push([`${expression.op} is not applied yet: that is its argument.`, args[0]]);
  if (expression.op === "softmax")
    list.push(["not divided by the sum: a column must sum to 1.", { ...expression, op: "exp" }]);
  if (eq.id === "F5") rename("y_t", "y_pred_t", "the target picks the class: use y_t, not y_pred_t.");
  const values = list.flatMap(([text, wrong, other]) => {
    try {
      return [/** @type {[string, Tensor]} */ ([text, evaluate(wrong, { ...names, ...other })])];
    } catch {
      return [];
    }
  });
  const right = evaluate(expression, names);
  values.push(["the sign is the other way round.", mapAll(right, (x) => -x)]);
  if (has(expression, (node) => node.op === "sum" && node.axis === "m") || eq.accumulate)
    values.push(["you took the mean over the m examples; this is their sum.", mapAll(right, (x) => x / model.sizes.m)]);
  if (eq.accumulate) {
    const before = trace.before[t][eq.target];
    const plus = values.map(
      ([text, value]) =>
        /** @type {[string, Tensor]} */ ([text, { ...value, data: value.data.map((x, k) => x + before.data[k]) }]),
    );
    plus.unshift(
      ["that is this step's share alone; add what the later steps have already given.", right],
      ["that is what the later steps gave; this step's share is missing.", before],
    );
    return plus;
  }
  return values;
}

/** @param {Tensor} value @param {(x: number) => number} f */
function mapAll(value, f) {
  return { ...value, data: value.data.map(f) };
}

/** A sentence about an answer. @param {Model} model @param {Trace} trace @param {Equation} eq @param {number} t @param {number} i @param {number} j
 * @param {number} answer @returns {{right: boolean, text: string}} */
export function diagnosis(model, trace, eq, t, i, j, answer) {
  const value = outputOf(trace, eq, t);
  const right = entry(value, i, j);
  if (near(answer, right)) return { right: true, text: "Right." };
  for (const [text, wrong] of mistakes(model, trace, eq, t)) {
    const [rows, columns] = rowsAndColumns(wrong);
    if (
      (rows === 1 || i < rows) &&
      (columns === 1 || j < columns) &&
      near(answer, entry(wrong, i, j)) &&
      !near(entry(wrong, i, j), right)
    )
      return { right: false, text: `Not yet: ${text}` };
  }
  const [rows, columns] = rowsAndColumns(value);
  for (let p = 0; p < rows; p += 1)
    for (let q = 0; q < columns; q += 1)
      if (near(answer, entry(value, p, q)))
        return {
          right: false,
          text: `Not yet: that is the number at row ${p}, column ${q}; asked is row ${i}, column ${j}.`,
        };
  if (Math.abs(answer - right) <= 0.1 * Math.abs(right))
    return {
      right: false,
      text: "Very near: look at the rounding, two decimals are enough if the last step is rounded alone.",
    };
  return {
    right: false,
    text: "Not yet. Write the row of the left times the column of the right, term by term; or look at it under Show.",
  };
}
