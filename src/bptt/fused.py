"""The fast twin of :mod:`bptt.rnn`: the same numbers, laid out for the machine.

What differs from the reference, and why:

- Memory is time-major, (T_x, m, n): the states of one step are one contiguous block, and ``.T`` of the whole is
  the public (n, m, T_x) without a copy.
- Only W_aa stays inside the loop over time.  W_ax x_t + b_a of many steps is one product (for integer ids a
  gather of rows of W_axᵀ + b_aᵀ: no one-hot array is ever formed), and so is every weight gradient.
- Time is cut into chunks of some hundred rows (t, m), so that states, logits and gradients are used again while
  they are in the cache.  In float32 the partial sums over chunks are more exact, too.
- softmax subtracts the largest logit only where exp could overflow: since every state of a tanh is at most 1, the
  weights bound the logits, and the bound costs less than a pass over them.

The memory that grows with T_x is A and dA, twice the hidden states.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bptt.dims import Array
from bptt.inputs import Parameters, Reduction, check_fused_operands, name_not_finite, reduction_scale
from bptt.ops import Activation

Gradients = dict[str, Array]

CHUNK_ROWS = 512
SAFE_LOGIT = {"f": 60.0, "d": 600.0}  # exp of it, summed over any number of classes, neither over- nor underflows


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
    net = _Network("fused.step", parameters, X, Y, a0, reduction, activation)
    A = net.states(net.T_x)  # A[0] is a0, A[t + 1] the state after step t
    dA = np.empty((net.T_x, net.m, net.n_a), net.dtype)
    cost, dW_ya, db_y = 0.0, np.zeros_like(net.W_ya), np.zeros_like(net.b_y)
    dW_aa, dW_in = np.zeros_like(net.W_aa), np.zeros_like(net.W_in)
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
            net.recur_backward(A[t0 + 1 : t1 + 1], dA[t0:t1], da_from_future)  # B5, B6, B10: dA becomes dz_a
            dz_a = dA[t0:t1].reshape(-1, net.n_a)
            dW_aa += np.dot(dz_a.T, A[t0:t1].reshape(-1, net.n_a))  # B7
            dW_in += net.input_gradient(dz_a, t0, t1)  # B8, B9
    gradients = {"dW_aa": dW_aa, **net.split_input_gradient(dW_in), "dW_ya": dW_ya, "db_y": db_y[:, None]}
    if a0 is not None:
        gradients["da0"] = da_from_future.T
    if not _finite(cost, dW_aa, dW_in, net.W_in, net.W_aa):
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
    net = _Network("fused.cost_and_state", parameters, X, Y, a0, reduction, activation)
    A = net.states(net.chunk_steps)  # the states of one chunk are enough
    cost = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        for t0, t1 in net.chunks:
            A = A[: t1 - t0 + 1]
            net.recur(A, t0, t1)
            cost += net.head(A[1:].reshape(-1, net.n_a), t0, t1)[0]
            A[0] = A[-1]
    if not _finite(cost, A[0], net.W_in, net.W_aa):
        name_not_finite("fused.cost_and_state", parameters, X, a0, A[1:].T, {})
    return cost, A[0].T.copy()


def cell(parameters: Parameters, activation: Activation = "tanh") -> Callable[[int, Array], tuple[Array, Array]]:
    """Return ``advance(id, a) -> (a, z_y)``: one step at m = 1, for generating one character after the other.

    ``a`` (n_a,) is the state before and after the step, ``z_y`` (n_y,) the logits.  Both are new arrays.
    """
    table = np.add(parameters["W_ax"].T, parameters["b_a"].T, order="C")  # (n_x, n_a): W_ax x_t + b_a of every id
    W_aa, W_ya, b_y = parameters["W_aa"], parameters["W_ya"], parameters["b_y"][:, 0]
    activate = np.tanh if activation == "tanh" else _relu

    def advance(i: int, a: Array) -> tuple[Array, Array]:
        z = np.dot(W_aa, a)
        z += table[i]
        activate(z, out=z)
        z_y = np.dot(W_ya, z)
        z_y += b_y
        return z, z_y

    return advance


class _Network:
    """The operands of one call, time-major, and the calculations on a chunk of time steps t0 ... t1 - 1."""

    def __init__(
        self,
        where: str,
        parameters: Parameters,
        X: Array,
        Y: Array,
        a0: Array | None,
        reduction: Reduction,
        activation: Activation,
    ) -> None:
        check_fused_operands(where, parameters, X, Y, a0, activation)
        W_ax, W_aa, W_ya = parameters["W_ax"], parameters["W_aa"], parameters["W_ya"]
        b_a, b_y = parameters["b_a"], parameters["b_y"]
        self.n_a, self.n_x = W_ax.shape
        self.n_y, self.dtype = W_ya.shape[0], W_aa.dtype
        self.m, self.T_x = X.shape[-2:]
        self.a0, self.tanh = a0, activation == "tanh"
        self.activate: np.ufunc | Callable[..., Array] = np.tanh if self.tanh else _relu
        self.W_aa, self.W_ya, self.b_y = W_aa, W_ya, b_y[:, 0]
        self.W_aaT = np.ascontiguousarray(W_aa.T)  # a transposed view is much slower at small m
        self.W_yaT = np.ascontiguousarray(W_ya.T)
        if X.ndim == 2:  # ids: row i of W_in is W_ax x_t + b_a for x_t = one-hot(i)
            self.ids: Array | None = np.ascontiguousarray(X.T).reshape(-1)
            self.W_in = np.add(W_ax.T, b_a.T, order="C")  # (n_x, n_a)
        else:  # dense: x_t with a 1 below it, so that one product brings W_ax x_t + b_a, and one dW_ax and db_a
            self.ids = None
            self.x = np.empty((self.T_x, self.m, self.n_x + 1), self.dtype)
            self.x[:, :, :-1], self.x[:, :, -1] = X.T, 1
            self.W_in = np.concatenate([W_ax.T, b_a.T])  # (n_x + 1, n_a)
        self.y = np.ascontiguousarray(Y.T).reshape(-1, *Y.shape[:-2])  # (T_x · m,) or (T_x · m, n_y)
        scale = reduction_scale(where, reduction, X.shape)
        self.cost_scale, self.scale = scale, self.dtype.type(scale)
        # rows of a chunk: enough that adding up its dW_aa (n_a, n_a) costs little beside computing it
        rows = max(CHUNK_ROWS, 2 * self.n_a)
        self.chunk_steps = self.T_x if self.T_x * self.m <= 1.5 * rows else max(1, rows // self.m)
        starts = range(0, self.T_x, self.chunk_steps)
        self.chunks = [(t, min(t + self.chunk_steps, self.T_x)) for t in starts]
        largest = self.chunk_steps * self.m
        self.ones = np.ones(max(largest, self.n_y), self.dtype)
        self.row_starts = np.arange(largest) * self.n_y
        self.logits = np.empty((largest, self.n_y), self.dtype)
        self.slope = np.empty((largest, self.n_a), self.dtype)
        self.product = np.empty((self.m, self.n_a), self.dtype)
        largest_logit = float((np.abs(W_ya).sum(axis=1) + np.abs(self.b_y)).max())
        self.logits_are_safe = activation == "tanh" and largest_logit < SAFE_LOGIT[self.dtype.char]

    def states(self, steps: int) -> Array:
        """Return room for the states of so many steps, A[0] before the first: (steps + 1, m, n_a)."""
        A = np.empty((steps + 1, self.m, self.n_a), self.dtype)
        A[0] = 0 if self.a0 is None else self.a0.T
        return A

    def recur(self, A: Array, t0: int, t1: int) -> None:
        """F1, F2: from the state A[0], write the states after steps t0 ... t1 - 1 into A[1:]."""
        rows = A[1:].reshape(-1, self.n_a)
        if self.ids is None:
            np.dot(self.x[t0:t1].reshape(-1, self.n_x + 1), self.W_in, out=rows)
        else:
            self.W_in.take(self.ids[t0 * self.m : t1 * self.m], axis=0, out=rows, mode="clip")
        product, W_aaT, dot, add, activate = self.product, self.W_aaT, np.dot, np.add, self.activate
        a_prev = A[0]
        for a in A[1:]:  # a holds W_ax x_t + b_a
            dot(a_prev, W_aaT, out=product)
            add(a, product, out=a)
            activate(a, out=a)
            a_prev = a

    def recur_backward(self, A: Array, dA: Array, da_from_future: Array) -> Array:
        """B5, B6, B10: turn da_from_output, in dA, into dz_a; return da_from_future for the step before."""
        slope = self.slope[: len(A) * self.m].reshape(A.shape)
        if self.tanh:
            np.multiply(A, A, out=slope)
            np.subtract(1, slope, out=slope)
        else:
            np.sign(A, out=slope)  # a relu's state is never negative: 1 where it is active, 0 where not
        W_aa, dot, add, multiply = self.W_aa, np.dot, np.add, np.multiply
        for da, slope_t in zip(dA[::-1], slope[::-1], strict=True):
            add(da, da_from_future, out=da)
            multiply(da, slope_t, out=da)
            dot(da, W_aa, out=da_from_future)
        return da_from_future

    def head(self, a: Array, t0: int, t1: int) -> tuple[float, Array]:
        """F3, F4, F5, B1: return the cost of steps t0 ... t1 - 1 and its dz_y (rows, n_y)."""
        rows, y = len(a), self.y[t0 * self.m : t1 * self.m]
        z_y = self.logits[:rows]
        np.dot(a, self.W_yaT, out=z_y)
        z_y += self.b_y
        if not self.logits_are_safe:
            z_y -= z_y.max(axis=1, keepdims=True)
        flat = z_y.reshape(-1)
        target = self.row_starts[:rows] + y if y.ndim == 1 else None
        chosen = flat[target] if target is not None else y * z_y  # Σ y z, before exp overwrites z
        np.exp(z_y, out=z_y)
        total = np.dot(z_y, self.ones[: self.n_y])  # (rows,)
        cost = float(np.log(total).sum(dtype=np.float64)) - float(chosen.sum(dtype=np.float64))
        np.divide(self.scale, total, out=total)
        z_y *= total[:, None]  # softmax, times the reduction's scale
        if target is not None:
            flat[target] -= self.scale
        else:
            z_y -= y * self.scale
        return cost * self.cost_scale, z_y

    def input_gradient(self, dz_a: Array, t0: int, t1: int) -> Array:
        """B8, B9 on a chunk: the gradient of W_in, of its shape."""
        if self.ids is None:
            dense: Array = np.dot(self.x[t0:t1].reshape(-1, self.n_x + 1).T, dz_a)
            return dense
        ids = self.ids[t0 * self.m : t1 * self.m]
        order = np.argsort(ids, kind="stable")
        ids = ids[order]
        starts = np.flatnonzero(np.concatenate([[True], ids[1:] != ids[:-1]]))
        grouped = dz_a.take(order, axis=0, out=self.slope[: len(dz_a)], mode="clip")
        gradient = np.zeros_like(self.W_in)
        gradient[ids[starts]] = np.add.reduceat(grouped, starts, axis=0)  # the rows of one id, summed
        return gradient

    def split_input_gradient(self, dW_in: Array) -> Gradients:
        """Return dW_ax (n_a, n_x) and db_a (n_a, 1) out of the gradient of W_in."""
        if self.ids is None:
            return {"dW_ax": np.ascontiguousarray(dW_in[:-1].T), "db_a": dW_in[-1:].T}
        return {"dW_ax": np.ascontiguousarray(dW_in.T), "db_a": dW_in.sum(axis=0)[:, None]}


def _relu(z: Array, out: Array) -> Array:
    return np.maximum(z, 0, out=out)


def _finite(*values: float | Array) -> bool:
    """Tell fast whether all values are finite; a sum that overflows says no, too."""
    return bool(np.isfinite(sum(float(np.sum(value)) for value in values)))
