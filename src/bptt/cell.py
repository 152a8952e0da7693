"""One step of the recurrence, forward and backward: F1, F2 and B6 to B11 of the table in :mod:`bptt.rnn`."""

from __future__ import annotations

from dataclasses import dataclass

from bptt.dims import Array, check_finite, check_shapes
from bptt.inputs import PARAMETERS, Parameters, check_parameters
from bptt.ops import ACTIVATIONS, Activation, affine, softmax


@dataclass(frozen=True)
class CellCache:
    """What one step of the recurrence keeps for its backward."""

    x_t: Array  # (n_x, m)
    a_prev: Array  # (n_a, m)
    a_t: Array  # (n_a, m)
    parameters: Parameters
    activation: Activation


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
    a_t, cache = cell_forward(x_t, a_prev, parameters, activation)
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
    return cell_backward(da, cache)


def cell_forward(x_t: Array, a_prev: Array, parameters: Parameters, activation: Activation) -> tuple[Array, CellCache]:
    """Return a_t and its cache, F1 and F2, without a check of the operands: for loops over time."""
    W_ax, W_aa, b_a = parameters["W_ax"], parameters["W_aa"], parameters["b_a"]
    z_a = W_ax @ x_t + W_aa @ a_prev + b_a  # F1
    a_t, _ = ACTIVATIONS[activation](z_a)  # F2
    return a_t, CellCache(x_t, a_prev, a_t, parameters, activation)


def cell_backward(da: Array, cache: CellCache) -> dict[str, Array]:
    """Return what :func:`rnn_cell_backward` returns, B6 to B11, without a check of da: for loops over time."""
    x_t, a_prev, a_t = cache.x_t, cache.a_prev, cache.a_t
    W_ax, W_aa = cache.parameters["W_ax"], cache.parameters["W_aa"]
    dz_a = da * (1 - a_t * a_t) if cache.activation == "tanh" else da * (a_t.real > 0)  # B6
    dW_aa = dz_a @ a_prev.T  # B7
    dW_ax = dz_a @ x_t.T  # B8
    db_a = dz_a.sum(axis=1, keepdims=True)  # B9
    da_prev = W_aa.T @ dz_a  # B10
    dx_t = W_ax.T @ dz_a  # B11
    return {"dx_t": dx_t, "da_prev": da_prev, "dW_ax": dW_ax, "dW_aa": dW_aa, "db_a": db_a}
