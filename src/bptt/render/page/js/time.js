// The level Through time: which loss reaches which step, with what size and sign, and why it fades or grows.
import { chainPanel, why } from "./chain.js";
import { altered, contributions, gradientNorm, spectralRadius } from "./contributions.js";
import { button, h } from "./dom.js";
import { exact, short, symbol } from "./format.js";
import { run } from "./network.js";
import { KINDS, controls, trial } from "./trial.js";
import { norm } from "./tensor.js";
import { app, go } from "./store.js";

const LIMIT = 1; // the norm that clipping allows
const MOST_WRITTEN = 10; // steps up to which the map's numbers are written into its cells

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
  return [
    h(
      "section.intro",
      null,
      h("h2", null, "Every loss sends its gradient back through every earlier step"),
      h(
        "p",
        null,
        "Row: the loss L at step t. Column: the state a at step k. A cell is what the loss of step t tells the state of step k. Only k ≤ t can matter: a state cannot change a loss that came before it.",
      ),
    ),
    h(
      "section.panel",
      null,
      controls(radius, T),
      h(
        "div.map-and-chain",
        null,
        h("div", null, table(model, trace, map, clipped), summary(trace, clipped)),
        chainPanel(model, trace, trial),
      ),
    ),
    h("section.panel", null, why(model, trace)),
  ];
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
  const look = (/** @type {{t: number, k: number}} */ path) =>
    document.querySelector(".chain")?.replaceWith(chainPanel(model, trace, path));
  const choose = (/** @type {number} */ t, /** @type {number} */ k) => {
    trial.t = t;
    trial.k = k;
    go({});
  };
  const rows = values.map((row, r) =>
    h(
      "tr",
      null,
      h("th", { scope: "row" }, h("i", null, "L"), h("sub", null, String(first + r))),
      columns.map((k) =>
        k > r ? h("td.none", null) : mapCell(first + r, first + k, row[k], scale, written, choose, look),
      ),
      sums && trial.kind === "weight" ? h("td.sum", null, short(sum(row))) : null,
    ),
  );
  const total = sum(columnSums);
  const foot = sums
    ? h(
        "tr.sums",
        null,
        h("th", { scope: "row" }, "Σ"),
        columnSums.map((x) => h("td.sum", null, written ? short(x) : "")),
        trial.kind === "weight" ? h("td.sum.all", null, short(total)) : null,
      )
    : null;
  return h(
    "div.map-box",
    { "data-scroll": "map", tabindex: 0, role: "group", "aria-label": "map of losses and steps" },
    h(
      "table",
      { class: `map ${written ? "" : "small"}`, onkeydown: mapKeys },
      h("caption", null, first ? `The last ${count} steps. ` : "", KINDS[trial.kind]),
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          h("td", null),
          columns.map((k) =>
            h(
              "th",
              { scope: "col" },
              written || k % 5 === 0 ? [h("i", null, "a"), h("sub", null, String(first + k))] : "",
            ),
          ),
          trial.kind === "weight" ? h("th", { scope: "col" }, "Σ") : null,
        ),
      ),
      h("tbody", null, rows, foot),
    ),
    sums ? sumsCheck(model, trace, total, columnSums, first, clipped) : null,
  );
}

/** @param {number} t @param {number} k @param {number} x @param {number} scale @param {boolean} written @param {(t: number, k: number) => void} choose
 * @param {(path: {t: number, k: number}) => void} look shows a path while the pointer is on its cell */
function mapCell(t, k, x, scale, written, choose, look) {
  // A length spans many powers of ten: a root keeps a thousandth of the largest visible.
  const size = trial.kind === "size" ? (Math.abs(x) / scale) ** 0.4 : Math.abs(x) / scale;
  const here = t === trial.t && k === trial.k;
  const about = `from loss ${t} to state ${k}: ${exact(x)}`;
  return h(
    "td",
    { class: `${x < 0 ? "neg" : "pos"} ${here ? "chosen" : ""}`, vars: { "--size": size }, title: about },
    button(written ? short(x) : "", () => choose(t, k), {
      class: "map-cell",
      key: `map${t},${k}`,
      "data-t": t,
      "data-k": k,
      "aria-label": about,
      "aria-pressed": String(here),
      tabindex: here ? 0 : -1,
      onpointermove: () => look({ t, k }),
      onpointerleave: () => look(trial),
    }),
  );
}

/** Arrow keys on the map. @param {KeyboardEvent} event */
function mapKeys(event) {
  const from = /** @type {HTMLElement} */ (event.target);
  const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
  if (!move || from.dataset.t === undefined) return;
  event.preventDefault();
  const next = document.querySelector(
    `[data-t="${Number(from.dataset.t) + move[0]}"][data-k="${Number(from.dataset.k) + move[1]}"]`,
  );
  if (!(next instanceof HTMLElement)) return;
  next.focus();
  next.click();
}

/** The sums of the map against the totals of the backward pass. @param {Model} model @param {Trace} trace @param {number} total @param {number[]} columnSums @param {number} first @param {number} clipped */
function sumsCheck(model, trace, total, columnSums, first, clipped) {
  const { i, j } = trial;
  if (trial.kind === "weight") {
    const claimed = trace.gradients.dW_aa.data[i * model.sizes.n_a + j] * clipped;
    return h(
      "p.note",
      null,
      "All cells together: ",
      h("b", null, exact(total)),
      ". ",
      symbol("dW_aa"),
      `[${i}, ${j}] of the backward pass: `,
      h("b", null, exact(claimed)),
      first
        ? " (all steps)."
        : ". The same. A column's sum is what B7 adds at that step; a row's sum is what one loss asks of the weight.",
    );
  }
  const k = first + columnSums.length - 1 - Math.min(2, columnSums.length - 1);
  const claimed = trace.scope[k].da.data[i * model.sizes.m + j] * clipped;
  return h(
    "p.note",
    null,
    "A column's sum is ",
    symbol("da"),
    ` at that step: at t = ${k} the column gives `,
    h("b", null, exact(columnSums[k - first])),
    ", B5 gives ",
    h("b", null, exact(claimed)),
    ".",
  );
}

/** @param {Trace} trace @param {number} clipped */
function summary(trace, clipped) {
  const length = gradientNorm(trace);
  return h(
    "p.note",
    null,
    `All five parameter gradients together have length ${exact(length)}. `,
    trial.clip
      ? clipped < 1
        ? `Clipping to ${LIMIT} multiplies every number by ${exact(clipped)}: shorter, the same direction. It tames an explosion; it cannot bring back what has vanished.`
        : `That is within ${LIMIT}: clipping changes nothing.`
      : "",
  );
}
