// One number written out: the terms whose sum it is, and the cells they come from.
import { evaluate } from "./evaluate.js";
import { short } from "./format.js";
import { rowsAndColumns } from "./tensor.js";

/** @typedef {{value: number, text: string, group?: string}} Term */

/** The entry (i, j) of a value as its row-and-column view has it; an axis of size 1 repeats.
 * @param {Tensor} value @param {number} i @param {number} j */
export function entry(value, i, j) {
  const [rows, columns] = rowsAndColumns(value);
  return value.data[(rows === 1 ? 0 : i) * columns + (columns === 1 ? 0 : j)];
}

/** @param {number} x */
const bracketed = (x) => (x < 0 ? `(${short(x)})` : short(x));

/** The terms of one entry of an expression, in the order of the calculation.
 * @param {Expression} expression @param {Record<string, Tensor>} names @param {number} i @param {number} j @returns {Term[]} */
export function termsAt(expression, names, i, j) {
  const { op } = expression;
  const args = /** @type {Expression[]} */ (expression.args || []);
  const group = /** @type {any} */ (expression).group;
  const tagged = (/** @type {Term[]} */ terms) => (group ? terms.map((term) => ({ ...term, group })) : terms);
  if (op === "add") return tagged(args.flatMap((arg) => termsAt(arg, names, i, j)));
  if (op === "sub")
    return tagged([
      ...termsAt(args[0], names, i, j),
      ...args.slice(1).flatMap((arg) => negated(termsAt(arg, names, i, j))),
    ]);
  if (op === "neg") return tagged(negated(termsAt(args[0], names, i, j)));
  if (op === "matmul") {
    const [left, right] = args.map((arg) => evaluate(arg, names));
    const inner = rowsAndColumns(left)[1];
    return tagged(
      [...Array(inner).keys()].map((k) => {
        const [x, y] = [entry(left, i, k), entry(right, k, j)];
        return { value: x * y, text: `${bracketed(x)} × ${bracketed(y)}` };
      }),
    );
  }
  if (op === "sum") {
    const value = evaluate(args[0], names);
    const axis = value.dims.indexOf(/** @type {string} */ (expression.axis));
    const count = value.shape[axis];
    return tagged(
      [...Array(count).keys()].flatMap((k) => {
        const [p, q] = axis === 0 ? [k, j] : [i, k];
        return [{ value: entry(value, p, q), text: writtenAt(args[0], names, p, q) }];
      }),
    );
  }
  const value = entry(evaluate(expression, names), i, j);
  return tagged([{ value, text: writtenAt(expression, names, i, j) }]);
}

/** @param {Term[]} terms @returns {Term[]} */
function negated(terms) {
  return terms.map((term) => ({ ...term, value: -term.value, text: `−(${term.text})` }));
}

/** An elementwise expression with its numbers put in. @param {Expression} expression @param {Record<string, Tensor>} names
 * @param {number} i @param {number} j @returns {string} */
function writtenAt(expression, names, i, j) {
  const { op } = expression;
  const args = /** @type {Expression[]} */ (expression.args || []);
  const inner = (/** @type {Expression} */ arg) => writtenAt(arg, names, i, j);
  const atom = (/** @type {Expression} */ arg) =>
    arg.op === "symbol" || arg.op === "const" ? bracketed(entry(evaluate(arg, names), i, j)) : inner(arg);
  if (op === "mul") return args.map(atom).join(" × ");
  if (op === "xlogy") return `${atom(args[0])} × log ${atom(args[1])}`;
  if (op === "sub" || op === "add") return `(${args.map(atom).join(op === "sub" ? " − " : " + ")})`;
  if (op === "div") return args.map(atom).join(" / ");
  if (op === "square") return `${atom(args[0])}²`;
  if (op === "neg") return `−${atom(args[0])}`;
  if (op === "step") return `[${inner(args[0])} > 0]`;
  if (op === "tanh" || op === "relu" || op === "log" || op === "exp") return `${op}(${inner(args[0])})`;
  if (op === "softmax") {
    const value = evaluate(args[0], names);
    const all = [...Array(rowsAndColumns(value)[0]).keys()].map((k) => `exp ${bracketed(entry(value, k, j))}`);
    return `exp ${bracketed(entry(value, i, j))} / (${all.length > 6 ? `${all.slice(0, 3).join(" + ")} + …` : all.join(" + ")})`;
  }
  return short(entry(evaluate(expression, names), i, j));
}

/** Which row and column of each operand an entry is made from; null is a whole row or column.
 * @param {Expression} expression @param {{i: number | null, j: number | null}} from
 * @param {(leaf: Expression, from: {i: number | null, j: number | null}) => void} tell */
export function sources(expression, from, tell) {
  const { op } = expression;
  const args = /** @type {Expression[]} */ (expression.args || []);
  if (op === "symbol" || (op === "transpose" && args[0].op === "symbol")) tell(expression, from);
  else if (op === "matmul") {
    sources(args[0], { i: from.i, j: null }, tell);
    sources(args[1], { i: null, j: from.j }, tell);
  } else if (op === "transpose") sources(args[0], { i: from.j, j: from.i }, tell);
  else if (op === "sum" || op === "softmax") {
    const rows = args[0].dims[0] === expression.axis;
    for (const arg of args) sources(arg, rows ? { i: null, j: from.j } : { i: from.i, j: null }, tell);
  } else for (const arg of args) sources(arg, clipped(arg, from), tell);
}

/** An operand with an axis of size 1 gives its only row or column. @param {Expression} arg @param {{i: number|null, j: number|null}} from */
function clipped(arg, from) {
  const { dims } = arg;
  return { i: dims[0] === 1 ? 0 : from.i, j: dims[1] === 1 ? 0 : from.j };
}
