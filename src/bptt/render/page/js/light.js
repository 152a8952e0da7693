// Hover or focus a symbol: the same tensor lights up wherever it stands.

/** @type {string | null} */
let lit = null;

/** Light again after a drawing. */
export function relight() {
  for (const node of document.querySelectorAll(".same")) node.classList.remove("same");
  if (!lit) return;
  for (const node of document.querySelectorAll("[data-sym]"))
    if (node.getAttribute("data-sym") === lit) node.classList.add("same");
}

/** @param {Event} event */
function over(event) {
  const node = event.target instanceof Element ? event.target.closest("[data-sym]") : null;
  const name = node ? node.getAttribute("data-sym") : null;
  if (name === lit) return;
  lit = name;
  relight();
}

/** Listen once for the whole page. */
export function lighting() {
  document.addEventListener("pointerover", over);
  document.addEventListener("focusin", over);
}
