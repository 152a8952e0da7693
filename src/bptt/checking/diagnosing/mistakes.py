"""A kind of mistake, and whether it gives exactly the wrong values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bptt.checking.diagnosing.roles import arrived
from bptt.checking.tracing.bank import Role
from bptt.checking.tracing.series import Series
from bptt.dims import Array

if TYPE_CHECKING:
    from bptt.checking.diagnosing.judging import Judged


EXACT = 1e-9


@dataclass(frozen=True)
class Label:
    """A kind of mistake, and the cause in words."""

    code: str
    cause: str


Pairs = list[tuple[int, Array, Array]]
"""(step, theirs, true) of every wrong instance."""


def wrong_values(judged: Judged) -> Pairs:
    """Return what the unit computed beside the truth, at every wrong instance that gave a value."""
    pairs = []
    for k in judged.wrong:
        event = judged.events[k]
        value = arrived(judged.unit, event, judged.role.delta)
        item = judged.role.item(k)
        if event.error is None and value is not None and item is not None:
            pairs.append((judged.role.times[k], value, item))
    return pairs


def alike(value: Array, other: Array) -> bool:
    """Tell whether two arrays agree to 1e-9, whatever their axes of one element."""
    if value.size != other.size or value.size == 0:
        return False
    a, b = np.ravel(value), np.ravel(other)
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return False
    return bool(np.abs(a - b).max() <= EXACT * max(float(np.abs(b).max()), 1e-300))


def everywhere(pairs: Pairs, mistake: Callable[[int, Array], Array | None]) -> bool:
    """Tell whether a mistake gives their value at every wrong instance."""
    for step, theirs, true in pairs:
        wrong = mistake(step, true)
        if wrong is None or not alike(theirs, wrong):
            return False
    return True


def item_of(series: Series, role: Role, shift: int = 0) -> Callable[[int, Array], Array | None]:
    """Return what gives a series' item at a step, some steps away from it, with its axes as theirs."""

    def at(step: int, true: Array) -> Array | None:
        place = step + shift
        item = series.items[place] if 0 <= place < len(series.items) else None
        if item is None or item.size != true.size:
            return None
        return np.transpose(item, role.axes) if len(role.axes) == item.ndim else item

    return at
