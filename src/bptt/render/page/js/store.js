// What the page knows: the model, its trace, where the reader is. Faces read it; only this module changes it.
import { run, stepsOf } from "./network.js";
import { tensor } from "./tensor.js";
import { say } from "./dom.js";

const LEVEL_NAMES = ["overview", "steps", "cell", "time", "code", "practice", "stuck", "notation"];

/** @type {any} */
export const app = {
  data: null,
  model: null,
  trace: null,
  truth: null,
  steps: [],
  places: new Map(),
  sets: {},
  edits: [],
  flash: null,
  listeners: [],
};

/** Where the reader is. @type {{level: string, t: number, step: string, cell: [number, number] | null, future: boolean,
 *   numbers: string, change: string, lab: string, ask: string}} */
export const state = {
  level: "steps",
  t: 0,
  step: "B5",
  cell: [0, 0],
  future: true,
  numbers: "",
  change: "",
  lab: "",
  ask: "",
};

/** @param {any} source sizes and tensors as in the page data */
function modelOf(source) {
  const tensors = {};
  for (const [name, value] of Object.entries(source.tensors))
    tensors[name] = tensor(value.dims, source.sizes, value.data);
  return { sizes: source.sizes, tensors, equations: app.data.equations, reduction: app.data.reduction };
}

/** The sets of numbers a reader can choose from: what was given first, then the presets. @param {any} data */
function setsOf(data) {
  const given = JSON.stringify(data.tensors);
  const same = Object.keys(data.presets || {}).find((name) => JSON.stringify(data.presets[name].tensors) === given);
  const first = same || data.title || "given";
  return { [first]: { sizes: data.sizes, tensors: data.tensors }, ...data.presets };
}

/** @param {any} data */
export function open(data) {
  app.data = data;
  app.sets = setsOf(data);
  [state.numbers] = Object.keys(app.sets);
  load(state.numbers);
  const start = data.start || {};
  if (LEVEL_NAMES.includes(start.level)) state.level = start.level;
  state.step = app.model.equations.some((eq) => eq.id === start.step) ? start.step : app.model.equations[0].id;
  state.t = Math.min(start.t ?? 0, app.model.sizes.T_x - 1);
  readHash();
  window.addEventListener("hashchange", () => {
    if (location.hash.slice(1) !== address) {
      // not our own writing, which the reader may have left behind since
      readHash();
      announce();
    }
  });
}

/** @param {string} name */
function load(name) {
  app.model = modelOf(app.sets[name]);
  app.steps = stepsOf(app.model);
  app.places = new Map(app.steps.map(({ t, eq }, index) => [`${eq.id},${t}`, index]));
  app.edits = [];
  recompute();
  app.flash = null; // other numbers, not changed ones
}

/** Both passes again; the truth beside them while the future term is off. */
function recompute() {
  const before = app.trace;
  const began = performance.now();
  app.truth = run(app.model);
  app.trace = state.future ? app.truth : run(app.model, { future: false });
  app.milliseconds = performance.now() - began;
  app.flash = before && before.scope.length === app.trace.scope.length ? before : null;
}

/** Change where the reader is, write it into the address, tell the faces. @param {Partial<typeof state>} changes */
export function go(changes) {
  const wasFuture = state.future;
  const wasNumbers = state.numbers;
  Object.assign(state, changes);
  app.flash = null;
  if (state.numbers !== wasNumbers) load(state.numbers);
  else if (state.future !== wasFuture) recompute();
  settle();
  window.clearTimeout(writing);
  writing = window.setTimeout(writeHash, 60); // the address follows; writing it is slower than a step
  announce();
}

/** Keep the reader inside what exists. */
function settle() {
  const { T_x } = app.model.sizes;
  state.t = Math.max(0, Math.min(T_x - 1, state.t));
  if (!app.model.equations.some((eq) => eq.id === state.step)) state.step = app.model.equations[0].id;
  if (!LEVEL_NAMES.includes(state.level)) state.level = "steps";
}

/** @param {string} id @returns {any} */
export function equationOf(id) {
  return app.model.equations.find((/** @type {Equation} */ eq) => eq.id === id);
}

/** The position of the reader's step in the order of execution. */
export function position() {
  return indexOf(state.step, state.t);
}

/** @param {string} id @param {number} t */
export function indexOf(id, t) {
  return app.places.get(`${id},${t}`) ?? -1;
}

/** @param {number} index */
export function goTo(index) {
  const { t, eq } = app.steps[Math.max(0, Math.min(app.steps.length - 1, index))];
  go({ t, step: eq.id, cell: [0, 0], lab: "" });
}

/** Set numbers and remember what they were. @param {{name: string, index: number, value: number}[]} cells */
export function edit(cells) {
  const group = cells.map(({ name, index, value }) => {
    const old = app.model.tensors[name].data[index];
    app.model.tensors[name].data[index] = value;
    return { name, index, old };
  });
  app.edits.push(group);
  recompute();
  announce();
}

export function undo() {
  const group = app.edits.pop();
  if (!group) return;
  for (const { name, index, old } of group.reverse()) app.model.tensors[name].data[index] = old;
  recompute();
  announce();
  say("Undone.");
}

/** @param {() => void} listener */
export function onChange(listener) {
  app.listeners.push(listener);
}

function announce() {
  for (const listener of app.listeners) listener();
}

/** The reader's place as the text after # in the address. */
function written() {
  const words = [state.level, `t=${state.t}`, `step=${state.step}`];
  if (state.cell) words.push(`cell=${state.cell.join(",")}`);
  if (!state.future) words.push("future=off");
  if (state.numbers !== Object.keys(app.sets)[0]) words.push(`numbers=${encodeURIComponent(state.numbers)}`);
  if (state.change) words.push(`change=${state.change}`);
  if (state.lab) words.push(`lab=${state.lab}`);
  if (state.ask) words.push(`ask=${state.ask}`);
  return words.join("/");
}

let writing = 0;
let address = ""; // as this page wrote it last

function writeHash() {
  const hash = written();
  address = hash;
  // A frame made by srcdoc resolves addresses against its parent, so there only the hash may be set.
  if (location.protocol === "about:") location.hash = hash;
  else location.replace(`${location.href.split("#")[0]}#${hash}`);
}

function readHash() {
  const [level, ...words] = location.hash.slice(1).split("/");
  if (!LEVEL_NAMES.includes(level)) return;
  const found = Object.fromEntries(words.map((word) => word.split("=")));
  state.level = level;
  state.lab = found.lab || "";
  state.ask = found.ask || "";
  state.change = found.change || "";
  const numbers = found.numbers ? decodeURIComponent(found.numbers) : Object.keys(app.sets)[0];
  const future = found.future !== "off";
  if (numbers in app.sets && numbers !== state.numbers) {
    state.numbers = numbers;
    load(numbers);
  }
  if (future !== state.future) {
    state.future = future;
    recompute();
  }
  if (found.t) state.t = Number(found.t) || 0;
  if (found.step) state.step = found.step;
  const cell = (found.cell || "").split(",").map(Number);
  if (cell.length === 2 && cell.every((n) => Number.isInteger(n) && n >= 0)) state.cell = [cell[0], cell[1]];
  settle();
}
