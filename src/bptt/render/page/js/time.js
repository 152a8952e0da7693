// The level Through time: which loss reaches which step, with what size and sign, and why it fades or grows.
import { altered, chain, contributions, gradientNorm, largestStretch, spectralRadius } from "./contributions.js";
import { button, h, say } from "./dom.js";
import { exact, percent, short, symbol } from "./format.js";
import { run } from "./network.js";
import { norm } from "./tensor.js";
import { app, go } from "./store.js";

/** The experiment of this level; radius and T null mean: as given. */
const trial = { kind: "size", radius: /** @type {number | null} */ (null), T: /** @type {number | null} */ (null), clip: false, t: -1, k: -1, i: 0, j: 1 };
const LIMIT = 1; // the norm that clipping allows
const MOST_WRITTEN = 10; // steps up to which the map's numbers are written into its cells

const KINDS = { size: "how much arrives (length)", weight: "what it adds to one weight (signed)", state: "one entry of da (signed)" };

/** @returns {any[]} */
export function timeLevel() {
  const T = trial.T ?? app.model.sizes.T_x;
  const radius = spectralRadius(app.model.tensors.W_aa);
  const given = trial.radius === null && trial.T === null;
  const model = given ? app.model : altered(app.model, trial.radius === null ? 1 : trial.radius / (radius || 1), T);
  const trace = given ? app.truth : run(model);
  const map = contributions(model, trace);
  const last = model.sizes.T_x - 1;
  if (trial.t < 0 || trial.t > last) [trial.t, trial.k] = [last, Math.max(map.first, last - 3)];
  trial.i = Math.min(trial.i, model.sizes.n_a - 1);
  const clipped = trial.clip ? Math.min(1, LIMIT / gradientNorm(trace)) : 1;
  return [h("section.intro", null, h("h2", null, "Every loss sends its gradient back through every earlier step"),
    h("p", null, "Row: the loss L at step t. Column: the state a at step k. A cell is what the loss of step t tells the state of step k. Only k ≤ t can matter: a state cannot change a loss that came before it.")),
  h("section.panel", null, controls(radius, T),
    h("div.map-and-chain", null, h("div", null, table(model, trace, map, clipped), summary(model, trace, clipped)), chainPanel(model, trace))),
  h("section.panel", null, why(model, trace))];
}

/** @param {number} radius @param {number} T */
function controls(radius, T) {
  const shown = trial.radius ?? radius;
  const slider = (/** @type {string} */ name, /** @type {any} */ label, /** @type {Record<string, any>} */ range, /** @type {(x: number) => void} */ set) => h("label.slider", null, h("span", null, label),
    h("input", { type: "range", ...range, key: name, oninput: (/** @type {any} */ event) => { set(Number(event.target.value)); go({}); } }));
  return h("div.controls", null,
    h("label", null, h("span", null, "Show "), h("select", { key: "kind", onchange: (/** @type {any} */ event) => { trial.kind = event.target.value; go({}); } },
      Object.entries(KINDS).map(([id, text]) => h("option", { value: id, selected: id === trial.kind }, text)))),
    trial.kind === "size" ? null : entryPicker(),
    slider("radius", ["spectral radius of ", symbol("W_aa"), ` ${shown.toFixed(2)}`], { min: 0.05, max: 2.5, step: 0.05, value: shown, "aria-valuetext": shown.toFixed(2) }, (x) => { trial.radius = x; }),
    slider("T", ["steps ", symbol("T_x", { plain: true }), ` ${T}`], { min: 2, max: 30, step: 1, value: Math.min(30, T), "aria-valuetext": `${T} steps` }, (x) => { trial.T = x; trial.t = -1; }),
    button([h("span.knob", { "aria-hidden": "true" }), "clip the gradient to length 1"], () => { trial.clip = !trial.clip; go({}); }, { class: "switch inline", role: "switch", "aria-checked": String(trial.clip), key: "clip" }),
    button("As given", () => { Object.assign(trial, { radius: null, T: null, clip: false, t: -1 }); go({}); }, { class: "quiet", key: "given", disabled: trial.radius === null && trial.T === null && !trial.clip }));
}

/** Which weight or which entry of the state. */
function entryPicker() {
  const { n_a, m } = app.model.sizes;
  const columns = trial.kind === "weight" ? n_a : m;
  trial.j = Math.min(trial.j, columns - 1);
  const choose = (/** @type {"i" | "j"} */ which, /** @type {number} */ count, /** @type {string} */ label) => h("label", null, h("span", null, label),
    h("select", { key: `entry${which}`, onchange: (/** @type {any} */ event) => { trial[which] = Number(event.target.value); go({}); } },
      [...Array(Math.min(count, 64)).keys()].map((k) => h("option", { value: k, selected: k === trial[which] }, String(k)))));
  return h("span.entry", null, symbol(trial.kind === "weight" ? "dW_aa" : "da"), choose("i", n_a, " row "), choose("j", columns, " column "));
}

/** The number of one cell. @param {Reach} cell */
function measure(cell) {
  if (trial.kind === "size") return norm(cell.da);
  const value = trial.kind === "weight" ? cell.dW_aa : cell.da;
  return value.data[trial.i * value.shape[1] + trial.j];
}

/** The map with its sums. @param {Model} model @param {Trace} trace @param {{first: number, reach: Reach[][]}} map @param {number} clipped */
function table(model, trace, { first, reach }, clipped) {
  const count = reach.length;
  const values = reach.map((row) => row.map((cell) => measure(cell) * clipped));
  const scale = Math.max(1e-300, ...values.flat().map(Math.abs));
  const written = count <= MOST_WRITTEN;
  const sums = trial.kind !== "size";
  const sum = (/** @type {number[]} */ list) => list.reduce((total, x) => total + x, 0);
  const columns = [...Array(count).keys()];
  const columnSums = columns.map((k) => sum(values.slice(k).map((row) => row[k])));
  const choose = (/** @type {number} */ t, /** @type {number} */ k) => { trial.t = t; trial.k = k; go({}); };
  const rows = values.map((row, r) => h("tr", null, h("th", { scope: "row" }, h("i", null, "L"), h("sub", null, String(first + r))),
    columns.map((k) => (k > r ? h("td.none", null) : mapCell(first + r, first + k, row[k], scale, written, choose))),
    sums && trial.kind === "weight" ? h("td.sum", null, short(sum(row))) : null));
  const total = sum(columnSums);
  const foot = sums ? h("tr.sums", null, h("th", { scope: "row" }, "Σ"), columnSums.map((x) => h("td.sum", null, written ? short(x) : "")),
    trial.kind === "weight" ? h("td.sum.all", null, short(total)) : null) : null;
  return h("div.map-box", { "data-scroll": "map", tabindex: 0, role: "group", "aria-label": "map of losses and steps" }, h("table", { class: `map ${written ? "" : "small"}`, onkeydown: mapKeys },
    h("caption", null, first ? `The last ${count} steps. ` : "", KINDS[trial.kind]),
    h("thead", null, h("tr", null, h("td", null), columns.map((k) => h("th", { scope: "col" }, written || k % 5 === 0 ? [h("i", null, "a"), h("sub", null, String(first + k))] : "")), trial.kind === "weight" ? h("th", { scope: "col" }, "Σ") : null)),
    h("tbody", null, rows, foot)), sums ? sumsCheck(model, trace, total, columnSums, first, clipped) : null);
}

/** @param {number} t @param {number} k @param {number} x @param {number} scale @param {boolean} written @param {(t: number, k: number) => void} choose */
function mapCell(t, k, x, scale, written, choose) {
  // A length spans many powers of ten: a root keeps a thousandth of the largest visible.
  const size = trial.kind === "size" ? (Math.abs(x) / scale) ** 0.4 : Math.abs(x) / scale;
  const here = t === trial.t && k === trial.k;
  const about = `from loss ${t} to state ${k}: ${exact(x)}`;
  return h("td", { class: `${x < 0 ? "neg" : "pos"} ${here ? "chosen" : ""}`, vars: { "--size": size }, title: about },
    button(written ? short(x) : "", () => choose(t, k), { class: "map-cell", key: `map${t},${k}`, "data-t": t, "data-k": k, "aria-label": about, "aria-pressed": String(here), tabindex: here ? 0 : -1,
      onpointerenter: () => say(about) }));
}

/** Arrow keys on the map. @param {KeyboardEvent} event */
function mapKeys(event) {
  const from = /** @type {HTMLElement} */ (event.target);
  const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
  if (!move || from.dataset.t === undefined) return;
  event.preventDefault();
  const next = document.querySelector(`[data-t="${Number(from.dataset.t) + move[0]}"][data-k="${Number(from.dataset.k) + move[1]}"]`);
  if (!(next instanceof HTMLElement)) return;
  next.focus();
  next.click();
}

/** The sums of the map against the totals of the backward pass. @param {Model} model @param {Trace} trace @param {number} total @param {number[]} columnSums @param {number} first @param {number} clipped */
function sumsCheck(model, trace, total, columnSums, first, clipped) {
  const { i, j } = trial;
  if (trial.kind === "weight") {
    const claimed = trace.gradients.dW_aa.data[i * model.sizes.n_a + j] * clipped;
    return h("p.note", null, "All cells together: ", h("b", null, exact(total)), ". ", symbol("dW_aa"), `[${i}, ${j}] of the backward pass: `, h("b", null, exact(claimed)), first ? " (all steps)." :
      ". The same. A column's sum is what B7 adds at that step; a row's sum is what one loss asks of the weight.");
  }
  const k = first + columnSums.length - 1 - Math.min(2, columnSums.length - 1);
  const claimed = trace.scope[k].da.data[i * model.sizes.m + j] * clipped;
  return h("p.note", null, "A column's sum is ", symbol("da"), ` at that step: at t = ${k} the column gives `, h("b", null, exact(columnSums[k - first])), ", B5 gives ", h("b", null, exact(claimed)), ".");
}

/** @param {Model} model @param {Trace} trace @param {number} clipped */
function summary(model, trace, clipped) {
  const length = gradientNorm(trace);
  return h("p.note", null, `All five parameter gradients together have length ${exact(length)}. `, trial.clip ? (clipped < 1 ?
    `Clipping to ${LIMIT} multiplies every number by ${exact(clipped)}: shorter, the same direction. It tames an explosion; it cannot bring back what has vanished.` : `That is within ${LIMIT}: clipping changes nothing.`) : "");
}

/** Factor by factor along one path. @param {Model} model @param {Trace} trace */
function chainPanel(model, trace) {
  const { t, k } = trial;
  const links = chain(model, trace, t, k);
  const most = Math.max(...links.map(({ length }) => length)) || 1;
  const name = ({ factor, at }) => (factor === "slope" ? [`⊙ (1 − `, symbol("a_t", { plain: true }), "²)"] : factor === "W_aaᵀ" ? [symbol("W_aa"), h("sup.transpose", null, "T"), " ·"] : [symbol("W_ya"), h("sup.transpose", null, "T"), symbol("dz_y")]);
  const relu = app.data.activation === "relu";
  const rows = links.map((link, index) => h("tr", null, h("th", { scope: "row" }, relu && link.factor === "slope" ? "⊙ [a > 0]" : name(link)), h("td", null, `t = ${link.at}`),
    h("td.bar-cell", null, h("span.bar", { vars: { "--size": link.length / most } })), h("td", null, short(link.length)), h("td.ratio", null, index ? `× ${short(link.length / (links[index - 1].length || 1))}` : "")));
  const left = links[links.length - 1].length / (links[0].length || 1);
  return h("div.chain", null, h("h3", null, t === k ? ["Loss ", String(t), " reaches its own state directly"] : [`From loss ${t} to state ${k}: ${t - k} ${t - k === 1 ? "step" : "steps"} back`]),
    t === k ? null : h("p.jacobian", null, h("span", null, "∂a", h("sub", null, String(t)), " / ∂a", h("sub", null, String(k)), " = "), [...Array(Math.min(4, t - k)).keys()].map((s) => h("span", null, " diag(", relu ? "a" : "1−a²", h("sub", null, String(t - s)), relu ? " > 0" : "", ") ", symbol("W_aa"))), t - k > 4 ? " …" : ""),
    h("div.chain-box", { tabindex: 0, role: "group", "aria-label": "factor by factor" }, h("table.facts", null, h("thead", null, h("tr", null, h("th", { scope: "col" }, "factor"), h("th", { scope: "col" }, "at"), h("th", { scope: "col" }, "length after it"), h("td", null), h("td", null))), h("tbody", null, rows))),
    t === k ? null : h("p", null, `${percent(left)} of it is left.`));
}

/** @param {Model} model @param {Trace} trace */
function why(model, trace) {
  const stretch = largestStretch(model.tensors.W_aa);
  const slopes = trace.scope.flatMap((names) => [...names.a_t.data].map((a) => (app.data.activation === "relu" ? Number(a > 0) : 1 - a * a)));
  const mean = slopes.reduce((sum, x) => sum + x, 0) / slopes.length;
  const most = Math.max(...slopes);
  return [h("h2", null, "Why does the gradient vanish?"), h("p.prose", null, "One step back multiplies the gradient by the slope of the activation, then by ", symbol("W_aa"), h("sup.transpose", null, "T"), ". ",
    symbol("W_aa"), ` stretches nothing by more than ${exact(stretch)}; the slopes here are at most ${exact(most)}, on average ${exact(mean)}. So a step back can multiply the length by at most ${exact(stretch * most)}`,
    stretch * most < 1 ? `: below 1, and ten steps leave at most ${exact((stretch * most) ** 10)} of it. It must vanish.` : `: above 1, so it need not vanish, and it may explode. With tanh it often still fades, because large states have small slopes.`),
  h("p.note", null, "Move the spectral radius: small, and the far cells of the map go empty; large, and either the slopes die (tanh) or the far cells take over. Move T to see more steps.")];
}
