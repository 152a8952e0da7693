"""The dimensions' glossary, and the check that arrays agree on them by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bptt.errors import DimensionError, DtypeError, NotFiniteError, ValueRangeError, message

Array = NDArray[Any]
Dims = tuple[str | int, ...]

GLOSSARY: dict[str, str] = {
    "n_x": "input size",
    "n_a": "hidden size",
    "n_y": "output size",
    "m": "examples in the batch",
    "T_x": "time steps",
}

DIMS: dict[str, Dims] = {
    "X": ("n_x", "m", "T_x"),
    "a0": ("n_a", "m"),
    "W_aa": ("n_a", "n_a"),
    "W_ax": ("n_a", "n_x"),
    "W_ya": ("n_y", "n_a"),
    "b_a": ("n_a", 1),
    "b_y": ("n_y", 1),
    "A": ("n_a", "m", "T_x"),
    "Y": ("n_y", "m", "T_x"),
    "Y_pred": ("n_y", "m", "T_x"),
    "x_t": ("n_x", "m"),
    "a_prev": ("n_a", "m"),
    "y_t": ("n_y", "m"),
}
"""The dimensions of every public tensor of the network, by name; a gradient has those of its tensor."""


def named_shape(shape: Sequence[int], dims: Sequence[str | int] | None = None) -> str:
    """Write a shape with named dimensions.

    Parameters
    ----------
    shape : sequence of int
        The sizes.
    dims : sequence of str or int, optional
        The names, as many as sizes; a number stands for itself (the 1 of a bias).

    Returns
    -------
    str
        For example ``"(n_a=5, m=2)"``; ``"(5, 2)"`` where the names are unknown or not as many.

    Examples
    --------
    >>> named_shape((5, 1), ("n_a", 1))
    '(n_a=5, 1)'
    """
    if dims is None or len(dims) != len(shape):
        return "(" + ", ".join(str(n) for n in shape) + ("," if len(shape) == 1 else "") + ")"
    parts = [f"{dim}={size}" if isinstance(dim, str) else str(size) for dim, size in zip(dims, shape, strict=True)]
    return "(" + ", ".join(parts) + ")"


def wanted_shape(dims: Dims, sizes: Mapping[str, int]) -> str:
    """Write what a shape should be: sizes where they are known, names alone where they are not."""
    parts = [f"{dim}={sizes[dim]}" if isinstance(dim, str) and dim in sizes else str(dim) for dim in dims]
    return "(" + ", ".join(parts) + ")"


def check_shapes(
    where: str,
    arrays: Mapping[str, Array],
    dims: Mapping[str, Dims] = DIMS,
    sizes: Mapping[str, int] | None = None,
) -> dict[str, int]:
    """Bind each named dimension to one size over all arrays, or say which two disagree.

    Parameters
    ----------
    where : str
        The function at work, for the message.
    arrays : mapping of str to array
        The operands, in the order in which they bind sizes.
    dims : mapping of str to tuple
        The dimensions that each operand must have.
    sizes : mapping of str to int, optional
        Sizes that are bound already.

    Returns
    -------
    dict of str to int
        The size of each dimension.

    Raises
    ------
    DimensionError
        If a number of axes or a size does not fit, or if an axis is empty.
    DtypeError
        If an operand is not a NumPy array of numbers.

    Examples
    --------
    >>> check_shapes("f", {"W_ax": np.ones((5, 3)), "b_a": np.ones((5, 1))})
    {'n_a': 5, 'n_x': 3}
    """
    bound: dict[str, int] = dict(sizes or {})
    origin: dict[str, str] = {}  # dimension -> "W_ax axis 1", where its size was bound
    for name, array in arrays.items():
        check_numeric(where, name, array)
        wanted = dims[name]
        if array.ndim != len(wanted):
            raise DimensionError(
                message(
                    where,
                    f"{name} has {_count(array.ndim, 'axis', 'axes')}, {len(wanted)} are wanted.",
                    operands={name: named_shape(array.shape)},
                    details=[f"{name} is expected as {wanted_shape(wanted, bound)}.", *_words(wanted)],
                )
            )
        for axis, dim in enumerate(wanted):
            size = array.shape[axis]
            if size == 0:
                raise DimensionError(
                    message(
                        where,
                        f"{name} is empty: axis {axis} ({dim}) has size 0.",
                        operands={name: named_shape(array.shape, wanted)},
                        details=[f"{name} is expected as {wanted_shape(wanted, bound)}, every size at least 1."],
                    )
                )
            expected = dim if isinstance(dim, int) else bound.setdefault(dim, size)
            if isinstance(dim, str) and dim not in origin:
                origin[dim] = f"{name} axis {axis}"
            if size != expected:
                raise _disagreement(where, name, axis, arrays, dims, bound, origin)
    return bound


def _disagreement(
    where: str,
    name: str,
    axis: int,
    arrays: Mapping[str, Array],
    dims: Mapping[str, Dims],
    bound: Mapping[str, int],
    origin: Mapping[str, str],
) -> DimensionError:
    wanted, shape = dims[name], arrays[name].shape
    dim, size = wanted[axis], shape[axis]
    operands = {name: named_shape(shape, wanted)}
    if isinstance(dim, int):
        wrong = f"{name} has {size} in axis {axis}, where it must have {dim}."
        reason = f"{name} is a column for each unit; it is added to all examples of the batch alike."
        reason = reason if dim == 1 else ""
    else:
        owner = origin.get(dim, "the call")
        other = owner.split(" ")[0]
        if other in arrays and other != name:
            operands = {other: named_shape(arrays[other].shape, dims[other]), **operands}
            wrong = f"{other} and {name} disagree on {dim}."
            reason = f"{dim} is {bound[dim]} by {owner}, but {name} axis {axis} has {size}."
        else:
            wrong = f"{name} disagrees on {dim}."
            at = owner if other in arrays else f"{dim}={bound[dim]}"
            reason = f"{dim} is {bound[dim]} by {at}, but {name} axis {axis} has {size}."
    fit = wanted_shape(wanted, {k: v for k, v in bound.items() if origin.get(k, "").split(" ")[0] != name})
    return DimensionError(
        message(
            where,
            wrong,
            operands=operands,
            details=[
                line
                for line in (
                    reason,
                    f"{name} is expected as {fit}; {_transpose_hint(name, shape, wanted, bound, origin)}",
                )
                if line
            ],
        )
    )


def _transpose_hint(
    name: str, shape: tuple[int, ...], wanted: Dims, bound: Mapping[str, int], origin: Mapping[str, str]
) -> str:
    """Try every transpose of the operand; offer the first that fits."""
    others = {k: v for k, v in bound.items() if origin.get(k, "").split(" ")[0] != name}
    axes = range(len(shape))
    for order in [tuple(reversed(axes)), *permutations(axes)]:  # .T is what most people left out
        sizes = dict(others)
        for dim, axis in zip(wanted, order, strict=True):
            need = dim if isinstance(dim, int) else sizes.setdefault(dim, shape[axis])
            if shape[axis] != need:
                break
        else:
            if order == tuple(range(len(shape))):
                continue
            how = f"{name}.T" if order == tuple(reversed(range(len(shape)))) else f"{name}.transpose{order}"
            return f"{how} has that shape."
    return "no transpose of yours has that shape."


def check_numeric(where: str, name: str, array: object) -> None:
    """Refuse what is not a NumPy array of numbers (ids, float or complex)."""
    if not isinstance(array, np.ndarray):
        kind = type(array).__name__
        hint = f"Give np.asarray({name}, dtype=np.float64)." if isinstance(array, list | tuple) else ""
        raise DtypeError(message(where, f"{name} is a {kind}, a NumPy array is wanted.", hint=hint))
    if array.dtype.kind not in "fciu":
        raise DtypeError(
            message(
                where,
                f"{name} has dtype {array.dtype}, numbers are wanted (float64, float32, or integer ids).",
                operands={name: named_shape(array.shape)},
            )
        )


def check_finite(where: str, arrays: Mapping[str, Array]) -> None:
    """Refuse a NaN or an infinity, naming the array and the first place of it.

    Raises
    ------
    NotFiniteError
        At the first array, in the mapping's order, that holds one.
    """
    for name, array in arrays.items():
        good = np.isfinite(array)
        if not good.all():
            place = tuple(int(i) for i in np.argwhere(~good)[0])
            count = int(good.size - np.count_nonzero(good))
            raise NotFiniteError(
                message(
                    where,
                    f"{name} holds {array[place]} at {list(place)}.",
                    operands={name: named_shape(array.shape, DIMS.get(name))},
                    details=[f"{_count(count, 'value is', 'values are')} not finite; every value must be a number."],
                )
            )


def check_ids(where: str, name: str, ids: Array, bound: int, dim: str) -> None:
    """Refuse integer ids outside 0 .. bound - 1."""
    low, high = int(ids.min()), int(ids.max())
    if low < 0 or high >= bound:
        bad = low if low < 0 else high
        place = tuple(int(i) for i in np.argwhere(ids == bad)[0])
        raise ValueRangeError(
            message(
                where,
                f"{name} holds the id {bad} at {list(place)}; {dim} = {bound} allows 0 to {bound - 1}.",
                operands={name: named_shape(ids.shape)},
            )
        )


def _count(n: int, one: str, many: str) -> str:
    return f"{n} {one if n == 1 else many}"


def _words(wanted: Dims) -> list[str]:
    known = [f"{dim}: {GLOSSARY[dim]}" for dim in dict.fromkeys(wanted) if dim in GLOSSARY]
    return [", ".join(known) + "."] if known else []
