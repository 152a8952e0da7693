// The level Your code: the report of `bptt check` beside the code it judges. Everything in it is shown as text.
import { button, h } from "./dom.js";
import { pane, view } from "./finding.js";
import { known, namedDim, short, symbol } from "./format.js";
import { commonMistakes } from "./mistakes.js";
import { matrix } from "./matrix.js";
import { app, go } from "./store.js";

/** @returns {any[]} */
export function codeLevel() {
  const report = view.report || app.data.report;
  return report && Array.isArray(report.findings)
    ? [reportHead(report), pane(report), parameters(report), proof(report), chooser(true)]
    : [empty(), commonMistakes()];
}

function empty() {
  return h(
    "section.panel",
    null,
    h("h2", null, "Is your own backward pass right?"),
    h(
      "p",
      null,
      h("code", null, "bptt check my_rnn.py"),
      " runs your code, finds every wrong line, says why, and proves a fix by numbers. Write its report to a file and open it here to see it beside your code:",
    ),
    h("pre", null, "bptt check my_rnn.py --json > report.json"),
    chooser(false),
  );
}

/** @param {boolean} another */
function chooser(another) {
  const read = async (/** @type {File | undefined} */ file) => {
    if (!file) return;
    try {
      const report = JSON.parse(await file.text());
      if (!report || report.schema !== 1 || !Array.isArray(report.findings) || typeof report.source !== "string")
        throw new Error("it is no report of bptt check (schema 1)");
      Object.assign(view, { report, trouble: "", finding: 0, heat: "" });
    } catch (error) {
      view.trouble = `${file.name} cannot be shown: ${/** @type {Error} */ (error).message}.`;
    }
    go({});
  };
  return h(
    "p.chooser",
    null,
    h(
      "label",
      null,
      h("span", null, another ? "Open another report " : "Open a report "),
      h("input", {
        type: "file",
        accept: ".json,application/json",
        key: "report",
        onchange: (/** @type {any} */ event) => read(event.target.files[0]),
      }),
    ),
    h("span.note", null, " It is read here, in this page; nothing is sent anywhere."),
    view.trouble ? h("span.wrong", { role: "alert" }, ` ${view.trouble}`) : null,
  );
}

/** @param {any} report */
function reportHead(report) {
  const words = {
    right: "✓ Your backward pass is right",
    wrong: "✗ Your backward pass is wrong",
    "cannot-check": "? It cannot be checked",
  };
  const count = report.findings.length;
  return h(
    "section",
    { class: `intro verdict-${report.verdict}` },
    h("h2", null, words[report.verdict] || String(report.verdict)),
    h(
      "p",
      null,
      h("b", null, String(report.file)),
      count ? ` · ${count} wrong ${count === 1 ? "statement" : "statements"}` : "",
      report.fix?.proven ? ` · fix proven, max relative error ${short(report.fix.max_relative_error)}` : "",
    ),
    report.reason ? h("p", null, String(report.reason)) : null,
  );
}

/** One row a parameter, and yours minus right as a heat map. @param {any} report */
function parameters(report) {
  const rows = (report.parameters || []).map((/** @type {any} */ p) => {
    const shown = p.yours !== null && p.true !== null && p.yours !== undefined && p.true !== undefined;
    return h(
      "tr",
      { class: p.status === "wrong" ? "wrong" : "" },
      h("th", { scope: "row" }, known(p.name) ? symbol(p.name) : String(p.name)),
      h("td", null, (p.dims || []).map(namedDim).join(", ")),
      h("td", null, `${{ right: "✓", wrong: "✗" }[p.status] || ""} ${p.status}`),
      h(
        "td",
        null,
        p.relative_error === null || p.relative_error === undefined ? "not finite" : short(p.relative_error),
      ),
      h("td", null, p.fixed_error === null || p.fixed_error === undefined ? "" : short(p.fixed_error)),
      h(
        "td",
        null,
        shown
          ? button(
              "yours − right",
              () => {
                view.heat = view.heat === p.name ? "" : p.name;
                go({});
              },
              { class: "ask", key: `heat${p.name}`, "aria-pressed": String(view.heat === p.name) },
            )
          : "",
      ),
    );
  });
  const chosen = (report.parameters || []).find((/** @type {any} */ p) => p.name === view.heat);
  return h(
    "section.panel",
    null,
    h("h2", null, "Gradient by gradient"),
    h(
      "div.table-box",
      { tabindex: 0, role: "group", "aria-label": "gradients" },
      h(
        "table.facts.wide",
        null,
        h(
          "thead",
          null,
          h(
            "tr",
            null,
            ["parameter", "dimensions", "verdict", "relative error", "after the fix"].map((text) =>
              h("th", { scope: "col" }, text),
            ),
            h("td", null),
          ),
        ),
        h("tbody", null, rows),
      ),
    ),
    chosen ? difference(chosen) : null,
  );
}

/** @param {any} p */
function difference(p) {
  const flat = (/** @type {any} */ list) => [list].flat(Infinity).map(Number);
  const [yours, right] = [flat(p.yours), flat(p.true)];
  const dims = p.dims.map((/** @type {any[]} */ [name]) => name);
  const sizes = Object.fromEntries(p.dims);
  const shape = p.dims.map((/** @type {any[]} */ [, size]) => size);
  const scale = Math.max(...right.map(Math.abs), 1e-300);
  const show = (/** @type {string} */ title, /** @type {number[]} */ values) =>
    matrix({
      name: p.name,
      label: title,
      sizes,
      key: `report${title}`,
      scale,
      value: { dims, shape, data: Float64Array.from(values) },
    });
  return yours.length !== right.length
    ? h("p", null, `Yours has ${yours.length} numbers, right are ${right.length}.`)
    : h(
        "div.numbers",
        null,
        show("yours", yours),
        h("span.mark", null, "−"),
        show("right", right),
        h("span.mark", null, "="),
        show(
          "difference",
          yours.map((x, k) => x - right[k]),
        ),
      );
}

/** @param {any} report */
function proof(report) {
  const { fix } = report;
  if (!fix) return null;
  return h(
    "section.panel",
    null,
    h("h2", null, fix.proven ? "The proven fix, as a patch" : "A fix that is not proven"),
    h(
      "pre.diff",
      { tabindex: 0 },
      String(fix.diff || "")
        .split("\n")
        .map((line) => h(line.startsWith("+") ? "ins" : line.startsWith("-") ? "del" : "span", null, `${line}\n`)),
    ),
    h(
      "p.note",
      null,
      `${fix.method || ""} at ${(fix.sizes || []).length} sizes; max relative error ${short(fix.max_relative_error)}.`,
      (fix.preconditions || []).map((/** @type {string} */ text) => h("span", null, ` Holds only if ${text}.`)),
    ),
  );
}
