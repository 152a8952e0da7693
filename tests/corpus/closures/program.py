"""Every operation returns its value and a function that pulls a gradient back."""
from typing import Callable, Tuple

import numpy as np

Array = np.ndarray


def linear(W: Array, b: Array, x: Array) -> Tuple[Array, Callable]:
    """y = x Wᵀ + b for rows x (m, n)"""

    def pull(dy: Array):
        return dy.T @ x, dy.sum(axis=0), dy @ W

    return x @ W.T + b, pull


def relu(z: Array) -> Tuple[Array, Callable]:
    mask = z > 0
    return np.where(mask, z, 0.0), lambda dy: dy * mask


def squash(z: Array) -> Tuple[Array, Callable]:
    y = np.tanh(z)

    def pull(dy: Array):
        return dy * (1 - y * y)

    return y, pull


def cross_entropy(scores: Array, labels: Array) -> Tuple[float, Callable]:
    shifted = scores - scores.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(len(labels))

    def pull(dloss: float):
        d = np.exp(log_p)
        d[rows, labels] -= 1
        return dloss * d / len(labels)

    return -log_p[rows, labels].mean(), pull


class ClassifierRNN:
    """embed -> relu -> recurrent tanh -> mean over time -> scores"""

    def __init__(self, n_in: int, n_embed: int, n_state: int, n_class: int, rng: np.random.Generator):
        self.We, self.be = rng.normal(0, 0.4, (n_embed, n_in)), rng.normal(0, 0.4, n_embed)
        self.Wx, self.bx = rng.normal(0, 0.4, (n_state, n_embed)), rng.normal(0, 0.4, n_state)
        self.Wh = rng.normal(0, 0.4, (n_state, n_state))
        self.Wo, self.bo = rng.normal(0, 0.4, (n_class, n_state)), rng.normal(0, 0.4, n_class)

    def loss_and_grads(self, xs, labels):
        """xs: list of T arrays (m, n_in)"""
        tape, pooled, h = [], 0.0, np.zeros((len(labels), len(self.Wh)))
        for x in xs:
            e, pull_embed = linear(self.We, self.be, x)
            e, pull_relu = relu(e)
            zx, pull_x = linear(self.Wx, self.bx, e)
            zh, pull_h = linear(self.Wh, np.zeros(len(self.Wh)), h)
            h, pull_tanh = squash(zx + zh)
            tape.append((pull_embed, pull_relu, pull_x, pull_h, pull_tanh))
            pooled = pooled + h / len(xs)
        scores, pull_out = linear(self.Wo, self.bo, pooled)
        loss, pull_loss = cross_entropy(scores, labels)

        g = {name: np.zeros_like(value) for name, value in vars(self).items()}
        g["Wo"], g["bo"], dpooled = pull_out(pull_loss(1.0))
        dh_next = np.zeros_like(h)
        while tape:
            pull_embed, pull_relu, pull_x, pull_h, pull_tanh = tape.pop()
            dz = pull_tanh(dpooled / len(xs) + dh_next)
            dWh, _, dh_next = pull_h(dz)
            dWx, dbx, de = pull_x(dz)
            dWe, dbe, _ = pull_embed(pull_relu(de))
            for name, part in zip(("Wh", "Wx", "bx", "We", "be"), (dWh, dWx, dbx, dWe, dbe)):
                g[name] += part
        return loss, g
