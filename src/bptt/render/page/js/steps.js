// The level Steps: the strip above, one card below, and the buttons that walk through both passes.
import { button, h, say } from "./dom.js";
import { codeRow, numbersRow, onCard, reason, sentence, writtenOut } from "./card.js";
import { changePanel } from "./change.js";
import { futureBanner } from "./future.js";
import { prose } from "./format.js";
import { equationRow } from "./lab.js";
import { strip } from "./strip.js";
import { app, equationOf, go, goTo, position, state } from "./store.js";

let timer = 0;
const PACE = 1800; // milliseconds a step when playing

function stopPlaying() {
  window.clearInterval(timer);
  timer = 0;
}

function playing() {
  return timer !== 0;
}

export function play() {
  if (timer) {
    stopPlaying();
    go({});
    return;
  }
  timer = window.setInterval(() => {
    if (position() >= app.steps.length - 1) {
      stopPlaying();
      go({});
    } else goTo(position() + 1);
  }, PACE);
  go({});
}

/** @returns {HTMLElement[]} */
export function stepsLevel() {
  const eq = equationOf(state.step);
  if (!playing()) say(sentence(eq, state.t));
  return [
    strip(),
    h(
      "section",
      { class: `card ${eq.phase}`, "aria-label": "this step" },
      head(eq),
      futureBanner(),
      equationRow(eq, onCard(eq)),
      numbersRow(eq, state.t),
      writtenOut(eq, state.t),
      h("div.feet", null, reason(eq), codeRow(eq)),
      legend(),
    ),
    changePanel(),
  ];
}

/** @param {Equation} eq */
function head(eq) {
  const index = position();
  const last = app.steps.length - 1;
  return h(
    "header.card-head",
    null,
    h(
      "div.card-title",
      null,
      h("span.badge", null, eq.id === "B5" ? "B4 + B5" : eq.id),
      h("h2", null, prose(eq.title)),
      h("span.when", null, `t = ${state.t}`),
    ),
    stepper(eq),
    h(
      "div.walk",
      null,
      h("span.count", null, `${index + 1} / ${last + 1}`),
      button("← Back", () => goTo(index - 1), { class: "quiet", key: "back", disabled: index === 0 }),
      button(playing() ? "Pause" : "Play", play, { class: "quiet", key: "play", "aria-pressed": String(playing()) }),
      button("Next →", () => goTo(index + 1), { class: "main", key: "next", disabled: index === last }),
    ),
  );
}

/** All equations of this time step as small buttons. @param {Equation} current */
function stepper(current) {
  const row = (/** @type {string} */ phase) =>
    h(
      "span",
      { class: `group ${phase}` },
      app.model.equations
        .filter((/** @type {Equation} */ e) => e.phase === phase)
        .map((/** @type {Equation} */ e) =>
          button(e.id, () => go({ step: e.id, cell: [0, 0], lab: "" }), {
            class: "stop",
            key: `stop${e.id}`,
            "aria-current": e === current ? "step" : null,
            title: e.title,
          }),
        ),
    );
  return h("div.stepper", { role: "group", "aria-label": "equations of this step" }, row("forward"), row("backward"));
}

function legend() {
  const key = (/** @type {string} */ name, /** @type {string} */ does) =>
    h("span", null, h("kbd", null, name), ` ${does}`);
  return h(
    "p.legend",
    null,
    key("←", "back"),
    key("→", "next"),
    key("Home", "first"),
    key("End", "last"),
    key("Space", "play"),
    h(
      "span",
      null,
      "in a matrix ",
      h("kbd", null, "arrows"),
      " walk, ",
      h("kbd", null, "Enter"),
      " changes an underlined number",
    ),
    h("span", null, "point at a symbol: it lights up everywhere"),
  );
}
