// A matrix: a table of numbers one can walk through with the arrow keys; a large one is a block and a heat map.
import { h, say } from "./dom.js";
import { short, spoken, symbol } from "./format.js";
import { chips, shapeText } from "./equation.js";
import { largest, rowsAndColumns } from "./tensor.js";
import { heatMap } from "./heatmap.js";

const MOST = 16; // rows or columns shown in full; more than that is a block of BLOCK around the chosen cell
const BLOCK = 6;

/** @typedef {{name: string, value: Tensor, sizes: Sizes, key: string, turned?: boolean, group?: string, scale?: number,
 *   lit?: {i: number | null, j: number | null} | null, chosen?: [number, number] | null, before?: Tensor | null,
 *   pick?: (i: number, j: number) => void, change?: (i: number, j: number, value: number) => void, blank?: Set<string>,
 *   mark?: (i: number, j: number) => string, label?: any, caption?: boolean}} MatrixOptions */

/** @param {MatrixOptions} o @returns {HTMLElement} */
export function matrix(o) {
  const [rows, columns] = rowsAndColumns(o.value);
  const big = rows > MOST || columns > MOST;
  const centre = o.chosen || [o.lit?.i ?? 0, o.lit?.j ?? 0];
  const rowsShown = indices(rows, rows > MOST ? centre[0] : null);
  const columnsShown = indices(columns, columns > MOST ? centre[1] : null);
  const scale = o.scale || largest(o.value) || 1;
  const entry = o.chosen && o.chosen[0] < rows && o.chosen[1] < columns ? o.chosen : [rowsShown[0], columnsShown[0]];
  const cells = rowsShown.map((i) =>
    h(
      "tr",
      { role: "row", "aria-rowindex": i + 1 },
      columnsShown.map((j) => cell(o, i, j, columns, scale, i === entry[0] && j === entry[1])),
    ),
  );
  const name = `${spoken(o.name)}${o.turned ? " transposed" : ""}`;
  const table = h(
    "table",
    {
      class: "matrix",
      role: "grid",
      "aria-label": `${name} ${shapeText(o.value.dims, o.sizes)}`,
      "aria-rowcount": rows,
      "aria-colcount": columns,
      "aria-readonly": o.change ? null : "true",
      onkeydown: (/** @type {KeyboardEvent} */ event) => walk(event, o, rows, columns),
      onclick:
        o.pick || o.change
          ? (/** @type {Event} */ event) => onCell(event, (i, j) => (o.pick ? o.pick(i, j) : type(o, i, j)))
          : null,
      ondblclick: o.change ? (/** @type {Event} */ event) => onCell(event, (i, j) => type(o, i, j)) : null,
    },
    h("tbody", { role: "presentation" }, cells),
  );
  const letters = o.label || h("span.letters", null, symbol(o.name), o.turned ? h("sup.transpose", null, "T") : null);
  return h(
    "figure",
    { class: `tensor ${o.group || ""} ${o.change ? "editable" : ""}`, "data-sym": o.name },
    o.caption === false ? null : h("figcaption", null, letters, chips(o.value.dims, o.sizes)),
    h("div.bracketed", null, table),
    big
      ? h(
          "p.block-note",
          null,
          [part("row", rowsShown, rows), part("column", columnsShown, columns)].filter(Boolean).join(", "),
        )
      : null,
    big ? heatMap(o.value, scale, { rows: rowsShown, columns: columnsShown }, o.pick) : null,
  );
}

/** Which part of a long axis is written out. @param {string} word @param {number[]} shown @param {number} count */
function part(word, shown, count) {
  return shown.length < count ? `${word}s ${shown[0]}–${shown[shown.length - 1]} of ${count}` : "";
}

/** @param {Event} event @param {(i: number, j: number) => void} act */
function onCell(event, act) {
  const td = event.target instanceof Element ? event.target.closest("td") : null;
  if (td && event.target === td) act(Number(td.dataset.i), Number(td.dataset.j));
}

/** @param {number} count @param {number | null} centre */
function indices(count, centre) {
  if (centre === null) return [...Array(count).keys()];
  const first = Math.max(0, Math.min(count - BLOCK, centre - BLOCK / 2));
  return [...Array(BLOCK).keys()].map((k) => k + first);
}

/** @param {MatrixOptions} o @param {number} i @param {number} j @param {number} columns @param {number} scale @param {boolean} entry */
function cell(o, i, j, columns, scale, entry) {
  const x = o.value.data[i * columns + j];
  const blank = o.blank?.has(`${i},${j}`);
  const lit = o.lit && (o.lit.i === null || o.lit.i === i) && (o.lit.j === null || o.lit.j === j);
  const chosen = o.chosen && o.chosen[0] === i && o.chosen[1] === j;
  const changed = o.before && o.before.data.length === o.value.data.length && o.before.data[i * columns + j] !== x;
  const kind = [
    blank ? "blank" : x < 0 ? "neg" : x > 0 ? "pos" : "",
    lit ? "lit" : "",
    chosen ? "chosen" : "",
    changed ? "changed" : "",
    o.mark ? o.mark(i, j) : "",
  ]
    .filter(Boolean)
    .join(" ");
  return h(
    "td",
    {
      role: "gridcell",
      class: kind,
      tabindex: entry ? 0 : -1,
      key: `${o.key}:${i},${j}`,
      "data-i": i,
      "data-j": j,
      "aria-colindex": j + 1,
      "aria-selected": chosen ? "true" : o.pick ? "false" : null,
      title: blank ? null : `${o.name}${o.turned ? ".T" : ""}[${i}, ${j}] = ${x}`,
      vars: x === 0 || blank ? null : { "--size": Math.min(1, Math.abs(x) / scale).toFixed(3) },
    },
    blank ? "?" : short(x),
  );
}

/** Arrow keys inside the matrix; Enter chooses or types, F2 types, Escape leaves to the step's buttons.
 * @param {KeyboardEvent} event @param {MatrixOptions} o @param {number} rows @param {number} columns */
function walk(event, o, rows, columns) {
  const td = /** @type {HTMLElement} */ (event.target);
  if (td.tagName !== "TD") return;
  const i = Number(td.dataset.i);
  const j = Number(td.dataset.j);
  const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
  if (move) {
    event.preventDefault();
    event.stopPropagation();
    const to = [Math.max(0, Math.min(rows - 1, i + move[0])), Math.max(0, Math.min(columns - 1, j + move[1]))];
    const next = /** @type {HTMLElement | null} */ (
      td.closest("table")?.querySelector(`[data-i="${to[0]}"][data-j="${to[1]}"]`)
    );
    if (next) focusCell(td, next);
    o.pick?.(to[0], to[1]); // the chosen number follows the keyboard
  } else if (o.change && (event.key === "Enter" || event.key === "F2" || /^[-\d.]$/.test(event.key))) {
    event.preventDefault();
    event.stopPropagation();
    type(o, i, j, /^[-\d.]$/.test(event.key) ? event.key : undefined);
  } else if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    event.stopPropagation();
    o.pick?.(i, j);
  } else if (event.key === "Escape") {
    /** @type {HTMLElement | null} */ (document.querySelector('[data-key="next"]'))?.focus();
  }
}

/** @param {HTMLElement} from @param {HTMLElement} to */
function focusCell(from, to) {
  from.tabIndex = -1;
  to.tabIndex = 0;
  to.focus();
}

/** Type a new number into a cell. @param {MatrixOptions} o @param {number} i @param {number} j @param {string} [first] */
function type(o, i, j, first) {
  const td = [...document.querySelectorAll("td[data-key]")].find(
    (node) => node.getAttribute("data-key") === `${o.key}:${i},${j}`,
  );
  if (!(td instanceof HTMLElement) || td.querySelector("input")) return;
  const columns = rowsAndColumns(o.value)[1];
  const old = o.value.data[i * columns + j];
  let done = false;
  const finish = (/** @type {boolean} */ keep) => {
    if (done) return;
    done = true;
    const value = Number(field.value.trim().replace("−", "-"));
    const good = keep && field.value.trim() !== "" && Number.isFinite(value);
    if (keep && !good) say(`${field.value} is not a number; nothing was changed.`);
    td.textContent = short(old);
    td.focus();
    if (good && value !== old) o.change?.(i, j, value);
  };
  const field = h("input", {
    type: "text",
    inputmode: "decimal",
    "aria-label": `new value of ${o.name}[${i}, ${j}]`,
    value: first ?? String(old),
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
      event.stopPropagation();
      if (event.key === "Enter" || event.key === "Escape") {
        event.preventDefault();
        finish(event.key === "Enter");
      }
    },
    onblur: () => finish(true),
  });
  td.replaceChildren(field);
  field.focus();
  if (first === undefined) field.select();
}
