"""What goes into the network: parameters, inputs and targets, checked and made dense."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Literal

import numpy as np

from bptt.dims import DIMS, Array, check_finite, check_ids, check_numeric, check_shapes, named_shape
from bptt.errors import DtypeError, NotFiniteError, ValueRangeError, message
from bptt.ops import ACTIVATIONS

Parameters = Mapping[str, Array]
Reduction = Literal["sum", "mean"]

LAYER = ("W_aa", "W_ax", "b_a")
HEAD = ("W_ya", "b_y")
PARAMETERS = ("W_aa", "W_ax", "W_ya", "b_a", "b_y")


def one_hot(ids: Array, n: int) -> Array:
    """Return the dense form of integer ids: (m, T_x) -> (n, m, T_x), float64, a single 1 in each column.

    Parameters
    ----------
    ids : integer array (m, T_x)
    n : int
        The number of classes.

    Returns
    -------
    array (n, m, T_x)

    Raises
    ------
    ValueRangeError
        If an id is outside 0 .. n - 1.

    Examples
    --------
    >>> one_hot(np.array([[0, 2]]), 3)[:, 0, :]
    array([[1., 0.],
           [0., 0.],
           [0., 1.]])
    """
    check_ids("one_hot", "ids", ids, n, "n")
    return np.asarray((np.arange(n)[:, None, None] == ids).astype(np.float64))


def one_hot_inputs(where: str, X: Array, n_x: int) -> Array:
    """Return X dense; integer ids (m, T_x) become their one-hot columns."""
    if isinstance(X, np.ndarray) and X.dtype.kind in "iu" and X.ndim == 2:
        check_shapes(where, {"X": X}, {"X": ("m", "T_x")})
        check_ids(where, "X", X, n_x, "n_x")
        return one_hot(X, n_x)
    return X


def one_hot_targets(where: str, Y: Array, shape: tuple[int, ...]) -> Array:
    """Return Y dense, after making sure that it fits (n_y, m, T_x) and that each column sums to 1."""
    n_y, m, T_x = shape
    sizes = {"n_y": n_y, "m": m, "T_x": T_x}
    if isinstance(Y, np.ndarray) and Y.dtype.kind in "iu" and Y.ndim == 2:
        check_shapes(where, {"Y": Y}, {"Y": ("m", "T_x")}, sizes)
        check_ids(where, "Y", Y, n_y, "n_y")
        return one_hot(Y, n_y)
    check_shapes(where, {"Y": Y}, sizes=sizes)
    check_finite(where, {"Y": Y})
    off = np.abs(Y.sum(axis=0) - 1)
    if off.max() > 1e-4 or (Y.real < 0).any():
        j, t = (int(i) for i in np.unravel_index(off.argmax(), off.shape))
        negative = (Y.real < 0).any() and off.max() <= 1e-4
        raise ValueRangeError(
            message(
                where,
                "Y holds a negative probability."
                if negative
                else f"Y[:, {j}, {t}] sums to {Y[:, j, t].sum():.6g}, not to 1.",
                operands={"Y": named_shape(Y.shape, DIMS["Y"])},
                details=[
                    "Each column of Y is a distribution over the n_y classes: one-hot or soft, sum 1.",
                    "dz_y = y_pred - y (B1) is the gradient only then.",
                ],
            )
        )
    return Y


def reduction_scale(where: str, reduction: str, shape: tuple[int, ...]) -> float:
    """Return what the reduction multiplies J by: 1 for "sum", 1 / (m · T_x) for "mean"."""
    if reduction not in ("sum", "mean"):
        raise ValueRangeError(message(where, f'reduction is {reduction!r}; "sum" or "mean" is wanted.'))
    return 1.0 if reduction == "sum" else 1.0 / (shape[-2] * shape[-1])


def check_parameters(
    where: str, parameters: Parameters, names: tuple[str, ...] = PARAMETERS, activation: str = "tanh"
) -> None:
    """Refuse parameters that lack a name, saying which near name was given instead."""
    if activation not in ACTIVATIONS:
        raise ValueRangeError(message(where, f'activation is {activation!r}; "tanh" or "relu" is wanted.'))
    if not isinstance(parameters, Mapping):
        raise ValueRangeError(
            message(
                where,
                f"parameters is a {type(parameters).__name__}; a dict with {', '.join(names)} is wanted.",
            )
        )
    missing = [name for name in names if name not in parameters]
    if missing:
        given = [str(name) for name in parameters]
        near = {name: get_close_matches(name, given, n=1, cutoff=0.6) for name in missing}
        renames = [f"{close[0]!r} is there: call it {name!r}." for name, close in near.items() if close]
        raise ValueRangeError(
            message(
                where,
                f"parameters lacks {', '.join(missing)}.",
                details=[f"wanted: {', '.join(names)}", f"given:  {', '.join(given) or 'nothing'}", *renames],
            )
        )


def check_states(where: str, name: str, values: Array) -> None:
    """Refuse states or logits that are not finite, naming the first step at which they are not."""
    bad = ~np.isfinite(values).all(axis=(0, 1))
    if bad.any():
        t = int(np.argmax(bad))
        raise NotFiniteError(
            message(
                where,
                f"{name} is not finite from step t = {t} on.",
                operands={name: named_shape(values.shape, DIMS["A"] if name == "A" else DIMS["Y"])},
                details=[
                    "All inputs are finite, so the values outgrew the number type: the weights or inputs are too large."
                ],
            )
        )


def check_fused_operands(
    where: str, parameters: Parameters, X: Array, Y: Array, a0: Array | None, activation: str
) -> None:
    """Refuse operands that :mod:`bptt.fused` cannot take; fast where all is well."""
    try:
        W_aa, W_ax, W_ya, b_a, b_y = (parameters[name] for name in PARAMETERS)
        (n_a, n_x), n_y, dtype, (m, T_x) = W_ax.shape, W_ya.shape[0], W_aa.dtype, X.shape[-2:]
        fits = (
            dtype.char in "fd"
            and dtype.isnative
            and dtype == W_ax.dtype == W_ya.dtype == b_a.dtype == b_y.dtype
            and W_aa.shape == (n_a, n_a)
            and W_ya.shape == (n_y, n_a)
            and b_a.shape == (n_a, 1)
            and b_y.shape == (n_y, 1)
            and min(n_a, n_x, n_y, m, T_x) > 0
            and (a0 is None or (a0.shape == (n_a, m) and a0.dtype == dtype))
            and (_ids_fit(X, n_x) if X.ndim == 2 else X.shape == (n_x, m, T_x) and X.dtype == dtype)
            and Y.shape[-2:] == (m, T_x)
            and (_ids_fit(Y, n_y) if Y.ndim == 2 else Y.dtype == dtype and _sums_to_one(Y, n_y))
            and activation in ACTIVATIONS
        )
    except (KeyError, AttributeError, IndexError, TypeError, ValueError):
        fits = False
    if not fits:
        _refuse_fused_operands(where, parameters, X, Y, a0, activation)


def _ids_fit(ids: Array, n: int) -> bool:
    unsigned = ids.view(f"u{ids.itemsize}")  # a negative id becomes huge: one comparison catches both ends
    return ids.dtype.kind in "iu" and int(unsigned.max()) < n


def _sums_to_one(Y: Array, n_y: int) -> bool:
    return len(Y) == n_y and bool(np.abs(Y.sum(axis=0) - 1).max() <= 1e-4) and bool(Y.min() >= 0)


def _refuse_fused_operands(
    where: str, parameters: Parameters, X: Array, Y: Array, a0: Array | None, activation: str
) -> None:
    check_parameters(where, parameters, activation=activation)
    operands = {name: parameters[name] for name in PARAMETERS}
    check_shapes(where, operands)
    given: dict[str, Array] = {"X": X, **({} if a0 is None else {"a0": a0}), "Y": Y}
    for name, array in given.items():
        check_numeric(where, name, array)
    ids = {
        name: array for name, array in given.items() if name != "a0" and array.ndim == 2 and array.dtype.kind in "iu"
    }
    dense = {name: array for name, array in given.items() if name not in ids}
    dtype = operands["W_aa"].dtype
    for name, array in {**operands, **dense}.items():
        if array.dtype.char not in "fd" or not array.dtype.isnative:
            raise DtypeError(
                message(
                    where,
                    f"{name} is {array.dtype}, native float32 or float64 is wanted.",
                    hint="Complex numbers and other types run through the reference, bptt.rnn_forward."
                    if array.dtype.kind == "c"
                    else f"Give {name}.astype(np.float32) or .astype(np.float64).",
                )
            )
        if array.dtype != dtype:
            raise DtypeError(
                message(
                    where,
                    f"{name} is {array.dtype}, but W_aa is {dtype}; one type for all is wanted.",
                    hint=f"Nothing is cast silently: give {name}.astype(np.{dtype}).",
                )
            )
    all_dims = {**DIMS, **dict.fromkeys(ids, ("m", "T_x"))}
    sizes = check_shapes(where, {**operands, **given}, all_dims)
    for name, dim in (("X", "n_x"), ("Y", "n_y")):
        if name in ids:
            check_ids(where, name, ids[name], sizes[dim], dim)
    check_finite(where, {**operands, **dense})
    one_hot_targets(where, Y, (sizes["n_y"], sizes["m"], sizes["T_x"]))


def name_not_finite(
    where: str, parameters: Parameters, X: Array, a0: Array | None, A: Array, gradients: Mapping[str, Array]
) -> None:
    """Find the first NaN or infinity in the order of the calculation, and raise; all may be finite after all."""
    operands = {name: parameters[name] for name in PARAMETERS}
    check_finite(where, {**operands, "X": X, **({} if a0 is None else {"a0": a0})})
    check_states(where, "A", A)
    check_finite(where, gradients)
