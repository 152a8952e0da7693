"""Batches of text and of arrays, each with a cursor that a checkpoint can keep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from bptt.dims import Array
from bptt.errors import ValueRangeError, message


@dataclass(frozen=True)
class Batch:
    """What one training step sees."""

    X: Array  # ids (m, T_x), or (n_x, m, T_x)
    Y: Array  # ids (m, T_x), or (n_y, m, T_x)
    fresh: bool  # the state starts anew; if not, the last one is carried on
    a0: Array | None = None  # (n_a, m), the state to start from; None is zeros


class Batches(Protocol):
    """What the loop asks of its data: an endless row of batches, epoch after epoch."""

    m: int
    T_x: int
    steps_per_epoch: int

    def next(self, generator: np.random.Generator) -> Batch:
        """Return the next batch; chance, where an epoch needs it, comes from the generator."""

    def cursor(self) -> dict[str, int]:
        """Return the place in the data, as plain numbers."""

    def seek(self, cursor: dict[str, int], order: Array | None) -> None:
        """Go to a place."""

    def order(self) -> Array | None:
        """Return the order of the examples in this epoch, where it is part of the place."""


class TextBatches:
    """m streams through a text, side by side, T_x characters a step; the target is always the next character.

    A text of n characters is taken as a circle.  Each epoch starts at another, random, place of it, and cuts it
    into m streams of equal length; a stream's state is carried from step to step (truncated BPTT) and starts at
    zero in each epoch.

    Parameters
    ----------
    ids : integer array (n,)
    m : int
        Streams.
    T_x : int
        Characters a step: how far gradients go back.
    """

    def __init__(self, ids: Array, m: int, T_x: int) -> None:
        self.ids, self.m, self.T_x = ids, m, T_x
        self.length = (ids.size - 1) // m  # predictions of a stream in an epoch
        self.steps_per_epoch = self.length // T_x
        if self.steps_per_epoch < 1:
            raise ValueRangeError(
                message(
                    "train",
                    f"the text is too short: {ids.size} characters for m={m} streams of T_x={T_x}.",
                    details=[f"m · T_x + 1 = {m * T_x + 1} characters are needed for one step."],
                )
            )
        self._window = self.steps_per_epoch  # the next step begins an epoch
        self._start = 0
        self._streams = np.empty((0, m), ids.dtype)  # (length + 1, m), time-major: a step is one block

    def next(self, generator: np.random.Generator) -> Batch:
        """Return the next T_x characters of every stream."""
        fresh = self._window == self.steps_per_epoch
        if fresh:
            self._begin(int(generator.integers(self.ids.size)))
            self._window = 0
        t = self._window * self.T_x
        self._window += 1
        X, Y = self._streams[t : t + self.T_x], self._streams[t + 1 : t + 1 + self.T_x]
        return Batch(X.T, Y.T, fresh)

    def _begin(self, start: int) -> None:
        self._start = start
        circle = np.roll(self.ids, -start)
        self._streams = np.ascontiguousarray(
            np.lib.stride_tricks.as_strided(
                circle, (self.length + 1, self.m), (circle.itemsize, self.length * circle.itemsize), writeable=False
            )
        )

    def cursor(self) -> dict[str, int]:
        """Return where the epoch began and how many of its steps are done."""
        return {"start": self._start, "window": self._window}

    def seek(self, cursor: dict[str, int], order: Array | None = None) -> None:
        """Go to a place that :meth:`cursor` returned."""
        start, window = cursor["start"], cursor["window"]
        if not (0 <= start < self.ids.size and 0 <= window <= self.steps_per_epoch):
            raise ValueRangeError(message("resume", f"the place {cursor} is not in this text."))
        self._begin(start)
        self._window = window

    def order(self) -> None:
        """Return nothing: the streams follow the text."""


class ArrayBatches:
    """Sequences in arrays, m at a time in a random order, T_x steps of each at a time.

    Parameters
    ----------
    X : array (n_x, examples, steps), or ids (examples, steps)
    Y : array (n_y, examples, steps), or ids (examples, steps)
    a0 : array (n_a, examples) or None
        The state that each sequence starts from; None is zeros.
    m : int
        Sequences a batch; the few left at an epoch's end are left out of it.
    T_x : int
        Steps at a time; where a sequence is longer, its state is carried on (truncated BPTT).
    """

    def __init__(self, X: Array, Y: Array, a0: Array | None, m: int, T_x: int) -> None:
        self.X, self.Y, self.a0 = X, Y, a0
        self.examples, self.steps = X.shape[-2:]
        self.m, self.T_x = min(m, self.examples), min(T_x, self.steps)
        self.windows = -(-self.steps // self.T_x)
        self.steps_per_epoch = (self.examples // self.m) * self.windows
        self._done = self.steps_per_epoch  # the next step begins an epoch
        self._order = np.arange(self.examples)

    def next(self, generator: np.random.Generator) -> Batch:
        """Return the next T_x steps of m sequences."""
        if self._done == self.steps_per_epoch:
            self._order = generator.permutation(self.examples)
            self._done = 0
        group, window = divmod(self._done, self.windows)
        self._done += 1
        chosen = self._order[group * self.m : (group + 1) * self.m]
        return take(self.X, self.Y, self.a0, chosen, window * self.T_x, self.T_x)

    def cursor(self) -> dict[str, int]:
        """Return how many steps of the epoch are done."""
        return {"done": self._done}

    def seek(self, cursor: dict[str, int], order: Array | None = None) -> None:
        """Go to a place that :meth:`cursor` and :meth:`order` returned."""
        done = cursor["done"]
        fits = order is not None and np.array_equal(np.sort(order), np.arange(self.examples))
        if not (fits and 0 <= done <= self.steps_per_epoch):
            raise ValueRangeError(message("resume", f"the place {cursor} is not in these arrays."))
        self._done, self._order = done, np.asarray(order)

    def order(self) -> Array:
        """Return the order of the examples in this epoch."""
        return self._order


def take(X: Array, Y: Array, a0: Array | None, chosen: Array, start: int, T_x: int) -> Batch:
    """Return some examples' steps from ``start`` on as a batch."""
    part = (..., chosen, slice(start, start + T_x))
    first = start == 0
    return Batch(X[part], Y[part], first, a0[:, chosen] if first and a0 is not None else None)


def windows(X: Array, Y: Array, a0: Array | None, m: int, T_x: int) -> Iterator[Batch]:
    """Go once through all examples in their order, as batches; for evaluation."""
    examples, steps = X.shape[-2:]
    for first in range(0, examples, m):
        chosen = np.arange(first, min(first + m, examples))
        for start in range(0, steps, T_x):
            yield take(X, Y, a0, chosen, start, T_x)


def side_by_side(ids: Array, m: int) -> tuple[Array, Array]:
    """Cut a text into m streams of equal length: X and the next characters Y, both ids (m, length)."""
    length = (ids.size - 1) // m
    X = ids[: m * length].reshape(m, length)
    return X, ids[1 : m * length + 1].reshape(m, length)


def as_json(cursor: Any, where: str) -> dict[str, int]:
    """Return a cursor that was read from a file, or refuse it."""
    if not isinstance(cursor, dict) or not all(type(value) is int for value in cursor.values()):
        raise ValueRangeError(message(where, f"the data cursor {str(cursor)[:80]} is damaged."))
    return cursor
