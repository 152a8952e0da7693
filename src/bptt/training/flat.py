"""Several named tensors in one buffer, so that an optimizer works on one array in place."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bptt.dims import Array


class FlatTensors:
    """Named tensors that are views of one flat array.

    Parameters
    ----------
    tensors : mapping of str to array
        Copied, one after the other; all of one floating type.

    Attributes
    ----------
    values : array (n,)
        All elements.  What changes here changes in the views.
    views : dict of str to array
        The tensors under their names and shapes.

    Examples
    --------
    >>> flat = FlatTensors({"W": np.zeros((2, 3)), "b": np.ones((2, 1))})
    >>> flat.values.shape, flat.views["b"].shape
    ((8,), (2, 1))
    """

    def __init__(self, tensors: Mapping[str, Array]) -> None:
        self.values: Array = np.empty(sum(array.size for array in tensors.values()), np.result_type(*tensors.values()))
        self.views: dict[str, Array] = {}
        start = 0
        for name, array in tensors.items():
            view = self.values[start : start + array.size].reshape(array.shape)
            view[...] = array
            self.views[name] = view
            start += array.size

    def like(self) -> FlatTensors:
        """Return zeros under the same names and shapes."""
        return FlatTensors({name: np.zeros_like(view) for name, view in self.views.items()})

    def fill(self, tensors: Mapping[str, Array], prefix: str = "") -> None:
        """Copy the elements of tensors, each named with the prefix before its name here."""
        for name, view in self.views.items():
            view[...] = tensors[prefix + name]
