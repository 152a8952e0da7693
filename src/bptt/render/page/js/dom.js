// Building nodes. Text only ever enters as text: nothing from data is read as markup.

const SVG = "http://www.w3.org/2000/svg";

/** @param {any} node @param {Record<string, any>} attributes */
function dress(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "vars") for (const [key, x] of Object.entries(value)) node.style.setProperty(key, String(x));
    else if (name === "key")
      node.dataset.key = value; // by which the keyboard's place is found again
    else node.setAttribute(name, value === true ? "" : String(value));
  }
}

/** @param {any} node @param {Record<string, any> | null | undefined} attributes @param {any[]} children */
function filled(node, attributes, children) {
  if (attributes) dress(node, attributes);
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** An element: "span.sign" is a span of class sign. @param {string} tag @param {Record<string, any> | null} [attributes]
 * @param {...any} children @returns {any} */
export function h(tag, attributes, ...children) {
  const [name, ...classes] = tag.split(".");
  const node = document.createElement(name);
  if (classes.length) node.className = classes.join(" ");
  return filled(node, attributes, children);
}

/** @param {string} tag @param {Record<string, any>} [attributes] @param {...any} children @returns {any} */
export function svg(tag, attributes, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

/** A real button. @param {any} label @param {() => void} act @param {Record<string, any>} [attributes] */
export function button(label, act, attributes = {}) {
  return h("button", { type: "button", onclick: act, ...attributes }, label);
}

/** A labelled list to choose from. @param {string} label @param {string} key @param {any[][]} options value and text
 * @param {any} now @param {(value: string) => void} set */
export function choice(label, key, options, now, set) {
  const list = options.map(([value, text]) => h("option", { value, selected: String(value) === String(now) }, text));
  const onchange = (/** @type {any} */ event) => set(event.target.value);
  return h("label", null, h("span", null, label), h("select", { key, onchange }, list));
}

/** Say a sentence to a screen reader. @param {string} sentence */
export function say(sentence) {
  const live = document.getElementById("live");
  if (live && live.textContent !== sentence) live.textContent = sentence;
}

/** Replace a node's children and keep the keyboard where it was: a focused node is found again by its data-key.
 * @param {HTMLElement} place @param {...any} children */
export function refill(place, ...children) {
  const focused = document.activeElement;
  const key = focused instanceof HTMLElement && place.contains(focused) ? focused.dataset.key : undefined;
  const scrolled = [...place.querySelectorAll("[data-scroll]")]
    .filter((node) => node.scrollLeft || node.scrollTop)
    .map(
      (node) =>
        /** @type {[string | null, number, number]} */ ([
          node.getAttribute("data-scroll"),
          node.scrollLeft,
          node.scrollTop,
        ]),
    );
  place.replaceChildren(...children.flat(Infinity).filter(Boolean));
  for (const [name, left, top] of scrolled) {
    const again = place.querySelector(`[data-scroll="${name}"]`);
    if (again) again.scrollTo({ left, top, behavior: "instant" });
  }
  if (key === undefined) return;
  const again = [...place.querySelectorAll("[data-key]")].find((node) => node.getAttribute("data-key") === key);
  if (again instanceof HTMLElement) again.focus({ preventScroll: true });
}
