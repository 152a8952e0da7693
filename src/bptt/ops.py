"""The operations of the network, each with its own backward pass.

Every function returns ``(output, backward)``; ``backward`` takes dJ/d(output) and returns dJ/d(each input), in
the order of the inputs.  All work column by column: axis 0 holds the units, axis 1 the m examples.  All accept
complex numbers, so that the complex step runs through them: nothing is conjugated, and where values are
compared, their real parts are.

References
----------
Goodfellow, Bengio, Courville, *Deep Learning* (2016), sections 6.2.2 (softmax and cross-entropy) and 6.5.
Squire, Trapp, *Using complex variables to estimate derivatives of real functions*, SIAM Review 40 (1998).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from bptt.dims import Array

Activation = Literal["tanh", "relu"]
Elementwise = Callable[[Array], Array]


def affine(W: Array, x: Array, b: Array) -> tuple[Array, Callable[[Array], tuple[Array, Array, Array]]]:
    """Return z = W x + b and its backward.

    Parameters
    ----------
    W : array (n_out, n_in)
        Weights.
    x : array (n_in, m)
        One column an example.
    b : array (n_out, 1)
        Bias, added to every column.

    Returns
    -------
    z : array (n_out, m)
    backward : function
        dz (n_out, m) -> dW (n_out, n_in), dx (n_in, m), db (n_out, 1).  The columns of the batch are *summed*
        in dW and db, since every example used the same W and b.

    Examples
    --------
    >>> z, backward = affine(np.ones((2, 3)), np.ones((3, 4)), np.zeros((2, 1)))
    >>> [d.shape for d in backward(z)]
    [(2, 3), (3, 4), (2, 1)]
    """
    z = W @ x + b  # (n_out, n_in) @ (n_in, m) + (n_out, 1)

    def backward(dz: Array) -> tuple[Array, Array, Array]:
        dW = dz @ x.T  # (n_out, m) @ (m, n_in): the product sums over the batch
        dx = W.T @ dz  # (n_in, n_out) @ (n_out, m)
        db = dz.sum(axis=1, keepdims=True)  # (n_out, 1)
        return dW, dx, db

    return z, backward


def tanh(z: Array) -> tuple[Array, Elementwise]:
    """Return a = tanh(z) and its backward, dz = da ⊙ (1 - a²).

    The derivative takes the *output* a: 1 - a², not 1 - tanh(a)² and not 1 - z².

    Parameters
    ----------
    z : array, any shape

    Returns
    -------
    a : array, the shape of z
    backward : function
        da -> dz, both of the shape of z.
    """
    a = np.tanh(z)

    def backward(da: Array) -> Array:
        dz: Array = da * (1 - a * a)
        return dz

    return a, backward


def relu(z: Array) -> tuple[Array, Elementwise]:
    """Return a = max(z, 0) and its backward, dz = da where a > 0 and 0 elsewhere (0 at the kink).

    Parameters
    ----------
    z : array, any shape

    Returns
    -------
    a : array, the shape of z
    backward : function
        da -> dz, both of the shape of z.
    """
    active = z.real > 0
    a = np.where(active, z, 0)

    def backward(da: Array) -> Array:
        return np.where(active, da, 0)

    return a, backward


ACTIVATIONS: dict[Activation, Callable[[Array], tuple[Array, Elementwise]]] = {"tanh": tanh, "relu": relu}


def softmax(z: Array) -> tuple[Array, Elementwise]:
    """Return s = exp(z) / Σ exp(z) down each column, and its backward.

    dz_i = s_i (ds_i - Σ_j ds_j s_j): every output depends on every logit, so the derivative is a full Jacobian
    diag(s) - s sᵀ for each column; s(1 - s) is only its diagonal.

    Parameters
    ----------
    z : array (n_y, m)
        Logits, of any size: the largest of each column is subtracted first.

    Returns
    -------
    s : array (n_y, m)
        Each column sums to 1.
    backward : function
        ds (n_y, m) -> dz (n_y, m).  Each column of dz sums to 0.
    """
    e = np.exp(_shifted(z))
    s = e / e.sum(axis=0, keepdims=True)

    def backward(ds: Array) -> Array:
        dz: Array = s * (ds - (ds * s).sum(axis=0, keepdims=True))
        return dz

    return s, backward


def cross_entropy(z: Array, y: Array) -> tuple[Array, Elementwise]:
    """Return L = -Σ y log softmax(z) down each column, in nats, and its backward, dz = (softmax(z) - y) ⊙ dL.

    It starts from the logits z, not from probabilities: log softmax(z) = z - log Σ exp(z) is exact where the
    probability itself underflows to 0, and -y / y_pred, which overflows there, is never formed.  The backward
    holds only where each column of y sums to 1; :func:`bptt.inputs.one_hot_targets` makes sure of it.

    Parameters
    ----------
    z : array (n_y, m)
        Logits.
    y : array (n_y, m)
        Targets: one-hot or soft; each column sums to 1.

    Returns
    -------
    L : array (m,)
        The loss of each example, in nats.
    backward : function
        dL (m,) -> dz (n_y, m).
    """
    shifted = _shifted(z)
    e = np.exp(shifted)
    total = e.sum(axis=0)
    log_s = shifted - np.log(total)
    L = -(y * np.where(y == 0, 0, log_s)).sum(axis=0)  # 0 · log 0 counts as 0

    def backward(dL: Array) -> Array:
        dz: Array = (e / total - y) * dL
        return dz

    return L, backward


def _shifted(z: Array) -> Array:
    """Subtract the largest logit of each column, so that exp cannot overflow; softmax does not change."""
    with np.errstate(over="ignore"):  # finite logits further apart than the type reaches: exp gives 0 as it should
        shifted: Array = z - z.real.max(axis=0, keepdims=True)
    return shifted
