// The level Practice: some numbers of a result are blank; type them, and a wrong one is diagnosed.
import { button, choice, h, say } from "./dom.js";
import { diagnosis } from "./diagnose.js";
import { prose, short } from "./format.js";
import { equationRow } from "./lab.js";
import { numbersRow, onCard } from "./card.js";
import { outputOf } from "./network.js";
import { rowsAndColumns } from "./tensor.js";
import { termsAt } from "./terms.js";
import { printWorksheet } from "./worksheet.js";
import { app, equationOf, go, state } from "./store.js";

const task = {
  key: "",
  blanks: /** @type {[number, number][]} */ ([]),
  answers: /** @type {Record<string, string>} */ ({}),
  said: /** @type {Record<string, {right: boolean, text: string}>} */ ({}),
  shown: "",
  round: 0,
  count: 3,
  solved: 0,
};

/** A small generator, so that a task can be had again. @param {number} seed */
function random(seed) {
  let x = (seed * 2654435761 + 88675123) >>> 0;
  return () => {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    return x / 4294967296;
  };
}

/** k different cells of a matrix. @param {number} rows @param {number} columns @param {number} k @param {number} seed @returns {[number, number][]} */
export function pickBlanks(rows, columns, k, seed) {
  const next = random(seed);
  const cells = new Set();
  const all = rows * columns;
  while (cells.size < Math.min(k, all)) cells.add(Math.floor(next() * all));
  return [...cells].sort((a, b) => a - b).map((n) => [Math.floor(n / columns), n % columns]);
}

/** @returns {any[]} */
export function practiceLevel() {
  const eq = equationOf(state.step);
  const { t } = state;
  const value = outputOf(app.trace, eq, t);
  const [rows, columns] = rowsAndColumns(value);
  const key = `${eq.id},${t},${state.numbers},${task.count},${task.round}`;
  if (task.key !== key)
    Object.assign(task, {
      key,
      blanks: pickBlanks(
        Math.min(rows, 12),
        Math.min(columns, 12),
        task.count,
        task.round * 7 + t * 31 + eq.id.charCodeAt(1),
      ),
      answers: {},
      said: {},
      shown: "",
    });
  const blank = new Set(task.blanks.filter(([i, j]) => !task.said[`${i},${j}`]?.right).map(([i, j]) => `${i},${j}`));
  const done = blank.size === 0;
  return [
    h(
      "section.intro",
      null,
      h("h2", null, "Practice"),
      h(
        "p",
        null,
        "Fill in the numbers marked ?. Two decimals are enough. A wrong answer is not only wrong: the page tries to see which mistake makes it.",
      ),
    ),
    h(
      "section",
      { class: `panel ${eq.phase}` },
      chooseTask(eq, t),
      equationRow(eq, onCard(eq)),
      numbersRow(eq, t, blank),
      h(
        "form.answers",
        {
          onsubmit: (/** @type {Event} */ event) => {
            event.preventDefault();
            check(eq, t);
          },
        },
        task.blanks.map(([i, j]) => question(eq, t, i, j)),
        h(
          "p.asks",
          null,
          done
            ? button(
                "Next task →",
                () => {
                  task.round += 1;
                  go({});
                },
                { class: "main", key: "task-next" },
              )
            : h("button", { type: "submit", class: "main", key: "check" }, "Check"),
          button(
            "Other blanks",
            () => {
              task.round += 1;
              go({});
            },
            { class: "quiet", key: "blanks" },
          ),
          done ? h("span.right", { role: "status" }, " ✓ All right.") : null,
        ),
      ),
    ),
    h(
      "section.panel",
      null,
      h("h2", null, "On paper"),
      h(
        "p.note",
        null,
        "The whole backward pass of one step as a worksheet with blanks, and its answers on a page of their own. The set “by hand” has numbers small enough for a pencil.",
      ),
      h(
        "p.asks",
        null,
        button("Print a worksheet", () => printWorksheet(t, task.round + 1), { class: "quiet", key: "print" }),
      ),
    ),
  ];
}

/** @param {Equation} current @param {number} t */
function chooseTask(current, t) {
  return h(
    "div.controls",
    null,
    choice(
      "Line ",
      "practice-step",
      app.model.equations.map((/** @type {Equation} */ eq) => [eq.id, `${eq.id}  ${eq.title}`]),
      current.id,
      (value) => go({ step: value, cell: null, lab: "" }),
    ),
    choice(
      "t = ",
      "practice-t",
      [...Array(app.model.sizes.T_x).keys()].map((k) => [k, String(k)]),
      t,
      (value) => go({ t: Number(value), cell: null }),
    ),
    choice(
      "blanks ",
      "practice-count",
      [1, 2, 3, 5, 8].map((k) => [k, String(k)]),
      task.count,
      (value) => {
        task.count = Number(value);
        go({});
      },
    ),
  );
}

/** @param {Equation} eq @param {number} t @param {number} i @param {number} j */
function question(eq, t, i, j) {
  const id = `${i},${j}`;
  const said = task.said[id];
  const terms =
    task.shown === id
      ? termsAt(onCard(eq), app.trace.scope[t], i, j)
          .map((term) => term.text)
          .join("  +  ")
      : "";
  return h(
    "div.question-row",
    null,
    h("label", { for: `answer${id}` }, h("code", null, `${eq.target}[${i}, ${j}] =`)),
    h("input", {
      id: `answer${id}`,
      key: `answer${id}`,
      type: "text",
      inputmode: "decimal",
      autocomplete: "off",
      value: task.answers[id] || "",
      readonly: Boolean(said?.right),
      "aria-invalid": said && !said.right ? "true" : null,
      "aria-describedby": `said${id}`,
      oninput: (/** @type {any} */ event) => {
        task.answers[id] = event.target.value;
      },
    }),
    said?.right
      ? null
      : button(
          task.shown === id ? "Hide" : "Show the terms",
          () => {
            task.shown = task.shown === id ? "" : id;
            go({});
          },
          { class: "ask", key: `show${id}` },
        ),
    h(
      "span",
      { id: `said${id}`, class: said ? (said.right ? "right" : "wrong") : "" },
      said ? [said.right ? "✓ " : "✗ ", prose(said.text)] : "",
    ),
    terms
      ? h(
          "code.shown",
          null,
          `${eq.accumulate ? `${short(app.trace.before[t][eq.target].data[i * rowsAndColumns(app.trace.before[t][eq.target])[1] + j])} so far  +  ` : ""}${terms}`,
        )
      : null,
  );
}

/** @param {Equation} eq @param {number} t */
function check(eq, t) {
  for (const [i, j] of task.blanks) {
    const id = `${i},${j}`;
    const typed = (task.answers[id] || "").trim().replace("−", "-").replace(",", ".");
    if (typed === "") continue;
    const answer = Number(typed);
    task.said[id] = Number.isFinite(answer)
      ? diagnosis(app.model, app.trace, eq, t, i, j, answer)
      : { right: false, text: "That is not a number." };
  }
  const all = Object.values(task.said);
  go({});
  say(all.map(({ text }) => text).join(" ") || "Type a number first.");
}
