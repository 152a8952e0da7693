"""The head of the network: y_pred_t = softmax(W_ya a_t + b_y), and its cross-entropy cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bptt.dims import Array, check_finite, check_shapes
from bptt.inputs import HEAD, Parameters, Reduction, check_parameters, check_states, one_hot_targets, reduction_scale
from bptt.ops import affine, cross_entropy, softmax


@dataclass(frozen=True)
class HeadCache:
    """What the head keeps for its backward."""

    A: Array  # (n_a, m, T_x)
    Z_y: Array  # (n_y, m, T_x), the logits
    Y_pred: Array  # (n_y, m, T_x)
    parameters: Parameters


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
    check_states(where, "z_y", Z_y)
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
