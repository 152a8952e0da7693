// Numbers and symbols as people read them.
import { h } from "./dom.js";

/** @param {string} text */
const minus = (text) => text.replace(/-/g, "−");

/** A number in a matrix: two decimals, and never a zero that is not one. @param {number} x */
export function short(x) {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "NaN" : x > 0 ? "∞" : "−∞";
  if (x === 0) return "0";
  const size = Math.abs(x);
  if (size < 0.00995 || size >= 999.5) return minus(x.toExponential(0).replace("e+", "e"));
  return minus(size < 99.95 ? x.toFixed(2) : x.toFixed(0));
}

/** A number in a sentence: four digits that matter. @param {number} x */
export function exact(x) {
  if (!Number.isFinite(x)) return short(x);
  if (x === 0) return "0";
  const size = Math.abs(x);
  return minus(size < 1e-4 || size >= 1e5 ? x.toExponential(3).replace("e+", "e") : x.toFixed(4));
}

/** A share in percent, with three digits that matter. @param {number} x */
export function percent(x) {
  const size = Math.abs(100 * x);
  return `${size === 0 ? "0" : size < 0.01 || size >= 1e4 ? exact(100 * x) : minus(String(Number((100 * x).toPrecision(3))))} %`;
}

/** The base, subscript and prefix of every name. @param {string} name @returns {[string, string]} */
function parts(name) {
  if (name === "scale") return ["scale", ""];
  if (name === "da_from_output") return ["da", "from output"];
  if (name === "da_from_future") return ["da", "from future"];
  if (name === "y_pred_t") return ["y", "pred, t"];
  if (name === "Y_pred") return ["Y", "pred"];
  const cut = name.indexOf("_");
  if (cut > 0) return [name.slice(0, cut), name.slice(cut + 1)];
  if (/\d$/.test(name)) return [name.slice(0, -1), name.slice(-1)];
  return [name, ""];
}

/** The letters of a name; every symbol is a node that can be lit. @param {string} name @param {{plain?: boolean}} [options] */
export function symbol(name, { plain = false } = {}) {
  const [base, low] = parts(name);
  const letters = [h("i", null, base), low ? h("sub", null, low) : null];
  const kind = name === "da_from_output" ? "from-output" : name === "da_from_future" ? "from-future" : "";
  return h("span", { class: `sym ${kind}`, "data-sym": plain ? null : name }, letters);
}

const NAMES =
  "d?W_aa|d?W_ax|d?W_ya|d?b_a|d?b_y|x_t|a_prev|a_t|z_a|z_y|y_pred_t|y_pred|y_t|L_t|dz_y|dz_a|da_from_output|da_from_future|da|dx_t|a0|da0|n_x|n_a|n_y|T_x";
const KNOWN = new RegExp(`^(${NAMES}|scale)$`);
const IN_PROSE = new RegExp(`\\b(${NAMES})(ᵀ?)(?![A-Za-z0-9_])`);

/** Is this word one of the equations' symbols? @param {string} word */
export function known(word) {
  return KNOWN.test(word);
}

/** A sentence whose symbols are set as in the equations. @param {string} text @returns {any[]} */
export function prose(text) {
  const out = [];
  let rest = text;
  for (let found = IN_PROSE.exec(rest); found; found = IN_PROSE.exec(rest)) {
    const dimension = /^(n_.|T_x)$/.test(found[1]);
    out.push(
      rest.slice(0, found.index),
      symbol(found[1], { plain: dimension }),
      found[2] ? h("sup.transpose", null, "T") : "",
    );
    rest = rest.slice(found.index + found[0].length);
  }
  return [...out, rest];
}

/** A name as one word of plain text, for labels that are read aloud. @param {string} name */
export function spoken(name) {
  return name.replace(/_/g, " ");
}

/** A dimension of the report; the 1 of a bias has no name. @param {any[]} pair @returns {string} */
export function namedDim([name, size]) {
  return name === String(size) ? name : `${name}=${size}`;
}
