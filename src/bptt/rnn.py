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
``A[:, :, t]`` is the state *after* step t; the state before step 0 is a0.  The recurrence (``rnn_layer_*``, a
loop over :mod:`bptt.cell`) and the head (:mod:`bptt.head`) know nothing of each other.  These modules are for
reading and for truth (they accept complex128, so that the complex step runs through them); training uses
:mod:`bptt.fused`.

References
----------
Elman, *Finding structure in time*, Cognitive Science 14 (1990).
Werbos, *Backpropagation through time: what it does and how to do it*, Proc. IEEE 78 (1990).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bptt.cell import CellCache, cell_backward, cell_forward
from bptt.dims import DIMS, Array, check_finite, check_shapes
from bptt.head import HeadCache, softmax_head_backward, softmax_head_cost, softmax_head_forward
from bptt.inputs import LAYER, PARAMETERS, Parameters, Reduction, check_parameters, check_states, one_hot_inputs
from bptt.ops import Activation


@dataclass(frozen=True)
class LayerCache:
    """What the recurrence keeps for its backward."""

    X: Array  # (n_x, m, T_x), dense
    a0: Array  # (n_a, m)
    A: Array  # (n_a, m, T_x)
    parameters: Parameters
    activation: Activation


@dataclass(frozen=True)
class Cache:
    """What :func:`rnn_forward` keeps for :func:`rnn_cost` and :func:`rnn_backward`."""

    layer: LayerCache
    head: HeadCache


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
            a_prev, _ = cell_forward(X[:, :, t], a_prev, parameters, activation)
            A[:, :, t] = a_prev
    check_states(where, "A", A)
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
        step = cell_backward(da, cell)
        for name in ("dW_aa", "dW_ax", "db_a"):
            gradients[name] += step[name]  # the same weights act at every t, so their gradients add up
        dX[:, :, t] = step["dx_t"]
        da_from_future = step["da_prev"]
    return {**gradients, "da0": da_from_future, "dX": dX}


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
