// One whole pass: every equation, forward for t ascending, backward for t descending, each value kept.
import { at, copied, tensor } from "./tensor.js";
import { evaluate } from "./evaluate.js";

/** @typedef {{id: string, phase: "forward" | "backward", title: string, why: string, target: string, accumulate: boolean,
 *   dims: (string | number)[], expression: Expression, numpy: string, code: {file: string, line: number, text: string}}} Equation */
/** @typedef {{sizes: Sizes, tensors: Record<string, Tensor>, equations: Equation[], reduction: string}} Model */
/** @typedef {{scope: Record<string, Tensor>[], before: Record<string, Tensor>[], gradients: Record<string, Tensor>,
 *             da0: Tensor, J: number, future: boolean}} Trace */

const PARAMETERS = ["W_aa", "W_ax", "W_ya", "b_a", "b_y"];

/** @param {Model} model @param {{future?: boolean, backward?: boolean}} [options] @returns {Trace} */
export function run(model, { future = true, backward = true } = {}) {
  const { sizes, tensors, equations } = model;
  const T = sizes.T_x;
  const scale = model.reduction === "mean" ? 1 / (sizes.m * T) : 1;
  const shared = { scale: tensor([], sizes, [scale]) };
  for (const name of PARAMETERS) shared[name] = tensors[name];
  /** @type {Record<string, Tensor>[]} */
  const scope = [];
  let J = 0;
  for (let t = 0; t < T; t += 1) {
    /** @type {Record<string, Tensor>} */
    const names = {
      ...shared,
      x_t: at(tensors.X, t),
      y_t: at(tensors.Y, t),
      a_prev: t ? scope[t - 1].a_t : tensors.a0,
    };
    for (const eq of equations) if (eq.phase === "forward") names[eq.target] = evaluate(eq.expression, names);
    for (const loss of names.L_t.data) J += loss * scale;
    scope.push(names);
  }
  const zeros = tensor(["n_a", "m"], sizes);
  /** @type {Record<string, Tensor>} */
  const gradients = {};
  const before = [];
  let carried = zeros;
  for (const eq of equations) if (eq.accumulate) gradients[eq.target] = tensor(eq.dims, sizes);
  for (let t = T - 1; backward && t >= 0; t -= 1) {
    const names = scope[t];
    before[t] = { ...gradients };
    names.da_from_future = future ? carried : zeros;
    for (const eq of equations) {
      if (eq.phase !== "backward") continue;
      const value = evaluate(eq.expression, names);
      if (eq.target === "da_from_future") carried = value;
      else if (eq.accumulate) names[eq.target] = gradients[eq.target] = added(gradients[eq.target], value);
      else names[eq.target] = value;
    }
  }
  return { scope, before, gradients, da0: carried, J, future };
}

/** @param {Tensor} total @param {Tensor} value @returns {Tensor} */
function added(total, value) {
  const sum = copied(total);
  for (let i = 0; i < sum.data.length; i += 1) sum.data[i] += value.data[i];
  return sum;
}

/** What an equation gives at step t. B10 hands its value to the step before, and after t = 0 that is da0.
 * @param {Trace} trace @param {Equation} eq @param {number} t @returns {Tensor} */
export function outputOf(trace, eq, t) {
  if (eq.target !== "da_from_future") return trace.scope[t][eq.target];
  if (t === 0) return trace.da0;
  return trace.future ? trace.scope[t - 1].da_from_future : evaluate(eq.expression, trace.scope[t]);
}

/** The cost alone, without a backward pass. @param {Model} model */
export function cost(model) {
  return run(model, { backward: false }).J;
}

/** The order of execution: all forward equations for each t, then all backward ones for each t from the end.
 * @param {Model} model @returns {{t: number, eq: Equation}[]} */
export function stepsOf(model) {
  const T = model.sizes.T_x;
  const steps = [];
  for (let t = 0; t < T; t += 1) for (const eq of model.equations) if (eq.phase === "forward") steps.push({ t, eq });
  for (let t = T - 1; t >= 0; t -= 1)
    for (const eq of model.equations) if (eq.phase === "backward") steps.push({ t, eq });
  return steps;
}
