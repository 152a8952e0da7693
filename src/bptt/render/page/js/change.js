// Change any number and both passes run again; nudge a parameter and see its gradient as a slope.
import { button, h } from "./dom.js";
import { exact, short, spoken, symbol } from "./format.js";
import { matrix } from "./matrix.js";
import { cost } from "./network.js";
import { at } from "./tensor.js";
import { editable } from "./numbers.js";
import { app, go, state, undo } from "./store.js";

const TENSORS = ["W_aa", "W_ax", "W_ya", "b_a", "b_y", "a0", "X", "Y"];
const STEPS = [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-10];
let epsilon = 4; // index into STEPS

/** What is chosen in this panel: a tensor and one of its numbers. */
function chosen() {
  const [name, i, j] = state.change.split(",");
  return TENSORS.includes(name) ? { name, i: Number(i) || 0, j: Number(j) || 0 } : { name: "W_aa", i: 0, j: 1 };
}

/** The cost with one number moved by d. @param {string} name @param {number} index @param {number} d */
function costAt(name, index, d) {
  const tensor = app.model.tensors[name];
  const data = tensor.data.slice();
  data[index] += d;
  return cost({ ...app.model, tensors: { ...app.model.tensors, [name]: { ...tensor, data } } });
}

/** Both sides of the comparison for one number. @param {string} name @param {number} index @param {number} eps @param {number} gradient */
function slope(name, index, eps, gradient) {
  const [up, down] = [costAt(name, index, eps), costAt(name, index, -eps)];
  const numeric = (up - down) / (2 * eps);
  const error = Math.abs(numeric - gradient) / (Math.max(Math.abs(numeric), Math.abs(gradient)) || 1);
  return { up, down, numeric, error };
}

/** @returns {HTMLElement} */
export function changePanel() {
  const { name, i, j } = chosen();
  const { model, trace } = app;
  const { t } = state;
  const slice = name === "X" || name === "Y";
  const value = slice ? at(model.tensors[name], t) : model.tensors[name];
  const [row, column] = [Math.min(i, value.shape[0] - 1), Math.min(j, value.shape[1] - 1)];
  const gradientName = { X: "dx_t", a0: "da0" }[name] || `d${name}`;
  const gradient =
    name === "Y"
      ? null
      : name === "X"
        ? trace.scope[t].dx_t
        : name === "a0"
          ? trace.da0
          : trace.gradients[gradientName];
  const pick = (/** @type {number} */ p, /** @type {number} */ q) => go({ change: `${name},${p},${q}` });
  const label = slice ? { X: "x_t", Y: "y_t" }[name] : name;
  return h(
    "section.panel.change",
    { "aria-label": "change a number" },
    h(
      "header.panel-head",
      null,
      h("h2", null, "Change a number"),
      h(
        "p",
        null,
        "Pick one and type (Enter). Both passes run again, and what changed flashes.",
        app.edits.length ? h("span.took", null, ` This took ${app.milliseconds.toFixed(1)} ms.`) : null,
      ),
      button(
        app.edits.length
          ? `Undo ${app.edits.length === 1 ? "the change" : `1 of ${app.edits.length} changes`}`
          : "Undo",
        undo,
        { class: "quiet", key: "undo-change", disabled: !app.edits.length },
      ),
    ),
    h(
      "div.choices",
      { role: "group", "aria-label": "which tensor" },
      TENSORS.map((other) =>
        button(symbol(other, { plain: true }), () => go({ change: `${other},0,0` }), {
          class: "choice",
          key: `tensor${other}`,
          "aria-pressed": String(other === name),
        }),
      ),
    ),
    h(
      "div.change-body",
      null,
      matrix({
        name: label,
        value,
        sizes: model.sizes,
        key: "change",
        chosen: [row, column],
        pick,
        change: (p, q, x) => editable(label)?.(t, p, q, x),
      }),
      gradient
        ? matrix({
            name: gradientName,
            value: gradient,
            sizes: model.sizes,
            key: "slope",
            lit: { i: row, j: column },
            pick,
            before: gradientBefore(name, gradientName),
          })
        : null,
      gradient
        ? nudge(name, row, column, value, gradient)
        : h(
            "p.note",
            null,
            "A target has no gradient here. Each column of ",
            symbol("y_t"),
            " is a distribution: what you give one class, the others lose in proportion.",
          ),
    ),
  );
}

/** @param {string} name @param {string} gradientName */
function gradientBefore(name, gradientName) {
  if (!app.flash) return null;
  return name === "X"
    ? app.flash.scope[state.t].dx_t
    : name === "a0"
      ? app.flash.da0
      : app.flash.gradients[gradientName];
}

/** The gradient as a slope: move one number a little, run the forward pass twice, divide.
 * @param {string} name @param {number} i @param {number} j @param {Tensor} value @param {Tensor} gradient */
function nudge(name, i, j, value, gradient) {
  const tensor = app.model.tensors[name];
  const index =
    tensor.shape.length === 3 ? (i * tensor.shape[1] + j) * tensor.shape[2] + state.t : i * tensor.shape[1] + j;
  const claimed = gradient.data[i * gradient.shape[1] + j];
  const eps = STEPS[epsilon];
  const { up, down, numeric, error } = slope(name, index, eps, claimed);
  const good = error < 1e-6;
  const word = good
    ? "They agree: the backward pass is right about this number."
    : !state.future
      ? "They disagree: with the future term off, the gradient is wrong."
      : eps > 1e-4
        ? "A large step sees the curve as well as the slope: make it smaller."
        : eps < 1e-6
          ? "Too small a step: the two costs share almost all their digits, and rounding is what is left."
          : "Nearly: a step of 1e-5 agrees best.";
  const row = (/** @type {any} */ left, /** @type {any} */ right, kind = "") =>
    h("tr", { class: kind }, h("th", { scope: "row" }, left), h("td", null, right));
  return h(
    "div.nudge",
    null,
    h(
      "h3",
      null,
      "Nudge ",
      symbol(name === "X" ? "x_t" : name, { plain: true }),
      `[${i}, ${j}] = ${short(value.data[i * value.shape[1] + j])} by ±ε`,
    ),
    h(
      "label",
      null,
      h("span", null, `ε = ${eps.toExponential(0)}`),
      h("input", {
        type: "range",
        min: 0,
        max: STEPS.length - 1,
        step: 1,
        value: epsilon,
        key: "epsilon",
        "aria-valuetext": `epsilon ${eps}`,
        oninput: (/** @type {any} */ event) => {
          epsilon = Number(event.target.value);
          go({});
        },
      }),
    ),
    h(
      "table.facts",
      null,
      h(
        "tbody",
        null,
        row("J with +ε", up.toFixed(10)),
        row("J with −ε", down.toFixed(10)),
        row("slope (J₊ − J₋) / 2ε", h("b", null, numeric.toFixed(8))),
        row(`gradient ${spoken(name === "X" ? "dx_t" : `d${name}`)}`, h("b", null, claimed.toFixed(8))),
        row("relative error", h("b", null, error.toExponential(1)), good ? "right" : "wrong"),
      ),
    ),
    h("p", { class: good ? "right" : "wrong" }, good ? "✓ " : "✗ ", word),
    name === "a0" || name === "X"
      ? null
      : h(
          "p.note",
          null,
          exact(Math.abs(claimed)) === "0"
            ? ""
            : "The gradient is the sum over all steps; on the card it is complete after t = 0.",
        ),
  );
}
