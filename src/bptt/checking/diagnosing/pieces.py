"""Gradients in pieces: the gates that are stacked in one matrix, the weights that lie in one vector, one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bptt.checking.diagnosing.verdict import right_gradients
from bptt.checking.tracing.numeric import RIGHT
from bptt.dims import Array

FLAT = 24
"""The length of a vector that all weights lie in, at least."""
IN_PIECES = 12
"""So many pieces of such a vector are looked at."""
STACKED = 8
"""The length of an axis that gates are stacked along, at least."""


class Pieces:
    """How the gradients of one program are cut.

    Parameters
    ----------
    true : sequence of dict of str to array
        The true gradients, at each of the sizes that are looked at: a gradient is cut alike at all of them.
    """

    def __init__(self, true: Sequence[Mapping[str, Array]]) -> None:
        self.true = true
        self._cuts: dict[str, tuple[int, int]] = {}

    def clear(self) -> None:
        """Cut anew: there is another size."""
        self._cuts.clear()

    def count(self, name: str) -> int:
        """Return the number of pieces of a gradient."""
        return self._cut(name)[1]

    def right(self, delivered: Mapping[str, Array], true: Mapping[str, Array]) -> set[tuple[str, int]]:
        """Return the pieces that are right, each by the gradient's name and its number."""
        whole = right_gradients(delivered, true)
        found = {(name, k) for name in whole for k in range(self.count(name))}
        for name, gradient in true.items():
            axis, count = self._cut(name)
            theirs = delivered.get(name)
            if name in whole or count == 1 or theirs is None or theirs.shape != gradient.shape:
                continue
            close = np.abs(theirs - gradient) <= RIGHT * np.abs(gradient).max(initial=0.0)
            found |= {(name, k) for k, piece in enumerate(np.array_split(close, count, axis)) if piece.all()}
        return found

    def _cut(self, name: str) -> tuple[int, int]:
        """Return the axis that a gradient is cut along, and the number of pieces."""
        if name not in self._cuts:
            shapes = [true[name].shape for true in self.true]
            axis = int(np.argmax(shapes[0])) if shapes[0] else 0
            lengths = [shape[axis] for shape in shapes if shape]
            if len(shapes[0]) == 1 and min(lengths) > FLAT:
                self._cuts[name] = axis, IN_PIECES
            else:
                counts = (4, 3) if min(lengths, default=0) > STACKED else ()
                even = (n for n in counts if all(length % n == 0 for length in lengths))
                self._cuts[name] = axis, next(even, 1)
        return self._cuts[name]
