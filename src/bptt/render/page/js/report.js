// The level Your code: the report of `bptt check` beside the code it judges. Everything in it is shown as text.
import { button, h } from "./dom.js";
import { exact, symbol, known } from "./format.js";
import { matrix } from "./matrix.js";
import { app, go } from "./store.js";

const view = { report: /** @type {any} */ (null), trouble: "", finding: 0, heat: "" };

/** The codes of the kinds of mistake, in a few words. */
const KIND_OF = {
  R1: "the recurrent term is dropped", R2: "only the recurrent term", R3: "transpose of W_aa missing", R4: "output gradient at the wrong steps", T1: "the boundary at t = 0", T2: "off by one in time",
  T3: "a step of the loop is missed", A1: "slope at the wrong argument", A2: "a slope is missing", S1: "softmax derivative as a diagonal", S2: "division that overflows", L1: "scale", L2: "another cost is differentiated",
  M1: "np.dot for *, or the reverse", M2: "stacked weights not undone", M3: "sum over the batch", W1: "the wrong variable", W2: "forward and backward disagree", U1: "changed while it is still needed", K: "name, key or return", FWD: "the forward pass itself",
};

/** @returns {any[]} */
export function codeLevel() {
  const report = view.report || app.data.report;
  return report && Array.isArray(report.findings) ? [reportHead(report), pane(report), parameters(report), proof(report), chooser(true)] : [empty()];
}

function empty() {
  return h("section.panel.prose", null, h("h2", null, "Is your own backward pass right?"),
    h("p", null, h("code", null, "bptt check my_rnn.py"), " runs your code, finds every wrong line, says why, and proves a fix by numbers. Write its report to a file and open it here to see it beside your code:"),
    h("pre", null, "bptt check my_rnn.py --json > report.json"), chooser(false));
}

/** @param {boolean} another */
function chooser(another) {
  const read = async (/** @type {File | undefined} */ file) => {
    if (!file) return;
    try {
      const report = JSON.parse(await file.text());
      if (!report || report.schema !== 1 || !Array.isArray(report.findings) || typeof report.source !== "string") throw new Error("it is no report of bptt check (schema 1)");
      Object.assign(view, { report, trouble: "", finding: 0, heat: "" });
    } catch (error) {
      view.trouble = `${file.name} cannot be shown: ${/** @type {Error} */ (error).message}.`;
    }
    go({});
  };
  return h("p.chooser", null, h("label", null, h("span", null, another ? "Open another report " : "Open a report "), h("input", { type: "file", accept: ".json,application/json", key: "report", onchange: (/** @type {any} */ event) => read(event.target.files[0]) })),
    h("span.note", null, " It is read here, in this page; nothing is sent anywhere."), view.trouble ? h("span.wrong", { role: "alert" }, ` ${view.trouble}`) : null);
}

/** @param {any} report */
function reportHead(report) {
  const words = { right: "✓ Your backward pass is right", wrong: "✗ Your backward pass is wrong", "cannot-check": "? It cannot be checked" };
  const count = report.findings.length;
  return h("section", { class: `intro verdict-${report.verdict}` }, h("h2", null, words[report.verdict] || String(report.verdict)),
    h("p", null, h("b", null, String(report.file)), count ? ` · ${count} wrong ${count === 1 ? "statement" : "statements"}` : "", report.fix?.proven ? ` · fix proven, max relative error ${exact(report.fix.max_relative_error)}` : ""),
    report.reason ? h("p", null, String(report.reason)) : null);
}

/** The code with its wrong lines marked, and the finding that is chosen. @param {any} report */
function pane(report) {
  const lines = report.source.split("\n");
  const at = new Map();
  report.findings.forEach((/** @type {any} */ finding, /** @type {number} */ index) => { for (let line = finding.line; line <= (finding.end_line || finding.line); line += 1) if (!at.has(line)) at.set(line, index); });
  view.finding = Math.min(view.finding, Math.max(0, report.findings.length - 1));
  const rows = lines.map((/** @type {string} */ line, /** @type {number} */ k) => {
    const index = at.get(k + 1);
    const marked = index !== undefined;
    return h("li", { class: marked ? `bad ${index === view.finding ? "here" : ""}` : "", value: k + 1 },
      marked ? button(`✗ ${k + 1}`, () => { view.finding = index; go({}); }, { class: "line", key: `line${k + 1}`, "aria-label": `line ${k + 1}: finding ${index + 1}`, "aria-pressed": String(index === view.finding) }) : h("span.line", null, String(k + 1)),
      h("code", null, line || " "));
  });
  return h("section.panel.code-pane", null, h("div.source", { tabindex: 0, role: "group", "aria-label": "your code", "data-scroll": "source" }, h("ol", null, rows)), h("div.findings", null, report.findings.length ? finding(report) : notes(report)));
}

/** A dimension of the report; the 1 of a bias has no name. @param {any[]} pair @returns {string} */
function namedDim([name, size]) {
  return name === String(size) ? name : `${name}=${size}`;
}

/** @param {any} report */
function finding(report) {
  const f = report.findings[view.finding];
  const walk = (/** @type {number} */ by) => () => { view.finding = (view.finding + by + report.findings.length) % report.findings.length; go({}); };
  const dims = (/** @type {any[]} */ list) => (list ? `(${list.map(namedDim).join(", ")})` : "");
  const ids = (f.equations || []).filter((/** @type {string} */ id) => app.model.equations.some((/** @type {Equation} */ eq) => eq.id === id));
  return h("article", null, h("header.panel-head", null, h("h3", null, `Finding ${view.finding + 1} of ${report.findings.length}, line ${f.line}`), button("←", walk(-1), { class: "quiet", key: "finding-back", "aria-label": "finding before" }), button("→", walk(1), { class: "quiet", key: "finding-next", "aria-label": "next finding" })),
    h("p.codes", null, (f.codes || []).map((/** @type {string} */ id) => h("span.code-chip", null, h("b", null, String(id)), ` ${KIND_OF[id] || ""}`))),
    h("p.message", null, String(f.message || "")),
    f.expected ? h("p", null, h("b", null, "wanted "), known(f.expected.name) ? symbol(f.expected.name) : String(f.expected.name), ` ${dims(f.expected.dims)}`) : null,
    f.got ? h("p", null, h("b", null, "got "), f.got.error ? String(f.got.error) : dims(f.got.dims)) : null,
    f.fix ? h("div.fix", null, h("p", null, h("b", null, { edit: "write", rewrite: "write (a rewrite)", insert: `add after line ${f.line}`, delete: "delete this line" }[f.fix.kind] || "write")),
      h("pre", { tabindex: 0 }, f.fix.kind === "insert" ? null : h("del", null, `- ${f.statement}\n`), f.fix.kind === "delete" ? null : h("ins", null, `+ ${f.fix.replacement}`))) : h("p", null, "No fix of this line could be proven, so none is shown."),
    ids.length ? h("p.asks", null, "See the right calculation: ", ids.map((/** @type {string} */ id) => button(id, () => go({ level: "steps", step: id, cell: [0, 0], lab: "" }), { class: "ask", key: `see${id}` }))) : null, notes(report));
}

/** @param {any} report */
function notes(report) {
  const list = [...(report.notes || []).map((/** @type {any} */ note) => `${note.line ? `line ${note.line}: ` : ""}${note.message}`), ...(report.assumed || []).map((/** @type {any} */ text) => `assumed: ${text}`)];
  return list.length ? h("div.note", null, h("h3", null, "Notes"), h("ul", null, list.map((text) => h("li", null, text)))) : report.findings.length ? null : h("p", null, "No line is wrong.");
}

/** One row a parameter, and yours minus right as a heat map. @param {any} report */
function parameters(report) {
  const rows = (report.parameters || []).map((/** @type {any} */ p) => {
    const shown = p.yours !== null && p.true !== null && p.yours !== undefined && p.true !== undefined;
    return h("tr", { class: p.status === "wrong" ? "wrong" : "" }, h("th", { scope: "row" }, known(p.name) ? symbol(p.name) : String(p.name)), h("td", null, (p.dims || []).map(namedDim).join(", ")), h("td", null, `${{ right: "✓", wrong: "✗" }[p.status] || ""} ${p.status}`),
      h("td", null, p.relative_error === null || p.relative_error === undefined ? "not finite" : exact(p.relative_error)), h("td", null, p.fixed_error === null || p.fixed_error === undefined ? "" : exact(p.fixed_error)),
      h("td", null, shown ? button("yours − right", () => { view.heat = view.heat === p.name ? "" : p.name; go({}); }, { class: "ask", key: `heat${p.name}`, "aria-pressed": String(view.heat === p.name) }) : ""));
  });
  const chosen = (report.parameters || []).find((/** @type {any} */ p) => p.name === view.heat);
  return h("section.panel", null, h("h2", null, "Gradient by gradient"), h("div.table-box", { tabindex: 0, role: "group", "aria-label": "gradients" }, h("table.facts.wide", null, h("thead", null, h("tr", null, ["parameter", "dimensions", "verdict", "relative error", "after the fix"].map((text) => h("th", { scope: "col" }, text)), h("td", null))), h("tbody", null, rows))), chosen ? difference(chosen) : null);
}

/** @param {any} p */
function difference(p) {
  const flat = (/** @type {any} */ list) => [list].flat(Infinity).map(Number);
  const [yours, right] = [flat(p.yours), flat(p.true)];
  const dims = p.dims.map((/** @type {any[]} */ [name]) => name);
  const sizes = Object.fromEntries(p.dims);
  const shape = p.dims.map((/** @type {any[]} */ [, size]) => size);
  const scale = Math.max(...right.map(Math.abs), 1e-300);
  const show = (/** @type {string} */ title, /** @type {number[]} */ values) => matrix({ name: p.name, label: title, sizes, key: `report${title}`, scale, value: { dims, shape, data: Float64Array.from(values) } });
  return yours.length !== right.length ? h("p", null, `Yours has ${yours.length} numbers, right are ${right.length}.`) :
    h("div.numbers", null, show("yours", yours), h("span.mark", null, "−"), show("right", right), h("span.mark", null, "="), show("difference", yours.map((x, k) => x - right[k])));
}

/** @param {any} report */
function proof(report) {
  const { fix } = report;
  if (!fix) return null;
  return h("section.panel", null, h("h2", null, fix.proven ? "The proven fix, as a patch" : "A fix that is not proven"), h("pre.diff", { tabindex: 0 }, String(fix.diff || "").split("\n").map((line) => h(line.startsWith("+") ? "ins" : line.startsWith("-") ? "del" : "span", null, `${line}\n`))),
    h("p.note", null, `${fix.method || ""} at ${(fix.sizes || []).length} sizes; max relative error ${exact(fix.max_relative_error)}.`, (fix.preconditions || []).map((/** @type {string} */ text) => h("span", null, ` Holds only if ${text}.`))));
}

