// The level Stuck?: questions people really ask, each answered in words and at once with the numbers that show it.
import { button, h, say } from "./dom.js";
import { equationLine } from "./equation.js";
import { evaluate } from "./evaluate.js";
import { prose } from "./format.js";
import { equationRow } from "./lab.js";
import { matrix } from "./matrix.js";
import { codeRow, numbersRow, onCard, writtenOut } from "./card.js";
import { contributions } from "./contributions.js";
import { app, equationOf, go, state } from "./store.js";

/** id, question, answer, the state that shows it (t: from the end if negative)
 * @type {[string, string, string, Record<string, any>][]} */
const QUESTIONS = [
  [
    "da",
    "Which da is which?",
    "a_t was used twice in the forward pass: this step's output read it, and the next step read it. Each use sends a gradient back. da_from_output is W_yaᵀ dz_y; da_from_future is what the next step handed over, W_aaᵀ dz_a of t + 1. They add: da = da_from_output + da_from_future. Code often calls all of them da_prev or da_next; give them different names and half the trouble is gone.",
    { step: "B5", t: -2 },
  ],
  [
    "dims",
    "My dimensions do not fit. Is it np.dot?",
    "Very likely. The cost's derivative −Y / Y_pred and the softmax derivative are both (n_y, m). A matrix product of two (n_y, m) arrays does not exist, and none is wanted: taken together they are one elementwise step, dz_y = y_pred_t − y_t, of shape (n_y, m). Only then comes a matrix: W_yaᵀ, which turns n_y rows into n_a rows.",
    { step: "B4", t: -2 },
  ],
  [
    "transpose",
    "Why is W_ya transposed?",
    "Forward, W_ya takes n_a numbers to n_y. Going back, n_y gradients must become n_a: unit j influenced every class i through the weight W_ya[i, j], so its gradient is the sum over i of W_ya[i, j] times dz_y[i]. That is column j of W_ya, which is row j of its transpose. Press “forget the ᵀ” and see the dimensions break; in B10, where W_aa is square, they do not, and only the numbers are wrong.",
    { step: "B4", t: -2 },
  ],
  [
    "sum",
    "Why sum over m?",
    "One column b_a was added to all m examples: the forward pass copied it m times. Every copy sends a gradient back to the same numbers, so they add up. In a weight's gradient the matrix product does the same sum: in dz_a a_prevᵀ the m axis is the inner one, and it disappears.",
    { step: "B9", t: -2 },
  ],
  [
    "star",
    "Why * and not np.dot?",
    "tanh worked on each number alone: unit i of example j saw only its own z_a[i, j]. So its gradient is multiplied by its own slope, number by number. np.dot would mix units and examples that never met. Rule: elementwise forward, elementwise backward; matrix product forward, matrix product (transposed) backward.",
    { step: "B6", t: -2 },
  ],
  [
    "slope",
    "Why 1 − a²?",
    "It is the slope of tanh, written with its value: if a = tanh(z) then da/dz = 1 − a². So the backward pass needs a_t, which is stored, and not z_a. Take care what you square: 1 − z² and 1 − tanh(a)² are common mistakes that still train, only worse.",
    { step: "B6", t: -2 },
  ],
  [
    "loss",
    "Why y_pred − y?",
    "The softmax derivative of one example is a whole matrix, the Jacobian: each probability depends on every score. Multiply it with −y / y_pred and nearly everything cancels, because a column of y sums to 1. What is left is y_pred − y. Below it is done with the numbers of one example.",
    { step: "B1", t: -2 },
  ],
  [
    "dWaa",
    "What does dW_aa accumulate?",
    "The same W_aa acted at every step. Changing it a little changes every step's z_a, and the cost feels all of these changes together, so every step adds its own share: dz_a times a_prevᵀ, the error of this step times the state it read. Start with zeros once before the loop, use +=, and never = inside it. Below: each step's share of one weight, and their sum.",
    { step: "B7", t: -2 },
  ],
  [
    "zero",
    "What happens at t = 0?",
    "The state before step 0 is a0. B7 uses it as a_prev, so it is a0 and not zeros, and not A[:, :, −1], which in Python is silently the last state. B10 runs once more: what it gives after t = 0 is no longer anyone's future, it is da0, the gradient of the initial state.",
    { step: "B7", t: 0 },
  ],
  [
    "start",
    "Why does da_from_future start with zeros?",
    "Nothing comes after the last step, so no future sends it a gradient: zeros of shape (n_a, m). It is a gradient of the state, so it has the state's shape, not that of the output. It must then be replaced at every step by B10: if it stays zero, every loss teaches only its own step.",
    { step: "B5", t: -1 },
  ],
  [
    "vanish",
    "Why does the gradient vanish?",
    "Each step back multiplies it by a slope, at most 1, and by W_aaᵀ. If together they shrink, then after many steps almost nothing is left, and early steps learn nothing from late losses. The map under Through time shows every loss against every step.",
    { step: "B10", t: -2, to: "time" },
  ],
  [
    "right",
    "How do I know that mine is right?",
    "Shapes prove nothing: W_aa is square, and a missing term has no shape. Move one parameter by a tiny ±ε, take the difference of the two costs, divide by 2ε, and compare with your gradient: under the step's card, Change a number does it. For your own code: bptt check my_rnn.py.",
    { step: "B7", t: 0, to: "steps" },
  ],
];

/** @param {Record<string, any>} place */
function stateOf(place) {
  const { T_x } = app.model.sizes;
  return {
    step: place.step,
    t: Math.max(0, place.t < 0 ? T_x + place.t : place.t),
    cell: /** @type {[number, number]} */ ([0, 0]),
    lab: "",
    future: true,
  };
}

/** @returns {any[]} */
export function stuckLevel() {
  const asked = QUESTIONS.find(([id]) => id === state.ask) || QUESTIONS[0];
  const [id, question, answer, place] = asked;
  const eq = equationOf(place.step);
  const { t } = stateOf(place);
  if (state.t !== t || state.step !== place.step) Object.assign(state, { t, step: place.step });
  return [
    h(
      "section.intro",
      null,
      h("h2", null, "Stuck?"),
      h("p", null, "Questions that people really ask about this backward pass. Each answer comes with live numbers."),
    ),
    h(
      "div.stuck",
      null,
      h(
        "ul.questions",
        null,
        QUESTIONS.map(([other, text, said, where]) =>
          h(
            "li",
            null,
            button(
              prose(text),
              () => {
                go({ ask: other, ...stateOf(where) });
                say(said);
              },
              {
                class: "question",
                key: `ask${other}`,
                "aria-current": other === id ? "true" : null,
              },
            ),
          ),
        ),
      ),
      h(
        "article.panel.answer",
        null,
        h("h3", null, prose(question)),
        h("p.prose", null, prose(answer)),
        h("p.note", null, `Here at t = ${t}, ${eq.id}:`),
        h(
          "div.backward.live-numbers",
          null,
          equationRow(eq, onCard(eq)),
          numbersRow(eq, t),
          writtenOut(eq, t),
          codeRow(eq),
        ),
        extra(id, t),
        h(
          "p.asks",
          null,
          button("Open this step", () => go({ level: "steps" }), { class: "main", key: "open-step" }),
          place.to === "time"
            ? button("See the map", () => go({ level: "time" }), { class: "quiet", key: "open-map" })
            : null,
        ),
      ),
    ),
  ];
}

/** @param {string} id @param {number} t */
function extra(id, t) {
  if (id === "loss") return jacobian(t);
  if (id === "dWaa") return shares();
  return null;
}

/** y_pred - y worked out for one example, from the rows the data carries. @param {number} t */
function jacobian(t) {
  const { sizes } = app.model;
  const names = { ...app.trace.scope[t] };
  const column = (/** @type {Tensor} */ value) => ({
    dims: ["n_y", 1],
    shape: [value.shape[0], 1],
    data: Float64Array.from({ length: value.shape[0] }, (_, i) => value.data[i * value.shape[1]]),
  });
  const rows = [];
  for (const row of app.data.details || []) {
    if (row.target === "jacobian") names.s = column(names.y_pred_t);
    if (row.target === "dz_y_column") names.ds = column(names.dy_pred);
    const value = evaluate(row.expression, names);
    names[row.target] = value;
    rows.push(
      h(
        "li",
        null,
        h("p", null, h("b", null, row.title), " ", h("span.note", null, prose(row.why))),
        h(
          "div.worked",
          null,
          equationLine(row),
          sizes.n_y <= 16 || value.shape[1] !== sizes.n_y
            ? matrix({ name: row.target, value, sizes, key: `detail${row.id}`, caption: false })
            : null,
        ),
      ),
    );
  }
  return rows.length ? h("ol.details", null, rows) : null;
}

/** Each step's share of dW_aa[0, 0]. */
function shares() {
  const { reach, first } = contributions(app.model, app.truth);
  const columns = reach.map((_, k) => reach.slice(k).reduce((sum, row) => sum + row[k].dW_aa.data[0], 0));
  return h(
    "p.shares",
    null,
    prose("dW_aa"),
    "[0, 0] = ",
    columns.map((x, k) => [
      k ? " + " : "",
      h("span", null, x.toFixed(4).replace("-", "−"), h("small", null, ` t=${first + k}`)),
    ]),
    " = ",
    h(
      "b",
      null,
      columns
        .reduce((a, b) => a + b, 0)
        .toFixed(4)
        .replace("-", "−"),
    ),
    first ? " (of these steps)" : "",
  );
}
