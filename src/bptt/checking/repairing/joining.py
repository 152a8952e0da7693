"""One operand more: what a factor, a summand or a product more makes of a part of an expression."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bptt.checking.repairing.edits import fits, subterms
from bptt.checking.repairing.leaves import ATOMS, Leaf
from bptt.checking.repairing.reading import Parsed
from bptt.checking.repairing.terms import Stack, Term, Terms, Value, shape_of
from bptt.checking.repairing.together import Whole, given, wholes

SCALED = 0.83
"""What a size costs as a factor of a whole expression."""
UNWRITTEN = 0.3
"""What more for a size that stands nowhere in the function."""
RATE = 1.1
"""What another constant costs as a factor: a rate, a leak."""
GATES = 4
"""So many rates and masks are tried as what lets a missing part of a sum through."""

PAIRED = 14
"""So many variables that an expression reads, and as many others, are tried as the factors of a product it lacks."""
NEARBY = 6
"""So many variables of one shape are tried in pairs."""
CHANCE = 0.8
"""What a number more costs beside a number: n + k may be another size by chance."""
Costed = tuple[float, Term]


def of_each(terms: Terms, ways: list[tuple[Parsed, ...]], atoms: list[Leaf]) -> Iterator[tuple[float, Whole]]:
    """Yield an array in the place of a number that is a factor: each example's length for the longest."""
    spread = [a for a in atoms if len(shape_of(a.term) or ()) > 0]
    for way in ways:
        here = way[-1].term
        if shape_of(here) != () or here.op not in ATOMS or len(way) < 2 or way[-2].term.op not in ("*", "/"):
            continue
        for k, edited in wholes(terms, way, [a.term for a in spread]):
            edited.distinct = True
            yield 1.3 + 0.4 * spread[k].rank, edited


def gated(terms: Terms, whole: Term, atoms: list[Leaf], known: list[Leaf]) -> Iterator[tuple[float, Whole]]:
    """Yield a sum that lacks what a rate or a mask lets through: a leak, the state where nothing is read.

    The rate may stand in another function alone.
    """
    shape = shape_of(whole)
    if not shape:
        return
    one, nothing = terms.number(1), isinstance(whole.value, Stack) and not whole.value.data.any()
    gates = [a.term for a in known if a.term.op in ATOMS and _is_gate(a.term, shape)][:GATES]
    held = [a.term for a in atoms if shape_of(a.term) == shape]
    for gate in gates:
        for factor in (terms.make("-", one, gate), gate):
            for other in held:
                through = terms.make("*", factor, other)
                yield 2.0, given(through if nothing else terms.make("+", whole, through))


def masked(terms: Terms, ways: list[tuple[Parsed, ...]], atoms: list[Leaf]) -> Iterator[tuple[float, Whole]]:
    """Yield a variable, or all, times a mask of fewer axes: of examples and steps, not of what they hold."""
    none = terms.number(None)
    colon = terms.make("slice", none, none, none)
    masks = [leaf for leaf in atoms if leaf.term.op != "const" and _is_mask(leaf.term.value)]
    for way in ways if masks else ():
        here = way[-1].term
        shape = shape_of(here) or ()
        fills, costs = [], []
        for leaf in masks if len(way) == 1 or here.op in ATOMS else ():
            axes = shape_of(leaf.term) or ()
            if len(axes) < len(shape) and axes == shape[: len(axes)]:
                index = [colon] * len(axes) + [none] * (len(shape) - len(axes))
                fills.append(terms.make("*", here, terms.make("item", leaf.term, *index, payload=True)))
                costs.append(1.0 + 0.2 * leaf.rank + 0.1 * len(way))
        for k, edited in wholes(terms, way, fills):
            yield costs[k], edited


def _is_mask(value: Value) -> bool:
    """Tell whether numbers are zeros and ones, and not only the ones or the other."""
    if not isinstance(value, Stack) or value.ndim == 0 or value.data.dtype.kind not in "fbi":
        return False
    return bool(np.isin(value.data, (0, 1)).all() and value.data.any() and not value.data.all())


def through_softmax(terms: Terms, whole: Term, atoms: list[Leaf], diagonal: Term) -> Iterator[tuple[float, Whole]]:
    """Yield what comes back through a softmax: s * (d - sum of d * s), for each s that sums to 1 along an axis.

    Where a matrix is meant, its Jacobian; ``diagonal`` is ``np.diag``.
    """
    shape = shape_of(whole)
    for leaf in atoms:
        if shape and shape_of(leaf.term) == shape[:1] == shape[1:] and _sums_to_one(leaf.term.value) is not None:
            on_it = terms.make("call", diagonal, leaf.term, payload=())
            jacobian = terms.make("-", on_it, terms.make("outer", leaf.term, leaf.term))
            yield 0.8 + 0.2 * leaf.rank, given(jacobian)
    same = [leaf for leaf in atoms if shape and shape_of(leaf.term) == shape and leaf.term.op != "const"]
    for s in same:
        axis = _sums_to_one(s.term.value)
        for d in same if axis is not None else ():
            if d is not s:
                total = terms.make("sum", terms.make("*", d.term, s.term), payload=(axis, True))
                back = terms.make("*", s.term, terms.make("-", d.term, total))
                yield 1.2 + 0.2 * (s.rank + d.rank), given(back)


def lacking(terms: Terms, whole: Term, nearby: list[Leaf]) -> Iterator[Term]:
    """Yield an expression with a product of two variables added to it, elementwise or of matrices."""
    shape, make = shape_of(whole), terms.make
    atoms = [leaf.term for leaf in nearby if leaf.term.op in ATOMS and leaf.term.op != "const" and _is_float(leaf.term)]
    own = set(subterms(whole))
    held = [a for a in atoms if a not in own][:PAIRED] + [a for a in atoms if a in own][:PAIRED]
    for x in held if shape else ():
        for y in held:
            a, b = shape_of(x), shape_of(y)
            if shape and a == shape and b is not None and (x.number < y.number or b != a) and fits(a, b, a):
                yield make("+", whole, make("*", x, y))
            if a is None or b is None or len(a) != 2 or len(b) != 2 or x is y:
                continue
            for left, one in ((x, a), (make("T", x), a[::-1])):
                for right, other in ((y, b), (make("T", y), b[::-1])):
                    if one[1] == other[0] and (one[0], other[1]) == shape:
                        yield make("+", whole, make("dot", left, right))


def projected(terms: Terms, ways: list[tuple[Parsed, ...]], atoms: list[Leaf]) -> Iterator[tuple[float, Whole]]:
    """Yield a difference less x * (sum or mean of y * x): what comes back through a scaling to one length."""
    for way in ways:
        here = way[-1].term
        shape = shape_of(here) or ()
        scaled = len(way) > 1 and way[-2].term.op in ("/", "*") and here.op in ATOMS
        if len(shape) < 2 or not (here.op in ("+", "-") or scaled):
            continue
        same = [leaf.term for leaf in atoms if shape_of(leaf.term) == shape and leaf.term.op != "const"][:NEARBY]
        fills = [
            terms.make("-", here, terms.make("*", x, terms.make(op, terms.make("*", y, x), payload=(axis, True))))
            for x in same
            for y in same
            if x is not y
            for op in ("mean", "sum")
            for axis in range(len(shape))
        ]
        for _, edited in wholes(terms, way, fills):
            yield 1.6, edited


def centred(terms: Terms, ways: list[tuple[Parsed, ...]]) -> Iterator[tuple[float, Whole]]:
    """Yield a variable less its mean: what comes back through a difference from the mean."""
    for way in ways:
        here = way[-1].term
        shape = shape_of(here) or ()
        if len(shape) > 1 and here.op in ATOMS:
            means = [terms.make("mean", here, payload=(axis, True)) for axis in range(len(shape))]
            for _, edited in wholes(terms, way, [terms.make("-", here, mean) for mean in means]):
                yield 1.2, edited


def _sums_to_one(value: Value) -> int | None:
    """Return the axis along which numbers are shares of 1."""
    if not isinstance(value, Stack) or value.data.dtype.kind != "f" or value.data.min(initial=0.0) < 0:
        return None
    for axis in range(value.ndim):
        along = axis + value.data.ndim - value.ndim
        if value.data.shape[along] > 1 and np.allclose(value.data.sum(axis=along), 1.0):
            return axis
    return None


def _is_gate(term: Term, shape: tuple[int, ...]) -> bool:
    """Tell whether a term is a rate between 0 and 1, or a mask or rates of less than the shape."""
    value = term.value
    if not isinstance(value, Stack) or term.op == "const" or value.data.dtype.kind not in "fb":
        return False
    if value.shape == shape:
        return _is_mask(value)
    if value.ndim == 0:
        return is_constant(term) and bool(0 < value.data.reshape(-1)[0] < 1)
    return fits(shape, value.shape, shape) and bool(((value.data >= 0) & (value.data <= 1)).all())


def joined(terms: Terms, here: Term, atoms: list[Leaf], slopes: list[Costed]) -> Iterator[Costed]:
    """Yield what one more operand makes of a part, where that has the part's shape."""
    shape = shape_of(here)
    if shape is None or here.op == "const":
        return
    make = terms.make
    for rank, other in [(leaf.rank, leaf.term) for leaf in atoms] + [(r + 0.2, s) for r, s in slopes]:
        beside = shape_of(other)
        if beside is None or (other.op == "const" and other.payload in (0, 1)):
            continue
        cost = 1.5 + 0.4 * rank
        if fits(shape, beside, shape):
            factor = cost - 0.25
            if is_constant(other):  # by a size, or by 2, more often than by an array
                size = SCALED - 0.1 * (not shape) + UNWRITTEN * (rank >= 0.9)
                factor = size if _is_whole(other) else RATE
            for op in ("*",) if beside else ("*", "/"):
                yield factor, make(op, here, other)
            lacks = cost - 0.3 * (here.op in ("+", "-"))  # a sum lacks a part more often than a product is to be one
            for op in ("+", "-"):
                yield lacks + CHANCE * (not shape and other.op != "const"), make(op, here, other)
        if len(shape) and len(beside) == 2:
            for right, turned in ((other, beside), (make("T", other), beside[::-1])):
                if turned[0] == turned[1]:
                    if shape[-1] == turned[0]:
                        yield cost, make("dot", here, right)
                    if shape[0] == turned[1]:
                        yield cost, make("dot", right, here)


def _is_float(term: Term) -> bool:
    return isinstance(term.value, Stack) and term.value.data.dtype.kind == "f"


def is_constant(term: Term) -> bool:
    """Tell whether a term is a number that stays the same: a size, a rate, a constant."""
    value = term.value
    if not isinstance(value, Stack) or value.ndim:
        return False
    if term.op == "item" and value.data.dtype.kind == "f" and not isinstance(term.args[-1].payload, str):
        return False
    return bool((value.data == value.data.reshape(-1)[0]).all())


def _is_whole(term: Term) -> bool:
    return isinstance(term.value, Stack) and float(term.value.data.reshape(-1)[0]).is_integer()
