"""Problems that the tests share: pairwise different sizes, nothing zero that could hide a fault."""

from __future__ import annotations

from typing import Any

import numpy as np

SIZES = [  # (n_x, n_a, n_y, m, T_x)
    (3, 5, 2, 7, 4),
    (2, 3, 5, 1, 6),  # m = 1
    (5, 4, 3, 2, 1),  # T_x = 1
    (4, 2, 3, 1, 1),
    (1, 4, 2, 3, 5),  # n_x = 1
    (3, 1, 2, 4, 6),  # n_a = 1
    (6, 7, 3, 5, 2),
]

Problem = dict[str, Any]


def draw(
    sizes: tuple[int, int, int, int, int], seed: int = 0, dtype: type = np.float64, ids: bool = False, soft: bool = True
) -> Problem:
    """Draw parameters, X, Y and a0, all non-zero, at the given sizes."""
    n_x, n_a, n_y, m, T_x = sizes
    rng = np.random.default_rng(seed)
    parameters = {
        "W_aa": rng.normal(size=(n_a, n_a)) / n_a**0.5,
        "W_ax": rng.normal(size=(n_a, n_x)) / n_x**0.5,
        "W_ya": rng.normal(size=(n_y, n_a)),
        "b_a": rng.normal(size=(n_a, 1)),
        "b_y": rng.normal(size=(n_y, 1)),
    }
    parameters = {name: value.astype(dtype) for name, value in parameters.items()}
    X = rng.integers(0, n_x, (m, T_x)) if ids else rng.normal(size=(n_x, m, T_x)).astype(dtype)
    Y = rng.random((n_y, m, T_x)) + 0.05
    Y = (Y / Y.sum(axis=0)).astype(dtype) if soft else rng.integers(0, n_y, (m, T_x))
    return {"parameters": parameters, "X": X, "Y": Y, "a0": rng.normal(size=(n_a, m)).astype(dtype)}
