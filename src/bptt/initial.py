"""Where training starts: the initialisations of the parameters."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np

from bptt.dims import Array
from bptt.errors import ValueRangeError, message

LARGEST = 2**28
"""Elements of one parameter; a gigabyte in float32.  More is refused as a mistake."""

Initialisation = Literal["orthogonal", "identity", "glorot", "torch", "normal"]


def orthogonal(rng: np.random.Generator, n: int, scale: float = 1.0) -> Array:
    """Return scale · Q, Q (n, n) orthogonal and uniformly distributed: it keeps the length of every state.

    References
    ----------
    Saxe, McClelland, Ganguli, *Exact solutions to the nonlinear dynamics of learning*, ICLR 2014.
    Mezzadri, *How to generate random matrices from the classical compact groups*, Notices AMS 54 (2007).
    """
    Q, R = np.linalg.qr(rng.normal(size=(n, n)))
    return np.asarray(scale * Q * np.sign(np.diag(R)))  # without the signs, Q would not be uniform


def glorot(rng: np.random.Generator, n_out: int, n_in: int) -> Array:
    """Return (n_out, n_in) uniform in ±sqrt(6 / (n_in + n_out)).

    References
    ----------
    Glorot, Bengio, *Understanding the difficulty of training deep feedforward neural networks*, AISTATS 2010.
    """
    limit = math.sqrt(6.0 / (n_in + n_out))
    return rng.uniform(-limit, limit, (n_out, n_in))


def initial_parameters(
    n_x: int,
    n_a: int,
    n_y: int,
    rng: np.random.Generator,
    initialisation: Initialisation = "orthogonal",
    scale: float | None = None,
    dtype: np.dtype[np.floating] | type[np.floating] = np.float32,
) -> dict[str, Array]:
    """Return the parameters of a network before training.

    Parameters
    ----------
    n_x, n_a, n_y : int
        Input, hidden and output size.
    rng : numpy.random.Generator
    initialisation : {"orthogonal", "identity", "glorot", "torch", "normal"}
        "orthogonal": W_aa = scale · Q, the others Glorot's, biases 0.  "identity": the same with W_aa = scale · 1,
        for ReLU (Le, Jaitly, Hinton, 2015).  "glorot": all weights Glorot's.  "torch": the distribution of PyTorch's
        ``nn.RNN`` and ``nn.Linear``, uniform in ±1/sqrt(n_a), b_a the sum of two such (PyTorch keeps two biases).
        "normal": weights scale · N(0, 1), biases 0.
    scale : float, optional
        1 for orthogonal and identity, 0.01 for normal; the other two have none.
    dtype : float32 or float64

    Returns
    -------
    dict
        W_aa (n_a, n_a), W_ax (n_a, n_x), W_ya (n_y, n_a), b_a (n_a, 1), b_y (n_y, 1).

    Raises
    ------
    ValueRangeError
        If a size or the type makes no sense, or if the initialisation has no such name, or takes no scale.

    Examples
    --------
    >>> {name: p.shape for name, p in initial_parameters(3, 5, 2, np.random.default_rng(0)).items()}
    {'W_aa': (5, 5), 'W_ax': (5, 3), 'W_ya': (2, 5), 'b_a': (5, 1), 'b_y': (2, 1)}
    """
    where = "initial_parameters"
    for name, size in (("n_x", n_x), ("n_a", n_a), ("n_y", n_y)):
        if not isinstance(size, int | np.integer) or isinstance(size, bool) or size < 1:
            raise ValueRangeError(message(where, f"{name} is {size!r}; a whole number from 1 on is wanted."))
    for name, size in (("W_ax", n_x * n_a), ("W_aa", n_a * n_a), ("W_ya", n_y * n_a)):
        if size > LARGEST:
            raise ValueRangeError(message(where, f"{name} would have {size:,} numbers; at most {LARGEST:,} are made."))
    if np.dtype(dtype) not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise ValueRangeError(message(where, f"dtype is {np.dtype(dtype)}; float32 or float64 is wanted."))
    if initialisation not in INITIALISATIONS:
        raise ValueRangeError(
            message(where, f"there is no initialisation {initialisation!r}; there are {', '.join(INITIALISATIONS)}.")
        )
    if scale is not None and initialisation in ("glorot", "torch"):
        raise ValueRangeError(
            message(where, f"the initialisation {initialisation!r} takes no scale: its sizes are its own.")
        )
    W_aa, W_ax, W_ya, b_a, b_y = INITIALISATIONS[initialisation](rng, n_x, n_a, n_y, scale)
    drawn = {"W_aa": W_aa, "W_ax": W_ax, "W_ya": W_ya, "b_a": b_a, "b_y": b_y}
    return {name: np.ascontiguousarray(values, dtype) for name, values in drawn.items()}


Drawn = tuple[Array, Array, Array, Array, Array]


def _orthogonal(rng: np.random.Generator, n_x: int, n_a: int, n_y: int, scale: float | None) -> Drawn:
    W_aa = orthogonal(rng, n_a, 1.0 if scale is None else scale)
    return W_aa, glorot(rng, n_a, n_x), glorot(rng, n_y, n_a), np.zeros((n_a, 1)), np.zeros((n_y, 1))


def _identity(rng: np.random.Generator, n_x: int, n_a: int, n_y: int, scale: float | None) -> Drawn:
    W_aa = (1.0 if scale is None else scale) * np.eye(n_a)
    return W_aa, glorot(rng, n_a, n_x), glorot(rng, n_y, n_a), np.zeros((n_a, 1)), np.zeros((n_y, 1))


def _glorot(rng: np.random.Generator, n_x: int, n_a: int, n_y: int, scale: float | None) -> Drawn:
    W_aa = glorot(rng, n_a, n_a)
    return W_aa, glorot(rng, n_a, n_x), glorot(rng, n_y, n_a), np.zeros((n_a, 1)), np.zeros((n_y, 1))


def _torch(rng: np.random.Generator, n_x: int, n_a: int, n_y: int, scale: float | None) -> Drawn:
    limit = 1.0 / math.sqrt(n_a)

    def uniform(*shape: int) -> Array:
        return rng.uniform(-limit, limit, shape)

    b_a = uniform(n_a, 1) + uniform(n_a, 1)
    return uniform(n_a, n_a), uniform(n_a, n_x), uniform(n_y, n_a), b_a, uniform(n_y, 1)


def _normal(rng: np.random.Generator, n_x: int, n_a: int, n_y: int, scale: float | None) -> Drawn:
    size = 0.01 if scale is None else scale
    W_aa, W_ax, W_ya = (size * rng.normal(size=shape) for shape in ((n_a, n_a), (n_a, n_x), (n_y, n_a)))
    return W_aa, W_ax, W_ya, np.zeros((n_a, 1)), np.zeros((n_y, 1))


INITIALISATIONS: dict[str, Callable[[np.random.Generator, int, int, int, float | None], Drawn]] = {
    "orthogonal": _orthogonal,
    "identity": _identity,
    "glorot": _glorot,
    "torch": _torch,
    "normal": _normal,
}
