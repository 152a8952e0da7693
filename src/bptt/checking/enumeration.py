"""Bottom-up enumeration of expressions, one for each value, and the search for two of them that make a goal.

The expressions of one shape stand on a shelf, as the rows of a matrix.  Whether any product, sum or matrix product of
two rows is the goal is asked of random projections, for all pairs in one matrix product; only what answers yes is
built and compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from bptt.checking.edits import derivatives
from bptt.checking.goals import Goal
from bptt.checking.leaves import ATOMS, Leaf
from bptt.checking.samples import Budget
from bptt.checking.terms import Stack, Term, Terms
from bptt.dims import Array

CHUNK = 512
Shape = tuple[int, ...]


@dataclass
class Shelf:
    """The terms of one shape, cheapest first, no two of equal value."""

    shape: Shape
    terms: list[Term] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    rows: list[Array] = field(default_factory=list)
    _matrix: Array | None = None

    def matrix(self) -> Array:
        """Return the values, a row a term."""
        if self._matrix is None or len(self._matrix) != len(self.terms):
            self._matrix = np.stack(self.rows)
        return self._matrix


class Pool:
    """Terms by shape."""

    def __init__(self, terms: Terms, limit: int) -> None:
        self.terms = terms
        self.limit = limit
        self.shelves: dict[Shape, Shelf] = {}
        self._seen: set[tuple[Shape, int]] = set()
        self._random: dict[int, Array] = {}

    def add(self, term: Term, cost: float) -> bool:
        """Put a term on its shelf; refuse what is there, not finite, all zero, or beyond the limit."""
        value = term.value
        if not isinstance(value, Stack) or value.data.ndim != value.ndim + 1 or value.data.dtype.kind not in "fiub":
            return False
        row = value.data.reshape(-1).astype(np.float64)
        mark = float(row @ self.direction(row.size))
        if not np.isfinite(mark) or not row.any():
            return False
        mantissa, exponent = np.frexp(mark)
        key = (value.shape, int(exponent) << 40 | int((mantissa + 1) * 2**34))
        if key in self._seen:
            return False
        shelf = self.shelves.setdefault(value.shape, Shelf(value.shape))
        if len(shelf.terms) >= self.limit:
            return False
        self._seen.add(key)
        shelf.terms.append(term)
        shelf.costs.append(cost)
        shelf.rows.append(row)
        return True

    def direction(self, size: int) -> Array:
        """Return a random direction of a size, always the same one."""
        if size not in self._random:
            self._random[size] = np.random.default_rng(size).uniform(0.5, 1.5, size) * (-1) ** np.arange(size)
        return self._random[size]

    def grow(self, leaves: Iterable[Leaf], seeds: Iterable[Term], budget: Budget) -> None:
        """Fill the shelves: what they wrote, derivatives of it, then products, sums and differences of pairs."""
        make, start = self.terms.make, self.terms.evaluated
        first: list[tuple[Term, float]] = []
        for leaf in leaves:
            first.append((leaf.term, leaf.rank + 0.3 * leaf.term.size))
        first += [(seed, 0.4 + 0.1 * seed.size) for seed in seeds]
        first.sort(key=lambda pair: (pair[1], pair[0].number))
        basis = [(term, cost) for term, cost in first if self.add(term, cost)]
        arrays = [(t, c) for t, c in basis if isinstance(t.value, Stack) and t.value.ndim]
        macros: list[tuple[Term, float]] = []
        for term, cost in arrays:
            assert isinstance(term.value, Stack)
            if _activation(term.value.data):
                macros += [(d, cost + 0.5) for d in derivatives(self.terms, term) if self.add(d, cost + 0.5)]
        one = self.terms.number(1)
        for term, cost in arrays:
            assert isinstance(term.value, Stack)
            if term.value.data.min() >= 0 and term.value.data.max() <= 1:
                self.add(make("-", one, term), cost + 0.6)
        for op in ("*", "-", "+"):
            for (a, ca), (b, cb) in _pairs(arrays, 24):
                self.add(make(op, a, b), ca + cb + 0.5)
                if op == "-":
                    self.add(make(op, b, a), ca + cb + 0.5)
        for (a, ca), (b, cb) in ((x, y) for x in arrays[:80] for y in macros[:60]):
            if a.value.shape == b.value.shape and budget.left:  # type: ignore[union-attr]
                self.add(make("*", a, b), ca + cb + 0.4)
        budget.spend(self.terms.evaluated - start)

    def grow_products(self, budget: Budget) -> None:
        """Add matrix products of the cheapest terms: the parts of a sum of several."""
        make, start = self.terms.make, self.terms.evaluated
        tables = [(s, k) for shape, s in self.shelves.items() if len(shape) == 2 for k in range(min(len(s.terms), 16))]
        for left, i in tables:
            if not budget.left:
                break
            for right, j in tables:
                a, b = left.terms[i], right.terms[j]
                if a.op not in ATOMS and b.op not in ATOMS:
                    continue
                for x, p in ((a, left.shape), (make("T", a), left.shape[::-1])):
                    if (p[1] == right.shape[0] and p[1] != p[0]) or (p[1] == right.shape[0] and x.op == "T"):
                        self.add(make("dot", x, b), left.costs[i] + right.costs[j] + 0.6)
        budget.spend(self.terms.evaluated - start)

    def equal(self, goal: Goal) -> Iterator[Term]:
        """Yield the terms that are the goal: as they stand, negated, transposed, or summed over an axis."""
        make = self.terms.make
        wanted = goal.value.reshape(-1)
        for term in self._among(goal.shape, wanted):
            yield term
        for term in self._among(goal.shape, -wanted):
            yield make("neg", term)
        if len(goal.shape) == 2:
            for term in self._among(goal.shape[::-1], goal.value.swapaxes(1, 2).reshape(-1)):
                yield make("T", term)
        for shape, shelf in self.shelves.items():
            for payload in _sums(shape, goal.shape):
                axis = payload[0]
                axes = tuple(range(2, 2 + len(shape))) if axis is None else axis + 2
                values = shelf.matrix().reshape(-1, self.terms.count, *shape).sum(axis=axes)
                for i in _rows(values.reshape(len(shelf.terms), -1), wanted, goal.tolerance):
                    yield make("sum", shelf.terms[i], payload=payload)

    def pairs(self, goal: Goal) -> Iterator[Term]:
        """Yield the products, sums and differences of two terms of one shape, and the matrix products, that are it."""
        make, wanted = self.terms.make, goal.value.reshape(-1)
        shelf = self.shelves.get(goal.shape)
        if shelf is not None:
            matrix = shelf.matrix()
            r = self.direction(wanted.size)
            marks = matrix @ r
            mark = float(wanted @ r)
            width = max(goal.tolerance, 1e-9)
            for i, j in _near(marks, mark - marks, width):
                yield make("+", shelf.terms[min(i, j)], shelf.terms[max(i, j)])
            for i, j in _near(marks, marks - mark, width):
                yield make("-", shelf.terms[i], shelf.terms[j])
            for i, j in _bilinear(matrix * r, matrix, mark, width):
                if i <= j:
                    yield make("*", shelf.terms[i], shelf.terms[j])
        if goal.shape:
            yield from self._matrix_products(goal)

    def _matrix_products(self, goal: Goal) -> Iterator[Term]:
        count, width = self.terms.count, max(goal.tolerance, 1e-9)
        rows = goal.shape[0] if len(goal.shape) == 2 else 1
        columns = goal.shape[-1]
        make = self.terms.make
        u = self.direction(count * rows).reshape(count, rows)
        v = self.direction(count * columns + 1)[1:].reshape(count, columns)
        if len(goal.shape) == 2:
            mark = float(np.einsum("sp,spq,sq->", u, goal.value, v))
            lefts = list(self._sided(rows, u, left=True))
            rights = list(self._sided(columns, v, left=False))
        else:  # M @ v, or v @ M
            mark = float((goal.value * v).sum())
            matrices = [(s, f, d) for s, f, d in self._sided(columns, v, left=True)]
            vectors = [
                (s, s.matrix().reshape(len(s.terms), -1)) for shape, s in self.shelves.items() if len(shape) == 1
            ]
            for shelf, flip, data in matrices:
                for other, values in vectors:
                    if data.shape[1] == values.shape[1]:
                        for i, j in _bilinear(data, values, mark, width):
                            matrix = make("T", shelf.terms[i]) if flip else shelf.terms[i]
                            yield make("dot", matrix, other.terms[j])
            return
        for left, flip, a in lefts:
            for right, flop, b in rights:
                if a.shape[1] != b.shape[1] or len(left.shape) != len(right.shape):
                    continue
                for i, j in _bilinear(a, b, mark, width):
                    if len(left.shape) == 1:
                        yield make("outer", left.terms[i], right.terms[j])
                        continue
                    x = make("T", left.terms[i]) if flip else left.terms[i]
                    y = make("T", right.terms[j]) if flop else right.terms[j]
                    yield make("dot", x, y)

    def _sided(self, size: int, probe: Array, left: bool) -> Iterator[tuple[Shelf, bool, Array]]:
        """Yield the shelves that have an axis of a size, contracted with a probe: (shelf, transposed, rows)."""
        for shape, shelf in self.shelves.items():
            values = shelf.matrix().reshape(len(shelf.terms), self.terms.count, *shape)
            if shape == (size,):
                yield shelf, False, np.einsum("isp,sp->is", values, probe)
            if len(shape) != 2:
                continue
            if shape[0 if left else 1] == size:
                kept = np.einsum("ispk,sp->isk" if left else "iskp,sp->isk", values, probe)
                yield shelf, False, kept.reshape(len(shelf.terms), -1)
            if shape[1 if left else 0] == size:
                kept = np.einsum("iskp,sp->isk" if left else "ispk,sp->isk", values, probe)
                yield shelf, True, kept.reshape(len(shelf.terms), -1)

    def _among(self, shape: Shape, wanted: Array, tolerance: float = 1e-8) -> Iterator[Term]:
        shelf = self.shelves.get(shape)
        if shelf is not None:
            for i in _rows(shelf.matrix(), wanted, tolerance):
                yield shelf.terms[i]

    def residuals(self, goal: Goal, top: int) -> Iterator[Goal]:
        """Yield what is missing beside one term: goal - x, x - goal, goal + x, goal / x."""
        make = self.terms.make

        def beside(build: Callable[[Term], Term]) -> Callable[[Term], Term]:
            return lambda new: goal.finish(build(new))

        shelf = self.shelves.get(goal.shape)
        numbers = self.shelves.get(())
        for x in shelf.terms[:top] if shelf is not None else []:
            data = x.value.data  # type: ignore[union-attr]
            yield Goal(goal.value - data, beside(lambda new, x=x: make("+", new, x)), goal.tolerance)
            yield Goal(goal.value + data, beside(lambda new, x=x: make("-", new, x)), goal.tolerance)
            yield Goal(data - goal.value, beside(lambda new, x=x: make("-", x, new)), goal.tolerance)
            if np.all(data):
                yield Goal(goal.value / data, beside(lambda new, x=x: make("*", new, x)), goal.tolerance)
        for c in numbers.terms[:top] if numbers is not None else []:
            factor = c.value.data.reshape(-1, *[1] * len(goal.shape))  # type: ignore[union-attr]
            if np.all(factor) and not np.all(factor == 1):
                yield Goal(goal.value * factor, beside(lambda new, c=c: make("/", new, c)), goal.tolerance)
                yield Goal(goal.value / factor, beside(lambda new, c=c: make("*", c, new)), goal.tolerance)


def _activation(data: Array) -> bool:
    """Whether values may be the output of an activation, which its derivative can be written with."""
    return data.dtype.kind == "f" and bool(np.abs(data).max() <= 1 or data.min() == 0)


def _pairs(arrays: list[tuple[Term, float]], top: int) -> Iterator[tuple[tuple[Term, float], tuple[Term, float]]]:
    by_shape: dict[Shape, list[tuple[Term, float]]] = {}
    for pair in arrays:
        by_shape.setdefault(pair[0].value.shape, []).append(pair)  # type: ignore[union-attr]
    for group in by_shape.values():
        for i, a in enumerate(group[:top]):
            for b in group[i + 1 : top]:
                yield a, b


def _sums(shape: Shape, wanted: Shape) -> list[tuple[int | None, bool]]:
    """Return the (axis, keepdims) whose sum makes one shape of another."""
    found: list[tuple[int | None, bool]] = []
    for axis in range(len(shape)):
        if shape[axis] == 1 and len(shape) == len(wanted):
            continue
        if (*shape[:axis], 1, *shape[axis + 1 :]) == wanted:
            found.append((axis, True))
        if shape[:axis] + shape[axis + 1 :] == wanted:
            found.append((axis, False))
    if wanted == () and len(shape) > 1:
        found.append((None, False))
    return found


def _rows(matrix: Array, wanted: Array, tolerance: float) -> list[int]:
    scale = np.abs(wanted).max(initial=0.0) or 1.0
    near = np.abs(matrix - wanted).max(axis=1, initial=0.0) <= 10 * max(tolerance, 1e-9) * scale
    return [int(i) for i in np.flatnonzero(near)]


def _near(marks: Array, wanted: Array, width: float) -> Iterator[tuple[int, int]]:
    """Yield the pairs (i, j) with marks[i] = wanted[j]."""
    order = np.argsort(marks, kind="stable")
    ordered = marks[order]
    slack = width * 10 * (np.abs(wanted) + np.abs(marks).mean())
    low, high = np.searchsorted(ordered, wanted - slack), np.searchsorted(ordered, wanted + slack)
    for j in np.flatnonzero(high > low):
        for k in range(low[j], min(high[j], low[j] + 20)):
            yield int(order[k]), int(j)


def _bilinear(left: Array, right: Array, mark: float, width: float) -> Iterator[tuple[int, int]]:
    """Yield the pairs (i, j) with left[i] · right[j] = mark."""
    norms = np.sqrt((right * right).sum(axis=1))
    for start in range(0, len(left), CHUNK):
        part = left[start : start + CHUNK]
        slack = 10 * width * (abs(mark) + 0.1 * np.sqrt((part * part).sum(axis=1))[:, None] * norms[None, :])
        hits = np.abs(part @ right.T - mark) <= slack
        for i, j in zip(*np.nonzero(hits), strict=True):
            yield start + int(i), int(j)
