// What one may try under Through time: which number the map shows, the spectral radius of W_aa, the steps, clipping.
import { button, choice, h } from "./dom.js";
import { symbol } from "./format.js";
import { app, go } from "./store.js";

/** The experiment of this level; radius and T null mean: as given. */
export const trial = {
  kind: "size",
  radius: /** @type {number | null} */ (null),
  T: /** @type {number | null} */ (null),
  clip: false,
  t: -1,
  k: -1,
  i: 0,
  j: 1,
};

export const KINDS = {
  size: "how much arrives (length)",
  weight: "what it adds to one weight (signed)",
  state: "one entry of da (signed)",
};

/** @param {number} radius @param {number} T */
export function controls(radius, T) {
  const shown = trial.radius ?? radius;
  const slider = (
    /** @type {string} */ name,
    /** @type {any} */ label,
    /** @type {Record<string, any>} */ range,
    /** @type {(x: number) => void} */ set,
  ) =>
    h(
      "label.slider",
      null,
      h("span", null, label),
      h("input", {
        type: "range",
        ...range,
        key: name,
        oninput: (/** @type {any} */ event) => {
          set(Number(event.target.value));
          go({});
        },
      }),
    );
  return h(
    "div.controls",
    null,
    choice("Show ", "kind", Object.entries(KINDS), trial.kind, (value) => {
      trial.kind = value;
      go({});
    }),
    trial.kind === "size" ? null : entryPicker(),
    slider(
      "radius",
      ["spectral radius of ", symbol("W_aa"), ` ${shown.toFixed(2)}`],
      { min: 0.05, max: 2.5, step: 0.05, value: shown, "aria-valuetext": shown.toFixed(2) },
      (x) => {
        trial.radius = x;
      },
    ),
    slider(
      "T",
      ["steps ", symbol("T_x", { plain: true }), ` ${T}`],
      { min: 2, max: 30, step: 1, value: Math.min(30, T), "aria-valuetext": `${T} steps` },
      (x) => {
        trial.T = x;
        trial.t = -1;
      },
    ),
    button(
      [h("span.knob", { "aria-hidden": "true" }), "clip the gradient to length 1"],
      () => {
        trial.clip = !trial.clip;
        go({});
      },
      { class: "switch inline", role: "switch", "aria-checked": String(trial.clip), key: "clip" },
    ),
    button(
      "As given",
      () => {
        Object.assign(trial, { radius: null, T: null, clip: false, t: -1 });
        go({});
      },
      { class: "quiet", key: "given", disabled: trial.radius === null && trial.T === null && !trial.clip },
    ),
  );
}

/** Which weight or which entry of the state. */
function entryPicker() {
  const { n_a, m } = app.model.sizes;
  const columns = trial.kind === "weight" ? n_a : m;
  trial.j = Math.min(trial.j, columns - 1);
  const choose = (/** @type {"i" | "j"} */ which, /** @type {number} */ count, /** @type {string} */ label) =>
    choice(
      label,
      `entry${which}`,
      [...Array(Math.min(count, 64)).keys()].map((n) => [n, String(n)]),
      trial[which],
      (value) => {
        trial[which] = Number(value);
        go({});
      },
    );
  return h(
    "span.entry",
    null,
    symbol(trial.kind === "weight" ? "dW_aa" : "da"),
    choose("i", n_a, " row "),
    choose("j", columns, " column "),
  );
}
