// One path from a loss back to a step: its length after every factor, and why it fades or grows.
import { chain, largestStretch } from "./contributions.js";
import { h } from "./dom.js";
import { exact, percent, short, symbol } from "./format.js";
import { app } from "./store.js";

/** Factor by factor along one path. @param {Model} model @param {Trace} trace @param {{t: number, k: number}} path */
export function chainPanel(model, trace, { t, k }) {
  const links = chain(model, trace, t, k);
  const most = Math.max(...links.map(({ length }) => length)) || 1;
  const name = ({ factor }) =>
    factor === "slope"
      ? [`⊙ (1 − `, symbol("a_t", { plain: true }), "²)"]
      : factor === "W_aaᵀ"
        ? [symbol("W_aa"), h("sup.transpose", null, "T"), " ·"]
        : [symbol("W_ya"), h("sup.transpose", null, "T"), symbol("dz_y")];
  const relu = app.data.activation === "relu";
  const rows = links.map((link, index) =>
    h(
      "tr",
      null,
      h("th", { scope: "row" }, relu && link.factor === "slope" ? "⊙ [a > 0]" : name(link)),
      h("td", null, `t = ${link.at}`),
      h("td.bar-cell", null, h("span.bar", { vars: { "--size": link.length / most } })),
      h("td", null, short(link.length)),
      h("td.ratio", null, index ? `× ${short(link.length / (links[index - 1].length || 1))}` : ""),
    ),
  );
  const left = links[links.length - 1].length / (links[0].length || 1);
  return h(
    "div.chain",
    null,
    h(
      "h3",
      null,
      t === k
        ? ["Loss ", String(t), " reaches its own state directly"]
        : [`From loss ${t} to state ${k}: ${t - k} ${t - k === 1 ? "step" : "steps"} back`],
    ),
    t === k
      ? null
      : h(
          "p.jacobian",
          null,
          h("span", null, "∂a", h("sub", null, String(t)), " / ∂a", h("sub", null, String(k)), " = "),
          [...Array(Math.min(4, t - k)).keys()].map((s) =>
            h(
              "span",
              null,
              " diag(",
              relu ? "a" : "1−a",
              h("sub", null, String(t - s)),
              relu ? " > 0" : "²",
              ") ",
              symbol("W_aa"),
            ),
          ),
          t - k > 4 ? " …" : "",
        ),
    h(
      "div.chain-box",
      { tabindex: 0, role: "group", "aria-label": "factor by factor" },
      h(
        "table.facts",
        null,
        h(
          "thead",
          null,
          h(
            "tr",
            null,
            h("th", { scope: "col" }, "factor"),
            h("th", { scope: "col" }, "at"),
            h("th", { scope: "col" }, "length after it"),
            h("td", null),
            h("td", null),
          ),
        ),
        h("tbody", null, rows),
      ),
    ),
    t === k ? null : h("p", null, `${percent(left)} of it is left.`),
  );
}

/** @param {Model} model @param {Trace} trace */
export function why(model, trace) {
  const stretch = largestStretch(model.tensors.W_aa);
  const slopes = trace.scope.flatMap((names) =>
    [...names.a_t.data].map((a) => (app.data.activation === "relu" ? Number(a > 0) : 1 - a * a)),
  );
  const mean = slopes.reduce((sum, x) => sum + x, 0) / slopes.length;
  const most = Math.max(...slopes);
  return [
    h("h2", null, "Why does the gradient vanish?"),
    h(
      "p.prose",
      null,
      "One step back multiplies the gradient by the slope of the activation, then by ",
      symbol("W_aa"),
      h("sup.transpose", null, "T"),
      ". ",
      symbol("W_aa"),
      ` stretches nothing by more than ${short(stretch)}; the slopes here are at most ${short(most)}, on average ${short(mean)}. So a step back can multiply the length by at most ${short(stretch * most)}`,
      stretch * most < 1
        ? `: below 1, and ten steps leave at most ${exact((stretch * most) ** 10)} of it. It must vanish.`
        : `: above 1, so it need not vanish, and it may explode. With tanh it often still fades, because large states have small slopes.`,
    ),
    h(
      "p.note",
      null,
      "Move the spectral radius: small, and the far cells of the map go empty; large, and either the slopes die (tanh) or the far cells take over. Move T to see more steps.",
    ),
  ];
}
