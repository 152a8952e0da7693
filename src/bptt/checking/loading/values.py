"""Random weights, and numbers made of what a program gives."""

from __future__ import annotations

from typing import Any

import numpy as np

from bptt.dims import Array


def random_weights(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Return weights large enough to matter and small enough not to saturate."""
    wide = min(1.0, 10 / max(shape, default=1)) ** 0.5
    return np.asarray(rng.normal(size=shape) * (0.5 * wide if len(shape) else 0.6))


def weighted(weights: Any, value: Any) -> Any:
    """Return the sum of a value's numbers, each times its weight, through lists and dicts."""
    if isinstance(weights, list):
        return sum(weighted(w, v) for w, v in zip(weights, value, strict=True))
    if isinstance(weights, dict):
        return sum(weighted(weights[k], value[k]) for k in weights)
    return np.sum(weights * value)


def as_number(value: Any) -> Any:
    """Return a cost as they gave it; an array of one element as a number."""
    if isinstance(value, list | tuple) and len(value) == 1:
        return as_number(value[0])
    return value.reshape(()) if isinstance(value, np.ndarray) and value.size == 1 and value.ndim else value
