"""A tape of the person's forward pass, and its replay backwards.

Every number that the forward computes gets an id of its own, once and for ever; each memory cell holds the id of
the number that lies there now.  A slice, a transpose, a reshape or a write through any of them moves ids and needs
no derivative; only arithmetic is taped.  So views, buffers written in place and copies cannot be missed: they share
memory, and memory is what is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bptt.dims import Array

Vjp = Callable[[Array], Array]
"""Takes the adjoint of an operation's result, returns the part that one operand gets, in the operand's shape."""


@dataclass
class Operation:
    """One arithmetic operation, as executed."""

    site: int
    name: str
    value: Array
    out: Array
    """Ids of the result's numbers."""
    inputs: list[tuple[Array, Vjp]]
    """For each operand: the ids of its numbers, and its derivative."""
    operands: list[Array]
    parts: list[Array] | None = None
    """After :meth:`Tape.replay`: what each operand got."""


class Tape:
    """Ids for numbers, and the operations between them."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.place_of: Callable[[int], int] = lambda site: site
        self.bare_site: dict[int, int] = {}
        """An operation in a chain of calls -> the operation."""
        self.count = 1  # id 0 is every constant
        self.adjoint: Array = np.zeros(1)
        self.lost: list[tuple[int, str]] = []
        """Where values went through something that cannot be traced: (site, what)."""
        self.sampled: list[tuple[int, str]] = []
        """Where a function's derivative was taken numerically: (site, name)."""
        self.leaves: list[tuple[int, Array]] = []
        """Arrays that no operation made, each with its first id."""
        self.names: dict[int, str] = {}
        """First id of a value -> the first name that the program gave it."""
        self._roots: dict[int, tuple[Array, Array]] = {}
        self._scalars: dict[int, tuple[Any, int]] = {}

    def ids(self, value: Any) -> Array | None:
        """Return the ids of a value's numbers, in its shape; None for what holds no real numbers."""
        if isinstance(value, np.ndarray):
            return self._array_ids(value)
        if isinstance(value, float):  # np.float64 is one
            return np.array(self._scalars.get(id(value), (None, 0))[1])
        if isinstance(value, np.floating):
            return np.array(self._scalars.get(id(value), (None, 0))[1])
        if isinstance(value, bool | int | np.integer):
            return np.array(0)
        return None

    def _array_ids(self, value: Array) -> Array | None:
        if value.dtype.kind != "f":
            return np.zeros(value.shape, dtype=np.int64) if value.dtype.kind in "iub" else None
        root = _root(value)
        held = self._roots.get(id(root))
        if held is None:
            flat = np.arange(self.count, self.count + root.size, dtype=np.int64)
            self.leaves.append((self.count, root))
            self.count += root.size
            self._roots[id(root)] = held = (root, flat)
        return _aligned(value, root, held[1])

    def known(self, value: Any) -> bool:
        """Tell whether the numbers of a value have been seen (and are not all constants)."""
        if isinstance(value, np.ndarray):
            return value.dtype.kind == "f" and id(_root(value)) in self._roots
        return isinstance(value, float | np.floating) and id(value) in self._scalars

    def made_here(self, value: Array) -> None:
        """Register a fresh result, so that it is no leaf."""
        root = _root(value)
        if id(root) not in self._roots:
            self._roots[id(root)] = (root, np.zeros(root.size, dtype=np.int64))

    def put(self, value: Any, ids: Array) -> None:
        """Say which numbers lie in a value now: a fresh result, a copy, or a write into an old buffer."""
        if isinstance(value, np.ndarray):
            if value.dtype.kind == "f":
                self.made_here(value)
                own = self._array_ids(value)
                if own is not None:
                    own[...] = ids
        elif isinstance(value, float | np.floating):
            self._scalars[id(value)] = (value, int(np.asarray(ids).reshape(-1)[0]))

    def fresh(self, shape: tuple[int, ...]) -> Array:
        """Return new ids."""
        size = int(np.prod(shape, dtype=np.int64))
        ids = np.arange(self.count, self.count + size, dtype=np.int64).reshape(shape)
        self.count += size
        return ids

    def record(self, site: int, name: str, result: Any, operands: Sequence[Any], vjps: Sequence[Vjp | None]) -> None:
        """Tape one operation: its result gets new ids."""
        inputs, kept = [], []
        for operand, vjp in zip(operands, vjps, strict=True):
            ids = self.ids(operand)
            if ids is None or vjp is None or not ids.any():
                continue
            inputs.append((ids.copy(), vjp))
            kept.append(np.array(operand))
        shape = np.shape(result)
        if not inputs:
            self.put(result, np.zeros(shape, dtype=np.int64))
            return
        out = self.fresh(shape)
        self.put(result, out)
        value = np.array(result)
        self.operations.append(Operation(self.place_of(site), name, value, out, inputs, kept))

    def replay(self, result: Any) -> None:
        """Fill ``adjoint``: the derivative of one scalar by every number that has an id."""
        ids = self.ids(result)
        self.adjoint = np.zeros(self.count)
        if ids is None or ids.size != 1:
            return
        self.adjoint[ids.reshape(-1)[0]] = 1.0
        self.adjoint, parts = self.pulled_back(self.adjoint)
        for k, operation in enumerate(self.operations):
            operation.parts = parts.get(k)
        self.operations = [operation for operation in self.operations if operation.parts is not None]

    def pulled_back(self, above: Array) -> tuple[Array, dict[int, list[Array]]]:
        """Return what some numbers' derivatives make of all the numbers before them.

        Parameters
        ----------
        above : ndarray, (ids,)
            The derivative by each number, without what comes to it through others.

        Returns
        -------
        adjoint : ndarray, (ids,)
        parts : dict of int to list of ndarray
            What each operand of an operation gets, for the operations that go into those numbers.
        """
        adjoint = above.copy()
        adjoint[0] = 0.0
        reached = adjoint != 0
        parts: dict[int, list[Array]] = {}
        with np.errstate(all="ignore"):
            for k in range(len(self.operations) - 1, -1, -1):
                operation = self.operations[k]
                if not reached[operation.out].any():
                    continue  # it does not go into the result: a backward pass in the same function
                parts[k] = []
                for ids, vjp in operation.inputs:
                    part = folded(np.asarray(vjp(adjoint[operation.out]), dtype=float), ids.shape)
                    parts[k].append(part)
                    np.add.at(adjoint, ids.reshape(-1), part.reshape(-1))
                    reached[ids] = True
                adjoint[0] = 0.0
                reached[0] = False
        return adjoint, parts

    def adjoint_of(self, value: Any) -> Array | None:
        """Return dJ/d(value) as it lies now, in its shape."""
        ids = self.ids(value)
        return None if ids is None else self.adjoint[ids]


def _root(value: Array) -> Array:
    while isinstance(value.base, np.ndarray):
        value = value.base
    return value


def _aligned(value: Array, root: Array, flat: Array) -> Array:
    """Return the ids under a view: the same cells of memory, found by address."""
    if value.size == 0:
        return np.zeros(value.shape, dtype=np.int64)
    start = value.__array_interface__["data"][0] - root.__array_interface__["data"][0]
    size, item = flat.itemsize, root.itemsize
    strides = tuple(s * size // item for s in value.strides)
    return np.ndarray(value.shape, np.int64, buffer=flat, offset=start * size // item, strides=strides)


def folded(part: Array, shape: tuple[int, ...]) -> Array:
    """Sum what broadcasting repeated."""
    if part.shape == shape:
        return part
    while part.ndim > len(shape):
        part = part.sum(axis=0)
    for axis, n in enumerate(shape):
        if n == 1 and part.shape[axis] != 1:
            part = part.sum(axis=axis, keepdims=True)
    return np.broadcast_to(part, shape)
