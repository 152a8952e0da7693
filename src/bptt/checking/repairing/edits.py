"""Single edits of a statement: one operator, one index, one operand, one transpose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations as pairs

import numpy as np

from bptt.checking.repairing.leaves import ATOMS
from bptt.checking.repairing.reading import Parsed
from bptt.checking.repairing.terms import Stack, Term, Terms

FEW = 3
"""An index that is a number of theirs may be another below this."""
AXES = ((0, True), (1, True), (0, False), (1, False), (None, False))


def variants(terms: Terms, term: Term) -> Iterator[Term]:
    """Yield what one edit at the top of a term makes of it, without new variables."""
    make, one, two = terms.make, terms.number(1), terms.number(2)
    op, args = term.op, term.args
    if op in ("+", "-", "*", "/", "dot", "outer"):
        a, b = args
        for other in ("+", "-", "*", "/", "dot"):
            if other != op:
                yield make(other, a, b)
        if op not in ("+", "*"):
            yield make(op, b, a)
        if op in ("dot", "*", "outer"):
            yield make("dot", b, a)
            for x in (a, make("T", a)):
                for y in (b, make("T", b)):
                    yield make("dot", x, y)
                    yield make("dot", y, x)
            yield make("outer", a, b)
            yield make("outer", b, a)
        yield from args
        yield from regrouped(terms, term)
    elif op in ("sum", "mean"):
        for payload in AXES:
            yield make("sum", args[0], payload=payload)
        yield make("mean" if op == "sum" else "sum", args[0], payload=term.payload)
        yield args[0]
    elif op in ("neg", "T", "**"):
        yield args[0]
        if op == "**":
            for exponent in (2, 3, 0.5, -1):
                yield make("**", args[0], terms.number(exponent))
    elif op == "call":
        yield from (arg for arg in args[1:] if isinstance(arg.value, Stack))
    elif op == "if":
        yield from args[1:]
        yield make("if", args[0], args[2], args[1])
        yield make("+", args[1], args[2])
    elif op in ("list", "tuple", "dict"):
        for i, j in pairs(range(len(args)), 2):
            yield make(op, *exchanged(args, i, j), payload=term.payload)
    elif op == "item":
        yield from _other_items(terms, term)
    value = term.value
    if not isinstance(value, Stack):
        return
    if op == "const":
        return
    yield make("neg", term)
    yield from derivatives(terms, term)
    yield make("-", one, term)
    yield make("**", term, two)
    if value.ndim >= 2 and op != "T":
        yield make("T", term)
    if value.ndim:
        for payload in AXES:
            yield make("sum", term, payload=payload)


def _other_items(terms: Terms, term: Term) -> Iterator[Term]:
    """Yield an item with two of its indices exchanged, and with another number for an index."""
    single = [
        k for k, i in enumerate(term.args[1:], 1) if isinstance(i.value, Stack) and not i.value.ndim and i.op != "const"
    ]
    for i, j in pairs(single, 2):
        yield terms.make("item", *exchanged(term.args, i, j), payload=term.payload)
    yield from other_numbers(terms, term)


def other_numbers(terms: Terms, term: Term) -> Iterator[Term]:
    """Yield an item with another number of a few for one of its indices."""
    for k, number in enumerate(term.args[1:], 1):
        if number.op == "const" and type(number.payload) is int and 0 <= number.payload < FEW:
            for other in range(FEW):
                if other != number.payload:
                    args = [*term.args[:k], terms.number(other), *term.args[k + 1 :]]
                    yield terms.make("item", *args, payload=term.payload)


def exchanged(args: Sequence[Term], i: int, j: int) -> list[Term]:
    """Return arguments with two of them exchanged."""
    new = list(args)
    new[i], new[j] = args[j], args[i]
    return new


def variables(term: Term) -> frozenset[Term]:
    """Return the variables that a term is made of."""
    return frozenset(t for t in subterms(term) if t.op in ATOMS and t.op != "const")


def regrouped(terms: Terms, term: Term) -> Iterator[Term]:
    """Yield a sum of which a factor belongs to both sides, or to one only: a * b + c and (a + c) * b."""
    make, (a, b) = terms.make, term.args
    if term.op in ("+", "-"):
        if a.op == "*":
            yield make("*", make(term.op, a.args[0], b), a.args[1])
            yield make("*", a.args[0], make(term.op, a.args[1], b))
        if b.op == "*":
            yield make("*", make(term.op, a, b.args[0]), b.args[1])
            yield make("*", b.args[0], make(term.op, a, b.args[1]))
    elif term.op == "*":
        for whole, factor in ((a, b), (b, a)):
            if whole.op in ("+", "-"):
                yield make(whole.op, make("*", whole.args[0], factor), whole.args[1])
                yield make(whole.op, whole.args[0], make("*", whole.args[1], factor))


def without_slope(terms: Terms, parsed: Parsed) -> Iterator[Term]:
    """Yield a product without the derivative of an activation in it: without a and (1 - a)."""
    one = terms.number(1)
    for way in places(parsed):
        if way[-1].term.op != "*" or (len(way) > 1 and way[-2].term.op == "*"):
            continue
        factors = list(_factors(way[-1].term))
        for a in factors:
            less = terms.make("-", one, a)
            rest = [f for f in factors if f is not a and f is not less]
            if less in factors and rest:
                product = rest[0]
                for factor in rest[1:]:
                    product = terms.make("*", product, factor)
                yield rebuild(terms, way, product)


def _factors(term: Term) -> Iterator[Term]:
    if term.op == "*":
        for arg in term.args:
            yield from _factors(arg)
    else:
        yield term


def derivatives(terms: Terms, term: Term) -> Iterator[Term]:
    """Yield the derivative of an activation by its output: tanh 1 - a², sigmoid s(1 - s), ReLU a > 0."""
    make, one = terms.make, terms.number(1)
    yield make("-", one, make("**", term, terms.number(2)))
    yield make("*", term, make("-", one, term))
    yield make(">", term, terms.number(0))


def activated(term: Term) -> bool:
    """Whether values may be the output of an activation, which its derivative can be written with."""
    value = term.value
    if not isinstance(value, Stack) or not value.ndim or value.data.dtype.kind != "f":
        return False
    return bool(np.abs(value.data).max(initial=0.0) <= 1 or value.data.min(initial=1.0) == 0)


def combinations(terms: Terms, term: Term, other: Term, wanted: tuple[int, ...] | None = None) -> Iterator[Term]:
    """Yield what one more operand makes of a term.

    With ``wanted``, only results of that shape, and no elementwise operation of two terms that both have it.
    """
    make = terms.make
    if not isinstance(term.value, Stack) or not isinstance(other.value, Stack):
        return
    a, b = term.value, other.value
    if not (wanted is not None and a.shape == b.shape == wanted) and fits(a.shape, b.shape, wanted):
        yield make("+", term, other)
        yield make("-", term, other)
        yield make("-", other, term)
        yield make("*", term, other)
        yield make("/", term, other)
    if a.ndim and b.ndim:
        for x in (term, make("T", term)) if a.ndim == 2 else (term,):
            for y in (other, make("T", other)) if b.ndim == 2 else (other,):
                assert isinstance(x.value, Stack)
                assert isinstance(y.value, Stack)
                p, q = x.value.shape, y.value.shape
                if p[-1] == q[0] and wanted in (None, (*p[:-1], *q[1:])):
                    yield make("dot", x, y)
                if q[-1] == p[0] and wanted in (None, (*q[:-1], *p[1:])):
                    yield make("dot", y, x)
        if a.ndim == b.ndim == 1:
            yield make("outer", term, other)
            yield make("outer", other, term)


def everywhere(terms: Terms, term: Term, atoms: Sequence[Term]) -> Iterator[Term]:
    """Yield the term with one variable of it replaced by another of its shape, in all places at once."""
    for old in dict.fromkeys(subterms(term)):
        if old.op not in ATOMS:
            continue
        for new in atoms:
            if new is not old and alike(old, new):
                yield terms.swap(term, old, new)
    for old in dict.fromkeys(t for t in subterms(term) if t.op == "item"):
        for index in old.args[1:]:  # every t - 1 becomes t, and the like
            yield from _shift_all(terms, term, index)
            for single in turning(index):
                yield terms.swap(term, index, single)


def composed(terms: Terms, term: Term, functions: Sequence[Term], hole: Term) -> Iterator[Term]:
    """Yield the term with a function of one of its variables in the place of that variable, in all places at once."""
    for old in dict.fromkeys(subterms(term)):
        if old.op in ATOMS and isinstance(old.value, Stack) and old.value.ndim:
            for function in functions:
                new = terms.swap(function, hole, old)
                if isinstance(new.value, Stack) and new.value.shape == old.value.shape:
                    yield terms.swap(term, old, new)


def shifts(terms: Terms, parsed: Parsed) -> Iterator[Term]:
    """Yield the expression with one index of one variable moved by a step."""
    for way in places(parsed):
        if len(way) > 1 and way[-2].term.op == "item" and way[-1] is not way[-2].parts[0]:
            index = way[-1].term
            for new in (*_shift_all(terms, index, index), *turning(index)):
                yield rebuild(terms, way, new)


def turning(index: Term) -> list[Term]:
    """Return the variables that an index is calculated of, where they are another number at each execution."""
    counted = variables(index) if index.op in ("+", "-") else ()
    return [v for v in sorted(counted, key=lambda v: v.number) if _turns(v)]


def _turns(term: Term) -> bool:
    """Tell whether a whole number is another at each execution."""
    value = term.value
    return isinstance(value, Stack) and not value.ndim and value.data.dtype.kind == "i" and bool(np.ptp(value.data))


def _shift_all(terms: Terms, term: Term, index: Term) -> Iterator[Term]:
    one = terms.number(1)
    if index.op == "leaf" and isinstance(index.value, Stack) and not index.value.shape:
        yield terms.swap(term, index, terms.make("-", index, one))
        yield terms.swap(term, index, terms.make("+", index, one))
    elif index.op in ("+", "-") and index.args[1].op == "const" and type(index.args[1].payload) is int:
        amount = index.args[1].payload if index.op == "+" else -index.args[1].payload
        for other in (amount - 1, amount + 1):
            far = terms.make("+" if other > 0 else "-", index.args[0], terms.number(abs(other)))
            yield terms.swap(term, index, far if other else index.args[0])
        if abs(amount) == 1:
            yield terms.swap(term, index, terms.make("+" if amount < 0 else "-", index.args[0], one))
    elif index.op in ("+", "call"):  # a key that is made of the step: cache["a" + str(t)]
        for part in index.args[index.op == "call" :]:
            for moved in _shift_all(terms, part, part):
                yield terms.swap(term, index, terms.swap(index, part, moved))


def subterms(term: Term) -> Iterator[Term]:
    """Yield a term and everything in it."""
    yield term
    for arg in term.args:
        yield from subterms(arg)


def places(parsed: Parsed) -> Iterator[tuple[Parsed, ...]]:
    """Yield the way to every part of an expression that holds numbers, the whole first."""
    queue: list[tuple[Parsed, ...]] = [(parsed,)]
    while queue:
        way = queue.pop(0)
        yield way
        here = way[-1]
        for part in here.parts:
            if part is not None and not (here.term.op == "call" and part is here.parts[0]):
                queue.append((*way, part))


def rebuild(terms: Terms, way: tuple[Parsed, ...], new: Term) -> Term:
    """Return the whole expression with the part at the end of a way replaced."""
    for parent, child in zip(way[-2::-1], way[:0:-1], strict=True):
        args = list(parent.term.args)
        args[parent.place(child)] = new
        new = terms.make(parent.term.op, *args, payload=parent.term.payload)
    return new


def alike(old: Term, new: Term) -> bool:
    """Tell whether a variable may stand for another: numbers of one shape; a step is never another number."""
    if old.value is None:
        return isinstance(new.value, Stack) and new.op != "const"
    if not isinstance(old.value, Stack) or not old.value.ndim:  # t is moved by steps, never made another number
        return False
    return isinstance(new.value, Stack) and old.value.shape == new.value.shape


def fits(a: tuple[int, ...], b: tuple[int, ...], wanted: tuple[int, ...] | None) -> bool:
    """Whether two shapes are broadcast together, to the wanted one."""
    if not all(x == y or x == 1 or y == 1 for x, y in zip(a[::-1], b[::-1], strict=False)):
        return False
    return wanted is None or np.broadcast_shapes(a, b) == wanted
