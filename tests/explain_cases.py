"""Random networks for the tests of the explanation: nothing in them is zero, biases and a0 included."""

from __future__ import annotations

import numpy as np

from bptt.explaining.examples import Example
from bptt.explaining.explain import explain
from bptt.explaining.trace import Trace


def case(sizes: tuple[int, int, int, int, int], seed: int) -> Example:
    """Return inputs, soft targets and parameters of sizes (n_x, n_a, n_y, m, T_x)."""
    n_x, n_a, n_y, m, T_x = sizes
    rng = np.random.default_rng(seed)
    parameters = {
        "W_aa": rng.normal(size=(n_a, n_a)) / np.sqrt(n_a),
        "W_ax": rng.normal(size=(n_a, n_x)) / np.sqrt(n_x),
        "W_ya": rng.normal(size=(n_y, n_a)) / np.sqrt(n_a),
        "b_a": rng.normal(size=(n_a, 1)),
        "b_y": rng.normal(size=(n_y, 1)),
    }
    Y = rng.dirichlet(np.ones(n_y), size=(m, T_x)).transpose(2, 0, 1)
    return Example(rng.normal(size=(n_x, m, T_x)), Y, parameters, rng.normal(size=(n_a, m)))


def traced(sizes: tuple[int, int, int, int, int] = (3, 4, 2, 5, 6), seed: int = 1, **options: str) -> Trace:
    """Return the trace of a random case."""
    c = case(sizes, seed)
    return explain(c.X, c.Y, c.parameters, c.a0, **options)


def relative(mine: np.ndarray, theirs: np.ndarray) -> float:
    """Return max |mine - theirs| / max |theirs|; where theirs is rounding of 0, the difference itself."""
    scale = float(np.abs(theirs).max())
    return float(np.abs(mine - theirs).max()) / (scale if scale > 1e-12 else 1.0)
