"""Matrices as lines of text: aligned, with no more decimals than they need, cut with "…" where they are too large."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bptt.dims import Array

DECIMALS = 4
MAX_ROWS = 8
MAX_COLUMNS = 8
MAX_WIDTH = 1000


def decimals(array: Array) -> int | None:
    """Return how many decimals show every number exactly, 4 at most; None where only the form 1.23e-08 reads well."""
    largest = float(np.abs(array).max(initial=0))
    if largest and not 1e-3 <= largest < 1e5:
        return None
    for count in range(DECIMALS):
        if (np.abs(array - np.round(array, count)) < 1e-12).all():
            return count
    return DECIMALS


def number_text(value: float, count: int | None = DECIMALS) -> str:
    """Return one number; never "-0.0000"."""
    if count is None:
        return f"{value:.2e}" if value else "0"
    return f"{round(value, count) + 0.0:.{count}f}"


def matrix_lines(array: Array, width: int, max_rows: int = MAX_ROWS, max_columns: int = MAX_WIDTH) -> list[str]:
    """Return the lines of a matrix; a vector is one line, a scalar one number.

    Parameters
    ----------
    array : array of at most two axes
    width : int
        Columns of text that it may take; what does not fit is left out, with "…" in its place.
    max_rows, max_columns : int
        More are left out, with "…" in their place; the last one is kept.

    Examples
    --------
    >>> matrix_lines(np.array([[0.5, -1.25], [3, 0]]), 80)
    [' 0.50  -1.25', ' 3.00   0.00']
    """
    cells = matrix_cells(array, max_rows, min(max_columns, columns_within(array, width, max_rows)))
    size = _size(cells)
    return ["  ".join(f"{text:>{size}}" for text in line) for line in cells]


def columns_within(array: Array, width: int, max_rows: int = MAX_ROWS) -> int:
    """Return how many columns of a matrix go into a width of text, 2 at least."""
    size = _size(matrix_cells(array, max_rows, width // 3))
    return max((width + 2) // (size + 2), 2)


def _size(cells: list[list[str]]) -> int:
    return max(len(text) for line in cells for text in line)


def matrix_cells(array: Array, max_rows: int = MAX_ROWS, max_columns: int = MAX_COLUMNS) -> list[list[str]]:
    """Return the texts of a matrix's numbers, all with the same decimals; "…" stands for rows and columns left out."""
    rows = np.atleast_2d(np.asarray(array))
    which, columns = _kept(rows.shape[0], max_rows), _kept(rows.shape[1], max_columns)
    shown = rows[np.ix_([i for i in which if i is not None], [j for j in columns if j is not None])]
    count = decimals(shown)
    return [["…" if i is None or j is None else number_text(float(rows[i, j]), count) for j in columns] for i in which]


def beside(blocks: Sequence[tuple[str, Sequence[str]]], gap: str = "   ") -> list[str]:
    """Return blocks side by side, each under its header."""
    columns = []
    for header, lines in blocks:
        size = max(len(header), *(len(line) for line in lines))
        columns.append([f"{text:<{size}}" for text in (header, *lines)])
    height = max(len(column) for column in columns)
    filled = [column + [" " * len(column[0])] * (height - len(column)) for column in columns]
    return [gap.join(parts).rstrip() for parts in zip(*filled, strict=True)]


def _kept(size: int, limit: int) -> list[int | None]:
    """Return which indices are shown; None stands for those left out."""
    if size <= limit:
        return list(range(size))
    head = max(limit - 2, 1)
    return [*range(head), None, size - 1] if limit > 2 else [0, None]
