// The code of a report with its wrong lines marked, and one finding beside it: why it is wrong, and the right line.
import { button, h } from "./dom.js";
import { known, symbol, namedDim } from "./format.js";
import { KIND_OF } from "./mistakes.js";
import { app, go } from "./store.js";

/** What is looked at: the report, the chosen finding, the gradient whose difference is shown. */
export const view = { report: /** @type {any} */ (null), trouble: "", finding: 0, heat: "" };

/** The code with its wrong lines marked, and the finding that is chosen. @param {any} report */
export function pane(report) {
  const lines = report.source.split("\n");
  const at = new Map();
  report.findings.forEach((/** @type {any} */ finding, /** @type {number} */ index) => {
    for (let line = finding.line; line <= (finding.end_line || finding.line); line += 1)
      if (!at.has(line)) at.set(line, index);
  });
  view.finding = Math.min(view.finding, Math.max(0, report.findings.length - 1));
  const rows = lines.map((/** @type {string} */ line, /** @type {number} */ k) => {
    const index = at.get(k + 1);
    const marked = index !== undefined;
    return h(
      "li",
      { class: marked ? `bad ${index === view.finding ? "here" : ""}` : "", value: k + 1 },
      marked
        ? button(
            `✗ ${k + 1}`,
            () => {
              view.finding = index;
              go({});
            },
            {
              class: "line",
              key: `line${k + 1}`,
              "aria-label": `line ${k + 1}: finding ${index + 1}`,
              "aria-pressed": String(index === view.finding),
            },
          )
        : h("span.line", null, String(k + 1)),
      h("code", null, line || " "),
    );
  });
  return h(
    "section.panel.code-pane",
    null,
    h(
      "div.source",
      { tabindex: 0, role: "group", "aria-label": "your code", "data-scroll": "source" },
      h("ol", null, rows),
    ),
    h("div.findings", null, report.findings.length ? finding(report) : notes(report)),
  );
}

/** @param {any} report */
function finding(report) {
  const f = report.findings[view.finding];
  const walk = (/** @type {number} */ by) => () => {
    view.finding = (view.finding + by + report.findings.length) % report.findings.length;
    go({});
  };
  const dims = (/** @type {any[]} */ list) => (list ? `(${list.map(namedDim).join(", ")})` : "");
  const ids = (f.equations || []).filter((/** @type {string} */ id) =>
    app.model.equations.some((/** @type {Equation} */ eq) => eq.id === id),
  );
  return h(
    "article",
    null,
    h(
      "header.panel-head",
      null,
      h("h3", null, `Finding ${view.finding + 1} of ${report.findings.length}, line ${f.line}`),
      button("←", walk(-1), { class: "quiet", key: "finding-back", "aria-label": "finding before" }),
      button("→", walk(1), { class: "quiet", key: "finding-next", "aria-label": "next finding" }),
    ),
    h(
      "p.codes",
      null,
      (f.codes || []).map((/** @type {string} */ id) =>
        h("span.code-chip", null, h("b", null, String(id)), ` ${KIND_OF[id] || ""}`),
      ),
    ),
    h("p.message", null, String(f.message || "")),
    f.expected
      ? h(
          "p",
          null,
          h("b", null, "wanted "),
          known(f.expected.name) ? symbol(f.expected.name) : String(f.expected.name),
          ` ${dims(f.expected.dims)}`,
        )
      : null,
    f.got ? h("p", null, h("b", null, "got "), f.got.error ? String(f.got.error) : dims(f.got.dims)) : null,
    f.fix
      ? h(
          "div.fix",
          null,
          h(
            "p",
            null,
            h(
              "b",
              null,
              {
                edit: "write",
                rewrite: "write (a rewrite)",
                insert: `add after line ${f.line}`,
                delete: "delete this line",
              }[f.fix.kind] || "write",
            ),
          ),
          h(
            "pre",
            { tabindex: 0 },
            f.fix.kind === "insert" ? null : h("del", null, `- ${f.statement}\n`),
            f.fix.kind === "delete" ? null : h("ins", null, `+ ${f.fix.replacement}`),
          ),
        )
      : h("p", null, "No fix of this line could be proven, so none is shown."),
    ids.length
      ? h(
          "p.asks",
          null,
          "See the right calculation: ",
          ids.map((/** @type {string} */ id) =>
            button(id, () => go({ level: "steps", step: id, cell: [0, 0], lab: "" }), {
              class: "ask",
              key: `see${id}`,
            }),
          ),
        )
      : null,
    notes(report),
  );
}

/** @param {any} report */
function notes(report) {
  const list = [
    ...(report.notes || []).map(
      (/** @type {any} */ note) => `${note.line ? `line ${note.line}: ` : ""}${note.message}`,
    ),
    ...(report.assumed || []).map((/** @type {any} */ text) => `assumed: ${text}`),
  ];
  return list.length
    ? h(
        "div.note",
        null,
        h("h3", null, "Notes"),
        h(
          "ul",
          null,
          list.map((text) => h("li", null, text)),
        ),
      )
    : report.findings.length
      ? null
      : h("p", null, "No line is wrong.");
}
