"""What a model file must hold, checked before any of it is used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bptt.dims import Array, check_finite, check_shapes
from bptt.errors import BpttError, FileError, ValueRangeError, message
from bptt.inputs import PARAMETERS
from bptt.ops import ACTIVATIONS
from bptt.training.vocabulary import Vocabulary

FORMAT = "bptt 1"


def checked_parameters(tensors: Mapping[str, Array], about: Mapping[str, Any], path: str) -> dict[str, Array]:
    """Return the parameters of a model file.

    Raises
    ------
    FileError
        If one is missing, not finite, of another type than the others, or does not fit them, or if the file is of
        another format or names no activation.
    """
    if about.get("format") != FORMAT:
        found = repr(about["format"])[:40] if "format" in about else "none"
        raise FileError(message("load", f"{path} is no bptt model: its format is {found}, {FORMAT!r} is wanted."))
    missing = [name for name in PARAMETERS if name not in tensors]
    if missing:
        raise FileError(message("load", f"{path} lacks {', '.join(missing)}: it is damaged or no model."))
    parameters = {name: np.ascontiguousarray(tensors[name]) for name in PARAMETERS}
    types = {array.dtype for array in parameters.values()}
    if len(types) != 1 or types.pop() not in (np.dtype(np.float32), np.dtype(np.float64)):
        listed = ", ".join(f"{name} {array.dtype}" for name, array in parameters.items())
        raise FileError(message("load", f"{path}: the parameters are to be all float32 or all float64: {listed}."))
    try:
        check_shapes("load", parameters)
        check_finite("load", parameters)
    except BpttError as error:
        raise FileError(message("load", f"{path} is damaged.", details=str(error).split("\n"))) from error
    if about.get("activation") not in tuple(ACTIVATIONS):
        raise FileError(
            message(
                "load", f"{path} names the activation {str(about.get('activation'))[:40]!r}; tanh or relu is wanted."
            )
        )
    return parameters


def checked_vocabulary(parameters: Mapping[str, Array], about: Mapping[str, Any], path: str) -> Vocabulary | None:
    """Return the vocabulary of a model file, or None if it has none.

    Raises
    ------
    FileError
        If it is damaged or does not have n_x = n_y characters.
    """
    if "vocabulary" not in about:
        return None
    characters = about["vocabulary"]
    n_x, n_y = parameters["W_ax"].shape[1], parameters["W_ya"].shape[0]
    if not isinstance(characters, str) or not (len(characters) == n_x == n_y):
        count = f"{len(characters)} characters" if isinstance(characters, str) else f"a {type(characters).__name__}"
        raise FileError(message("load", f"the vocabulary of {path} has {count}, but n_x={n_x} and n_y={n_y}."))
    try:
        return Vocabulary(characters)
    except ValueRangeError as error:
        raise FileError(message("load", f"the vocabulary of {path} is damaged.", details=[str(error)])) from error
