"""What goes into the network: parameters, inputs and targets, checked and made dense."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Literal

import numpy as np

from bptt.dims import DIMS, Array, check_finite, check_ids, check_shapes, named_shape
from bptt.errors import NotFiniteError, ValueRangeError, message
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
