// A line of code as text, its names as nodes that light up with the equation's symbols.
import { h } from "./dom.js";
import { known } from "./format.js";

/** @param {string} text */
export function code(text) {
  const words = text.split(/([A-Za-z_][A-Za-z_0-9]*)/);
  return h(
    "code",
    null,
    words.map((word) => (known(word) ? h("span", { "data-sym": word }, word) : word)),
  );
}
