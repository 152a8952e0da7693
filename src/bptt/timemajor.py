"""One call of the fast twin: its operands in time-major memory, and the calculations on a chunk of steps.

- Memory is time-major, (T_x, m, n): the states of one step are one contiguous block, and ``.T`` of the whole is
  the public (n, m, T_x) without a copy.
- Only W_aa stays inside the loop over time.  W_ax x_t + b_a of many steps is one product for dense X, where a 1
  below each x_t brings the bias; for integer ids a row of W_axᵀ + b_aᵀ is gathered instead, and its gradient is a
  sum over the steps of one id: no one-hot array is ever formed.
- Every weight gradient is one product for many steps.
- Time is cut into chunks of some hundred rows (t, m), so that states, logits and gradients are used again while
  they are in the cache.  In float32 the partial sums over chunks are more exact, too.
- softmax subtracts the largest logit only where exp could overflow: since no state of a tanh is beyond 1, the
  weights bound the logits, and the bound costs less than a pass over them.

The memory that grows with T_x is A and dA: twice the hidden states, and the input.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np

from bptt.dims import Array
from bptt.inputs import Parameters, Reduction, check_fused_operands, reduction_scale
from bptt.ops import Activation

CHUNK_ROWS = 512
WIDE = 1024  # from so many units on, the product runs faster with the weights as its left operand
SAFE_LOGIT = {"f": 60.0, "d": 600.0}  # exp of it, summed over any number of classes, neither over- nor underflows


def network(
    where: str,
    parameters: Parameters,
    X: Array,
    Y: Array,
    a0: Array | None,
    reduction: Reduction,
    activation: Activation,
) -> Network:
    """Check the operands of a call and lay them out."""
    check_fused_operands(where, parameters, X, Y, a0, activation)
    kind = IdNetwork if X.ndim == 2 else DenseNetwork
    return kind(parameters, X, Y, a0, reduction_scale(where, reduction, X.shape), activation)


class Network(ABC):
    """What dense inputs and ids have in common.

    Attributes
    ----------
    chunks : list of (t0, t1)
        The steps of each chunk, t0 ... t1 - 1.
    """

    def __init__(
        self,
        parameters: Parameters,
        X: Array,
        Y: Array,
        a0: Array | None,
        scale: float,
        activation: Activation,
    ) -> None:
        W_aa, W_ya, b_y = parameters["W_aa"], parameters["W_ya"], parameters["b_y"]
        self.n_a, self.n_x = parameters["W_ax"].shape
        self.n_y, self.dtype = len(W_ya), W_aa.dtype
        self.m, self.T_x = X.shape[-2:]
        self.a0, self.tanh = a0, activation == "tanh"
        self.activate: Callable[..., Array] = np.tanh if self.tanh else relu
        self.W_ya, self.W_yaT, self.b_y = W_ya, np.ascontiguousarray(W_ya.T), b_y[:, 0]
        self.cost_scale, self.scale = scale, self.dtype.type(scale)
        y = np.ascontiguousarray(Y.T).reshape(self.T_x * self.m, *Y.shape[:-2])  # (rows,) ids, or (rows, n_y)
        self.y = y.astype(np.intp, copy=False) if Y.ndim == 2 else y
        # rows of a chunk: enough that adding its dW_aa (n_a, n_a) to the sum costs little beside computing it
        rows = max(CHUNK_ROWS, 2 * self.n_a)
        self.chunk_steps = self.T_x if 2 * self.T_x * self.m <= 3 * rows else max(1, rows // self.m)
        self.chunks = [(t, min(t + self.chunk_steps, self.T_x)) for t in range(0, self.T_x, self.chunk_steps)]
        rows = self.chunk_steps * self.m
        self.ones = np.ones(max(rows, self.n_y, self.n_a), self.dtype)
        self.row_starts = np.arange(rows) * self.n_y
        self.logits = np.empty((rows, self.n_y), self.dtype)
        self.slope = np.empty((rows, self.n_a), self.dtype)
        largest_logit = np.dot(np.abs(W_ya), self.ones[: self.n_a]) + np.abs(self.b_y)
        self.logits_are_safe = self.tanh and bool(largest_logit.max() < SAFE_LOGIT[self.dtype.char])
        self.W_aa, self.W_aaT = W_aa, np.ascontiguousarray(W_aa.T)  # a transposed view is much slower at small m
        self.recurrent_operands = (W_aa, *self.lay_out(parameters, X))

    @abstractmethod
    def lay_out(self, parameters: Parameters, X: Array) -> tuple[Array, ...]:
        """Set what the inputs need; return the arrays that hold W_ax and b_a."""

    def states(self, steps: int) -> Array:
        """Return room for so many steps, (steps + 1, m, n_a), with the state before the first in place."""
        A = np.empty((steps + 1, self.m, self.n_a), self.dtype)
        A[0] = 0 if self.a0 is None else self.a0.T
        return A

    @abstractmethod
    def put_inputs(self, A: Array, t0: int, t1: int) -> None:
        """Write W_ax x_t + b_a of steps t0 ... t1 - 1 into A, where their states will be."""

    def recur(self, A: Array, t0: int, t1: int) -> None:
        """F1, F2: from the state A[0], write the states after steps t0 ... t1 - 1 into A[1:]."""
        self.put_inputs(A[1:], t0, t1)
        dot, add, activate, a_prev = np.dot, np.add, self.activate, A[0]
        if self.n_a < WIDE:
            W, z = self.W_aaT, np.empty((self.m, self.n_a), self.dtype)
            for a in A[1:]:
                dot(a_prev, W, out=z)
                add(a, z, out=a)
                activate(a, out=a)
                a_prev = a
        else:
            W, z = self.W_aa, np.empty((self.n_a, self.m), self.dtype)
            for a in A[1:]:
                dot(W, a_prev.T, out=z)
                add(a, z.T, out=a)
                activate(a, out=a)
                a_prev = a

    def recur_backward(self, A: Array, dA: Array, da_from_future: Array) -> Array:
        """B5, B6, B10: turn da_from_output, in dA, into dz_a; return da_from_future for the step before."""
        slope = self.slope[: len(A) * self.m].reshape(A.shape)
        if self.tanh:
            np.multiply(A, A, out=slope)
            np.subtract(1, slope, out=slope)
        else:
            np.sign(A, out=slope)  # a relu's state is never negative: 1 where it is active, 0 where it is not
        dot, add, multiply = np.dot, np.add, np.multiply
        if self.n_a < WIDE:
            W, future = self.W_aa, da_from_future
            for da, slope_t in zip(dA[::-1], slope[::-1], strict=True):
                add(da, future, out=da)
                multiply(da, slope_t, out=da)
                dot(da, W, out=future)
            return future
        W, future = self.W_aaT, da_from_future.T.copy()  # (n_a, m), the product's own layout
        for da, slope_t in zip(dA[::-1], slope[::-1], strict=True):
            add(da, future.T, out=da)
            multiply(da, slope_t, out=da)
            dot(W, da.T, out=future)
        return future.T

    def safe_logits(self, a: Array) -> Array:
        """F3: return z_y (rows, n_y), less the largest of each row where exp could overflow."""
        z_y = self.logits[: len(a)]
        np.dot(a, self.W_yaT, out=z_y)
        z_y += self.b_y
        if not self.logits_are_safe:
            z_y -= z_y.max(axis=1, keepdims=True)
        return z_y

    def probabilities(self, a: Array) -> Array:
        """F3, F4: return y_pred (rows, n_y)."""
        z_y = self.safe_logits(a)
        np.exp(z_y, out=z_y)
        z_y /= np.dot(z_y, self.ones[: self.n_y])[:, None]
        return z_y

    def head(self, a: Array, t0: int, t1: int) -> tuple[float, Array]:
        """F3, F4, F5, B1: return the cost of steps t0 ... t1 - 1 and its dz_y (rows, n_y)."""
        rows, y = len(a), self.y[t0 * self.m : t1 * self.m]
        z_y = self.safe_logits(a)
        flat = z_y.reshape(-1)
        ids = y.ndim == 1
        target = self.row_starts[:rows] + y if ids else y
        chosen = flat[target] if ids else y * z_y  # Σ y z, before exp overwrites z
        np.exp(z_y, out=z_y)
        total = np.dot(z_y, self.ones[: self.n_y])  # (rows,)
        cost = float(np.log(total).sum(dtype=np.float64) - chosen.sum(dtype=np.float64))
        np.divide(self.scale, total, out=total)
        z_y *= total[:, None]  # softmax, times the reduction's scale
        if ids:
            flat[target] -= self.scale
        else:
            z_y -= y * self.scale
        return cost * self.cost_scale, z_y

    @abstractmethod
    def add_input_gradient(self, dz_a: Array, t0: int, t1: int) -> None:
        """B8, B9 on a chunk."""

    @abstractmethod
    def input_gradients(self) -> dict[str, Array]:
        """Return dW_ax (n_a, n_x) and db_a (n_a, 1)."""


class DenseNetwork(Network):
    """Dense X: [x_t, 1] of many steps times [W_ax, b_a] in one product."""

    def lay_out(self, parameters: Parameters, X: Array) -> tuple[Array, ...]:
        """Set [W_ax, b_a]ᵀ, and [x_t, 1] of all steps."""
        self.W_in = np.concatenate([parameters["W_ax"].T, parameters["b_a"].T])  # (n_x + 1, n_a)
        self.x = np.empty((self.T_x, self.m, self.n_x + 1), self.dtype)
        self.x[:, :, :-1], self.x[:, :, -1] = X.T, 1
        self.x = self.x.reshape(-1, self.n_x + 1)
        self.dW_in = np.zeros((self.n_a, self.n_x + 1), self.dtype)
        return (self.W_in,)

    def put_inputs(self, A: Array, t0: int, t1: int) -> None:
        """Write W_ax x_t + b_a where the state after step t will be."""
        np.dot(self.x[t0 * self.m : t1 * self.m], self.W_in, out=A.reshape(-1, self.n_a))

    def add_input_gradient(self, dz_a: Array, t0: int, t1: int) -> None:
        """Add dz_aᵀ [x, 1] of a chunk."""
        self.dW_in += np.dot(dz_a.T, self.x[t0 * self.m : t1 * self.m])

    def input_gradients(self) -> dict[str, Array]:
        """Return dW_ax and db_a, side by side until now."""
        return {"dW_ax": self.dW_in[:, :-1].copy(), "db_a": self.dW_in[:, -1:].copy()}


class IdNetwork(Network):
    """Integer ids: rows of the table W_axᵀ + b_aᵀ."""

    def lay_out(self, parameters: Parameters, X: Array) -> tuple[Array, ...]:
        """Set the table, and the ids of all steps."""
        self.ids = np.ascontiguousarray(X.T).reshape(-1)  # (T_x · m,)
        if self.n_x <= 2**16:
            self.ids = self.ids.astype(np.uint16)  # sixteen bits are sorted by radix
        self.table = np.add(parameters["W_ax"].T, parameters["b_a"].T, order="C")  # (n_x, n_a)
        self.d_table = np.zeros(self.table.shape, self.dtype)
        return (self.table,)

    def put_inputs(self, A: Array, t0: int, t1: int) -> None:
        """Write W_ax x_t + b_a where the state after step t will be."""
        self.table.take(self.ids[t0 * self.m : t1 * self.m], axis=0, out=A.reshape(-1, self.n_a), mode="clip")

    def add_input_gradient(self, dz_a: Array, t0: int, t1: int) -> None:
        """Add the rows of dz_a to the row of the table that their id gathered."""
        ids = self.ids[t0 * self.m : t1 * self.m]
        order = np.argsort(ids, kind="stable")
        ids = ids[order]
        starts = np.concatenate([[0], np.flatnonzero(ids[1:] != ids[:-1]) + 1])
        grouped = dz_a.take(order, axis=0, out=self.slope[: len(dz_a)], mode="clip")
        self.d_table[ids[starts]] += np.add.reduceat(grouped, starts, axis=0)

    def input_gradients(self) -> dict[str, Array]:
        """Return dW_ax, and db_a, the sum of its rows, since every step gathered just one."""
        return {"dW_ax": np.ascontiguousarray(self.d_table.T), "db_a": self.d_table.sum(axis=0)[:, None]}


def relu(z: Array, out: Array) -> Array:
    """Return max(z, 0)."""
    return np.maximum(z, 0, out=out)


def all_finite(*values: Array) -> bool:
    """Tell fast whether all values are finite; squares that overflow say no, too, and are looked at again."""
    with np.errstate(over="ignore", invalid="ignore"):
        return all(math.isfinite(np.vdot(value, value)) for value in values)
