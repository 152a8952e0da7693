"""The table of equations: one typed expression a row, from which every face of the explanation is made.

The rows stand in the order of execution within a step.  ``table("tanh")`` is the network of the question; ReLU
changes F2 and B6, the reduction "mean" changes B1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from bptt.dims import Dims
from bptt.explaining.code_lines import CodeLine, code_lines
from bptt.expressions import Expression, diag, relu, softmax, square, step, symbol, tanh, total, xlogy
from bptt.inputs import Reduction
from bptt.notation import html, latex, numpy_code, shape_line, unicode_text
from bptt.ops import Activation

Phase = Literal["forward", "backward", "detail"]


@dataclass(frozen=True)
class Equation:
    """One row of the table.

    Attributes
    ----------
    id : str
        "F1" to "F5", "B1" to "B11"; "B1.1" and so on for the detail of B1.
    phase : {"forward", "backward", "detail"}
    title : str
        What it computes, in a few words.
    why : str
        Why it is so, in 20 words at most.
    target : str
        The name that it gives a value to.
    expression : Expression
    accumulate : bool
        Whether the value is added to the target (+=) or is the target.
    """

    id: str
    phase: Phase
    title: str
    why: str
    target: str
    expression: Expression
    accumulate: bool = False

    @property
    def dims(self) -> Dims:
        """The named dimensions of the target."""
        return self.expression.dims

    @property
    def sign(self) -> str:
        """``+=`` or ``=``."""
        return "+=" if self.accumulate else "="

    @property
    def code(self) -> CodeLine | None:
        """The line in the source that ends with this equation's id as a comment; a detail has none."""
        return code_lines().get(self.id)

    def __str__(self) -> str:
        """Return the equation as text: ``da_from_output = W_yaᵀ dz_y``."""
        return f"{self.target} {self.sign} {unicode_text(self.expression)}"

    def to_json(self) -> dict[str, Any]:
        """Return the row as plain data: the expression to evaluate, and the texts made of it."""
        code = self.code
        return {
            "id": self.id,
            "phase": self.phase,
            "title": self.title,
            "why": self.why,
            "target": self.target,
            "accumulate": self.accumulate,
            "dims": list(self.dims),
            "expression": self.expression.to_json(),
            "text": str(self),
            "html": f"{html(symbol(self.target))} {self.sign} {html(self.expression)}",
            "latex": f"{latex(symbol(self.target))} {'{+}{=}' if self.accumulate else '='} {latex(self.expression)}",
            "shapes": shape_line(self.expression),
            "numpy": numpy_code(self.expression),
            "code": None if code is None else {"file": code.file, "line": code.line, "text": code.text},
        }


# --------------------------------------------------------------------------------------------- the symbols

W_aa, W_ax, W_ya = symbol("W_aa", "n_a", "n_a"), symbol("W_ax", "n_a", "n_x"), symbol("W_ya", "n_y", "n_a")
b_a, b_y = symbol("b_a", "n_a", 1), symbol("b_y", "n_y", 1)
x_t, y_t = symbol("x_t", "n_x", "m"), symbol("y_t", "n_y", "m")
a_prev, a_t, z_a = symbol("a_prev", "n_a", "m"), symbol("a_t", "n_a", "m"), symbol("z_a", "n_a", "m")
z_y, y_pred_t, dz_y = symbol("z_y", "n_y", "m"), symbol("y_pred_t", "n_y", "m"), symbol("dz_y", "n_y", "m")
da, dz_a = symbol("da", "n_a", "m"), symbol("dz_a", "n_a", "m")
da_from_output, da_from_future = symbol("da_from_output", "n_a", "m"), symbol("da_from_future", "n_a", "m")
scale = symbol("scale")

# ----------------------------------------------------------------------------------------------- the table

_FORWARD = (
    Equation(
        "F1", "forward", "Mix the input with the memory",
        "Each hidden unit weighs today's input and all of yesterday's state; one bias column serves every example.",
        "z_a", W_ax @ x_t + W_aa @ a_prev + b_a,
    ),
    Equation(
        "F2", "forward", "Squash it into the new state",
        "tanh keeps every unit between -1 and 1, and lets the network be more than one linear map.",
        "a_t", tanh(z_a),
    ),
    Equation(
        "F3", "forward", "Score each class",
        "W_ya reads the state: n_a units in, one score (logit) for each of the n_y classes out.",
        "z_y", W_ya @ a_t + b_y,
    ),
    Equation(
        "F4", "forward", "Turn scores into probabilities",
        "Within each example's column the n_y probabilities sum to 1, so each depends on every score.",
        "y_pred_t", softmax(z_y, "n_y"),
    ),
    Equation(
        "F5", "forward", "Measure the surprise",
        "With a one-hot y only the true class counts: -log of the probability it was given, in nats.",
        "L_t", -total(xlogy(y_t, y_pred_t), "n_y"),
    ),
)  # fmt: skip

_BACKWARD = (
    Equation(
        "B1", "backward", "Predicted minus true",
        "Softmax and cross-entropy differentiated together leave only this: "
        "positive where too likely, negative where not enough.",
        "dz_y", y_pred_t - y_t,
    ),
    Equation(
        "B2", "backward", "Gradient of W_ya",
        "Each weight's gradient is error times the state it read; the product sums it over the m examples.",
        "dW_ya", dz_y @ a_t.T, True,
    ),
    Equation(
        "B3", "backward", "Gradient of b_y",
        "One bias was added to all m columns, so the gradients of all m columns add up: sum over m.",
        "db_y", total(dz_y, "m", keepdims=True), True,
    ),
    Equation(
        "B4", "backward", "From the output back to the state",
        "W_ya took n_a to n_y; its transpose carries each score's error back to the units that caused it.",
        "da_from_output", W_ya.T @ dz_y,
    ),
    Equation(
        "B5", "backward", "The two parts of da",
        "a_t was used twice, by this step's output and by the next step: its two gradients add up.",
        "da", da_from_output + da_from_future,
    ),
    Equation(
        "B6", "backward", "Back through tanh",
        "Elementwise, as tanh was: each unit's slope is 1 - a², and near a = ±1 almost nothing passes.",
        "dz_a", da * (1 - square(a_t)),
    ),
    Equation(
        "B7", "backward", "Gradient of W_aa",
        "The same W_aa acted at every step: each step adds its error times the state it read.",
        "dW_aa", dz_a @ a_prev.T, True,
    ),
    Equation(
        "B8", "backward", "Gradient of W_ax",
        "Error times input, summed over the m examples by the product and over the steps by +=.",
        "dW_ax", dz_a @ x_t.T, True,
    ),
    Equation(
        "B9", "backward", "Gradient of b_a",
        "b_a was added to all m columns at every step: sum over m, then add up over the steps.",
        "db_a", total(dz_a, "m", keepdims=True), True,
    ),
    Equation(
        "B10", "backward", "Hand the rest to the step before",
        "Every step back multiplies by W_aaᵀ and by B6's slope: "
        "shrinking factors make the gradient vanish, growing ones explode.",
        "da_from_future", W_aa.T @ dz_a,
    ),
    Equation(
        "B11", "backward", "Gradient of the input",
        "How the loss would change with this input: W_ax transposed carries the units' errors back to the inputs.",
        "dx_t", W_ax.T @ dz_a,
    ),
)  # fmt: skip

_RELU = {
    "F2": Equation(
        "F2", "forward", "Keep what is positive",
        "ReLU passes a positive sum unchanged and cuts a negative one to 0; nothing bounds the state.",
        "a_t", relu(z_a),
    ),
    "B6": Equation(
        "B6", "backward", "Back through ReLU",
        "ReLU's slope is 1 where the unit was active and 0 elsewhere: a silent unit passes no gradient.",
        "dz_a", da * step(a_t),
    ),
}  # fmt: skip

_MEAN = {
    "B1": Equation(
        "B1", "backward", "Predicted minus true",
        "Softmax and cross-entropy together leave predicted minus true; scale = 1 / (m · T_x) since J is a mean.",
        "dz_y", scale * (y_pred_t - y_t),
    ),
}  # fmt: skip


@cache
def table(activation: Activation = "tanh", reduction: Reduction = "sum") -> tuple[Equation, ...]:
    """Return the equations F1 to F5 and B1 to B11, in the order in which they are executed."""
    variants = {**(_RELU if activation == "relu" else {}), **(_MEAN if reduction == "mean" else {})}
    return tuple(variants.get(row.id, row) for row in (*_FORWARD, *_BACKWARD))


# -------------------------------------------------------------------- the detail of B1: why y_pred - y is all

_s, _ds = symbol("s", "n_y", 1), symbol("ds", "n_y", 1)  # one example's column of y_pred_t and dy_pred
_dy_pred = symbol("dy_pred", "n_y", "m")


@cache
def detail(reduction: Reduction = "sum") -> tuple[Equation, ...]:
    """Return the steps from the loss to B1, one at a time: the way that B1 cuts short.

    s and ds are the columns of y_pred_t and dy_pred of one example, since the Jacobian of the softmax is a matrix
    (n_y, n_y) for *each* example.
    """
    dy_pred = -(y_t / y_pred_t)
    if reduction == "mean":
        dy_pred = scale * dy_pred
    mixed = y_pred_t * (_dy_pred - total(_dy_pred * y_pred_t, "n_y", keepdims=True))
    ended = y_pred_t * total(y_t, "n_y", keepdims=True) - y_t
    return (
        Equation(
            "B1.1", "detail", "Back through the logarithm",
            "Only classes whose y is above 0 count: the slope of -log p is -1 / p.",
            "dy_pred", dy_pred,
        ),
        Equation(
            "B1.2", "detail", "The Jacobian of softmax, one example",
            "Row i, column k: how probability i moves with score k. s(1 - s) is only its diagonal.",
            "jacobian", diag(_s) - _s @ _s.T,
        ),
        Equation(
            "B1.3", "detail", "Through the Jacobian, one example",
            "A matrix product within one example's column: two (n_y, m) arrays cannot be multiplied with np.dot.",
            "dz_y_column", symbol("jacobian", "n_y", "n_y") @ _ds,
        ),
        Equation(
            "B1.4", "detail", "The same for all examples at once",
            "The Jacobian times a column, written without building it: one line for the whole batch.",
            "dz_y", mixed,
        ),
        Equation(
            "B1.5", "detail", "Put -y / y_pred in, and y_pred cancels",
            "Each column of y sums to 1, so this is y_pred - y: nothing is divided, nothing overflows.",
            "dz_y", scale * ended if reduction == "mean" else ended,
        ),
    )  # fmt: skip
