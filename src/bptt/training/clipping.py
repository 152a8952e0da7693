"""Clipping: the gradient's norm, and its limits."""

from __future__ import annotations

import math

import numpy as np

from bptt.dims import Array


def norm(g: Array) -> float:
    """Return ‖g‖₂ = sqrt(Σ g²), also where the squares leave the range of the type.

    Parameters
    ----------
    g : array (n,)

    Returns
    -------
    float
        NaN or infinity exactly where g holds one.
    """
    with np.errstate(over="ignore"):
        squares = float(np.dot(g, g))
    if 1e-30 < squares < math.inf:
        return math.sqrt(squares)
    largest = float(np.abs(g).max(initial=0.0))
    if largest == 0.0 or not math.isfinite(largest):
        return largest
    scaled = g.astype(np.float64) / largest
    return largest * math.sqrt(float(np.dot(scaled, scaled)))


def clip_by_norm(g: Array, size: float, limit: float) -> bool:
    """Shorten g in place to the norm ``limit`` if it is longer: g · limit / ‖g‖.

    Parameters
    ----------
    g : array (n,)
        All gradients as one vector, so that its direction is kept.
    size : float
        Its norm.
    limit : float

    Returns
    -------
    bool
        Whether g was shortened.

    References
    ----------
    Pascanu, Mikolov, Bengio, *On the difficulty of training recurrent neural networks*, ICML 2013.
    """
    if size <= limit:
        return False
    np.multiply(g, g.dtype.type(limit / size), out=g)
    return True


def clip_by_value(g: Array, limit: float) -> bool:
    """Limit every element of g in place to -limit ... limit; return whether one was outside."""
    outside = bool(np.abs(g).max(initial=0.0) > limit)
    if outside:
        np.clip(g, -limit, limit, out=g)
    return outside
