"""The rows and the verdict, from numbers alone: no style of writing makes a right gradient wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from bptt.checking.program import Sizes
from bptt.checking.report import Dims, ParameterRow
from bptt.checking.tracing.numeric import RIGHT, Theirs, relative_error
from bptt.dims import Array

SHOWN = 400
"""Numbers of a parameter that has more elements are left out of the report."""


def axis_name(size: int, sizes: Sizes) -> str:
    """Name an axis by its size: the sizes differ, so that a size tells the dimension; else the number itself.

    Sums and multiples occur in stacked weights: ``[W_aa W_ax]`` has n_a+n_x columns, four gates 4·n_a rows.
    """
    named = sizes.as_dict()
    if size == 1:
        return "1"
    for name, value in named.items():
        if size == value:
            return name
    n_a, n_x = sizes.n_a, sizes.n_x
    sums = {n_a + n_x: "n_a+n_x", n_a + n_x + 1: "n_a+n_x+1", sizes.T_x + 1: "T_x+1", sizes.T_x - 1: "T_x-1"}
    multiples = {k * n_a: f"{k}·n_a" for k in (4, 3, 2)}
    products = {sizes.m * sizes.T_x: "m·T_x"}
    for table in (multiples, sums, products):
        if size in table:
            return table[size]
    return str(size)


def named_dims(shape: tuple[int, ...], sizes: Sizes) -> Dims:
    """Name every axis of a shape."""
    return tuple((axis_name(n, sizes), int(n)) for n in shape)


def rows(
    parameters: Mapping[str, Array],
    theirs: Theirs,
    true: Mapping[str, Array],
    rough: Mapping[str, float],
    sizes: Sizes,
    tolerance: float = RIGHT,
) -> tuple[ParameterRow, ...]:
    """Compare every parameter's gradient with the truth."""
    overall = max((float(np.abs(g).max(initial=0.0)) for g in true.values()), default=0.0)
    return tuple(
        _row(name, theirs.gradients.get(name), true[name], overall, rough.get(name, 0.0), sizes, tolerance)
        for name in parameters
        if name in true
    )


def _row(
    name: str, yours: Any, true: Array, overall: float, rough: float, sizes: Sizes, tolerance: float
) -> ParameterRow:
    dims = named_dims(true.shape, sizes)
    few = true.size <= SHOWN
    shown = true.tolist() if few else None
    if yours is None:
        return ParameterRow(name, dims, None, "not computed", None, shown)
    yours = np.asarray(yours)
    mine = plain_numbers(yours) if few and yours.size <= SHOWN else None
    if yours.dtype.kind not in "fciu" or not same_shape(yours.shape, true.shape):
        return ParameterRow(name, dims, None, "wrong", mine, shown)
    error = relative_error(yours.reshape(true.shape), true, overall)
    if not np.isfinite(error):
        return ParameterRow(name, dims, None, "wrong", mine, shown)
    if error <= tolerance:
        return ParameterRow(name, dims, error, "right", mine, shown)
    status: Literal["wrong", "not checked"] = "not checked" if rough > 1e-3 and error < 1 else "wrong"
    return ParameterRow(name, dims, error, status, mine, shown)


def same_shape(yours: tuple[int, ...], true: tuple[int, ...]) -> bool:
    """Tell whether two shapes hold the same numbers in the same order.

    (n,), (n, 1) and (1, n) do; (n, k) and (k, n) do not. The order of the axes must be the parameter's; axes of one
    element are only a convention.
    """
    return [n for n in yours if n != 1] == [n for n in true if n != 1]


def plain_numbers(value: Array) -> Any:
    """Return nested lists, for the report."""
    return value.tolist() if value.dtype.kind in "fiu" else None


def right_gradients(delivered: Mapping[str, Array], true: Mapping[str, Array]) -> set[str]:
    """Return the names of the delivered gradients that are right."""
    overall = max((float(np.abs(g).max(initial=0)) for g in true.values()), default=0.0)
    return {
        name
        for name, gradient in true.items()
        if name in delivered
        and delivered[name].dtype.kind in "fiu"
        and same_shape(delivered[name].shape, gradient.shape)
        and relative_error(delivered[name].reshape(gradient.shape), gradient, overall) <= RIGHT
    }
