// Which numbers can be changed, and how.
import { edit } from "./store.js";
import { app } from "./store.js";

/** A function that changes entry (i, j) of a tensor at step t; undefined where the tensor is calculated.
 * @param {string} name @returns {undefined | ((t: number, i: number, j: number, value: number) => void)} */
export function editable(name) {
  const source = { x_t: "X", y_t: "Y" }[name] || name;
  const tensor = app.model.tensors[source];
  if (!tensor) return undefined;
  return (t, i, j, value) => {
    if (source === "X") edit([{ name: source, index: (i * tensor.shape[1] + j) * tensor.shape[2] + t, value }]);
    else if (source === "Y") edit(target(t, i, j, value));
    else edit([{ name: source, index: i * tensor.shape[1] + j, value }]);
  };
}

/** A column of Y is a distribution: what one class gains the others lose, in proportion.
 * @param {number} t @param {number} i @param {number} j @param {number} value */
function target(t, i, j, value) {
  const { shape, data } = app.model.tensors.Y;
  const at = (/** @type {number} */ k) => (k * shape[1] + j) * shape[2] + t;
  const share = Math.max(0, Math.min(1, value));
  let rest = 0;
  for (let k = 0; k < shape[0]; k += 1) if (k !== i) rest += data[at(k)];
  const cells = [{ name: "Y", index: at(i), value: shape[0] === 1 ? 1 : share }];
  for (let k = 0; k < shape[0]; k += 1) {
    if (k !== i)
      cells.push({
        name: "Y",
        index: at(k),
        value: rest > 0 ? (data[at(k)] / rest) * (1 - share) : (1 - share) / (shape[0] - 1),
      });
  }
  return cells;
}
