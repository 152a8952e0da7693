// A line of code as text, its names as nodes that light up with the equation's symbols.
import { h } from "./dom.js";

const KNOWN = /^(d?W_aa|d?W_ax|d?W_ya|d?b_a|d?b_y|x_t|a_prev|a_t|z_a|z_y|y_pred_t|y_t|L_t|dz_y|dz_a|da|da_from_output|da_from_future|dx_t|a0|da0|scale)$/;

/** @param {string} text */
export function code(text) {
  const words = text.split(/([A-Za-z_][A-Za-z_0-9]*)/);
  return h("code", null, words.map((word) => (KNOWN.test(word) ? h("span", { "data-sym": word }, word) : word)));
}
