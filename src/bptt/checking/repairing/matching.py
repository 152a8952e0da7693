"""Which rows of one matrix agree with a vector, and which pairs of rows add or multiply to it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bptt.dims import Array

ALONE = 250_000  # multiplications that OpenBLAS does on one thread; more threads would only wait for each other here


def equal_rows(matrix: Array, wanted: Array, tolerance: float) -> list[int]:
    """Return the rows that are the wanted vector, to a part of its largest element."""
    scale = np.abs(wanted).max(initial=0.0) or 1.0
    near = np.abs(matrix - wanted).max(axis=1, initial=0.0) <= 10 * max(tolerance, 1e-9) * scale
    return [int(i) for i in np.flatnonzero(near)]


def equal_marks(marks: Array, wanted: Array, width: float) -> Iterator[tuple[int, int]]:
    """Yield the pairs (i, j) with marks[i] = wanted[j]."""
    order = np.argsort(marks, kind="stable")
    ordered = marks[order]
    slack = width * 10 * (np.abs(wanted) + np.abs(marks).mean())
    low, high = np.searchsorted(ordered, wanted - slack), np.searchsorted(ordered, wanted + slack)
    for j in np.flatnonzero(high > low):
        for k in range(low[j], min(high[j], low[j] + 20)):
            yield int(order[k]), int(j)


def equal_products(left: Array, right: Array, mark: float, width: float) -> Iterator[tuple[int, int]]:
    """Yield the pairs (i, j) with left[i] · right[j] = mark."""
    scale = np.sqrt((left * left).sum(axis=1).mean() * (right * right).sum(axis=1).mean()) if len(left) else 0.0
    slack = 10 * width * (abs(mark) + 0.1 * scale)
    rows = max(1, ALONE // max(right.size, 1))
    for start in range(0, len(left), rows):
        product = left[start : start + rows] @ right.T
        product -= mark
        np.abs(product, out=product)
        for place in np.flatnonzero(product <= slack):
            yield start + int(place) // len(right), int(place) % len(right)
