// A matrix as colours: small pictures for the strip and the cell, large ones beside the block that is written out.
import { h } from "./dom.js";
import { rowsAndColumns } from "./tensor.js";

/** The colours of the present scheme; asked for again after it changes. @type {Record<string, string>} */
let palette = {};

/** Ask for the colours again: light has become dark, or the reverse. */
export function forgetColours() {
  palette = {};
}

/** @param {string} name */
function colour(name) {
  return (palette[name] ||= getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
}

/** @param {CanvasRenderingContext2D} ink @param {number} x @param {number} share of full colour @param {number[]} box */
function dab(ink, x, share, box) {
  ink.globalAlpha = Math.min(1, share);
  ink.fillStyle = colour(x < 0 ? "neg" : "pos");
  ink.fillRect(box[0], box[1], box[2], box[2]);
}

const DENSE = 2; // canvas pixels for one of the page's, so that pictures stay sharp on fine screens

/** A canvas of a size in the page's pixels. @param {number} width @param {number} height @param {HTMLCanvasElement} [old] */
export function sheet(width, height, old) {
  const canvas = old || h("canvas", { "aria-hidden": "true" });
  canvas.width = width * DENSE; // this also clears it
  canvas.height = height * DENSE;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const ink = canvas.getContext("2d");
  ink.scale(DENSE, DENSE);
  return { canvas, ink };
}

const MOST_DABS = [5, 8]; // cells of a tiny picture, down and across; larger tensors are averaged in blocks

/** How many cells a tiny picture of a tensor has. @param {Tensor} value */
export function grid(value) {
  const [rows, columns] = rowsAndColumns(value);
  return [Math.min(rows, MOST_DABS[0]), Math.min(columns, MOST_DABS[1])];
}

/** A tiny picture of a tensor. @param {CanvasRenderingContext2D} ink @param {Tensor} value
 * @param {{x: number, y: number, cell: number, scale: number}} how */
export function paint(ink, value, { x, y, cell, scale }) {
  const [rows, columns] = rowsAndColumns(value);
  const [r, c] = grid(value);
  for (let i = 0; i < r; i += 1) {
    for (let j = 0; j < c; j += 1) {
      const mean = block(value, columns, span(i, r, rows), span(j, c, columns));
      dab(ink, mean, 0.12 + (0.88 * Math.abs(mean)) / scale, [x + j * cell, y + i * cell, cell - 1]);
    }
  }
}

/** @param {number} k @param {number} parts @param {number} count */
function span(k, parts, count) {
  const first = Math.floor((k * count) / parts);
  return [first, Math.max(Math.floor(((k + 1) * count) / parts), first + 1)];
}

/** @param {Tensor} value @param {number} columns @param {number[]} rows @param {number[]} cols */
function block(value, columns, rows, cols) {
  let sum = 0;
  for (let i = rows[0]; i < rows[1]; i += 1)
    for (let j = cols[0]; j < cols[1]; j += 1) sum += value.data[i * columns + j];
  return sum / ((rows[1] - rows[0]) * (cols[1] - cols[0]));
}

/** The whole of a large matrix as a picture; a click moves the block that is written out.
 * @param {Tensor} value @param {number} scale @param {{rows: number[], columns: number[]}} shown @param {((i: number, j: number) => void) | undefined} pick */
export function heatMap(value, scale, shown, pick) {
  const [rows, columns] = rowsAndColumns(value);
  const cell = Math.max(1, Math.min(6, Math.floor(180 / Math.max(rows, columns))));
  const [r, c] = [Math.min(rows, 180), Math.min(columns, 180)];
  const last = (/** @type {number[]} */ list) => list[list.length - 1];
  const canvas = h("canvas", {
    class: "heat",
    width: c * cell,
    height: r * cell,
    role: "img",
    "aria-label": `all ${rows} by ${columns} numbers as colours; rows ${shown.rows[0]} to ${last(shown.rows)}, columns ${shown.columns[0]} to ${last(shown.columns)} are written out`,
  });
  const ink = canvas.getContext("2d");
  for (let i = 0; i < r; i += 1) {
    for (let j = 0; j < c; j += 1) {
      const mean = block(value, columns, span(i, r, rows), span(j, c, columns));
      dab(ink, mean, Math.abs(mean) / scale, [j * cell, i * cell, cell]);
    }
  }
  ink.globalAlpha = 1;
  ink.strokeStyle = colour("ink");
  const [sx, sy] = [(c * cell) / columns, (r * cell) / rows];
  ink.strokeRect(
    shown.columns[0] * sx + 0.5,
    shown.rows[0] * sy + 0.5,
    shown.columns.length * sx - 1,
    shown.rows.length * sy - 1,
  );
  if (pick) {
    canvas.addEventListener("click", (/** @type {MouseEvent} */ event) => {
      const box = canvas.getBoundingClientRect();
      pick(
        Math.min(rows - 1, Math.floor(((event.clientY - box.top) / box.height) * rows)),
        Math.min(columns - 1, Math.floor(((event.clientX - box.left) / box.width) * columns)),
      );
    });
  }
  return canvas;
}
