"""Bottom-up enumeration of expressions, one for each value, and the search for two of them that make a goal.

The expressions of one shape stand on a shelf, as the rows of a matrix.  Whether any product, sum or matrix product of
two rows is the goal is asked of random projections, for all pairs in one matrix product; only what answers yes is
built and compared.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from bptt.checking.repairing.edits import activated, derivatives
from bptt.checking.repairing.goals import Goal
from bptt.checking.repairing.leaves import ATOMS, Leaf, is_rate
from bptt.checking.repairing.matching import equal_marks, equal_products, equal_rows
from bptt.checking.repairing.samples import Budget
from bptt.checking.repairing.shelves import Shape, Shelf
from bptt.checking.repairing.spreading import spread_products
from bptt.checking.repairing.terms import Stack, Term, Terms
from bptt.dims import Array

TWINS = 4  # other forms of a value that are kept: the nearer text is chosen at the end
GROUP, MIXED = 120, 24  # of the terms of one shape: how many are kept as they are, how many are combined
RATES = 4  # numbers such as a leak's alpha, with which what is handed back is multiplied
LARGE = 512  # numbers: what is larger, and much larger than the goal, is of another network


class Pool:
    """Terms by shape."""

    def __init__(self, terms: Terms, limit: int) -> None:
        self.terms = terms
        self.limit = limit
        self.shelves: dict[Shape, Shelf] = {}
        self._seen: dict[tuple[Shape, int], Term] = {}
        self.twins: dict[Term, list[Term]] = {}
        self._random: dict[int, Array] = {}
        self._sides: dict[tuple[int, bool], list[tuple[Shelf, bool, Array]]] = {}

    def add(self, term: Term, cost: float) -> bool:
        """Put a term on its shelf; refuse what is there, not finite, all zero, or beyond the limit."""
        value = term.value
        if not isinstance(value, Stack) or value.data.ndim != value.ndim + 1 or value.data.dtype.kind not in "fiub":
            return False
        row = value.data.reshape(-1).astype(np.float64)
        return self._put(value.shape, row, float(row @ self.direction(row.size)), cost, lambda: term)

    def _put(self, shape: Shape, row: Array, mark: float, cost: float, made: Callable[[], Term]) -> bool:
        """Put a term on a shelf by its values and their projection; it is made only if it is not refused."""
        if not math.isfinite(mark) or not row.any():
            return False
        mantissa, exponent = math.frexp(mark)
        key = (shape, exponent << 40 | int((mantissa + 1) * 2**34))
        if key in self._seen:
            twins = self.twins.setdefault(self._seen[key], [])
            if len(twins) < TWINS:
                twins.append(made())
            return False
        shelf = self.shelves.setdefault(shape, Shelf(shape))
        if len(shelf.terms) >= self.limit:
            return False
        self._seen[key] = term = made()
        shelf.terms.append(term)
        shelf.costs.append(cost)
        shelf.rows.append(row)
        return True

    def _mix(self, shape: Shape, group: list[tuple[Term, float]]) -> None:
        """Add the products, differences and sums of all pairs of a group, computed together."""
        rows = np.stack([t.value.data.reshape(-1) for t, _ in group if isinstance(t.value, Stack)]).astype(np.float64)
        first, second = np.triu_indices(len(group), 1)
        a, b = rows[first], rows[second]
        results = [(op, flip, values, values @ self.direction(values.shape[1])) for op, flip, values in (
            ("*", False, a * b), ("-", False, a - b), ("-", True, b - a), ("+", False, a + b),
        )]  # fmt: skip
        for pair, (i, j) in enumerate(zip(first, second, strict=True)):
            (x, cx), (y, cy) = group[i], group[j]
            for op, flip, values, marks in results:
                sides = (y, x) if flip else (x, y)
                row = values[pair]

                def made(op: str = op, sides: tuple[Term, Term] = sides, row: Array = row) -> Term:
                    return self.terms.known(op, sides, None, Stack(row.reshape(-1, *shape), len(shape)))

                self._put(shape, row, float(marks[pair]), cx + cy + 0.5, made)
        self.terms.evaluated += 4 * len(first)

    def direction(self, size: int) -> Array:
        """Return a random direction of a size, always the same one."""
        if size not in self._random:
            self._random[size] = np.random.default_rng(size).uniform(0.5, 1.5, size) * (-1) ** np.arange(size)
        return self._random[size]

    def grow(self, leaves: Iterable[Leaf], seeds: Mapping[Term, bool], goals: set[Shape], budget: Budget) -> None:
        """Fill the shelves: what they wrote, derivatives of it, then products, sums and differences of pairs.

        ``seeds`` are expressions near the statement; the value tells whether one stands in it as it is.
        """
        make, start, one = self.terms.make, self.terms.evaluated, self.terms.number(1)
        first = [(leaf.term, leaf.rank + 0.3 * leaf.term.size) for leaf in leaves]
        first += [(seed, 0.3 + 0.02 * seed.size if own else 1.0 + 0.1 * seed.size) for seed, own in seeds.items()]
        first.sort(key=lambda pair: (pair[0].op not in ATOMS, pair[1], pair[0].number))
        groups: dict[Shape, list[tuple[Term, float]]] = {}
        most = max(LARGE, *(8 * math.prod(shape) for shape in goals))
        for term, cost in first:
            value = term.value
            if not isinstance(value, Stack) or (math.prod(value.shape) > most and term not in seeds):
                continue
            group = groups.setdefault(value.shape, [])
            if len(group) >= GROUP or not self.add(term, cost):
                continue
            group.append((term, cost))
            if value.ndim and (term.op in ATOMS or term.op == "call") and activated(term):
                for derivative in (*derivatives(self.terms, term), make("-", one, term)):
                    if self.add(derivative, cost + 0.3):
                        group.append((derivative, cost + 0.3))
        for group in groups.values():
            group.sort(key=lambda pair: (pair[1], pair[0].number))
        rates = [(rate, cost) for rate, cost in groups.get((), []) if is_rate(rate)][:RATES]
        rates += [(make("-", one, rate), cost + 0.2) for rate, cost in rates]
        for term, cost in (pair for shape in goals for pair in groups.get(shape, [])[:MIXED]):
            for rate, more in rates:
                self.add(make("*", rate, term), cost + more + 0.5)
        for shape, group in groups.items():
            mixed = MIXED if len(shape) in (1, 2) or shape in goals else 8
            if budget.left and len(group) > 1:
                self._mix(shape, group[:mixed])
        self.settle()
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
        self.settle()
        budget.spend(self.terms.evaluated - start)

    def equal(self, goal: Goal) -> Iterator[Term]:
        """Yield the terms that are the goal: as they stand, negated, transposed, or summed over an axis."""
        make = self.terms.make
        wanted = goal.value.reshape(-1)
        yield from self.among(goal.shape, wanted)
        yield from (make("neg", term) for term in self.among(goal.shape, -wanted))
        if len(goal.shape) == 2:
            turned = goal.value.swapaxes(1, 2).reshape(-1)
            yield from (make("T", term) for term in self.among(goal.shape[::-1], turned))
        for shape, shelf in self.shelves.items():
            for payload in _sums(shape, goal.shape):
                axis = payload[0]
                axes = tuple(range(2, 2 + len(shape))) if axis is None else axis + 2
                values = shelf.matrix().reshape(-1, self.terms.count, *shape).sum(axis=axes)
                for i in equal_rows(values.reshape(len(shelf.terms), -1), wanted, goal.tolerance):
                    yield make("sum", shelf.terms[i], payload=payload)

    def settle(self) -> None:
        """Sort every shelf by cost; nothing is added until the next growth."""
        for shelf in self.shelves.values():
            order = sorted(range(len(shelf.terms)), key=lambda i: (shelf.costs[i], shelf.terms[i].number))
            shelf.terms = [shelf.terms[i] for i in order]
            shelf.costs = [shelf.costs[i] for i in order]
            shelf.rows = [shelf.rows[i] for i in order]
            shelf._matrix = None
        self._sides.clear()

    def pairs(self, goal: Goal, top: int, wide: int) -> Iterator[Term]:
        """Yield the products, sums, differences and matrix products of two terms that are the goal.

        One of the two is among the ``top`` cheapest of its shelf, the other among the ``wide`` cheapest.
        """
        make, wanted = self.terms.make, goal.value.reshape(-1)
        width = max(goal.tolerance, 1e-9)
        shelf = self.shelves.get(goal.shape)
        if shelf is not None:
            matrix = shelf.matrix()[:wide]
            r = self.direction(wanted.size)
            marks, near = matrix @ r, matrix[:top]
            mark = float(wanted @ r)
            for i, j in equal_marks(marks, mark - marks[:top], width):
                yield make("+", shelf.terms[min(i, j)], shelf.terms[max(i, j)])
            for i, j in equal_marks(marks, marks[:top] - mark, width):
                yield make("-", shelf.terms[j], shelf.terms[i])
            for i, j in equal_marks(marks, marks[:top] + mark, width):
                yield make("-", shelf.terms[i], shelf.terms[j])
            whole = np.flatnonzero(near.all(axis=1))
            for i, k in equal_marks(marks, (wanted / near[whole]) @ r, width):
                yield make("*", shelf.terms[min(i, whole[k])], shelf.terms[max(i, whole[k])])
            masks = np.flatnonzero(~near.all(axis=1))
            for k, i in equal_products(near[masks] * r, matrix, mark, width):
                yield make("*", shelf.terms[i], shelf.terms[masks[k]])
            yield from spread_products(self, goal, top, width)
        for left, flip, a in self._sided(goal.shape[0], True) if goal.shape else []:
            for right, flop, b in self._sided(goal.shape[-1], False):
                if a.shape[-1] != b.shape[-1] or left.result(right) != len(goal.shape):
                    continue
                u, v = self._probes(goal.shape)
                if len(goal.shape) == 2:
                    mark = float(np.einsum("sp,spq,sq->", u, goal.value, v))
                else:
                    mark = float((goal.value * (u if len(left.shape) == 2 else v)).sum())
                seen = set(equal_products(a[:top], b[:wide], mark, width)) | set(
                    equal_products(a[:wide], b[:top], mark, width)
                )
                for i, j in sorted(seen):
                    x = make("T", left.terms[i]) if flip else left.terms[i]
                    y = make("T", right.terms[j]) if flop else right.terms[j]
                    yield make("outer" if len(left.shape) == len(right.shape) == 1 else "dot", x, y)

    def _probes(self, shape: Shape) -> tuple[Array, Array]:
        count = self.terms.count
        u = self.direction(count * shape[0]).reshape(count, -1)
        return u, self.direction(count * shape[-1] + 1)[1:].reshape(count, -1)

    def _sided(self, size: int, left: bool) -> list[tuple[Shelf, bool, Array]]:
        """Return the shelves that may stand on one side of a matrix product, contracted with that side's probe.

        Each comes as (shelf, transposed, rows); the rows of both sides multiply to the probed product.
        """
        if (size, left) in self._sides:
            return self._sides[size, left]
        probe = self._probes((size, size))[0 if left else 1]
        found = []
        for shape, shelf in self.shelves.items():
            values = shelf.matrix().reshape(len(shelf.terms), self.terms.count, *shape)
            if len(shape) == 1:  # a vector: contracted (v @ M), or one side of an outer product
                found.append((shelf, False, values.reshape(len(shelf.terms), -1)))
                if shape[0] == size:
                    found.append((shelf, False, np.einsum("isp,sp->is", values, probe)))
            if len(shape) == 2:
                for flip in (False, True):
                    gone = 1 if left == flip else 0  # the axis that is probed: the outer one of the product
                    if shape[gone] == size:
                        sides = "ispk,sp->isk" if gone == 0 else "iskp,sp->isk"
                        rows = np.einsum(sides, values, probe).reshape(len(shelf.terms), -1)
                        found.append((shelf, flip, rows))
        self._sides[size, left] = found
        return found

    def among(self, shape: Shape, wanted: Array, tolerance: float = 1e-8) -> Iterator[Term]:
        """Yield the terms of one shelf that have the wanted values (all executions in a row)."""
        shelf = self.shelves.get(shape)
        if shelf is not None:
            for i in equal_rows(shelf.matrix(), wanted, tolerance):
                yield shelf.terms[i]

    def forms(self, term: Term) -> Iterator[Term]:
        """Yield a term and what it is with another form of one or two of its parts."""
        yield term
        ways = [(part, twin) for part in _compound(term) for twin in self.twins.get(part, ())]
        for part, twin in ways:
            new = self.terms.swap(term, part, twin)
            yield new
            for other, second in ways:
                if other is not part and other in _compound(new):
                    yield self.terms.swap(new, other, second)

    def cheapest(self, shape: Shape, top: int) -> list[Term]:
        """Return the first terms of a shelf."""
        shelf = self.shelves.get(shape)
        return shelf.terms[:top] if shelf is not None else []

    def residuals(self, goal: Goal, beside_terms: Iterable[Term]) -> Iterator[Goal]:
        """Yield what is missing beside each of some terms: goal - x, x - goal, goal + x, goal / x."""
        terms = self.terms

        def beside(op: str, *slots: Term | None) -> Callable[[Term], Term]:
            """Return what puts a new term in the empty slot of an operation, and that in the goal's place."""
            return lambda new: goal.finish(terms.make(op, *[new if slot is None else slot for slot in slots]))

        for x in beside_terms:
            assert isinstance(x.value, Stack)
            data = x.value.data
            if not x.value.ndim:
                factor = data.reshape(-1, *[1] * len(goal.shape))
                if np.all(factor) and not np.all(factor == 1):
                    yield Goal(goal.value * factor, beside("/", None, x), goal.tolerance)
                    yield Goal(goal.value / factor, beside("*", x, None), goal.tolerance)
                continue
            yield Goal(goal.value - data, beside("+", x, None), goal.tolerance)
            yield Goal(goal.value + data, beside("-", None, x), goal.tolerance)
            yield Goal(data - goal.value, beside("-", x, None), goal.tolerance)
            if np.all(data):
                yield Goal(goal.value / data, beside("*", None, x), goal.tolerance)


def _compound(term: Term) -> dict[Term, None]:
    """Return the parts of a term that are no variables."""
    found: dict[Term, None] = {}
    if term.op not in ATOMS:
        found[term] = None
        for arg in term.args:
            found.update(_compound(arg))
    return found


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
