// A matrix as colours: small ones for the strip, large ones beside the block that is shown in full.
import { h, svg } from "./dom.js";
import { largest, rowsAndColumns } from "./tensor.js";

/** A tiny picture of a tensor, at most `most` cells each way (larger ones are averaged in blocks).
 * @param {Tensor} value @param {{x: number, y: number, cell: number, scale?: number, most?: [number, number]}} place */
export function glyph(value, { x, y, cell, scale, most = [8, 8] }) {
  const [rows, columns] = rowsAndColumns(value);
  const size = scale || largest(value) || 1;
  const [r, c] = [Math.min(rows, most[0]), Math.min(columns, most[1])];
  const nodes = [];
  for (let i = 0; i < r; i += 1) {
    for (let j = 0; j < c; j += 1) {
      const mean = block(value, columns, span(i, r, rows), span(j, c, columns));
      nodes.push(svg("rect", { x: x + j * cell, y: y + i * cell, width: cell - 1, height: cell - 1, class: `dot ${mean < 0 ? "neg" : "pos"}`,
        vars: { "--size": Math.min(1, Math.abs(mean) / size) } }));
    }
  }
  return { nodes, width: c * cell, height: r * cell };
}

/** @param {number} k @param {number} parts @param {number} count */
function span(k, parts, count) {
  return [Math.floor((k * count) / parts), Math.max(Math.floor(((k + 1) * count) / parts), Math.floor((k * count) / parts) + 1)];
}

/** @param {Tensor} value @param {number} columns @param {number[]} rows @param {number[]} cols */
function block(value, columns, rows, cols) {
  let sum = 0;
  for (let i = rows[0]; i < rows[1]; i += 1) for (let j = cols[0]; j < cols[1]; j += 1) sum += value.data[i * columns + j];
  return sum / ((rows[1] - rows[0]) * (cols[1] - cols[0]));
}

/** The whole of a large matrix as a picture; a click moves the block that is written out.
 * @param {Tensor} value @param {number} scale @param {{rows: number[], columns: number[]}} shown @param {((i: number, j: number) => void) | undefined} pick */
export function heatMap(value, scale, shown, pick) {
  const [rows, columns] = rowsAndColumns(value);
  const cell = Math.max(1, Math.min(6, Math.floor(180 / Math.max(rows, columns)) || 1));
  const [r, c] = [Math.min(rows, 180), Math.min(columns, 180)];
  const canvas = h("canvas", { width: c * cell, height: r * cell, class: "heat", role: "img",
    "aria-label": `all ${rows} by ${columns} numbers as colours; rows ${shown.rows[0]} to ${shown.rows[shown.rows.length - 1]}, columns ${shown.columns[0]} to ${shown.columns[shown.columns.length - 1]} are written out` });
  const look = getComputedStyle(document.documentElement);
  const ink = canvas.getContext("2d");
  for (let i = 0; i < r; i += 1) {
    for (let j = 0; j < c; j += 1) {
      const mean = block(value, columns, span(i, r, rows), span(j, c, columns));
      ink.globalAlpha = Math.min(1, Math.abs(mean) / scale) * 0.9;
      ink.fillStyle = look.getPropertyValue(mean < 0 ? "--neg" : "--pos").trim();
      ink.fillRect(j * cell, i * cell, cell, cell);
    }
  }
  ink.globalAlpha = 1;
  ink.strokeStyle = look.getPropertyValue("--ink").trim();
  ink.strokeRect((shown.columns[0] / columns) * c * cell + 0.5, (shown.rows[0] / rows) * r * cell + 0.5,
    (shown.columns.length / columns) * c * cell - 1, (shown.rows.length / rows) * r * cell - 1);
  if (pick) {
    canvas.addEventListener("click", (/** @type {MouseEvent} */ event) => {
      const box = canvas.getBoundingClientRect();
      pick(Math.min(rows - 1, Math.floor(((event.clientY - box.top) / box.height) * rows)),
        Math.min(columns - 1, Math.floor(((event.clientX - box.left) / box.width) * columns)));
    });
  }
  return canvas;
}
