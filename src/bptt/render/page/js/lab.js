// What if? The same product with a transpose forgotten, the operands swapped, or the other kind of product.
import { button, h } from "./dom.js";
import { dimText, equationLine, fits, plainText, shapeText } from "./equation.js";
import { percent, prose } from "./format.js";
import { evaluate } from "./evaluate.js";
import { relativeError, shapeOf } from "./tensor.js";
import { app, go, state } from "./store.js";

/** @param {Expression} expression @param {(node: any) => any} change @returns {any} */
function rewritten(expression, change) {
  const args = expression.args ? expression.args.map((arg) => rewritten(arg, change)) : undefined;
  return change(args ? { ...expression, args } : expression);
}

/** @param {Expression} expression @param {string} op @returns {Expression | null} */
function find(expression, op) {
  if (expression.op === op) return expression;
  for (const arg of expression.args || []) {
    const found = find(arg, op);
    if (found) return found;
  }
  return null;
}

/** @param {Expression} expression @param {string} op @returns {Expression[]} */
function findAll(expression, op) {
  return [...(expression.op === op ? [expression] : []), ...(expression.args || []).flatMap((arg) => findAll(arg, op))];
}

/** @param {Expression} left @param {Expression} right */
const productDims = (left, right) => [left.dims[0], right.dims[right.dims.length - 1]];

/** @type {Record<string, {title: string, op: string, change: (node: any) => any}>} */
const VARIANTS = {
  plain: {
    title: "forget the ᵀ",
    op: "transpose",
    change: (node) => (node.op === "transpose" ? node.args[0] : remade(node)),
  },
  swap: {
    title: "swap the operands",
    op: "matmul",
    change: (node) =>
      node.op === "matmul"
        ? { ...node, args: [node.args[1], node.args[0]], dims: productDims(node.args[1], node.args[0]) }
        : node,
  },
  star: {
    title: "* instead of np.dot",
    op: "matmul",
    change: (node) => (node.op === "matmul" ? { ...node, op: "mul" } : node),
  },
  dot: {
    title: "np.dot instead of *",
    op: "mul",
    change: (node) =>
      node.op === "mul"
        ? { ...node, op: "matmul", args: node.args.slice(0, 2), dims: productDims(node.args[0], node.args[1]) }
        : node,
  },
};

/** @param {any} node */
function remade(node) {
  return node.op === "matmul" ? { ...node, dims: productDims(node.args[0], node.args[1]) } : node;
}

/** Which questions this expression allows. @param {Expression} expression */
function variants(expression) {
  return Object.entries(VARIANTS).filter(([, { op }]) => {
    const found = find(expression, op);
    return (
      found &&
      !(op === "mul" && /** @type {any} */ (found.args).some((/** @type {Expression} */ arg) => !arg.dims.length))
    );
  });
}

/** The equation with its dimensions, what they do, and the questions one may ask of it.
 * @param {Equation} eq @param {Expression} expression */
export function equationRow(eq, expression) {
  const { sizes } = app.model;
  const variant = variants(expression).find(([id]) => id === state.lab);
  const altered = variant ? rewritten(expression, variant[1].change) : expression;
  const offers = variants(expression).map(([id, { title }]) =>
    button(title, () => go({ lab: state.lab === id ? "" : id }), {
      class: "ask",
      key: `lab${id}`,
      "aria-pressed": String(state.lab === id),
    }),
  );
  return h(
    "div.equation-row",
    null,
    h(
      "div",
      { class: `equation-box ${variant ? "altered" : ""}`, "data-scroll": "equation" },
      variant ? equationLine(eq, { sizes, expression: altered }) : equationLine(eq, { sizes, expression }),
    ),
    h(
      "div.lab",
      null,
      h(
        "p",
        { class: variant ? "verdict" : "", role: variant ? "status" : null },
        prose(variant ? verdict(expression, altered) : shapesInWords(expression)),
      ),
      offers.length ? h("p.asks", null, h("span", null, "What if I… "), offers) : null,
    ),
  );
}

/** What happens to the dimensions, in a sentence. @param {Expression} expression */
function shapesInWords(expression) {
  const products = findAll(expression, "matmul");
  const sum = find(expression, "sum");
  const { sizes } = app.model;
  if (products.length) {
    const inner = products.map((product) => /** @type {Expression[]} */ (product.args)[1].dims[0]);
    return `${inner.map((dim) => `${dim} meets ${dim}`).join(", ")}: the product sums over ${inner.map((dim) => dimText(dim, sizes)).join(" and ")}, and that dimension is gone. ${shapeText(expression.dims, sizes)} remains.`;
  }
  if (sum)
    return `The sum runs over ${dimText(/** @type {string} */ (sum.axis), sizes)}; ${shapeText(sum.dims, sizes)} remains.`;
  if (expression.op === "softmax") return `Each of the ${dimText("m", sizes)} columns on its own; the shape stays.`;
  return "Element by element: both sides have the same shape, and nothing is summed.";
}

/** What an altered line would do: an error by shape, or a wrong number that no shape shows.
 * @param {Expression} right @param {Expression} altered */
function verdict(right, altered) {
  const { sizes } = app.model;
  const product = find(altered, "matmul");
  if (product) {
    const [left, other] = /** @type {Expression[]} */ (product.args);
    const fit = fits(left, other, sizes);
    if (!fit.bySize) {
      return `${fit.inner[0]} meets ${fit.inner[1]}: different quantities, ${dimText(fit.inner[0], sizes)} against ${dimText(fit.inner[1], sizes)}. NumPy stops: shapes (${shapeOf(left.dims, sizes).join(",")}) and (${shapeOf(other.dims, sizes).join(",")}) not aligned.`;
    }
    if (!fit.byName)
      return `${fit.inner[0]} meets ${fit.inner[1]}: different quantities that happen to have the same size here, so NumPy says nothing and the numbers mean nothing.`;
  } else {
    const [left, other] = /** @type {Expression[]} */ (find(altered, "mul")?.args);
    const [p, q] = [shapeOf(left.dims, sizes), shapeOf(other.dims, sizes)];
    if (!p.every((size, k) => size === q[k] || size === 1 || q[k] === 1)) {
      return `* pairs element with element: ${shapeText(left.dims, sizes)} and ${shapeText(other.dims, sizes)} have no common shape. NumPy stops: operands could not be broadcast together.`;
    }
    return "* pairs element with element and sums nothing; here the sizes happen to broadcast, so NumPy says nothing and the result is no product of these matrices.";
  }
  const names = app.trace.scope[state.t];
  const [true_, theirs] = [evaluate(right, names), evaluate(altered, names)];
  if (true_.data.length !== theirs.data.length)
    return `The sizes fit, but the result is ${shapeText(altered.dims, sizes)}, not ${shapeText(right.dims, sizes)}.`;
  const error = relativeError(theirs, true_);
  return `${plainText(altered)} has the right shape, because W_aa is square: no error, no warning, and numbers that are ${percent(error)} off. Only a gradient check finds this. Row i of W_aa says what reaches unit i; going back you need what left unit j, a column.`;
}
