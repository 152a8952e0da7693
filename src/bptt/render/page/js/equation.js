// An expression as HTML: every symbol a node that can be lit, its named dimensions under it, inner dimensions tied.
import { h } from "./dom.js";
import { symbol } from "./format.js";
import { shapeOf } from "./tensor.js";

const RANK = { add: 1, sub: 1, neg: 1, mul: 2, matmul: 2, div: 2, xlogy: 2 };

/** One dimension as a chip: a letter, a colour, and its size. @param {string | number} dim @param {Sizes} sizes @param {string} [more] */
export function chip(dim, sizes, more = "") {
  if (typeof dim === "number") return h("span", { class: `chip ${more}` }, h("b", null, String(dim)));
  const cut = dim.indexOf("_");
  const letters = cut > 0 ? [dim.slice(0, cut), h("sub", null, dim.slice(cut + 1))] : [dim];
  const size = sizes[dim];
  return h(
    "span",
    { class: `chip dim-${dim} ${more}`, "data-dim": dim, title: app_dim(dim) },
    h("i", null, letters),
    h("b", null, `${size}`),
  );
}

let glossary = {};
/** @param {Record<string, string>} dims what each dimension means */
export function nameDims(dims) {
  glossary = dims;
}
/** @param {string} dim */
function app_dim(dim) {
  return glossary[dim] ? `${dim}: ${glossary[dim]}` : dim;
}

/** The shape of a symbol as chips. @param {(string|number)[]} dims @param {Sizes} sizes @param {{left?: string, right?: string}} [ties] */
export function chips(dims, sizes, ties = {}) {
  if (!dims.length) return h("span.chips", null, h("span.chip", null, h("b", null, "number")));
  return h(
    "span.chips",
    null,
    dims.map((dim, k) =>
      chip(
        dim,
        sizes,
        `${k === 0 && ties.left ? ties.left : ""} ${k === dims.length - 1 && ties.right ? ties.right : ""}`,
      ),
    ),
  );
}

/** A named dimension and its size in words. @param {string|number} dim @param {Sizes} sizes */
export function dimText(dim, sizes) {
  return typeof dim === "number" ? String(dim) : `${dim}=${sizes[dim]}`;
}

/** @param {(string|number)[]} dims @param {Sizes} sizes */
export function shapeText(dims, sizes) {
  return dims.length ? `(${dims.map((dim) => dimText(dim, sizes)).join(", ")})` : "a number";
}

/** Can two matrices be multiplied? By name, and by size alone, which is what NumPy looks at.
 * @param {Expression} left @param {Expression} right @param {Sizes} sizes */
export function fits(left, right, sizes) {
  const inner = [left.dims[left.dims.length - 1], right.dims[0]];
  const [p, q] = shapeOf(inner, sizes);
  return { byName: inner[0] === inner[1], bySize: p === q, inner };
}

/** Draw an expression; a term of da is tinted in its colour. @param {any} expression @param {any} [how] */
function drawn(expression, how = {}) {
  const node = bare(expression, how);
  return expression.group ? h("span", { class: `grouped ${expression.group}` }, node) : node;
}

/** @param {Expression} expression @param {{sizes?: Sizes, ties?: any, rank?: number, plain?: boolean}} [how] */
function bare(expression, how = {}) {
  const { op, dims } = expression;
  const args = /** @type {Expression[]} */ (expression.args || []);
  const { sizes, ties, rank = 0 } = how;
  const inner = (arg, more = {}) => drawn(arg, { ...how, ties: undefined, rank: 0, ...more });
  if (op === "symbol" || op === "transpose") {
    const name = op === "symbol" ? expression.name : args[0].name;
    const body =
      op === "transpose" && args[0].op !== "symbol"
        ? h("span", null, "(", inner(args[0]), ")")
        : symbol(/** @type {string} */ (name), how);
    const letters = h("span.letters", null, body, op === "transpose" ? h("sup.transpose", null, "T") : null);
    return sizes ? h("span.factor", null, letters, chips(dims, sizes, ties)) : letters;
  }
  if (op === "const") return h("span.factor", null, h("span.letters", null, String(expression.value)));
  const wrap =
    rank > (RANK[op] || 9)
      ? (/** @type {any} */ node) => h("span.op", null, sign("("), node, sign(")"))
      : (/** @type {any} */ node) => node;
  if (op === "matmul") {
    const tie = sizes ? (fits(args[0], args[1], sizes).byName ? "tie" : "torn") : "";
    return wrap(
      h(
        "span.op.product",
        null,
        inner(args[0], { rank: 3, ties: { ...ties, right: `${tie} ${tie}-left` } }),
        inner(args[1], { rank: 3, ties: { ...ties, left: `${tie} ${tie}-right` } }),
      ),
    );
  }
  if (op === "add" || op === "sub" || op === "mul" || op === "div") {
    const mark = { add: "+", sub: "−", mul: args.some((arg) => !arg.dims.length) ? "·" : "⊙", div: "/" }[op];
    return wrap(
      h(
        "span.op",
        null,
        args.map((arg, k) => [k ? sign(mark) : null, inner(arg, { rank: RANK[op] + (op === "sub" && k ? 1 : 0) })]),
      ),
    );
  }
  if (op === "xlogy")
    return wrap(
      h("span.op", null, inner(args[0], { rank: 2 }), h("span.function", null, "log"), inner(args[1], { rank: 3 })),
    );
  if (op === "neg") return wrap(h("span.op", null, sign("−"), inner(args[0], { rank: 2 })));
  if (op === "square" && args[0].op === "symbol") {
    const letters = h("span.letters", null, symbol(/** @type {string} */ (args[0].name), how), h("sup", null, "2"));
    return sizes ? h("span.factor", null, letters, chips(dims, sizes, ties)) : letters;
  }
  if (op === "square") return h("span.op", null, inner(args[0], { rank: 3 }), h("sup.power", null, "2"));
  if (op === "sum")
    return wrap(
      h(
        "span.op",
        null,
        h("span.sum", null, "Σ", h("sub", null, dimLetters(/** @type {string} */ (expression.axis)))),
        inner(args[0], { rank: 2 }),
      ),
    );
  if (op === "step") return h("span.op", null, sign("["), inner(args[0]), sign("> 0]"));
  return h("span.op", null, h("span.function", null, op), sign("("), inner(args[0]), sign(")"));
}

/** @param {string} mark */
function sign(mark) {
  return h("span", { class: /[()[\]]/.test(mark) ? "sign paren" : "sign" }, mark);
}

/** @param {string} dim */
export function dimLetters(dim) {
  const cut = dim.indexOf("_");
  return cut > 0 ? h("i", null, dim.slice(0, cut), h("sub", null, dim.slice(cut + 1))) : h("i", null, dim);
}

/** target = expression (or +=). @param {Equation} eq @param {{sizes?: Sizes, expression?: Expression, plain?: boolean}} [how] */
export function equationLine(eq, how = {}) {
  const { sizes } = how;
  const onward = sizes && eq.target === "da_from_future" ? h("span.so-far", null, " of t − 1") : null;
  const letters = h("span.letters", null, symbol(eq.target, how), onward);
  const target = sizes ? h("span.factor", null, letters, chips(eq.dims, sizes)) : letters;
  return h(
    "span.equation",
    null,
    target,
    sign(eq.accumulate ? "+=" : "="),
    drawn(how.expression || eq.expression, how),
  );
}

/** An expression in one line of plain text. @param {Expression} expression @param {number} [rank] @returns {string} */
export function plainText(expression, rank = 0) {
  const { op } = expression;
  const args = /** @type {Expression[]} */ (expression.args || []);
  const bracket = (/** @type {string} */ text) => (rank > (RANK[op] || 9) ? `(${text})` : text);
  if (op === "symbol") return /** @type {string} */ (expression.name);
  if (op === "const") return String(expression.value);
  if (op === "transpose") return `${plainText(args[0], 3)}ᵀ`;
  if (op === "square") return `${plainText(args[0], 3)}²`;
  if (op === "neg") return bracket(`−${plainText(args[0], 2)}`);
  if (op === "sum") return bracket(`Σ over ${expression.axis} of ${plainText(args[0], 2)}`);
  if (op === "xlogy") return bracket(`${plainText(args[0], 2)} log ${plainText(args[1], 3)}`);
  const mark = { add: " + ", sub: " − ", mul: " ⊙ ", matmul: " · ", div: " / " }[op];
  if (mark) return bracket(args.map((arg, k) => plainText(arg, RANK[op] + (op === "sub" && k ? 1 : 0))).join(mark));
  return `${op}(${plainText(args[0])})`;
}
