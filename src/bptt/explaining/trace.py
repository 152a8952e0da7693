"""Every calculation of one forward and one backward pass, step by step, as plain data.

The values are those of the table's own expressions; nothing here knows an equation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, overload

import numpy as np

from bptt.dims import GLOSSARY, Array, check_finite
from bptt.errors import NotFiniteError, ValueRangeError, message
from bptt.explaining.contributions import Contributions
from bptt.explaining.equations import Equation, detail, table
from bptt.explaining.step import Step, Tensor
from bptt.inputs import (
    PARAMETERS,
    Reduction,
    reduction_scale,
)
from bptt.ops import Activation

if TYPE_CHECKING:
    from bptt.render.notebook import Frame


class Trace:
    """All steps of one forward and one backward pass.

    Iterate over it for every :class:`Step` in the order of execution (forward for t ascending, backward for t
    descending); ``trace["B5", 2]`` is one step, ``trace["B5"]`` the steps of one equation with t ascending.

    Attributes
    ----------
    tensors : dict of str to array
        X, Y, a0 and the five parameters, float64, dense.
    sizes : dict of str to int
        n_x, n_a, n_y, m, T_x.
    activation, reduction : str
    scale : float
        1 for "sum", 1 / (m · T_x) for "mean".
    cost : float
        J, in nats.
    gradients : dict of str to array
        dW_aa, dW_ax, dW_ya, db_a, db_y, da0 and dX, as :func:`bptt.rnn_backward` returns them.
    vocabulary : tuple of str or None
        What the inputs and outputs stand for, where they are characters.
    """

    def __init__(
        self,
        tensors: dict[str, Array],
        sizes: dict[str, int],
        activation: Activation,
        reduction: Reduction,
        vocabulary: tuple[str, ...] | None,
    ) -> None:
        self.tensors, self.sizes, self.vocabulary = tensors, sizes, vocabulary
        self.activation, self.reduction = activation, reduction
        self.equations = table(activation, reduction)
        self.scale = reduction_scale("explain", reduction, tensors["Y"].shape)
        self._at: list[dict[str, Array]] = []  # the values by name, at each t
        self._run_forward()
        with np.errstate(over="ignore", invalid="ignore"):
            self.gradients = self._run_backward()
        check_finite("explain", self.gradients)
        self.cost = float(sum(at["L_t"].sum() for at in self._at)) * self.scale

    def _run_forward(self) -> None:
        a_prev = self.tensors["a0"]
        for t in range(self.sizes["T_x"]):
            at: dict[str, Array] = {name: self.tensors[name] for name in PARAMETERS}
            at |= {"x_t": self.tensors["X"][:, :, t], "y_t": self.tensors["Y"][:, :, t], "a_prev": a_prev}
            at["scale"] = np.asarray(self.scale)
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                for row in self.equations:
                    if row.phase == "forward":
                        at[row.target] = row.expression.evaluate(at)
                        _check_step(row, t, at[row.target])
            self._at.append(at)
            a_prev = at["a_t"]

    def _run_backward(self) -> dict[str, Array]:
        future = np.zeros_like(self.tensors["a0"])
        totals: dict[str, Array] = {}
        dX = np.empty_like(self.tensors["X"])
        for t in reversed(range(self.sizes["T_x"])):
            at = self._at[t]
            at["da_from_future"] = future
            for row in self.equations:
                if row.phase == "backward":
                    value = row.expression.evaluate(at)
                    if row.accumulate:
                        totals[row.target] = totals[row.target] + value if row.target in totals else value
                    elif row.target == "da_from_future":
                        future = value  # it belongs to t - 1; B5 of this t keeps its own
                    else:
                        at[row.target] = value
            dX[:, :, t] = at["dx_t"]
        return {**totals, "da0": future, "dX": dX}

    # ------------------------------------------------------------------------------------------------ reading

    def __len__(self) -> int:
        """Return the number of steps: 16 a time step."""
        return len(self.equations) * self.sizes["T_x"]

    def __iter__(self) -> Iterator[Step]:
        """Yield every step in the order of execution."""
        T_x = self.sizes["T_x"]
        for t in range(T_x):
            yield from (self._step(row, t, None) for row in self.equations if row.phase == "forward")
        gathered: dict[str, Array] = {}
        for t in reversed(range(T_x)):
            for row in self.equations:
                if row.phase == "backward":
                    step = self._step(row, t, gathered.get(row.target) if row.accumulate else None)
                    if row.accumulate:
                        gathered[row.target] = step.output.array
                    yield step

    @overload
    def __getitem__(self, key: tuple[str, int]) -> Step: ...

    @overload
    def __getitem__(self, key: str) -> list[Step]: ...

    def __getitem__(self, key: str | tuple[str, int]) -> Step | list[Step]:
        """Return one step, ``trace["B5", 2]``, or one equation's steps, ``trace["B5"]``."""
        if isinstance(key, tuple):
            return self.step(*key)
        return [self.step(key, t) for t in range(self.sizes["T_x"])]

    def step(self, id: str, t: int) -> Step:
        """Return one equation at one time step; a negative t counts from the end.

        Parameters
        ----------
        id : str
            "F1" to "F5", "B1" to "B11", or a row of B1's detail, "B1.1" to "B1.5" (B1.2 and B1.3 for example 0).
        t : int
            0 to T_x - 1.

        Raises
        ------
        ValueRangeError
            If there is no such equation or step.
        """
        T_x = self.sizes["T_x"]
        if not -T_x <= t < T_x:
            raise ValueRangeError(message("explain", f"there is no step t = {t}; t runs from 0 to {T_x - 1}."))
        t %= T_x
        rows = {row.id: row for row in self.equations}
        if id in rows:
            row = rows[id]
            before = sum((row.expression.evaluate(self._at[k]) for k in reversed(range(t + 1, T_x))), start=_ZERO)
            return self._step(row, t, before if row.accumulate and t < T_x - 1 else None)
        for step in self.detail(t):
            if step.id == id:
                return step
        known = "F1 to F5, B1 to B11, and B1.1 to B1.5 for the detail of B1"
        raise ValueRangeError(
            message("explain", f"there is no equation {id!r}.", details=[f"The equations are {known}."])
        )

    def detail(self, t: int, j: int = 0) -> list[Step]:
        """Return the steps between the loss and B1 at one time step, the Jacobian for example j.

        Raises
        ------
        NotFiniteError
            If a probability is so small that it is stored as 0: the way through -y / y_pred does not exist then,
            which is one more reason why the network takes B1 instead.
        """
        at = dict(self._at[t])
        at["s"] = at["y_pred_t"][:, j : j + 1]
        steps = []
        for row in detail(self.reduction):
            with np.errstate(divide="ignore", invalid="ignore"):
                value = row.expression.evaluate(at)
            if not np.isfinite(value).all():
                wrong = f"y_pred_t is 0 at t = {t}: -y / y_pred divides by it, and y_pred - y (B1) does not."
                raise NotFiniteError(message("explain", wrong))
            steps.append(Step(row, t, _inputs(row, at), Tensor(row.target, row.dims, value)))
            at[row.target] = value
            if row.target == "dy_pred":
                at["ds"] = value[:, j : j + 1]
        return steps

    def _step(self, row: Equation, t: int, before: Array | None) -> Step:
        at = self._at[t]
        value = row.expression.evaluate(at) if row.accumulate or row.id == "B10" else at[row.target]
        if row.accumulate:
            before = np.zeros_like(value) if before is None else before
            value = before + value
        return Step(row, t, _inputs(row, at), Tensor(row.target, row.dims, value), before)

    @cached_property
    def contributions(self) -> Contributions:
        """What each loss contributes through each step, itemised; the sums are this trace's totals."""
        return Contributions(self)

    def value(self, name: str, t: int) -> Array:
        """Return the value of a name at step t: "a_t", "da_from_future", "dz_a" ..."""
        return self._at[t][name]

    def __repr__(self) -> str:
        """Return the sizes, the cost and how to read on."""
        sizes = ", ".join(f"{name}={self.sizes[name]}" for name in GLOSSARY)
        return (
            f'Trace({sizes}; J={self.cost:.6g}; {len(self)} steps, trace["B5", {max(self.sizes["T_x"] - 2, 0)}] is one)'
        )

    def __str__(self) -> str:
        """Return the first page that the terminal shows."""
        from bptt.render.overview_text import overview

        return overview(self, "your arrays")

    def _repr_html_(self) -> str:
        from bptt.render.notebook import trace_html

        return trace_html(self)

    def frame(self, height: int = 820) -> Frame:
        """Return the live page for a notebook: the last expression of a cell shows it.

        Parameters
        ----------
        height : int
            In pixels.
        """
        from bptt.render.notebook import frame

        return frame(self, height)


_ZERO = np.zeros(())


def _inputs(row: Equation, at: Mapping[str, Array]) -> tuple[Tensor, ...]:
    return tuple(Tensor(node.name, node.dims, at[node.name]) for node in row.expression.symbols())


def _check_step(row: Equation, t: int, value: Array) -> None:
    if not np.isfinite(value).all():
        raise NotFiniteError(
            message(
                "explain",
                f"{row.target} is not finite from step t = {t} on ({row.id}: {row}).",
                details=["All inputs are finite, so the values outgrew the number type, or a probability became 0."],
            )
        )
