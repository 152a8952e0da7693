"""Products with a smaller array that NumPy spreads over a larger one: a peephole's weights, one for each unit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from bptt.checking.repairing.goals import Goal
from bptt.checking.repairing.matching import equal_marks
from bptt.checking.repairing.terms import Term

if TYPE_CHECKING:
    from bptt.checking.repairing.enumeration import Pool


def spread_products(pool: Pool, goal: Goal, top: int, width: float) -> Iterator[Term]:
    """Yield the products of a term of the goal's shape and a smaller one that are the goal."""
    shelf = pool.shelves[goal.shape]
    wanted = goal.value.reshape(-1)
    r = pool.direction(wanted.size)
    marks = shelf.matrix()[:top] @ r
    for shape, other in pool.shelves.items():
        small = 1 < np.prod(shape, dtype=int) < wanted.size // pool.terms.count and len(shape) <= len(goal.shape)
        if not small or any(n not in (1, m) for n, m in zip(shape[::-1], goal.shape[::-1], strict=False)):
            continue
        lead = (1,) * (len(goal.shape) - len(shape))
        rows = other.matrix()[:top].reshape(-1, pool.terms.count, *lead, *shape)
        spread = np.broadcast_to(rows, (len(rows), *goal.value.shape)).reshape(len(rows), -1)
        whole = np.flatnonzero(spread.all(axis=1))
        for i, k in equal_marks(marks, (wanted / spread[whole]) @ r, width):
            yield pool.terms.make("*", shelf.terms[i], other.terms[whole[k]])
