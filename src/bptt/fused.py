"""The fast twin of :mod:`bptt.rnn`: the same numbers, laid out for the machine.

What differs from the reference, and why, is told in :mod:`bptt.timemajor`.  ``step`` takes and returns arrays in
the public notation and keeps nothing between calls: a compiled core could take its place.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite

import numpy as np

from bptt.dims import Array
from bptt.inputs import Parameters, Reduction, name_not_finite
from bptt.ops import Activation
from bptt.timemajor import all_finite, network, relu

Gradients = dict[str, Array]


def step(
    parameters: Parameters,
    X: Array,
    Y: Array,
    a0: Array | None = None,
    reduction: Reduction = "mean",
    activation: Activation = "tanh",
) -> tuple[float, Gradients]:
    """Return the cost and the gradient of every parameter: the calculation of one training step.

    The equations F1 to B10 of :mod:`bptt.rnn`, equal to it to rounding.

    Parameters
    ----------
    parameters : mapping
        W_aa (n_a, n_a), W_ax (n_a, n_x), W_ya (n_y, n_a), b_a (n_a, 1), b_y (n_y, 1), all float32 or all float64.
    X : array (n_x, m, T_x) of the parameters' type, or integer ids (m, T_x)
    Y : integer ids (m, T_x), or array (n_y, m, T_x) of the parameters' type
        Targets; each column of a dense Y sums to 1.
    a0 : array (n_a, m), optional
        The state before step 0; zeros if not given.
    reduction : {"mean", "sum"}
        "mean" is per predicted step, J / (m · T_x).
    activation : {"tanh", "relu"}

    Returns
    -------
    cost : float
        In nats.
    gradients : dict
        dW_aa, dW_ax, dW_ya, db_a, db_y, of the shapes of the parameters; also da0 (n_a, m) where a0 was given.

    Raises
    ------
    DimensionError, ValueRangeError
        If the operands do not fit, or an id is out of range.
    DtypeError
        If types are mixed, or not float32 or float64: nothing is cast.
    NotFiniteError
        If an operand or a result is NaN or infinite; the message names it.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> parameters = {"W_aa": rng.normal(size=(5, 5)), "W_ax": rng.normal(size=(5, 3)),
    ...               "W_ya": rng.normal(size=(2, 5)), "b_a": np.zeros((5, 1)), "b_y": np.zeros((2, 1))}
    >>> cost, gradients = step(parameters, np.array([[0, 2, 1]]), np.array([[1, 0, 1]]))
    >>> gradients["dW_ax"].shape
    (5, 3)
    """
    cost, gradients, _ = step_with_state(parameters, X, Y, a0, reduction, activation)
    return cost, gradients


def step_with_state(
    parameters: Parameters,
    X: Array,
    Y: Array,
    a0: Array | None = None,
    reduction: Reduction = "mean",
    activation: Activation = "tanh",
) -> tuple[float, Gradients, Array]:
    """Return what :func:`step` returns, and the last state (n_a, m), for truncated BPTT that carries it on."""
    net = network("fused.step", parameters, X, Y, a0, reduction, activation)
    A = net.states(net.T_x)  # (T_x + 1, m, n_a): A[0] is a0, A[t + 1] the state after step t
    dA = np.empty((net.T_x, net.m, net.n_a), net.dtype)
    cost, dW_ya, db_y = 0.0, np.zeros((net.n_y, net.n_a), net.dtype), np.zeros(net.n_y, net.dtype)
    dW_aa = np.zeros((net.n_a, net.n_a), net.dtype)
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is named at the end
        for t0, t1 in net.chunks:
            net.recur(A[t0 : t1 + 1], t0, t1)  # F1, F2
            a = A[t0 + 1 : t1 + 1].reshape(-1, net.n_a)
            J, dz_y = net.head(a, t0, t1)  # F3, F4, F5, B1
            cost += J
            dW_ya += np.dot(dz_y.T, a)  # B2
            db_y += np.dot(net.ones[: len(dz_y)], dz_y)  # B3
            np.dot(dz_y, net.W_ya, out=dA[t0:t1].reshape(-1, net.n_a))  # B4
        da_from_future = np.zeros((net.m, net.n_a), net.dtype)
        for t0, t1 in reversed(net.chunks):
            da_from_future = net.recur_backward(A[t0 + 1 : t1 + 1], dA[t0:t1], da_from_future)  # B5, B6, B10
            dz_a = dA[t0:t1].reshape(-1, net.n_a)  # what dA holds from here on
            dW_aa += np.dot(dz_a.T, A[t0:t1].reshape(-1, net.n_a))  # B7
            net.add_input_gradient(dz_a, t0, t1)  # B8, B9
    gradients = {"dW_aa": dW_aa, **net.input_gradients(), "dW_ya": dW_ya, "db_y": db_y[:, None]}
    if a0 is not None:
        gradients["da0"] = da_from_future.T.copy()
    # any NaN reaches the cost; an infinite input or W_aa reaches a gradient; the others saturate tanh and are looked at
    if not (isfinite(cost) and all_finite(dW_aa, gradients["dW_ax"], *net.recurrent_operands)):
        name_not_finite("fused.step", parameters, X, a0, A[1:].T, gradients)
    return cost, gradients, A[-1].T.copy()


def cost_and_state(
    parameters: Parameters,
    X: Array,
    Y: Array,
    a0: Array | None = None,
    reduction: Reduction = "mean",
    activation: Activation = "tanh",
) -> tuple[float, Array]:
    """Return the cost and the last state (n_a, m) by the forward pass alone; parameters as in :func:`step`."""
    net = network("fused.cost_and_state", parameters, X, Y, a0, reduction, activation)
    A = net.states(net.chunk_steps)  # the states of one chunk are enough
    cost = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        for t0, t1 in net.chunks:
            A = A[: t1 - t0 + 1]
            net.recur(A, t0, t1)
            cost += net.head(A[1:].reshape(-1, net.n_a), t0, t1)[0]
            A[0] = A[-1]
    a_last = A[0].T.copy()
    if not (isfinite(cost) and all_finite(a_last, *net.recurrent_operands)):
        name_not_finite("fused.cost_and_state", parameters, X, a0, A[1:].T, {})
    return cost, a_last


def predict_proba(parameters: Parameters, X: Array, a0: Array | None = None, activation: Activation = "tanh") -> Array:
    """Return Y_pred (n_y, m, T_x), the probabilities of every step; parameters as in :func:`step`."""
    shape = getattr(X, "shape", ())[-2:]
    no_targets = np.zeros(shape if len(shape) == 2 else (1, 1), np.intp)
    net = network("fused.predict_proba", parameters, X, no_targets, a0, "sum", activation)
    A = net.states(net.chunk_steps)
    Y_pred = np.empty((net.T_x, net.m, net.n_y), net.dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        for t0, t1 in net.chunks:
            A = A[: t1 - t0 + 1]
            net.recur(A, t0, t1)
            Y_pred[t0:t1].reshape(-1, net.n_y)[...] = net.probabilities(A[1:].reshape(-1, net.n_a))
            A[0] = A[-1]
    if not all_finite(Y_pred, *net.recurrent_operands):
        name_not_finite("fused.predict_proba", parameters, X, a0, A[1:].T, {"Y_pred": Y_pred.T})
    return Y_pred.T


def cell(parameters: Parameters, activation: Activation = "tanh") -> Callable[[int, Array], tuple[Array, Array]]:
    """Return ``advance(id, a) -> (a, z_y)``: one step at m = 1, for generating one character after the other.

    ``a`` (n_a,) is the state before and after the step, ``z_y`` (n_y,) the logits.  Both are new arrays.
    """
    table = np.add(parameters["W_ax"].T, parameters["b_a"].T, order="C")  # (n_x, n_a): W_ax x_t + b_a of every id
    W_aa, W_ya, b_y = parameters["W_aa"], parameters["W_ya"], parameters["b_y"][:, 0]
    activate = np.tanh if activation == "tanh" else relu

    def advance(i: int, a: Array) -> tuple[Array, Array]:
        z = np.dot(W_aa, a)
        z += table[i]
        activate(z, out=z)
        z_y = np.dot(W_ya, z)
        z_y += b_y
        return z, z_y

    return advance
