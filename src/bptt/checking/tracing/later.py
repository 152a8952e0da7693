"""What the steps to come hand back to a value: all of it, whatever the values of its own step that it goes through."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from bptt.checking.tracing.series import Series, Truth
from bptt.checking.tracing.tape import folded
from bptt.dims import Array


def later_series(truth: Truth) -> list[Series]:
    """List what comes back to each value of a loop's step from the steps after it, in the order of *their* steps.

    A state's sum from the next step is known where the next step reads it; of the value that an activation made the
    state from, it goes through the activation: ``dz = W.T @ dz_next * (1 - a**2)``.
    """
    operations = truth.tape.operations
    places: dict[int, list[int]] = defaultdict(list)
    for k, operation in enumerate(operations):
        places[operation.site].append(k)
    result: list[Series] = []
    for site, ks in reversed(places.items()):  # of values that get the same, the last: the one that has a name
        shapes = {operations[k].out.shape for k in ks}
        if len(ks) < 2 or len(shapes) > 1 or operations[ks[0]].out.size < 2:
            continue
        starts, end = _steps(ks, [v for v in places.values() if len(v) == len(ks)])
        if all(start <= k + 1 for start, k in zip(starts, ks, strict=False)):
            continue  # the next step reads it at once
        items: list[Array | None] = [None]
        items += [_come_back(truth, ks[t], start, end) for t, start in enumerate(starts)]
        known = (
            s.items for s in (*truth.series, *result) if s.kind in ("share", "adjoint") and len(s.items) == len(items)
        )
        if any(i is not None and i.any() for i in items) and not any(_alike(items, other) for other in known):
            name = f"what comes back to {truth.label(site)} from the next step"
            result.append(Series("share", name, items, site, later=True))
    return result


def _steps(ks: list[int], beside: list[list[int]]) -> tuple[list[int], int]:
    """Return where each step after the first begins, and where the last one ends: of sites that take turns."""
    turning = [v for v in beside if all(v[t] > ks[t - 1] for t in range(1, len(ks))) and v[0] <= ks[1]]
    turning = [v for v in turning if all(v[t - 1] < ks[t] for t in range(1, len(ks)))]
    return [min(v[t] for v in turning) for t in range(1, len(ks))], max(v[-1] for v in turning)


def _come_back(truth: Truth, made: int, start: int, end: int) -> Array:
    """Return what the operations from ``start`` to ``end`` hand back to the result of the operation ``made``."""
    operations = truth.tape.operations
    back = np.zeros(truth.tape.count)
    for operation in operations[start : end + 1]:
        for (ids, _), part in zip(operation.inputs, operation.parts or (), strict=True):
            np.add.at(back, ids.reshape(-1), part.reshape(-1))
    for operation in reversed(operations[made + 1 : start]):
        above = back[operation.out]
        for ids, vjp in operation.inputs if above.any() else ():
            np.add.at(back, ids.reshape(-1), folded(np.asarray(vjp(above), dtype=float), ids.shape).reshape(-1))
    item: Array = back[operations[made].out]
    return item


def _alike(items: list[Array | None], others: list[Array | None]) -> bool:
    for a, b in list(zip(items, others, strict=True))[1:]:
        if a is None or b is None or a.shape != b.shape or not np.allclose(a, b, rtol=1e-9, atol=1e-12):
            return False
    return True
