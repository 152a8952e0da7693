"""A small program with its own ``bptt_case``, right and wrong, for the tests of the faces."""

from __future__ import annotations

RIGHT = """import numpy as np


def forward(p, X, a0):
    A, a = [], a0
    for t in range(X.shape[2]):
        a = np.tanh(p["W_aa"] @ a + p["W_ax"] @ X[:, :, t])
        A.append(a)
    return A


def cost(p, X, a0):
    return sum((a**2).sum() for a in forward(p, X, a0)) / 2


def backward(p, X, a0):
    A = forward(p, X, a0)
    dW_aa, dW_ax = np.zeros_like(p["W_aa"]), np.zeros_like(p["W_ax"])
    da_next = np.zeros_like(a0)
    for t in reversed(range(len(A))):
        da = A[t] + da_next
        dz = da * (1 - A[t] ** 2)
        dW_aa += dz @ (A[t - 1] if t > 0 else a0).T
        dW_ax += dz @ X[:, :, t].T
        da_next = p["W_aa"].T @ dz
    return {"W_aa": dW_aa, "W_ax": dW_ax}


class Case:
    def __init__(self, sizes, seed):
        r = np.random.default_rng(seed)
        self.parameters = {
            "W_aa": r.normal(size=(sizes.n_a, sizes.n_a)) * 0.5,
            "W_ax": r.normal(size=(sizes.n_a, sizes.n_x)) * 0.5,
        }
        self.X, self.a0 = r.normal(size=(sizes.n_x, sizes.m, sizes.T_x)), r.normal(size=(sizes.n_a, sizes.m))

    def cost(self):
        return cost(self.parameters, self.X, self.a0)

    def gradients(self):
        return backward(self.parameters, self.X, self.a0)


def bptt_case(module, sizes, seed):
    return Case(sizes, seed)
"""
WRONG = RIGHT.replace('p["W_aa"].T @ dz', 'p["W_aa"] @ dz')
