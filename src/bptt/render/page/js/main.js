// Where the page starts: read the data, draw the level the address names, listen to the keyboard.
import { button, choice, h, refill } from "./dom.js";
import { nameDims } from "./equation.js";
import { futureBanner } from "./future.js";
import { forgetColours } from "./heatmap.js";
import { lighting, relight } from "./light.js";
import { app, go, goTo, onChange, open, position, state, undo } from "./store.js";
import { cellLevel } from "./cell.js";
import { notationLevel } from "./notation.js";
import { overviewLevel } from "./overview.js";
import { practiceLevel } from "./practice.js";
import { stuckLevel } from "./stuck.js";
import { codeLevel } from "./report.js";
import { timeLevel } from "./time.js";
import { play, stepsLevel } from "./steps.js";

/** @type {[string, string, () => any][]} */
const LEVELS = [
  ["overview", "Overview", overviewLevel],
  ["steps", "Steps", stepsLevel],
  ["cell", "Cell", cellLevel],
  ["time", "Through time", timeLevel],
  ["code", "Your code", codeLevel],
  ["practice", "Practice", practiceLevel],
  ["stuck", "Stuck?", stuckLevel],
  ["notation", "Notation", notationLevel],
];

function header() {
  const sets = Object.keys(app.sets);
  return h(
    "header.top",
    null,
    h("h1", null, h("span.brand", null, "bptt"), " explain"),
    h(
      "div.tabs",
      { role: "tablist", "aria-label": "levels", onkeydown: tabKeys },
      LEVELS.map(([id, title]) =>
        button(title, () => go({ level: id }), {
          role: "tab",
          id: `tab-${id}`,
          key: `tab-${id}`,
          "aria-selected": String(state.level === id),
          "aria-controls": "level",
          tabindex: state.level === id ? 0 : -1,
        }),
      ),
    ),
    h(
      "div.tools",
      null,
      app.edits.length ? button(`Undo (${app.edits.length})`, undo, { class: "quiet", key: "undo" }) : null,
      sets.length > 1
        ? choice(
            "numbers ",
            "numbers",
            sets.map((name) => [name, name]),
            state.numbers,
            (name) => go({ numbers: name, cell: [0, 0] }),
          )
        : null,
    ),
  );
}

/** @param {KeyboardEvent} event */
function tabKeys(event) {
  const index = LEVELS.findIndex(([id]) => id === state.level);
  const to = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: LEVELS.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  const [id] = LEVELS[(to + LEVELS.length) % LEVELS.length];
  go({ level: id });
  document.getElementById(`tab-${id}`)?.focus();
}

function draw() {
  const page = /** @type {HTMLElement} */ (document.getElementById("page"));
  const [, title, level] = LEVELS.find(([id]) => id === state.level) || LEVELS[0];
  refill(
    page,
    header(),
    h(
      "main",
      null,
      h(
        "div",
        { id: "level", role: "tabpanel", "aria-labelledby": `tab-${state.level}`, class: `level-${state.level}` },
        ["overview", "cell", "practice", "stuck"].includes(state.level) ? futureBanner() : null,
        level(),
      ),
    ),
  );
  document.title = `${title} · bptt explain`;
  relight();
  showHere();
}

/** Where the strip, the tabs or a report's code are larger than their place, bring what is chosen into it. */
function showHere() {
  for (const [place, chosen] of [
    [".strip .scroller", ".time.here"],
    [".tabs", "[aria-selected=true]"],
    [".source", "li.here"],
  ]) {
    const box = document.querySelector(place);
    const node = box?.querySelector(chosen);
    if (!(box instanceof HTMLElement) || !(node instanceof HTMLElement)) continue;
    const [outer, inner] = [box.getBoundingClientRect(), node.getBoundingClientRect()];
    const by = { left: 0, top: 0 };
    if (inner.width < outer.width && (inner.left < outer.left || inner.right > outer.right))
      by.left = (inner.left + inner.right - outer.left - outer.right) / 2;
    if (inner.top < outer.top || inner.bottom > outer.bottom)
      by.top = (inner.top + inner.bottom - outer.top - outer.bottom) / 2;
    if (by.left || by.top) box.scrollBy({ ...by, behavior: "instant" });
  }
}

/** @param {KeyboardEvent} event */
function keys(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  if (state.level !== "steps" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (target.closest("input, select, textarea, [role=grid], [role=tablist]")) return;
  const index = position();
  const to = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: app.steps.length - 1 }[event.key];
  if (to !== undefined) {
    event.preventDefault();
    goTo(to);
  } else if (event.key === " " && !target.closest("button")) {
    event.preventDefault();
    play();
  }
}

function start() {
  open(JSON.parse(/** @type {HTMLElement} */ (document.getElementById("data")).textContent || "{}"));
  nameDims(app.data.dims || {});
  onChange(draw);
  draw();
  lighting();
  document.addEventListener("keydown", keys);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    forgetColours();
    draw();
  });
  let width = document.documentElement.clientWidth;
  window.addEventListener("resize", () => {
    if (document.documentElement.clientWidth !== width) draw();
    width = document.documentElement.clientWidth;
  });
}

start();
