// Tensors: named dimensions, a shape, and the numbers in C order.

/** @typedef {(string | number)[]} Dims */
/** @typedef {{dims: Dims, shape: number[], data: Float64Array}} Tensor */
/** @typedef {Record<string, number>} Sizes */

/** @param {Dims} dims @param {Sizes} sizes @returns {number[]} */
export function shapeOf(dims, sizes) {
  return dims.map((dim) => (typeof dim === "number" ? dim : sizes[dim]));
}

/** @param {number[]} shape */
function countOf(shape) {
  return shape.reduce((product, size) => product * size, 1);
}

/** @param {Dims} dims @param {Sizes} sizes @param {ArrayLike<number>} [values] @returns {Tensor} */
export function tensor(dims, sizes, values) {
  const shape = shapeOf(dims, sizes);
  return { dims, shape, data: values ? Float64Array.from(values) : new Float64Array(countOf(shape)) };
}

/** A tensor seen as rows and columns: a vector is one row, a scalar one cell. @param {Tensor} value */
export function rowsAndColumns(value) {
  const { shape } = value;
  return shape.length >= 2 ? [shape[0], shape[1]] : [1, shape.length ? shape[0] : 1];
}

/** The slice at step t of a tensor whose last axis is time. @param {Tensor} value @param {number} t @returns {Tensor} */
export function at(value, t) {
  const steps = value.shape[value.shape.length - 1];
  const data = new Float64Array(value.data.length / steps);
  for (let i = 0; i < data.length; i += 1) data[i] = value.data[i * steps + t];
  return { dims: value.dims.slice(0, -1), shape: value.shape.slice(0, -1), data };
}

/** @param {Tensor} value @returns {Tensor} */
export function transposed(value) {
  const [rows, columns] = value.shape;
  const data = new Float64Array(value.data.length);
  for (let i = 0; i < rows; i += 1)
    for (let j = 0; j < columns; j += 1) data[j * rows + i] = value.data[i * columns + j];
  return { dims: [value.dims[1], value.dims[0]], shape: [columns, rows], data };
}

/** @param {Tensor} value @returns {Tensor} */
export function copied(value) {
  return { dims: value.dims, shape: value.shape, data: value.data.slice() };
}

/** The length of a tensor as one long vector. @param {Tensor} value */
export function norm(value) {
  let sum = 0;
  for (const x of value.data) sum += x * x;
  return Math.sqrt(sum);
}

/** max |left - right| / max |right|, and 0 where both are zero. @param {Tensor} left @param {Tensor} right */
export function relativeError(left, right) {
  let difference = 0;
  let size = 0;
  for (let i = 0; i < right.data.length; i += 1) {
    difference = Math.max(difference, Math.abs(left.data[i] - right.data[i]));
    size = Math.max(size, Math.abs(right.data[i]));
  }
  return difference === 0 ? 0 : difference / (size || 1);
}

/** @param {Tensor} value */
export function largest(value) {
  let size = 0;
  for (const x of value.data) size = Math.max(size, Math.abs(x));
  return size;
}
