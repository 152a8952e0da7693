// The future term switched off: which gradients go wrong, and from which step on.
import { button, h } from "./dom.js";
import { percent, prose, symbol } from "./format.js";
import { relativeError } from "./tensor.js";
import { app, go, state } from "./store.js";

/** Each gradient against the right one: its relative error, and the first step (in the order of the backward pass) where it differs. */
function damage() {
  const { trace, truth, model } = app;
  const names = model.equations
    .filter((/** @type {Equation} */ eq) => eq.accumulate)
    .map((/** @type {Equation} */ eq) => eq.target);
  const after = (/** @type {Trace} */ run, /** @type {number} */ t, /** @type {string} */ name) => run.scope[t][name];
  const rows = names.map((/** @type {string} */ name) => {
    let since = /** @type {number | null} */ (null);
    for (let t = model.sizes.T_x - 1; t >= 0 && since === null; t -= 1)
      if (relativeError(after(trace, t, name), after(truth, t, name)) > 1e-12) since = t;
    return { name, error: relativeError(trace.gradients[name], truth.gradients[name]), since };
  });
  return [...rows, { name: "da0", error: relativeError(trace.da0, truth.da0), since: null }];
}

/** @returns {HTMLElement | null} */
export function futureBanner() {
  if (state.future) return null;
  const last = app.model.sizes.T_x - 1;
  const rows = damage().map(({ name, error, since }) => {
    const wrong = error > 1e-12;
    return h(
      "li",
      { class: wrong ? "wrong" : "right" },
      symbol(name === "da0" ? "da0" : name),
      h(
        "span",
        null,
        wrong ? ` ✗ ${percent(error)} off${since === null ? "" : `, from t = ${since} down`}` : " ✓ right",
      ),
    );
  });
  return h(
    "section.banner",
    { "aria-label": "the future term is off" },
    h(
      "p",
      null,
      h("b", null, "The future term is off: this is the commonest mistake. "),
      last > 0
        ? prose(
            `At t = ${last} nothing changes, there is no future. From t = ${last - 1} down every da is wrong, and all that is built from it. `,
          )
        : "With one step nothing changes. ",
      symbol("dW_ya"),
      " and ",
      symbol("db_y"),
      " never saw the future, so they stay right: a loss that still falls proves nothing.",
    ),
    h("ul.damage", null, rows),
    button("Switch it on again", () => go({ future: true }), { class: "quiet", key: "future-on" }),
  );
}
