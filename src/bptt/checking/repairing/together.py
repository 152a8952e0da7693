"""Many fills of one place of an expression at once: one NumPy call computes what each of them makes of the whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from bptt.checking.repairing.edits import rebuild
from bptt.checking.repairing.goals import Goal
from bptt.checking.repairing.reading import Parsed
from bptt.checking.repairing.terms import STACKED, Stack, Term, Terms, Value


class Filled:
    """An expression with each of several terms, whose values have one shape, at the end of a way.

    Attributes
    ----------
    value : Stack or None
        Of the whole expression, a fill along the first axis; None where they cannot be computed together.
    certain : bool
        Whether there is then no value for any of them: the shapes do not fit.
    """

    def __init__(self, terms: Terms, way: tuple[Parsed, ...], fills: Sequence[Term]) -> None:
        self.terms, self.fills = terms, fills
        self.value: Stack | None = None
        self.certain = False
        self._steps = [
            (parent.term, parent.place(child)) for parent, child in zip(way[-2::-1], way[:0:-1], strict=True)
        ]
        self._levels: list[Stack] = []
        self._compute()

    def _compute(self) -> None:
        stacks = [fill.value for fill in self.fills if isinstance(fill.value, Stack)]
        value: Value = Stack(np.stack([stack.data for stack in stacks]), stacks[0].ndim)
        self.terms.evaluated += len(self.fills) - len(self._steps)
        for parent, place in self._steps:
            values = [value if k == place else arg.value for k, arg in enumerate(parent.args)]
            value = self.terms.compute(parent.op, parent.payload, values)
            if not isinstance(value, Stack) or value.data.ndim - value.ndim != 2:
                self.certain = value is None and _fails_by_shape(parent, place, values)
                return
            self._levels.append(value)
        self.value = self._levels[-1]

    def whole(self, k: int) -> Term:
        """Return the whole expression with one of the fills."""
        new = self.fills[k]
        for (parent, place), level in zip(self._steps, self._levels, strict=True):
            args = (*parent.args[:place], new, *parent.args[place + 1 :])
            new = self.terms.known(parent.op, args, parent.payload, Stack(level.data[k], level.ndim))
        return new


def _fails_by_shape(parent: Term, place: int, values: Sequence[Value]) -> bool:
    """Tell whether an operation that failed for arrays of one shape fails for each of them."""
    if parent.op in STACKED:
        return all(isinstance(value, Stack) for value in values)
    return place == 0 and (parent.op == "item" or (parent.op == "attr" and not hasattr(np.ndarray, parent.payload)))


@dataclass
class Whole:
    """A whole expression whose value is known; its term is made where it is wanted."""

    value: Value
    term: Callable[[], Term]
    distinct: bool = False
    """Whether another expression of the same value here may have another one elsewhere."""


def given(term: Term) -> Whole:
    """Return an expression whose term is there already."""
    return Whole(term.value, lambda: term)


def wholes(terms: Terms, way: tuple[Parsed, ...], fills: Sequence[Term]) -> Iterator[tuple[int, Whole]]:
    """Yield the place of each fill, and the whole expression with it at the end of a way, if that has a value."""
    found: dict[int, Whole] = {}
    for places in _groups(fills):
        group = [fills[place] for place in places]
        filled = Filled(terms, way, group) if len(group) > 1 and len(way) > 1 else None
        for k, place in enumerate(places):
            if filled is None or (filled.value is None and not filled.certain):
                found[place] = given(rebuild(terms, way, fills[place]))
            elif filled.value is not None:
                found[place] = Whole(Stack(filled.value.data[k], filled.value.ndim), partial(filled.whole, k))
    yield from ((place, found[place]) for place in sorted(found))


def promising(terms: Terms, way: tuple[Parsed, ...], fills: Sequence[Term], goals: Collection[Goal]) -> Iterator[Term]:
    """Yield whole expressions, with one of the fills at the end of a way, that may meet a goal."""
    for places in _groups(fills):
        group = [fills[place] for place in places]
        filled = Filled(terms, way, group) if len(group) > 1 and len(way) > 1 else None
        if filled is None or (filled.value is None and not filled.certain):
            yield from (rebuild(terms, way, fill) for fill in group)
        elif filled.value is not None:
            value = filled.value
            yield from (filled.whole(int(k)) for k in np.flatnonzero(np.any([g.met_by(value) for g in goals], axis=0)))


def _groups(fills: Iterable[Term]) -> Iterable[list[int]]:
    """Return the places of terms whose values have one shape; what is no numbers stands alone."""
    groups: dict[object, list[int]] = defaultdict(list)
    for place, term in enumerate(fills):
        groups[term.value.shape if isinstance(term.value, Stack) else place].append(place)
    return groups.values()
