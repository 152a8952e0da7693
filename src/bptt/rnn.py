r"""The reference: a simple recurrent network whose code reads like its equations.

======  =================================  ======  ==============================================
forward (t from 0 to T_x-1)                 backward (t from T_x-1 to 0)
==========================================  ======================================================
F1      z_a = W_ax x_t + W_aa a_prev + b_a  B1      dz_y = (y_pred_t - y_t) · scale
F2      a_t = tanh(z_a)                     B2      dW_ya += dz_y a_tᵀ
F3      z_y = W_ya a_t + b_y                B3      db_y += Σ_m dz_y
F4      y_pred_t = softmax(z_y)             B4      da_from_output = W_yaᵀ dz_y
F5      L_t = -Σ_{n_y} y_t log y_pred_t     B5      da = da_from_output + da_from_future
\                                           B6      dz_a = da ⊙ (1 - a_t²)
\                                           B7      dW_aa += dz_a a_prevᵀ
\                                           B8      dW_ax += dz_a x_tᵀ
\                                           B9      db_a += Σ_m dz_a
\                                           B10     da_from_future (for t-1) = W_aaᵀ dz_a; da0 after t = 0
\                                           B11     dx_t = W_axᵀ dz_a
======  =================================  ======  ==============================================

Axes: units first, then the m examples, then time: X (n_x, m, T_x), A (n_a, m, T_x), Y (n_y, m, T_x).
``A[:, :, t]`` is the state *after* step t; the state before step 0 is a0.  The recurrence (``rnn_layer_*``) and
the head (``softmax_head_*``) know nothing of each other.  This module is for reading and for truth (it accepts
complex128, so that the complex step runs through it); training uses :mod:`bptt.fused`.

References
----------
Elman, *Finding structure in time*, Cognitive Science 14 (1990).
Werbos, *Backpropagation through time: what it does and how to do it*, Proc. IEEE 78 (1990).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

import numpy as np

from bptt.dims import DIMS, Array, check_finite, check_ids, check_shapes, named_shape
from bptt.errors import NotFiniteError, ValueRangeError, message
from bptt.ops import ACTIVATIONS, Activation, affine, cross_entropy, softmax

Parameters = Mapping[str, Array]
Reduction = Literal["sum", "mean"]

LAYER = ("W_aa", "W_ax", "b_a")
HEAD = ("W_ya", "b_y")
PARAMETERS = ("W_aa", "W_ax", "W_ya", "b_a", "b_y")


@dataclass(frozen=True)
class CellCache:
    """What one step of the recurrence keeps for its backward."""

    x_t: Array  # (n_x, m)
    a_prev: Array  # (n_a, m)
    a_t: Array  # (n_a, m)
    parameters: Parameters
    activation: Activation


@dataclass(frozen=True)
class LayerCache:
    """What the recurrence keeps for its backward."""

    X: Array  # (n_x, m, T_x), dense
    a0: Array  # (n_a, m)
    A: Array  # (n_a, m, T_x)
    parameters: Parameters
    activation: Activation


@dataclass(frozen=True)
class HeadCache:
    """What the head keeps for its backward."""

    A: Array  # (n_a, m, T_x)
    Z_y: Array  # (n_y, m, T_x), the logits
    Y_pred: Array  # (n_y, m, T_x)
    parameters: Parameters


@dataclass(frozen=True)
class Cache:
    """What :func:`rnn_forward` keeps for :func:`rnn_cost` and :func:`rnn_backward`."""

    layer: LayerCache
    head: HeadCache


# ---------------------------------------------------------------------------------------------- one cell


def rnn_cell_forward(
    x_t: Array, a_prev: Array, parameters: Parameters, activation: Activation = "tanh"
) -> tuple[Array, Array, CellCache]:
    """Run one step: a_t = tanh(W_ax x_t + W_aa a_prev + b_a), y_pred_t = softmax(W_ya a_t + b_y).

    Parameters
    ----------
    x_t : array (n_x, m)
        The input of this step.
    a_prev : array (n_a, m)
        The state before this step.
    parameters : mapping
        W_aa (n_a, n_a), W_ax (n_a, n_x), W_ya (n_y, n_a), b_a (n_a, 1), b_y (n_y, 1).
    activation : {"tanh", "relu"}

    Returns
    -------
    a_t : array (n_a, m)
        The state after this step.
    y_pred_t : array (n_y, m)
        Probabilities; each column sums to 1.
    cache : CellCache
        For :func:`rnn_cell_backward`.

    Raises
    ------
    DimensionError, DtypeError, ValueRangeError
        If the operands do not fit, are no numbers, or hold a NaN.
    """
    where = "rnn_cell_forward"
    check_parameters(where, parameters, activation=activation)
    operands = {**{name: parameters[name] for name in PARAMETERS}, "x_t": x_t, "a_prev": a_prev}
    check_shapes(where, operands)
    check_finite(where, operands)
    a_t, cache = _cell_forward(x_t, a_prev, parameters, activation)
    z_y, _ = affine(parameters["W_ya"], a_t, parameters["b_y"])  # F3
    y_pred_t, _ = softmax(z_y)  # F4
    return a_t, y_pred_t, cache


def rnn_cell_backward(da: Array, cache: CellCache) -> dict[str, Array]:
    """Take dJ/da_t back through one step of the recurrence.

    Parameters
    ----------
    da : array (n_a, m)
        dJ/da_t in full: what comes from this step's output plus what comes from the future.
    cache : CellCache
        From :func:`rnn_cell_forward`.

    Returns
    -------
    dict
        dx_t (n_x, m), da_prev (n_a, m), dW_ax (n_a, n_x), dW_aa (n_a, n_a), db_a (n_a, 1); summed over the batch.

    Raises
    ------
    DimensionError, DtypeError, ValueRangeError
        If da does not have the shape of the state, or holds a NaN.
    """
    check_shapes("rnn_cell_backward", {"a_t": cache.a_t, "da": da}, {"a_t": ("n_a", "m"), "da": ("n_a", "m")})
    check_finite("rnn_cell_backward", {"da": da})
    return _cell_backward(da, cache)


def _cell_forward(x_t: Array, a_prev: Array, parameters: Parameters, activation: Activation) -> tuple[Array, CellCache]:
    W_ax, W_aa, b_a = parameters["W_ax"], parameters["W_aa"], parameters["b_a"]
    z_a = W_ax @ x_t + W_aa @ a_prev + b_a  # F1
    a_t, _ = ACTIVATIONS[activation](z_a)  # F2
    return a_t, CellCache(x_t, a_prev, a_t, parameters, activation)


def _cell_backward(da: Array, cache: CellCache) -> dict[str, Array]:
    x_t, a_prev, a_t = cache.x_t, cache.a_prev, cache.a_t
    W_ax, W_aa = cache.parameters["W_ax"], cache.parameters["W_aa"]
    dz_a = da * (1 - a_t * a_t) if cache.activation == "tanh" else da * (a_t.real > 0)  # B6
    dW_aa = dz_a @ a_prev.T  # B7
    dW_ax = dz_a @ x_t.T  # B8
    db_a = dz_a.sum(axis=1, keepdims=True)  # B9
    da_prev = W_aa.T @ dz_a  # B10
    dx_t = W_ax.T @ dz_a  # B11
    return {"dx_t": dx_t, "da_prev": da_prev, "dW_ax": dW_ax, "dW_aa": dW_aa, "db_a": db_a}


# ---------------------------------------------------------------------------------------- the recurrence


def rnn_layer_forward(
    X: Array, a0: Array | None, parameters: Parameters, activation: Activation = "tanh"
) -> tuple[Array, LayerCache]:
    """Run the recurrence alone: a_t = tanh(W_ax x_t + W_aa a_prev + b_a) for t from 0 to T_x - 1.

    Parameters
    ----------
    X : array (n_x, m, T_x), or integer ids (m, T_x)
        Inputs; an id i stands for the one-hot column with its 1 at i.
    a0 : array (n_a, m) or None
        The state before step 0; None is zeros.
    parameters : mapping
        W_aa (n_a, n_a), W_ax (n_a, n_x), b_a (n_a, 1); others are left alone.
    activation : {"tanh", "relu"}

    Returns
    -------
    A : array (n_a, m, T_x)
        ``A[:, :, t]`` is the state after step t.
    cache : LayerCache
        For :func:`rnn_layer_backward`.

    Raises
    ------
    DimensionError, DtypeError, ValueRangeError
        If the operands do not fit, are no numbers, or hold a NaN or an id out of range.
    NotFiniteError
        If a state overflows; the message names the step.
    """
    return _layer_forward("rnn_layer_forward", X, a0, parameters, activation, LAYER)


def _layer_forward(
    where: str,
    X: Array,
    a0: Array | None,
    parameters: Parameters,
    activation: Activation,
    names: tuple[str, ...],
) -> tuple[Array, LayerCache]:
    check_parameters(where, parameters, names, activation)
    weights = {name: parameters[name] for name in names}
    sizes = check_shapes(where, weights)
    X = one_hot_inputs(where, X, sizes["n_x"])
    sizes = check_shapes(where, {**weights, "X": X})
    n_a, m, T_x = sizes["n_a"], sizes["m"], sizes["T_x"]
    dtype = np.result_type(np.float32, X, *weights.values())
    if a0 is None:
        a0 = np.zeros((n_a, m), dtype)
    check_shapes(where, {**weights, "X": X, "a0": a0})
    check_finite(where, {**weights, "X": X, "a0": a0})
    A = np.empty((n_a, m, T_x), np.result_type(dtype, a0))
    a_prev = a0
    with np.errstate(over="ignore", invalid="ignore"):  # an overflow is named below, with its step
        for t in range(T_x):
            a_prev, _ = _cell_forward(X[:, :, t], a_prev, parameters, activation)
            A[:, :, t] = a_prev
    _check_states(where, "A", A)
    return A, LayerCache(X, a0, A, parameters, activation)


def rnn_layer_backward(dA: Array, cache: LayerCache) -> dict[str, Array]:
    """Take the gradient of every state back through the recurrence.

    Parameters
    ----------
    dA : array (n_a, m, T_x)
        ``dA[:, :, t]`` is what reaches state t from its *own* output (da_from_output); what reaches it through
        the later states (da_from_future) is added here.
    cache : LayerCache
        From :func:`rnn_layer_forward`.

    Returns
    -------
    dict
        dW_aa (n_a, n_a), dW_ax (n_a, n_x), db_a (n_a, 1), da0 (n_a, m), dX (n_x, m, T_x), the last with respect to
        the dense input.

    Raises
    ------
    DimensionError, DtypeError, ValueRangeError
        If dA does not have the shape of A, or holds a NaN.
    """
    where = "rnn_layer_backward"
    check_shapes(where, {"A": cache.A, "dA": dA}, {"A": DIMS["A"], "dA": DIMS["A"]})
    check_finite(where, {"dA": dA})
    X, A, parameters = cache.X, cache.A, cache.parameters
    dtype = np.result_type(dA, A)
    gradients = {f"d{name}": np.zeros(parameters[name].shape, dtype) for name in LAYER}
    dX = np.empty(X.shape, dtype)
    da_from_future = np.zeros(cache.a0.shape, dtype)
    for t in reversed(range(A.shape[2])):
        a_prev = A[:, :, t - 1] if t > 0 else cache.a0
        cell = CellCache(X[:, :, t], a_prev, A[:, :, t], parameters, cache.activation)
        da = dA[:, :, t] + da_from_future  # B5
        step = _cell_backward(da, cell)
        for name in ("dW_aa", "dW_ax", "db_a"):
            gradients[name] += step[name]  # the same weights act at every t, so their gradients add up
        dX[:, :, t] = step["dx_t"]
        da_from_future = step["da_prev"]
    return {**gradients, "da0": da_from_future, "dX": dX}


# ---------------------------------------------------------------------------------------------- the head


def softmax_head_forward(A: Array, parameters: Parameters) -> tuple[Array, HeadCache]:
    """Turn every state into probabilities: y_pred_t = softmax(W_ya a_t + b_y).

    Parameters
    ----------
    A : array (n_a, m, T_x)
    parameters : mapping
        W_ya (n_y, n_a), b_y (n_y, 1); others are left alone.

    Returns
    -------
    Y_pred : array (n_y, m, T_x)
        Each ``Y_pred[:, j, t]`` sums to 1.
    cache : HeadCache
        For :func:`softmax_head_cost` and :func:`softmax_head_backward`.

    Raises
    ------
    DimensionError, DtypeError, ValueRangeError
        If the operands do not fit, are no numbers, or hold a NaN.
    """
    where = "softmax_head_forward"
    check_parameters(where, parameters, HEAD)
    operands = {**{name: parameters[name] for name in HEAD}, "A": A}
    sizes = check_shapes(where, operands)
    check_finite(where, operands)
    W_ya, b_y = parameters["W_ya"], parameters["b_y"]
    Z_y = np.empty((sizes["n_y"], sizes["m"], sizes["T_x"]), np.result_type(W_ya, A, b_y))
    Y_pred = np.empty_like(Z_y)
    with np.errstate(over="ignore", invalid="ignore"):
        for t in range(sizes["T_x"]):
            Z_y[:, :, t], _ = affine(W_ya, A[:, :, t], b_y)  # F3
            Y_pred[:, :, t], _ = softmax(Z_y[:, :, t])  # F4
    _check_states(where, "z_y", Z_y)
    return Y_pred, HeadCache(A, Z_y, Y_pred, parameters)


def softmax_head_cost(Y: Array, cache: HeadCache, reduction: Reduction = "sum") -> complex:
    """Return J = Σ_t Σ_m L_t with L_t = -Σ_{n_y} y_t log y_pred_t, in nats; "mean" divides it by m · T_x."""
    Y = one_hot_targets("rnn_cost", Y, cache.Z_y.shape)
    J = sum(
        cross_entropy(cache.Z_y[:, :, t], Y[:, :, t])[0].sum()  # F5
        for t in range(Y.shape[2])
    )
    J = J * reduction_scale("rnn_cost", reduction, Y.shape)
    return complex(J) if np.iscomplexobj(J) else float(J)


def softmax_head_backward(Y: Array, cache: HeadCache, reduction: Reduction = "sum") -> tuple[Array, dict[str, Array]]:
    """Take the cost back through the head: dz_y = y_pred_t - y_t, and from it dW_ya, db_y and W_yaᵀ dz_y.

    Parameters
    ----------
    Y : array (n_y, m, T_x), or integer ids (m, T_x)
        Targets.
    cache : HeadCache
        From :func:`softmax_head_forward`.
    reduction : {"sum", "mean"}

    Returns
    -------
    dA : array (n_a, m, T_x)
        da_from_output of every step.
    gradients : dict
        dW_ya (n_y, n_a), db_y (n_y, 1).

    Raises
    ------
    DimensionError, DtypeError, ValueRangeError
        If Y does not fit the predictions, or a column of it does not sum to 1.
    """
    Y = one_hot_targets("rnn_backward", Y, cache.Y_pred.shape)
    scale = reduction_scale("rnn_backward", reduction, Y.shape)
    W_ya, A, Y_pred = cache.parameters["W_ya"], cache.A, cache.Y_pred
    dtype = np.result_type(A, Y_pred)
    dW_ya = np.zeros(W_ya.shape, dtype)
    db_y = np.zeros((W_ya.shape[0], 1), dtype)
    dA = np.empty(A.shape, dtype)
    for t in reversed(range(Y.shape[2])):
        dz_y = (Y_pred[:, :, t] - Y[:, :, t]) * scale  # B1
        dW_ya += dz_y @ A[:, :, t].T  # B2
        db_y += dz_y.sum(axis=1, keepdims=True)  # B3
        dA[:, :, t] = W_ya.T @ dz_y  # B4
    return dA, {"dW_ya": dW_ya, "db_y": db_y}


# ---------------------------------------------------------------------------------------- the whole network


def rnn_forward(
    X: Array, a0: Array | None, parameters: Parameters, activation: Activation = "tanh"
) -> tuple[Array, Array, Cache]:
    """Run the network over all steps: states and predictions.

    a_t = tanh(W_ax x_t + W_aa a_prev + b_a),  y_pred_t = softmax(W_ya a_t + b_y).

    Parameters
    ----------
    X : array (n_x, m, T_x), or integer ids (m, T_x)
        Inputs; an id i stands for the one-hot column with its 1 at i.
    a0 : array (n_a, m) or None
        The state before step 0; None is zeros.
    parameters : mapping
        W_aa (n_a, n_a), W_ax (n_a, n_x), W_ya (n_y, n_a), b_a (n_a, 1), b_y (n_y, 1).
    activation : {"tanh", "relu"}

    Returns
    -------
    A : array (n_a, m, T_x)
        ``A[:, :, t]`` is the state after step t.
    Y_pred : array (n_y, m, T_x)
        Probabilities; each ``Y_pred[:, j, t]`` sums to 1.
    cache : Cache
        For :func:`rnn_cost` and :func:`rnn_backward`.

    Raises
    ------
    DimensionError
        If two operands disagree on a named dimension.
    DtypeError
        If an operand is no array of numbers.
    ValueRangeError
        If a parameter is missing, an id is out of range, or a value is not finite.
    NotFiniteError
        If a state or a logit overflows.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> parameters = {"W_aa": rng.normal(size=(5, 5)), "W_ax": rng.normal(size=(5, 3)),
    ...               "W_ya": rng.normal(size=(2, 5)), "b_a": np.zeros((5, 1)), "b_y": np.zeros((2, 1))}
    >>> A, Y_pred, cache = rnn_forward(rng.normal(size=(3, 7, 4)), np.zeros((5, 7)), parameters)
    >>> A.shape, Y_pred.shape
    ((5, 7, 4), (2, 7, 4))
    """
    A, layer = _layer_forward("rnn_forward", X, a0, parameters, activation, PARAMETERS)
    Y_pred, head = softmax_head_forward(A, parameters)
    return A, Y_pred, Cache(layer, head)


def rnn_cost(Y: Array, cache: Cache, reduction: Reduction = "sum") -> complex:
    """Return the cost J = Σ_t Σ_m L_t, L_t = -Σ_{n_y} y_t log y_pred_t.

    Parameters
    ----------
    Y : array (n_y, m, T_x), or integer ids (m, T_x)
        Targets, one-hot or soft; each column sums to 1.
    cache : Cache
        From :func:`rnn_forward`.
    reduction : {"sum", "mean"}
        "mean" is J / (m · T_x), per predicted step.

    Returns
    -------
    float
        The cost in nats; complex where the network ran on complex numbers (the complex step reads its
        imaginary part).

    Raises
    ------
    DimensionError, DtypeError, ValueRangeError
        If Y does not fit the predictions, or a column of it does not sum to 1.
    """
    return softmax_head_cost(Y, cache.head, reduction)


def rnn_backward(Y: Array, cache: Cache, reduction: Reduction = "sum") -> dict[str, Array]:
    """Return the gradient of the cost with respect to every parameter, the initial state and the input.

    For t from T_x - 1 down to 0, with da = da_from_output + da_from_future: B1 to B11 above.

    Parameters
    ----------
    Y : array (n_y, m, T_x), or integer ids (m, T_x)
        Targets, one-hot or soft; each column sums to 1.
    cache : Cache
        From :func:`rnn_forward`.
    reduction : {"sum", "mean"}
        The reduction of the cost that is differentiated.

    Returns
    -------
    dict
        dW_aa (n_a, n_a), dW_ax (n_a, n_x), dW_ya (n_y, n_a), db_a (n_a, 1), db_y (n_y, 1), da0 (n_a, m), and
        dX (n_x, m, T_x), with respect to the dense (one-hot) input also where X was ids.

    Raises
    ------
    DimensionError, DtypeError, ValueRangeError
        If Y does not fit the predictions, or a column of it does not sum to 1.
    """
    dA, head = softmax_head_backward(Y, cache.head, reduction)
    layer = rnn_layer_backward(dA, cache.layer)
    return {**layer, **head}


# ---------------------------------------------------------------------------------------- what goes in


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


def _check_states(where: str, name: str, values: Array) -> None:
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


__all__ = [
    "HEAD",
    "LAYER",
    "PARAMETERS",
    "Cache",
    "CellCache",
    "HeadCache",
    "LayerCache",
    "Parameters",
    "Reduction",
    "one_hot",
    "rnn_backward",
    "rnn_cell_backward",
    "rnn_cell_forward",
    "rnn_cost",
    "rnn_forward",
    "rnn_layer_backward",
    "rnn_layer_forward",
    "softmax_head_backward",
    "softmax_head_cost",
    "softmax_head_forward",
]
