"""The learning rate of every step: constant, or warm-up and cosine."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """The learning rate as a function of the step.

    During the first ``warm_up`` steps the rate rises linearly, ``peak · (step + 1) / warm_up``.  After them it stays
    at ``peak``, or ("cosine") falls to 0 at ``steps`` along half a cosine.

    References
    ----------
    Loshchilov, Hutter, *SGDR: stochastic gradient descent with warm restarts*, ICLR 2017.

    Examples
    --------
    >>> [round(Schedule("cosine", 1.0, 2, 6).rate(step), 2) for step in range(6)]
    [0.5, 1.0, 1.0, 0.85, 0.5, 0.15]
    """

    kind: str
    peak: float
    warm_up: int
    steps: int

    def rate(self, step: int) -> float:
        """Return the rate of a step; the first is 0."""
        if step < self.warm_up:
            return self.peak * (step + 1) / self.warm_up
        if self.kind == "constant":
            return self.peak
        done = (step - self.warm_up) / max(1, self.steps - self.warm_up)
        return self.peak * 0.5 * (1.0 + math.cos(math.pi * min(1.0, done)))
