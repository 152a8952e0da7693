"""Slices with other ends: another gate's, the other half, moved by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bptt.checking.repairing.edits import places, rebuild
from bptt.checking.repairing.reading import Parsed
from bptt.checking.repairing.terms import Stack, Term, Terms

SIZES = 24
"""So many whole numbers of theirs may be the ends of a slice."""


def slices(terms: Terms, parsed: Parsed, leaves: Sequence[Term]) -> Iterator[tuple[tuple[Parsed, ...], list[Term]]]:
    """Yield the way to each slice of an array, and that with other ends: a[:n], another gate's, moved by one."""
    none, one = terms.number(None), terms.number(1)
    whole = [t for t in leaves if (n := _whole_number(t)) is not None and n >= 0]
    sizes = sorted(whole, key=lambda t: t.op == "const")[:SIZES]  # a name rather than a number that it happens to be
    for way in places(parsed):
        if way[-1].term.op != "slice":
            continue
        lower, upper, step = way[-1].term.args
        moved = [terms.make(op, end, one) for end in (lower, upper) if end is not none for op in ("+", "-")]
        ends: dict[bytes, tuple[int, Term]] = {}
        for end in (lower, upper, *moved, *sizes):
            value = _whole_number(end)
            if value is not None and value > 0 and isinstance(end.value, Stack):
                ends.setdefault(end.value.data.tobytes(), (value, end))
        known = list(ends.values())
        others = [(none, none), *((none, end) for _, end in known), *((end, none) for _, end in known)]
        length = _length(lower, upper, way)
        others += [(a, b) for x, a in known for y, b in known if y - x == length or (length is None and x < y)]
        others += [(none, terms.number(-1)), (one, none), (lower, none), (upper, none), (none, lower)]
        yield way[:-1], [rebuild(terms, way[-2:], terms.make("slice", a, b, step)) for a, b in others]


def cuts(terms: Terms, term: Term, leaves: Sequence[Term]) -> Iterator[Term]:
    """Yield the first and the last rows or columns of an array: what is left of a stacked one."""
    if not isinstance(term.value, Stack) or term.op == "item" or not 1 <= term.value.ndim <= 2:
        return
    none, one = terms.number(None), terms.number(1)
    every = terms.make("slice", none, none, none)
    sizes = {n: t for t in reversed(leaves) if (n := _whole_number(t)) is not None and n > 0}
    for axis, length in enumerate(term.value.shape):
        ends = [(none, t) for n, t in sizes.items() if n < length]
        ends += [(t, none) for n, t in sizes.items() if n < length]
        for lower, upper in (*ends, (none, terms.number(-1)), (one, none)):
            part = terms.make("slice", lower, upper, none)
            yield terms.make("item", term, *([every] * axis), part, payload=axis > 0)


def _whole_number(term: Term) -> int | None:
    """Return the whole number that a term is at the first execution; None for anything else."""
    if not isinstance(term.value, Stack) or term.value.ndim or term.value.data.dtype.kind != "i":
        return None
    return int(term.value.data.reshape(-1)[0])


def _length(lower: Term, upper: Term, way: tuple[Parsed, ...]) -> int | None:
    """Return how long a slice of theirs is, where that can be told."""
    end = _whole_number(upper)
    holder = way[-2].term if len(way) > 1 else None
    if end is None and holder is not None and holder.op == "item" and isinstance(holder.args[0].value, Stack):
        axis = next(k for k, part in enumerate(way[-2].parts[1:]) if part is way[-1])
        shape = holder.args[0].value.shape
        end = shape[axis] if axis < len(shape) else None
    return None if end is None else end - (_whole_number(lower) or 0)
