"""Through time, itemised: what the loss of step t alone contributes through step k.

J = Σ_t L_t, so every gradient is a sum over t; and W_aa acts at every step k ≤ t, so dW_aa is a sum over k as well:

    G[t, k] = ∂L_t/∂a_k                        G[t, t] = da_from_output(t),  G[t, k] = W_aaᵀ dz[t, k+1]
    C[t, k] = dz[t, k] a_{k-1}ᵀ                with dz[t, k] = G[t, k] ⊙ φ'(z_a at k)
    Σ_{t ≥ k} G[t, k] = da(k)                  Σ_t Σ_{k ≤ t} C[t, k] = dW_aa

For one example, ∂a_t/∂a_k = Π_{s = t .. k+1} diag(φ') W_aa: a product of t - k Jacobians.  Their norm says how much
of the error of step t can reach step k at all.

References
----------
Pascanu, Mikolov, Bengio, *On the difficulty of training recurrent neural networks*, ICML 2013, equations 3 to 5.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

import numpy as np

from bptt.dims import Array
from bptt.errors import ValueRangeError, message

if TYPE_CHECKING:
    from bptt.explaining.trace import Trace


class Contributions:
    """The itemised contributions of a trace; every sum of them is a total of the trace.

    Parameters
    ----------
    trace : Trace
    """

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self.T_x = trace.sizes["T_x"]
        self._rows = {row.id: row for row in trace.equations}
        self._known: tuple[int, list[Array]] | None = None  # of one loss; of all they would not fit into memory

    def state(self, t: int, k: int) -> Array:
        """Return ∂L_t/∂a_k (n_a, m), signed: what the loss of step t says about the state of step k."""
        self._check(t, k)
        if self._known is None or self._known[0] != t:
            self._known = (t, self._back_from(t))
        return self._known[1][k]

    def weights(self, t: int, k: int) -> Array:
        """Return what the loss of step t contributes to dW_aa through the use of W_aa at step k (n_a, n_a), signed."""
        self._check(t, k)
        return self._rows["B7"].expression.evaluate({"dz_a": self._dz_a(t, k), "a_prev": self._value("a_prev", k)})

    def jacobian(self, t: int, k: int, j: int = 0) -> Array:
        """Return ∂a_t/∂a_k (n_a, n_a) of example j, the product of the t - k Jacobians diag(φ') W_aa."""
        self._check(t, k)
        n_a = self._trace.sizes["n_a"]
        product = np.eye(n_a)
        for s in range(k + 1, t + 1):
            slope = self.slope(s)[:, j : j + 1]
            product = slope * (self._trace.tensors["W_aa"] @ product)  # diag(φ') W_aa ∂a_{s-1}/∂a_k
        return product

    def slope(self, t: int) -> Array:
        """Return φ' at step t (n_a, m), 1 - a_t² for tanh: what the table's B6 makes of ones."""
        a_t = self._value("a_t", t)
        return self._through(np.ones_like(a_t), a_t)

    def jacobian_norms(self, t: int, j: int = 0, steps: Collection[int] | None = None) -> dict[int, float]:
        """Return the spectral norm of ∂a_t/∂a_k by k, example j: the largest stretch of any error on its way.

        ``steps`` are those k that are wanted, all from 0 to t if left out; each costs a singular value decomposition.
        """
        product = np.eye(self._trace.sizes["n_a"])
        norms = {}
        for k in reversed(range(t + 1)):
            if steps is None or k in steps:
                norms[k] = float(np.linalg.norm(product, 2))
            product = product @ (self.slope(k)[:, j : j + 1] * self._trace.tensors["W_aa"])
        return dict(sorted(norms.items()))

    def total(self) -> Array:
        """Return Σ_t Σ_k of all contributions to dW_aa: the trace's dW_aa, by another way."""
        reached = [np.zeros_like(self._trace.tensors["a0"]) for _ in range(self.T_x)]
        for t in range(self.T_x):
            for k in range(t + 1):
                reached[k] += self._dz_a(t, k)
        return np.asarray(sum(reached[k] @ self._value("a_prev", k).T for k in range(self.T_x)))

    def norms(self) -> Array:
        """Return the (T_x, T_x) map of ‖∂L_t/∂a_k‖ (Frobenius, all examples), rows t, columns k, 0 where k > t."""
        return self._map(lambda t, k: float(np.linalg.norm(self.state(t, k))))

    def shares(self) -> Array:
        """Return the (T_x, T_x) map of signed shares of dW_aa, rows t, columns k; they sum to 1.

        The share of a contribution C is ⟨C, dW_aa⟩ / ‖dW_aa‖²: its part along the total, negative where it pulls
        the other way.  All are 0 if dW_aa is 0.
        """
        dW_aa = self._trace.gradients["dW_aa"]
        square = float((dW_aa * dW_aa).sum())
        if square == 0:
            return np.zeros((self.T_x, self.T_x))
        along = [dW_aa @ self._value("a_prev", k) for k in range(self.T_x)]  # ⟨dz aᵀ, dW⟩ = Σ dz ⊙ (dW a)
        return self._map(lambda t, k: float((self._dz_a(t, k) * along[k]).sum()) / square)

    def cell(self, i: int, j: int) -> Array:
        """Return the (T_x, T_x) map of the contributions to the one number dW_aa[i, j]; they sum to it."""
        return self._map(lambda t, k: float(self._dz_a(t, k)[i] @ self._value("a_prev", k)[j]))

    # ------------------------------------------------------------------------------------------------ within

    def _back_from(self, t: int) -> list[Array]:
        rows: list[Array] = [self._value("da_from_output", t)]
        for k in reversed(range(t)):
            dz_a = self._through(rows[0], self._value("a_t", k + 1))
            back = {"W_aa": self._trace.tensors["W_aa"], "dz_a": dz_a}
            rows.insert(0, self._rows["B10"].expression.evaluate(back))
        return rows

    def _dz_a(self, t: int, k: int) -> Array:
        return self._through(self.state(t, k), self._value("a_t", k))

    def _through(self, da: Array, a_t: Array) -> Array:
        return self._rows["B6"].expression.evaluate({"da": da, "a_t": a_t})

    def _value(self, name: str, t: int) -> Array:
        return self._trace.value(name, t)

    def _map(self, of: Callable[[int, int], float]) -> Array:
        filled = np.zeros((self.T_x, self.T_x))
        for t in range(self.T_x):
            for k in range(t + 1):
                filled[t, k] = of(t, k)
        return filled

    def _check(self, t: int, k: int) -> None:
        if not 0 <= k <= t < self.T_x:
            raise ValueRangeError(
                message(
                    "contributions",
                    f"there is none of the loss at t = {t} through step k = {k}.",
                    details=[f"0 <= k <= t <= {self.T_x - 1}: a loss depends on its own and on earlier steps only."],
                )
            )
