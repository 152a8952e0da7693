"""The embedded examples: inputs, targets and parameters of sizes that can be read whole."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bptt.dims import Array
from bptt.inputs import one_hot


@dataclass(frozen=True)
class Example:
    """What :func:`bptt.explain` takes."""

    X: Array
    Y: Array
    parameters: dict[str, Array]
    a0: Array


def default_example() -> Example:
    """Return the example of n_x=3, n_a=4, n_y=2, m=5, T_x=6: no two sizes are equal, and nothing is zero.

    The numbers have two decimals and come from the multiples of the golden ratio, so that they are the same on
    every machine and under every version of NumPy.
    """
    n_x, n_a, n_y, m, T_x = 3, 4, 2, 5, 6
    numbers = _Golden()
    parameters = {
        "W_aa": numbers.array(n_a, n_a) / 2,  # small enough that the gradient is seen to vanish
        "W_ax": numbers.array(n_a, n_x),
        "W_ya": numbers.array(n_y, n_a),
        "b_a": numbers.array(n_a, 1) / 2,
        "b_y": numbers.array(n_y, 1) / 2,
    }
    X = numbers.array(n_x, m, T_x)
    Y = one_hot((numbers.array(m, T_x) > 0).astype(np.int64), n_y)
    return Example(X, Y, parameters, numbers.array(n_a, m) / 2)


def by_hand_example() -> Example:
    """Return the example of n_x=1, n_a=2, n_y=3, m=1, T_x=4, to follow with a pencil."""
    parameters = {
        "W_aa": np.array([[0.5, -0.4], [0.3, 0.6]]),
        "W_ax": np.array([[0.8], [-0.5]]),
        "W_ya": np.array([[1.0, -0.5], [-0.6, 0.9], [0.2, 0.4]]),
        "b_a": np.array([[0.1], [-0.1]]),
        "b_y": np.array([[0.2], [-0.1], [0.1]]),
    }
    X = np.array([[[1.0, -0.5, 0.2, 0.7]]])
    return Example(X, one_hot(np.array([[0, 1, 2, 1]]), 3), parameters, np.array([[0.2], [-0.3]]))


EXAMPLES = {"default": default_example, "by hand": by_hand_example}


class _Golden:
    """Numbers of size 0.2 to 0.9 and either sign, in even hundredths, spread evenly by the golden ratio."""

    def __init__(self) -> None:
        self.k = 0

    def array(self, *shape: int) -> Array:
        """Return the next numbers in the shape."""
        return np.array([self.number() for _ in range(math.prod(shape))]).reshape(shape)

    def number(self) -> float:
        self.k += 1
        spread = math.fmod(self.k * (self.k + 1) / 2 * (math.sqrt(5) - 1) / 2, 1.0)  # 0 to 1
        even = 2 * round(35 * abs(2 * spread - 1)) + 20
        return math.copysign(even, spread - 0.5) / 100
