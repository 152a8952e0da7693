"""The class that the question was trying to write: a simple RNN, forward and backward, each line of it right.

It keeps the question's form - ``parameters``, ``cache``, ``rnn_forward(e)``, ``rnn_backward(e)``, the state stored at
``A[:, :, t + 1]`` - and says at each line of the backward pass which two things the question mixed up.  It needs
NumPy alone, and trains on a small task of memory: name the symbol that was shown two steps ago.

    python examples/the_asker.py
"""

from __future__ import annotations

import numpy as np


def softmax(z):
    """Return the probabilities of each column; the largest logit is subtracted so that exp cannot overflow."""
    e = np.exp(z - z.max(axis=0, keepdims=True))
    return e / e.sum(axis=0, keepdims=True)


class RNN:
    """A simple recurrent network with a softmax at every step.

    X (n_x, m, T_x) and Y (n_y, m, T_x) with one-hot columns; ``cache["A"]`` has T_x + 1 states, the first of them
    the initial state: state t is the one *before* step t, state t + 1 the one after it.
    """

    def __init__(self, X, Y, n_a, seed=0):
        self.n_x, self.m, self.T_x = X.shape
        self.n_y, self.n_a = Y.shape[0], n_a
        rng = np.random.default_rng(seed)
        self.parameters = {
            "W_aa": np.linalg.qr(rng.normal(size=(n_a, n_a)))[0],
            "W_ax": rng.normal(size=(n_a, self.n_x)) / self.n_x**0.5,
            "W_ya": rng.normal(size=(self.n_y, n_a)) / n_a**0.5,
            "b_a": np.zeros((n_a, 1)),
            "b_y": np.zeros((self.n_y, 1)),
        }
        self.cache = {
            "X": X,
            "Y": Y,
            "A": np.zeros((n_a, self.m, self.T_x + 1)),
            "Y_pred": np.zeros((self.n_y, self.m, self.T_x)),
        }
        self.costs = []

    def rnn_forward(self, e):
        """Run all T_x steps of epoch e and note the cost."""
        p, c = self.parameters, self.cache
        for t in range(self.T_x):  # all of them: range(T_x - 1) would never run the last step
            xt = c["X"][:, :, t]  # (n_x, m)
            a_prev = c["A"][:, :, t]  # (n_a, m), the state before step t
            a_next = np.tanh(np.dot(p["W_aa"], a_prev) + np.dot(p["W_ax"], xt) + p["b_a"])
            c["A"][:, :, t + 1] = a_next
            c["Y_pred"][:, :, t] = softmax(np.dot(p["W_ya"], a_next) + p["b_y"])
        self.costs[e:] = [-np.sum(c["Y"] * np.log(np.maximum(c["Y_pred"], 1e-300)))]

    def rnn_backward(self, e):
        """Fill cache["dW_aa"] ... cache["db_y"] with the gradient of the cost of epoch e."""
        p, c = self.parameters, self.cache
        for name in p:
            c[f"d{name}"] = np.zeros_like(p[name])
        da_next = np.zeros((self.n_a, self.m))  # what reaches the last state from the future: nothing
        for t in reversed(range(self.T_x)):
            a_next, a_prev, xt = c["A"][:, :, t + 1], c["A"][:, :, t], c["X"][:, :, t]
            # -Y / Y_pred and the softmax's full Jacobian multiply out to this; no division, no product of matrices
            dz_y = c["Y_pred"][:, :, t] - c["Y"][:, :, t]  # (n_y, m)
            c["dW_ya"] += np.dot(dz_y, a_next.T)  # the output of step t saw the state *after* it
            c["db_y"] += dz_y.sum(axis=1, keepdims=True)  # one bias, used by all m examples: their sum
            # the answer to the question: W_yaᵀ turns (n_y, m) into (n_a, m), and the future's part is added to it
            da = np.dot(p["W_ya"].T, dz_y) + da_next
            dz_a = da * (1 - a_next**2)  # elementwise: unit i's slope belongs to unit i alone
            c["dW_aa"] += np.dot(dz_a, a_prev.T)
            c["dW_ax"] += np.dot(dz_a, xt.T)
            c["db_a"] += dz_a.sum(axis=1, keepdims=True)
            da_next = np.dot(p["W_aa"].T, dz_a)  # goes on to step t - 1

    def train(self, epochs, rate=0.02):
        """Go down the gradient; return the cost of each epoch."""
        for e in range(epochs):
            self.rnn_forward(e)
            self.rnn_backward(e)
            for name in self.parameters:
                self.parameters[name] -= rate / self.m * self.cache[f"d{name}"]
        return self.costs


def memory_task(n=4, m=64, T_x=10, seed=1):
    """Return X and Y where the target of step t is the symbol shown at step t - 2 (symbol 0 at first)."""
    symbols = np.random.default_rng(seed).integers(0, n, (m, T_x))
    delayed = np.concatenate([np.zeros((m, 2), int), symbols[:, :-2]], axis=1)
    one_hot = np.eye(n)
    return one_hot[symbols].transpose(2, 0, 1), one_hot[delayed].transpose(2, 0, 1)


def main():
    X, Y = memory_task()
    rnn = RNN(X, Y, n_a=20)
    costs = rnn.train(400)
    steps = rnn.m * rnn.T_x
    for e in range(0, 400, 50):
        print(f"epoch {e:3d}  cost {costs[e] / steps:.4f} nats a step")
    right = (rnn.cache["Y_pred"].argmax(axis=0) == Y.argmax(axis=0)).mean()
    print(f"epoch {len(costs) - 1}  cost {costs[-1] / steps:.4f} nats a step; {right:.1%} of the symbols named")


if __name__ == "__main__":
    main()
