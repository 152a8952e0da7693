"""SGD with momentum, and Adam with decoupled weight decay; both in place on one flat buffer."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from bptt.dims import Array

BLOCK = 16_384
"""Elements that are updated at a time, so that the passes over them find them in the cache."""


class Optimizer(Protocol):
    """What the loop asks of an optimizer."""

    state: dict[str, Array]

    def update(self, w: Array, g: Array, rate: float, step: int) -> None:
        """Change the parameters w (n,) in place, from their gradient g (n,); the first step is 0."""


class SGD:
    """v ← momentum · v + g,  w ← w - rate · v,  and before it w ← w · (1 - rate · weight_decay) for the weights.

    Parameters
    ----------
    w : array (n,)
        The parameters, for their number and type.
    decayed : int
        The first so many elements are weights and decay; the biases after them do not.
    momentum : float
        0 is plain gradient descent.
    weight_decay : float

    References
    ----------
    Sutskever, Martens, Dahl, Hinton, *On the importance of initialization and momentum*, ICML 2013 (in the form
    that PyTorch uses: the rate multiplies v, not g).
    """

    def __init__(self, w: Array, decayed: int, momentum: float = 0.9, weight_decay: float = 0.0) -> None:
        self.momentum, self.weight_decay, self.decayed = momentum, weight_decay, decayed
        self.state: dict[str, Array] = {"v": np.zeros_like(w)} if momentum else {}
        self._scratch = np.empty(min(BLOCK, w.size), w.dtype)

    def update(self, w: Array, g: Array, rate: float, step: int) -> None:
        """Take one step in place."""
        number = w.dtype.type
        _decay(w[: self.decayed], rate * self.weight_decay)
        for start in range(0, w.size, BLOCK):
            block = slice(start, start + BLOCK)
            d = g[block]
            if self.momentum:
                v = self.state["v"][block]
                np.multiply(v, number(self.momentum), out=v)
                np.add(v, d, out=v)
                d = v
            change = self._scratch[: d.size]
            np.multiply(d, number(rate), out=change)
            np.subtract(w[block], change, out=w[block])


class Adam:
    """m ← β₁m + (1-β₁)g,  v ← β₂v + (1-β₂)g²,  w ← w - rate · (m / (1-β₁ᵏ)) / (sqrt(v / (1-β₂ᵏ)) + ε) at step k.

    Before it, w ← w · (1 - rate · weight_decay) for the weights: the decay is decoupled from the gradient (AdamW).

    Parameters
    ----------
    w : array (n,)
        The parameters, for their number and type.
    decayed : int
        The first so many elements are weights and decay; the biases after them do not.
    weight_decay : float
    beta_1, beta_2, epsilon : float

    References
    ----------
    Kingma, Ba, *Adam: a method for stochastic optimization*, ICLR 2015.
    Loshchilov, Hutter, *Decoupled weight decay regularization*, ICLR 2019.
    """

    def __init__(
        self,
        w: Array,
        decayed: int,
        weight_decay: float = 0.0,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
    ) -> None:
        self.weight_decay, self.decayed = weight_decay, decayed
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self.state: dict[str, Array] = {"m": np.zeros_like(w), "v": np.zeros_like(w)}
        self._scratch = np.empty(min(BLOCK, w.size), w.dtype)

    def update(self, w: Array, g: Array, rate: float, step: int) -> None:
        """Take one step in place."""
        number = w.dtype.type
        k = step + 1
        root_2 = math.sqrt(1.0 - self.beta_2**k)
        # rate · (m / c₁) / (sqrt(v / c₂) + ε), numerator and denominator times sqrt(c₂): two numbers, no pass more
        scale, epsilon = number(rate * root_2 / (1.0 - self.beta_1**k)), number(self.epsilon * root_2)
        beta_1, rest_1 = number(self.beta_1), number(1.0 - self.beta_1)
        beta_2, rest_2 = number(self.beta_2), number(1.0 - self.beta_2)
        _decay(w[: self.decayed], rate * self.weight_decay)
        for start in range(0, w.size, BLOCK):
            block = slice(start, start + BLOCK)
            d, m, v = g[block], self.state["m"][block], self.state["v"][block]
            change = self._scratch[: d.size]
            np.multiply(m, beta_1, out=m)
            np.multiply(d, rest_1, out=change)
            np.add(m, change, out=m)
            np.multiply(v, beta_2, out=v)
            np.multiply(d, d, out=change)
            np.multiply(change, rest_2, out=change)
            np.add(v, change, out=v)
            np.sqrt(v, out=change)
            np.add(change, epsilon, out=change)
            np.divide(m, change, out=change)
            np.multiply(change, scale, out=change)
            np.subtract(w[block], change, out=w[block])


def _decay(w: Array, by: float) -> None:
    if by:
        np.multiply(w, w.dtype.type(1.0 - by), out=w)
