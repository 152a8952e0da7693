"""What a statement, or a part of it, should have computed, and how that follows from the text around a part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from bptt.checking.repairing.edits import rebuild
from bptt.checking.repairing.reading import Parsed
from bptt.checking.repairing.terms import Stack, Term, Terms, _align
from bptt.dims import Array

Sign = Literal["=", "+=", "-="]


@dataclass(frozen=True)
class Goal:
    """A value that is wanted, and what becomes of the whole expression with a term of that value."""

    value: Array  # (executions, *shape)
    finish: Callable[[Term], Term]
    tolerance: float
    spread: bool = False
    """Whether a value is spread over the target, as ``x[...] = e`` and ``x += e`` do."""

    @cached_property
    def _first(self) -> tuple[float, float]:
        """The first number and how far from it a value may be: it refuses nearly all of them."""
        slack = self.tolerance * (float(np.abs(self.value).max(initial=0.0)) or 1.0)
        return float(self.value.flat[0]) if self.value.size else 0.0, slack

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape at one execution."""
        return self.value.shape[1:]

    def met(self, term: Term) -> bool:
        """Whether a term has the wanted value at every execution."""
        value = term.value
        if not isinstance(value, Stack):
            return False
        data = value.data
        if data.shape != self.value.shape:
            if not self.spread or value.ndim > len(self.shape) or data.ndim != value.ndim + 1:
                return False
            data = _align(value, len(self.shape))
            if any(n not in (1, size) for n, size in zip(data.shape[1:], self.shape, strict=True)):
                return False
        if data.size:
            first, slack = self._first
            if not abs(data.item(0) - first) <= slack:
                return False
        return close(data, self.value, self.tolerance)

    def met_by(self, values: Stack) -> Array:
        """Tell which of many values, stacked along the first axis, are the wanted one."""
        data = values.data
        if values.shape != self.shape:
            if not self.spread or values.ndim > len(self.shape):
                return np.zeros(len(data), dtype=bool)
            data = _align(values, len(self.shape))
            if any(n not in (1, size) for n, size in zip(data.shape[2:], self.shape, strict=True)):
                return np.zeros(len(data), dtype=bool)
        with np.errstate(all="ignore"):
            gaps = np.abs(np.subtract(data, self.value, dtype=np.float64)).reshape(len(data), -1)
            near = gaps.max(axis=1, initial=0.0) <= self.tolerance * (np.abs(self.value).max(initial=0.0) or 1.0)
        return np.asarray(near)


def close(value: Array, goal: Array, tolerance: float) -> bool:
    """Whether two arrays agree to a part of the goal's largest element."""
    if value.dtype.kind not in "fiub":
        return False
    with np.errstate(all="ignore"):
        return bool(
            np.abs(np.subtract(value, goal, dtype=np.float64)).max(initial=0.0)
            <= tolerance * (np.abs(goal).max(initial=0.0) or 1.0)
        )


def part_goals(terms: Terms, parsed: Parsed, goal: Goal, place: Callable[[Term], Term]) -> list[tuple[Parsed, Goal]]:
    """Return a goal for each part of an expression that can be told from the goal of the whole.

    ``place`` puts a term in the place of ``parsed``.
    """
    found = [(parsed, Goal(goal.value, place, goal.tolerance, goal.spread))]
    term = parsed.term
    for k, part in enumerate(parsed.parts):
        if part is None or term.op in ("item", "call", "attr", "slice", "const"):
            continue
        others = [arg.value for i, arg in enumerate(term.args) if i != k]
        wanted = _inverted(term, k, goal, others)
        if wanted is None or not np.isfinite(wanted).all():
            continue

        def put(new: Term, k: int = k) -> Term:
            args = list(term.args)
            args[k] = new
            return place(terms.make(term.op, *args, payload=term.payload))

        found += part_goals(terms, part, Goal(wanted, put, goal.tolerance), put)
    return found


def _inverted(term: Term, k: int, goal: Goal, others: Sequence[object]) -> Array | None:
    """Return what argument ``k`` must be for the term to have the goal's value."""
    wanted = goal.value
    with np.errstate(all="ignore"):
        if term.op == "neg":
            return -wanted
        if term.op == "T" and wanted.ndim >= 2:
            return wanted.transpose(0, *range(wanted.ndim - 1, 0, -1))
        if len(others) != 1 or not isinstance(others[0], Stack):
            return None
        stack = others[0]
        if term.op == "dot":
            return _solved(stack, wanted, k, goal.tolerance)
        if stack.ndim > wanted.ndim - 1:
            return None
        other = _align(stack, wanted.ndim - 1)
        try:
            if np.broadcast_shapes(other.shape, wanted.shape) != wanted.shape:
                return None
        except ValueError:
            return None
        if term.op == "+":
            return wanted - other
        if term.op == "-":
            return wanted + other if k == 0 else other - wanted
        if term.op == "*":
            return wanted / other
        if term.op == "/":
            return wanted * other if k == 0 else other / wanted
    return None


def _solved(stack: Stack, wanted: Array, k: int, tolerance: float) -> Array | None:
    """Solve M @ x = wanted (k = 1) or x @ M = wanted (k = 0), where x is determined."""
    if stack.ndim != 2 or wanted.ndim != 3:
        return None
    matrix, right = (stack.data, wanted) if k == 1 else (stack.data.swapaxes(1, 2), wanted.swapaxes(1, 2))
    rows, columns = matrix.shape[1:]
    if rows < columns or rows != right.shape[1]:
        return None
    try:
        x = np.linalg.pinv(matrix) @ right
    except np.linalg.LinAlgError:
        return None
    if np.linalg.matrix_rank(matrix).min() < columns or not close(matrix @ x, right, max(tolerance, 1e-9) * 10):
        return None
    return x if k == 1 else x.swapaxes(1, 2)


def whole(terms: Terms, way: tuple[Parsed, ...]) -> Callable[[Term], Term]:
    """Return the function that puts a term at the end of a way into the whole expression."""
    return lambda new: rebuild(terms, way, new)
