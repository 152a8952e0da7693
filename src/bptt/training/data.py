"""The data of a training: what is trained on, and what is held back to evaluate on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bptt import arrayfile
from bptt.dims import Array, check_finite, check_numeric, named_shape
from bptt.errors import DimensionError, ValueRangeError, message
from bptt.inputs import one_hot_targets
from bptt.training.batches import ArrayBatches, Batch, Batches, TextBatches, side_by_side, windows
from bptt.training.settings import Settings

DEFAULT_M, DEFAULT_T_X = 16, 64
STEPS = 20  # of an epoch, at least, where a text allows it
LARGEST_HELD_BACK = 100_000
"""Characters; a longer held-back text would tell hardly more and take longer."""


@dataclass(frozen=True)
class Data:
    """Batches to train on, and what is held back."""

    batches: Batches
    held_back: tuple[Array, Array, Array | None] | None  # X, Y, a0
    m: int  # examples in a batch of the evaluation

    def evaluation(self) -> Iterator[Batch]:
        """Go once through what is held back."""
        if self.held_back is not None:
            yield from windows(*self.held_back, self.m, self.batches.T_x)


def text_data(ids: Array, settings: Settings) -> Data:
    """Split a text: its last part is held back.

    Where the text is too short for 20 steps of the usual m = 16 and T_x = 64, fewer streams, then fewer time steps
    are taken; what the settings name is never changed.

    Parameters
    ----------
    ids : integer array (n,)
    settings : Settings

    Raises
    ------
    ValueRangeError
        If the text is too short.
    """
    held = min(int(ids.size * settings.validation), LARGEST_HELD_BACK)
    trained = ids[: ids.size - held]
    most = trained.size - 1  # predictions
    if most < 1:
        raise ValueRangeError(message("train", f"the text has {ids.size} characters; at least 2 are needed."))
    T_x = settings.T_x or min(DEFAULT_T_X, max(1, most // (settings.m or 1)))
    m = settings.m or min(DEFAULT_M, max(1, most // (STEPS * T_x)))
    batches = TextBatches(trained, m, T_x)
    if held < 2:
        return Data(batches, None, m)
    streams = min(m, max(1, held // T_x))
    X, Y = side_by_side(ids[ids.size - held - 1 :], streams)
    return Data(batches, (X, Y, None), streams)


def array_data(X: Array, Y: Array, a0: Array | None, settings: Settings) -> Data:
    """Split arrays: some random examples are held back.

    Parameters
    ----------
    X : array (n_x, examples, steps), or ids (examples, steps)
    Y : array (n_y, examples, steps), or ids (examples, steps)
    a0 : array (n_a, examples) or None
    settings : Settings

    Raises
    ------
    DimensionError, DtypeError, ValueRangeError
        If the arrays do not fit each other, or hold a NaN.
    """
    check_arrays("train", X, Y, a0)
    examples, steps = X.shape[-2:]
    held = int(examples * settings.validation)
    order = np.random.default_rng(settings.seed).permutation(examples)
    kept, back = np.sort(order[held:]), np.sort(order[:held])

    def part(chosen: Array) -> tuple[Array, Array, Array | None]:
        return X[..., chosen, :], Y[..., chosen, :], None if a0 is None else a0[:, chosen]

    m, T_x = settings.m or DEFAULT_M, settings.T_x or steps
    return Data(ArrayBatches(*part(kept), m, T_x), part(back) if held else None, m)


def check_arrays(where: str, X: Array, Y: Array, a0: Array | None) -> None:
    """Refuse arrays that are no sequences, or of which X, Y and a0 do not fit each other."""
    arrays = {"X": X, "Y": Y} | ({} if a0 is None else {"a0": a0})
    shapes = {}
    for name, array in arrays.items():
        check_numeric(where, name, array)
        wanted = (2,) if name == "a0" else (2, 3) if array.dtype.kind in "iu" else (3,)
        if array.ndim not in wanted or array.size == 0 or array.dtype.kind == "c":
            form = "(n_a, m)" if name == "a0" else f"ids (m, T_x) or numbers (n_{name.lower()}, m, T_x)"
            raise DimensionError(
                message(
                    where,
                    f"{name} is {array.dtype} with the shape {named_shape(array.shape)}; {form} is wanted"
                    + (", and not empty." if array.size == 0 else "."),
                )
            )
        shapes[name] = named_shape(array.shape)
    if X.shape[-2:] != Y.shape[-2:] or (a0 is not None and a0.shape[1] != X.shape[-2]):
        raise DimensionError(
            message(
                where,
                "X, Y and a0 disagree on m or T_x." if a0 is not None else "X and Y disagree on m or T_x.",
                operands=shapes,
                details=["X is expected as (n_x, m, T_x) or ids (m, T_x), Y as (n_y, m, T_x) or ids (m, T_x)."],
            )
        )
    check_finite(where, arrays)
    if Y.ndim == 3:
        one_hot_targets(where, Y, (Y.shape[0], Y.shape[1], Y.shape[2]))
    for name in ("X", "Y"):
        if arrays[name].ndim == 2 and int(arrays[name].min()) < 0:
            raise ValueRangeError(message(where, f"{name} holds the id {int(arrays[name].min())}; ids start at 0."))


def classes(array: Array) -> int:
    """Return the size of an input or output: its first axis, or one more than the largest id."""
    return int(array.max()) + 1 if array.ndim == 2 else array.shape[0]


def read_arrays(path: Path, where: str = "read_arrays") -> tuple[Array, Array, Array | None]:
    """Read X, Y and, where it is there, a0 from an npz file.

    Raises
    ------
    FileError
        If it is missing, empty, damaged, or holds Python objects; or if X or Y is not in it.
    """
    found = arrayfile.read_arrays(path, where, ("X", "Y"), ("a0",))
    return found["X"], found["Y"], found.get("a0")
