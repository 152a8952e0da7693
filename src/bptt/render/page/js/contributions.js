// How much of loss t's gradient reaches step k, and what it adds to dW_aa there: signed, exact, itemised.
import { evaluate } from "./evaluate.js";
import { norm, tensor } from "./tensor.js";

const MOST_WORK = 2e8; // multiplications; longer histories are cut to their last steps

/** @typedef {{t: number, k: number, da: Tensor, dz: Tensor, dW_aa: Tensor}} Reach */

/** Every path from a loss t back to a step k <= t. One path is the backward pass fed with one loss alone.
 * @param {Model} model @param {Trace} trace @returns {{first: number, reach: Reach[][]}} reach[t - first][k - first] */
export function contributions(model, trace) {
  const { n_a, m, T_x } = model.sizes;
  const steps = Math.max(2, Math.min(T_x, 40, Math.floor(Math.sqrt(MOST_WORK / (n_a * n_a * m * 2)))));
  const first = T_x - Math.min(T_x, steps);
  const by = Object.fromEntries(model.equations.map((eq) => [eq.id, eq.expression]));
  const reach = [];
  for (let t = first; t < T_x; t += 1) {
    const row = [];
    let da = trace.scope[t].da_from_output;
    for (let k = t; k >= first; k -= 1) {
      /** @type {Record<string, Tensor>} */
      const names = { ...trace.scope[k], da };
      const dz = evaluate(by.B6, names);
      names.dz_a = dz;
      row[k - first] = { t, k, da, dz, dW_aa: evaluate(by.B7, names) };
      da = evaluate(by.B10, names);
    }
    reach.push(row);
  }
  return { first, reach };
}

/** Along one path: the length of the gradient after each factor. @param {Model} model @param {Trace} trace @param {number} t @param {number} k */
export function chain(model, trace, t, k) {
  const by = Object.fromEntries(model.equations.map((eq) => [eq.id, eq.expression]));
  let da = trace.scope[t].da_from_output;
  const links = [{ factor: "W_yaᵀ dz_y", at: t, length: norm(da) }];
  for (let s = t; s > k; s -= 1) {
    /** @type {Record<string, Tensor>} */
    const names = { ...trace.scope[s], da };
    names.dz_a = evaluate(by.B6, names);
    links.push({ factor: "slope", at: s, length: norm(names.dz_a) });
    da = evaluate(by.B10, names);
    links.push({ factor: "W_aaᵀ", at: s, length: norm(da) });
  }
  return links;
}

/** The largest |eigenvalue|: the k-th root of the length of W^k, k doubling. @param {Tensor} W */
export function spectralRadius(W) {
  const n = W.shape[0];
  let power = W.data.slice();
  let log = 0;
  let root = 1;
  for (let step = 0; step < 40; step += 1) {
    const size = Math.sqrt(power.reduce((sum, x) => sum + x * x, 0));
    if (size === 0) return 0;
    log += Math.log(size) * root;
    power = power.map((x) => x / size);
    if (step === 39) break;
    const square = new Float64Array(n * n);
    for (let i = 0; i < n; i += 1)
      for (let k = 0; k < n; k += 1)
        for (let j = 0; j < n; j += 1) square[i * n + j] += power[i * n + k] * power[k * n + j];
    power = square;
    root /= 2;
  }
  return Math.exp(log);
}

/** The largest stretch: the square root of the largest eigenvalue of W'W. @param {Tensor} W */
export function largestStretch(W) {
  const n = W.shape[0];
  const gram = tensor(["n_a", "n_a"], { n_a: n });
  for (let i = 0; i < n; i += 1)
    for (let k = 0; k < n; k += 1)
      for (let j = 0; j < n; j += 1) gram.data[i * n + j] += W.data[k * n + i] * W.data[k * n + j];
  return Math.sqrt(spectralRadius(gram));
}

/** The same network with W_aa scaled to another spectral radius and the sequence repeated or cut to T steps.
 * @param {Model} model @param {number} factor @param {number} T @returns {Model} */
export function altered(model, factor, T) {
  const sizes = { ...model.sizes, T_x: T };
  const W_aa = { ...model.tensors.W_aa, data: model.tensors.W_aa.data.map((x) => x * factor) };
  const along = (/** @type {Tensor} */ value) => {
    const old = model.sizes.T_x;
    const out = tensor(value.dims, sizes);
    for (let i = 0; i < out.data.length; i += 1) out.data[i] = value.data[Math.floor(i / T) * old + ((i % T) % old)];
    return out;
  };
  return { ...model, sizes, tensors: { ...model.tensors, W_aa, X: along(model.tensors.X), Y: along(model.tensors.Y) } };
}

/** All gradients of the parameters as one length, which clipping by norm compares with its limit. @param {Trace} trace */
export function gradientNorm(trace) {
  return Math.sqrt(Object.values(trace.gradients).reduce((sum, value) => sum + norm(value) ** 2, 0));
}
