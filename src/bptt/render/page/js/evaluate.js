// The evaluator: an expression of the table of equations, as JSON, and the names it speaks of, to its value.
import { transposed } from "./tensor.js";

/** @typedef {{op: string, dims: (string | number)[], name?: string, value?: number, axis?: string, keepdims?: boolean,
 *             args?: any[]}} Expression */

/** @type {Record<string, (x: number) => number>} */
const UNARY = {
  neg: (x) => -x,
  tanh: Math.tanh,
  relu: (x) => (x > 0 ? x : 0),
  step: (x) => (x > 0 ? 1 : 0),
  square: (x) => x * x,
  log: Math.log,
  exp: Math.exp,
};

/** @type {Record<string, (x: number, y: number) => number>} */
const BINARY = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  xlogy: (x, y) => (x === 0 ? 0 : x * Math.log(y)), // a class that is not the target costs nothing, even at log 0
  div: (x, y) => x / y,
};

/** @param {Expression} expression @param {Record<string, Tensor>} names @returns {Tensor} */
export function evaluate(expression, names) {
  const { op } = expression;
  if (op === "symbol") {
    const value = names[/** @type {string} */ (expression.name)];
    if (!value) throw new Error(`no value for ${expression.name}`);
    return value;
  }
  if (op === "const") return { dims: [], shape: [], data: Float64Array.of(/** @type {number} */ (expression.value)) };
  const args = /** @type {Expression[]} */ (expression.args).map((arg) => evaluate(arg, names));
  if (op in UNARY) return mapped(args[0], UNARY[op]);
  if (op in BINARY) return args.reduce((left, right) => broadcast(left, right, BINARY[op]));
  if (op === "transpose") return transposed(args[0]);
  if (op === "matmul") return matmul(args[0], args[1]);
  if (op === "diag") return diagonal(args[0], expression.dims);
  const axis = args[0].dims.indexOf(/** @type {string} */ (expression.axis));
  if (op === "sum") return summed(args[0], axis, Boolean(expression.keepdims));
  if (op === "softmax") return softmax(args[0], axis);
  throw new Error(`unknown operation ${op}`);
}

/** @param {Tensor} value @param {(x: number) => number} f @returns {Tensor} */
function mapped(value, f) {
  const data = new Float64Array(value.data.length);
  for (let i = 0; i < data.length; i += 1) data[i] = f(value.data[i]);
  return { dims: value.dims, shape: value.shape, data };
}

/** @param {Tensor} left @param {Tensor} right @returns {Tensor} */
function matmul(left, right) {
  const [rows, inner] = left.shape;
  const columns = right.shape[1];
  const data = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i += 1) {
    for (let k = 0; k < inner; k += 1) {
      const factor = left.data[i * inner + k];
      for (let j = 0; j < columns; j += 1) data[i * columns + j] += factor * right.data[k * columns + j];
    }
  }
  return { dims: [left.dims[0], right.dims[1]], shape: [rows, columns], data };
}

/** @param {Tensor} column @param {(string | number)[]} dims @returns {Tensor} */
function diagonal(column, dims) {
  const n = column.data.length;
  const data = new Float64Array(n * n);
  for (let i = 0; i < n; i += 1) data[i * n + i] = column.data[i];
  return { dims, shape: [n, n], data };
}

/** NumPy's rule: axes meet from the right, and a missing axis or one of size 1 repeats.
 * @param {Tensor} left @param {Tensor} right @param {(x: number, y: number) => number} f @returns {Tensor} */
function broadcast(left, right, f) {
  if (left.shape.length === right.shape.length && left.shape.every((size, k) => size === right.shape[k])) {
    const data = new Float64Array(left.data.length);
    for (let i = 0; i < data.length; i += 1) data[i] = f(left.data[i], right.data[i]);
    return { dims: left.dims, shape: left.shape, data };
  }
  const rank = Math.max(left.shape.length, right.shape.length);
  const axis = (value, k) => k - (rank - value.shape.length);
  const size = (value, k) => (axis(value, k) < 0 ? 1 : value.shape[axis(value, k)]);
  const dims = [];
  const shape = [];
  for (let k = 0; k < rank; k += 1) {
    const larger = size(left, k) >= size(right, k) && axis(left, k) >= 0 ? left : right;
    const other = larger === left ? right : left;
    const named =
      size(larger, k) === size(other, k) && typeof larger.dims[axis(larger, k)] === "number" && axis(other, k) >= 0;
    dims.push(named ? other.dims[axis(other, k)] : larger.dims[axis(larger, k)]);
    shape.push(size(larger, k));
  }
  const strides = [left, right].map((value) => {
    let stride = 1;
    const out = new Array(rank).fill(0);
    for (let k = rank - 1; k >= 0; k -= 1) {
      if (size(value, k) > 1) out[k] = stride;
      stride *= size(value, k);
    }
    return out;
  });
  const data = new Float64Array(shape.reduce((product, n) => product * n, 1));
  for (let flat = 0; flat < data.length; flat += 1) {
    let rest = flat;
    let i = 0;
    let j = 0;
    for (let k = rank - 1; k >= 0; k -= 1) {
      const index = rest % shape[k];
      rest = (rest - index) / shape[k];
      i += index * strides[0][k];
      j += index * strides[1][k];
    }
    data[flat] = f(left.data[i], right.data[j]);
  }
  return { dims, shape, data };
}

/** Walk the lines of a tensor along one axis: f gets the flat index of the line's start and the stride along it.
 * @param {Tensor} value @param {number} axis @param {(start: number, stride: number, length: number, line: number) => void} f */
function alongAxis(value, axis, f) {
  const length = value.shape[axis];
  const stride = value.shape.slice(axis + 1).reduce((product, n) => product * n, 1);
  const lines = length ? value.data.length / length : 0;
  for (let line = 0; line < lines; line += 1)
    f(Math.floor(line / stride) * stride * length + (line % stride), stride, length, line);
}

/** @param {Tensor} value @param {number} axis @param {boolean} keepdims @returns {Tensor} */
function summed(value, axis, keepdims) {
  const keep = (/** @type {any[]} */ list) => (keepdims ? list.with(axis, 1) : list.toSpliced(axis, 1));
  const shape = keep(value.shape);
  const data = new Float64Array(shape.reduce((product, n) => product * n, 1));
  alongAxis(value, axis, (start, stride, length, line) => {
    for (let k = 0; k < length; k += 1) data[line] += value.data[start + k * stride];
  });
  return { dims: keep(value.dims), shape, data };
}

/** @param {Tensor} value @param {number} axis @returns {Tensor} */
function softmax(value, axis) {
  const data = new Float64Array(value.data.length);
  alongAxis(value, axis, (start, stride, length) => {
    let top = -Infinity; // taking the largest away first keeps exp finite and changes nothing
    for (let k = 0; k < length; k += 1) top = Math.max(top, value.data[start + k * stride]);
    let total = 0;
    for (let k = 0; k < length; k += 1)
      total += data[start + k * stride] = Math.exp(value.data[start + k * stride] - top);
    for (let k = 0; k < length; k += 1) data[start + k * stride] /= total;
  });
  return { dims: value.dims, shape: value.shape, data };
}
