"""Find which true quantity a value is: by its numbers, in whatever order of axes it was written."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import permutations

import numpy as np

from bptt.checking.tracing.series import Series
from bptt.dims import Array

SAME = 1e-8
"""Two arrays are the same quantity if they differ by less than this part of the largest element."""
RANK = {"adjoint": 0, "share": 1, "part": 2, "contribution": 3, "gradient": 4, "value": 5, "slope": 6}


@dataclass(frozen=True)
class Match:
    """A value is item ``time`` of series ``series``, with its axes in the order ``axes``, times ``scale``."""

    series: int
    time: int
    axes: tuple[int, ...]
    scale: float = 1.0


@dataclass
class Role:
    """What a unit is meant to be: a series, and the item of each instance."""

    series: Series
    axes: tuple[int, ...]
    times: dict[int, int] = field(default_factory=dict)
    delta: bool = False
    """Whether the role is what an update adds, not what it leaves."""
    sign: float = 1.0
    evidence: str = "value"
    """How it is known: by value, by the memory it writes to (sink), by what it makes right (above), or a guess."""

    def item(self, instance: int) -> Array | None:
        """Return the true value for one instance, in their order of axes."""
        time = self.times.get(instance)
        if time is None or not 0 <= time < len(self.series.items):
            return None
        value = self.series.items[time]
        if value is None or value.ndim != len(self.axes):  # a first state may have an axis less
            return None if value is None else self.sign * value
        return self.sign * np.transpose(value, self.axes)


class Bank:
    """All true quantities, looked up by value."""

    def __init__(self, series: list[Series]) -> None:
        self.given = series
        # Where several values have the same adjoint, the argument of the activation is the one that people mean.
        arguments = {s.parameter for s in series if s.kind == "slope"}
        series = sorted(series, key=lambda s: not (s.kind == "adjoint" and str(s.node) in arguments))
        self.series = [*series, *_stacks(series), *_slices(series)]
        rows: dict[int, list[Array]] = defaultdict(list)
        places: dict[int, list[Match]] = defaultdict(list)
        for number, one in enumerate(self.series):
            for time, item in enumerate(one.items):
                if item is None or not np.isfinite(item).all() or not np.any(item):
                    continue
                for axes in _orders(item):
                    rows[item.size].append(np.transpose(item, axes).reshape(-1))
                    places[item.size].append(Match(number, time, axes))
        self._rows = {size: np.array(group) for size, group in rows.items()}
        self._places = places
        random = np.random.default_rng(0)
        self._along = {size: random.normal(size=size) for size in self._rows}
        self._shadows = {size: np.sort(np.abs(rows @ self._along[size])) for size, rows in self._rows.items()}

    def may_be(self, value: Array, scales: tuple[float, ...] = (1.0,)) -> bool:
        """Tell in no time whether a value can be a quantity at all, or its opposite: by its shadow on one line."""
        if value.size not in self._rows:
            return False
        along, shadows = self._along[value.size], self._shadows[value.size]
        flat = value.reshape(-1)
        if not np.isfinite(flat).all():
            return False
        shadow, room = abs(float(flat @ along)), 4 * SAME * float(np.abs(flat).max()) * float(np.abs(along).sum())
        for scale in scales:
            place = int(np.searchsorted(shadows, (shadow - room) / abs(scale)))
            if place < len(shadows) and shadows[place] <= (shadow + room) / abs(scale):
                return True
        return False

    def look(self, value: Array | None) -> list[Match]:
        """Return every quantity that a value is."""
        if value is None or value.size not in self._rows:
            return []
        flat = value.reshape(-1)
        largest = float(np.abs(flat).max())
        if not 0 < largest < np.inf:
            return []
        near = np.abs(self._rows[value.size] - flat).max(axis=1) <= SAME * largest
        return [self._places[value.size][int(i)] for i in np.flatnonzero(near)]

    def look_scaled(self, value: Array | None, scales: tuple[float, ...]) -> list[Match]:
        """Return every quantity of which a value is one of the given multiples."""
        if value is None or value.size < 2 or value.size not in self._rows:
            return []
        flat, rows = value.reshape(-1), self._rows[value.size]
        largest = float(np.abs(flat).max())
        if not 0 < largest < np.inf:
            return []
        factors = rows @ flat / (rows * rows).sum(axis=1)
        near = np.abs(rows * factors[:, None] - flat).max(axis=1) <= SAME * largest
        result = []
        for i in np.flatnonzero(near):
            scale = next((s for s in scales if abs(factors[i] - s) < 1e-9 * abs(s)), None)
            if scale is not None:
                match = self._places[value.size][int(i)]
                result.append(Match(match.series, match.time, match.axes, scale))
        return result

    def of_size(self, size: int | None) -> list[tuple[int, tuple[int, ...]]]:
        """Return the series whose items have a size (None: any), each with the orders of axes."""
        if size is None:
            return list(dict.fromkeys((m.series, m.axes) for group in self._places.values() for m in group))
        return list(dict.fromkeys((m.series, m.axes) for m in self._places.get(size, ())))


def _orders(item: Array) -> list[tuple[int, ...]]:
    long = [axis for axis in range(item.ndim) if item.shape[axis] > 1]
    if len(long) < 2:
        return [tuple(range(item.ndim))]
    return list(permutations(range(item.ndim))) if item.ndim <= 3 else [tuple(range(item.ndim))]


def _stacks(series: list[Series]) -> list[Series]:
    """Quantities of all steps in one array, for a backward pass without a loop."""
    result = []
    for one in series:
        if one.kind in ("adjoint", "value", "share") and len(one.items) > 1:
            shapes = {None if item is None else item.shape for item in one.items}
            if len(shapes) == 1 and None not in shapes and 1 <= len(next(iter(shapes)) or ()) <= 2:
                stacked = np.stack([item for item in one.items if item is not None])
                result.append(
                    Series(one.kind, f"all steps of {one.name}", [stacked], one.node, consumers=one.consumers)
                )
    return result


def _slices(series: list[Series]) -> list[Series]:
    """List the steps of a quantity that the forward pass computes all at once."""
    result = []
    for one in series:
        if one.kind in ("adjoint", "value", "share", "gradient") and len(one.items) == 1:
            item = one.items[0]
            if item is not None and item.ndim >= 2 and item.size <= 512:
                for axis in range(item.ndim):
                    if item.shape[axis] > 1:
                        parts: list[Array | None] = [np.take(item, k, axis) for k in range(item.shape[axis])]
                        result.append(
                            Series(
                                one.kind,
                                f"a step of {one.name}",
                                parts,
                                one.node,
                                consumers=one.consumers,
                                parameter=one.parameter,
                            )
                        )
    return result
