"""Many fills of one place of an expression at once: one NumPy call computes what each of them makes of the whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

import numpy as np

from bptt.checking.repairing.goals import Goal
from bptt.checking.repairing.reading import Parsed
from bptt.checking.repairing.terms import STACKED, Stack, Term, Terms, Value


def promising(terms: Terms, way: Sequence[Parsed], fills: Iterable[Term], goals: Collection[Goal]) -> Iterator[Term]:
    """Yield the terms with which, at the end of a way, the whole expression may meet a goal.

    Those of which that cannot be told together are among them.
    """
    groups: dict[object, list[Term]] = defaultdict(list)
    for term in fills:
        groups[term.value.shape if isinstance(term.value, Stack) else term].append(term)
    for group in groups.values():
        if len(group) == 1 or len(way) == 1:
            yield from group
            continue
        value, certain = _whole(terms, way, group)
        if isinstance(value, Stack) and value.data.ndim - value.ndim == 2:
            met = np.any([goal.met_by(value) for goal in goals], axis=0)
            yield from (group[k] for k in np.flatnonzero(met))
        elif not certain:
            yield from group


def _whole(terms: Terms, way: Sequence[Parsed], fills: Sequence[Term]) -> tuple[Value, bool]:
    """Return the values of the whole expression with each fill at the end of the way; None where there are none.

    The second tells whether there is then no value for any of them: the shapes do not fit.
    """
    stacks = [fill.value for fill in fills if isinstance(fill.value, Stack)]
    value: Value = Stack(np.stack([stack.data for stack in stacks]), stacks[0].ndim)
    terms.evaluated += len(fills) - len(way)
    for parent, child in zip(way[-2::-1], way[:0:-1], strict=True):
        place = parent.place(child)
        values = [value if k == place else arg.value for k, arg in enumerate(parent.term.args)]
        value = terms.compute(parent.term.op, parent.term.payload, values)
        if not isinstance(value, Stack):
            numbers = parent.term.op in STACKED and all(isinstance(v, Stack) for v in values)
            return None, numbers or (parent.term.op in ("attr", "item") and place == 0)
    return value, True
