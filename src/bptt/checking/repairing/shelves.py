"""Where enumerated expressions stand: those of one shape together, as the rows of a matrix."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bptt.checking.repairing.terms import Term
from bptt.dims import Array

Shape = tuple[int, ...]


@dataclass
class Shelf:
    """The terms of one shape, cheapest first, no two of equal value."""

    shape: Shape
    terms: list[Term] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    rows: list[Array] = field(default_factory=list)
    _matrix: Array | None = None

    def matrix(self) -> Array:
        """Return the values, a row a term."""
        if self._matrix is None or len(self._matrix) != len(self.terms):
            self._matrix = np.stack(self.rows)
        return self._matrix

    def result(self, other: Shelf) -> int:
        """Return how many axes a product of matrices or vectors of two shelves has."""
        axes = (len(self.shape), len(other.shape))
        return 2 if axes in ((2, 2), (1, 1)) else 1 if axes in ((1, 2), (2, 1)) else 0
