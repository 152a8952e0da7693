"""Sampling: draw what comes next, one step at a time, and feed it back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bptt.dims import Array
from bptt.errors import ValueRangeError, message
from bptt.fused import cell
from bptt.inputs import Parameters
from bptt.ops import Activation
from bptt.training.vocabulary import Vocabulary

BLOCK = 256
"""Steps for which chance is drawn at once."""


@dataclass(frozen=True)
class Choice:
    """How the next id is chosen from the logits.

    Parameters
    ----------
    temperature : float
        Divides the logits: below 1 safer, above 1 wilder.
    top_k : int, optional
        Choose among the k most probable only.
    top_p : float, optional
        Choose among the fewest whose probabilities reach p only (at this temperature; after top_k).
    greedy : bool
        Always take the most probable one.

    References
    ----------
    Holtzman et al., *The curious case of neural text degeneration*, ICLR 2020 (top-p).
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    greedy: bool = False

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        wrong = ""
        if not 0 < self.temperature < float("inf"):
            wrong = f"temperature is {self.temperature!r}; a number above 0 is wanted (greedy is the limit 0)."
        elif self.top_k is not None and self.top_k < 1:
            wrong = f"top_k is {self.top_k!r}; at least 1 is wanted."
        elif self.top_p is not None and not 0 < self.top_p <= 1:
            wrong = f"top_p is {self.top_p!r}; a number above 0 and at most 1 is wanted."
        if wrong:
            raise ValueRangeError(message("sample", wrong))


def generate(
    parameters: Parameters,
    prime: Array,
    choice: Choice,
    rng: np.random.Generator,
    activation: Activation = "tanh",
) -> Iterator[int]:
    """Yield ids without end, each drawn from softmax(W_ya a_t + b_y) and fed back as the next input.

    To draw from a softmax is to take the largest of logits + noise, where the noise is Gumbel's: -log of a standard
    exponential number.  The noise of many steps is drawn at once, so that a step is two products, two sums, a tanh
    and an argmax.

    Parameters
    ----------
    parameters : mapping
        W_aa (n_a, n_a), W_ax (n_a, n), W_ya (n, n_a), b_a (n_a, 1), b_y (n, 1).
    prime : integer array (steps,)
        Ids that are read first; at least one.
    choice : Choice
    rng : numpy.random.Generator
    activation : {"tanh", "relu"}

    References
    ----------
    Gumbel, *Statistical theory of extreme values and some practical applications*, 1954.
    """
    dtype = parameters["W_aa"].dtype.type
    scale = dtype(1.0 if choice.greedy else 1.0 / choice.temperature)
    scaled = {**parameters, "W_ya": parameters["W_ya"] * scale, "b_y": parameters["b_y"] * scale}
    advance = cell(scaled, activation)
    a = np.zeros(len(parameters["W_aa"]), dtype)
    for i in prime.tolist():
        a, z_y = advance(i, a)
    restricted = not choice.greedy and (choice.top_k is not None or choice.top_p is not None)
    while True:
        for noise in gumbel(rng, BLOCK, z_y.size, dtype, choice.greedy):
            if restricted:
                keep_probable(z_y, choice)
            z_y += noise
            i = int(z_y.argmax())
            yield i
            a, z_y = advance(i, a)


def prime_ids(prime: str | Array, n: int, vocabulary: Vocabulary | None, rng: np.random.Generator) -> Array:
    r"""Return what the model reads first as ids: the prime, or ``\n``, or a random id where it knows no ``\n``.

    Raises
    ------
    ValueRangeError
        If the model does not know a character or an id of the prime.
    """
    if vocabulary is not None and isinstance(prime, str):
        start = "\n" if "\n" in vocabulary.characters else vocabulary.decode([int(rng.integers(n))])
        return vocabulary.encode(prime or start, "sample")
    ids = np.atleast_1d(np.asarray(prime if len(prime) else [int(rng.integers(n))]))
    if ids.dtype.kind not in "iu" or ids.ndim != 1 or ids.min() < 0 or ids.max() >= n:
        raise ValueRangeError(
            message("sample", f"prime is {prime!r}; whole numbers from 0 to {n - 1} are wanted."[:200])
        )
    return ids


def gumbel(rng: np.random.Generator, rows: int, n: int, dtype: type[np.floating], none: bool) -> Array:
    """Return Gumbel noise (rows, n), or zeros where none is wanted."""
    if none:
        return np.zeros((rows, n), dtype)
    noise = np.maximum(rng.standard_exponential((rows, n), dtype=dtype), np.finfo(dtype).tiny)
    return np.negative(np.log(noise, out=noise), out=noise)


def keep_probable(z: Array, choice: Choice) -> None:
    """Set the logits of what may not be chosen to -infinity, in place; ties are kept in the order of the ids."""
    order = np.argsort(-z, kind="stable")
    kept = z.size if choice.top_k is None else min(choice.top_k, z.size)
    if choice.top_p is not None and choice.top_p < 1:
        p = np.exp(z[order[:kept]] - z[order[0]])
        reached = np.cumsum(p) / p.sum()
        kept = min(kept, int(np.searchsorted(reached, choice.top_p)) + 1)
    z[order[kept:]] = -np.inf
