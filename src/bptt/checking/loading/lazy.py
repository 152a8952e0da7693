"""Arrays whose shape is found by the first product they meet, and arrays that notice doubtful broadcasts."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from bptt.dims import Array


class Suspicion:
    """Counts the broadcasts that no one intends: (5, 1) with (5,) gives (5, 5).

    ``uneven`` holds the lines with operands of unlike numbers of axes, which a bias may be and a target may not, and
    with predictions that are spread over more targets than there are.
    """

    def __init__(self) -> None:
        self.count = 0
        self.uneven: set[tuple[str, int]] = set()

    def note(self, depth: int) -> None:
        """Remember the line of their code that computes at this depth."""
        frame = sys._getframe(depth + 1)
        self.uneven.add((frame.f_code.co_name, frame.f_lineno))


class Probe(np.ndarray):
    """An array that reports doubtful broadcasts, and that meets a :class:`LazyArray` on either side of a product."""

    suspicion: Suspicion | None = None
    target = False

    def __array_finalize__(self, other: Any) -> None:
        """Hand the counter on; what is taken out of targets are targets."""
        self.suspicion = getattr(other, "suspicion", None)
        self.target = getattr(other, "target", False)

    def dot(self, other: Any, out: Any = None) -> Any:
        """Multiply; a lazy operand takes its shape here."""
        return np.dot(self, other)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **kwargs: Any) -> Any:
        """Compute, and count the broadcast if both operands grew."""
        if any(isinstance(i, LazyArray) for i in inputs):
            return NotImplemented
        plain = [i.view(np.ndarray) if isinstance(i, Probe) else i for i in inputs]
        if out is not None:
            kwargs["out"] = tuple(o.view(np.ndarray) if isinstance(o, Probe) else o for o in out)
        result = getattr(ufunc, method)(*plain, **kwargs)
        if out is not None:
            return out[0] if len(out) == 1 else out
        if method == "__call__" and ufunc is not np.matmul and isinstance(result, np.ndarray):
            shapes = [np.shape(i) for i in inputs if np.ndim(i) and np.size(i) > 1]
            if len(shapes) > 1 and self.suspicion is not None:
                self.suspicion.count += result.shape not in shapes
                if len({len(s) for s in shapes}) > 1:
                    self.suspicion.note(1)
            if len(inputs) == 2 and ufunc is np.subtract and self.suspicion is not None and _spread(*inputs):
                self.suspicion.note(1)
        return _probe(result, self.suspicion)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """Compute on plain arrays; a product with a number in a matrix's place is doubtful."""
        if any(issubclass(t, LazyArray) for t in types):
            return NotImplemented
        if function is np.dot and self.suspicion is not None and any(np.ndim(a) == 0 for a in args[:2]):
            self.suspicion.count += 1
        result = super().__array_function__(function, types, args, kwargs)
        return _probe(result, self.suspicion)


def _spread(first: Any, second: Any) -> bool:
    """Tell whether one of two operands is a target of another shape than the other."""
    return any(
        getattr(i, "target", False) and np.ndim(other) > 0 and np.shape(i) != np.shape(other)
        for i, other in ((first, second), (second, first))
    )


def _probe(value: Any, suspicion: Suspicion | None) -> Any:
    if isinstance(value, np.ndarray):
        value = value.view(Probe)
        value.suspicion = suspicion
    return value


def probe(value: Any, suspicion: Suspicion) -> Any:
    """Return a copy of a value whose float arrays are probes, through lists and dicts."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return _probe(value.copy(), suspicion)
    if isinstance(value, list):
        return [probe(item, suspicion) for item in value]
    if isinstance(value, dict):
        return {key: probe(item, suspicion) for key, item in value.items()}
    return value


def marked(value: Any) -> Any:
    """Return a value with its probes, or those in its list or dict, said to be targets."""
    if isinstance(value, Probe):
        value.target = True
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        marked(item)
    return value


class LazyArray:
    """A parameter of unknown shape: a product decides what it takes, ``gives`` decides what it gives.

    Parameters
    ----------
    gives : int
        The size of its output axis.
    default : tuple of int
        The shape where something asks for it before any product.
    bias : bool
        Whether it is added: then its shape is that of the other operand, with ones where a batch is.
    make : function
        Gives the values for a shape.
    bias_rank : int
        2 for (n, 1) or (1, n), 1 for (n,).
    """

    def __init__(
        self,
        gives: int,
        default: tuple[int, ...],
        bias: bool,
        make: Callable[[tuple[int, ...]], Array],
        bias_rank: int = 2,
    ) -> None:
        self.gives, self.default, self.bias, self.make, self.bias_rank = gives, default, bias, make, bias_rank
        self.array: Array | None = None
        self.flipped = False
        self.source: LazyArray = self

    def settle(self, shape: tuple[int, ...] | None = None) -> Array:
        """Take a shape for good and return the array."""
        own = self.source
        if own.array is None:
            if shape is not None and self.flipped:
                shape = shape[::-1]
            own.array = own.make(own.default if shape is None else shape)
        return own.array.T if self.flipped else own.array

    @property
    def shape(self) -> Any:
        """Its shape; while that is open, one that knows what the array gives and settles for all else."""
        return self.settle().shape if self.source.array is not None else _LazyShape(self)

    @property
    def T(self) -> Any:
        """The transposed view, lazy as well."""
        if self.source.array is not None:
            return self.settle().T
        view = LazyArray(self.gives, self.default, self.bias, self.make, self.bias_rank)
        view.source, view.flipped = self.source, not self.flipped
        return view

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """Settle on the other operand's shape."""
        arrays = list(inputs)
        if ufunc is np.matmul:
            return np.matmul(*_multiplied(*arrays))
        others = [a for a in arrays if not isinstance(a, LazyArray)]
        for i, a in enumerate(arrays):
            if isinstance(a, LazyArray):
                arrays[i] = a.settle(a._added_to(np.shape(others[0])) if others and np.ndim(others[0]) else None)
        return getattr(ufunc, method)(*arrays, **kwargs)

    def _added_to(self, shape: tuple[int, ...]) -> tuple[int, ...] | None:
        if not self.bias:
            return shape if len(shape) == 2 else None
        if len(shape) == 1 or self.bias_rank == 1:
            return (self.gives,)
        if shape[-2] == self.gives:
            return (self.gives, 1)
        if shape[-1] == self.gives:
            return (1, self.gives)
        return None

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """Settle by the product, or by name."""
        if function is np.dot:
            return np.dot(*_multiplied(*args[:2]))
        return function(*_settled(args), **_settled(kwargs))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.settle(), name)

    def dot(self, other: Any) -> Any:
        """Multiply from the left."""
        return np.dot(*_multiplied(self, other))

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.asarray(self.settle(), dtype)

    def __getitem__(self, key: Any) -> Any:
        return self.settle()[key]

    def __len__(self) -> int:
        return len(self.settle())

    def __matmul__(self, other: Any) -> Any:
        return np.matmul(*_multiplied(self, other))

    def __rmatmul__(self, other: Any) -> Any:
        return np.matmul(*_multiplied(other, self))

    def __add__(self, other: Any) -> Any:
        return np.add(self, other)

    def __radd__(self, other: Any) -> Any:
        return np.add(other, self)

    def __mul__(self, other: Any) -> Any:
        return np.multiply(self, other)

    def __rmul__(self, other: Any) -> Any:
        return np.multiply(other, self)

    def __sub__(self, other: Any) -> Any:
        return np.subtract(self, other)

    def __neg__(self) -> Any:
        return np.negative(self.settle())


class _LazyShape:
    """The shape of an array that has none yet: asked for the axis that it gives, it answers without settling."""

    def __init__(self, of: LazyArray) -> None:
        self.of = of

    def __getitem__(self, axis: Any) -> Any:
        own = self.of
        mine = 0 if len(own.default) == 2 and own.default[0] == own.gives else len(own.default) - 1
        if not own.bias and not own.flipped and axis in (mine, mine - len(own.default)):
            return own.gives
        return own.settle().shape[axis]

    def __len__(self) -> int:
        return len(self.of.settle().shape)

    def __iter__(self) -> Any:
        return iter(self.of.settle().shape)


def _multiplied(left: Any, right: Any) -> tuple[Any, Any]:
    """Settle a lazy operand so that the product with the other one is defined."""
    if isinstance(left, LazyArray) and isinstance(right, LazyArray):
        right = right.settle()
    if isinstance(left, LazyArray):
        shape = np.shape(right)
        left = left.settle((left.gives, shape[-2] if len(shape) > 1 else shape[0]) if shape else None)
    elif isinstance(right, LazyArray):
        shape = np.shape(left)
        right = right.settle((shape[-1], right.gives) if shape else None)
    return left, right


def _settled(value: Any) -> Any:
    if isinstance(value, LazyArray):
        return value.settle()
    if isinstance(value, tuple):
        return tuple(_settled(v) for v in value)
    if isinstance(value, list):
        return [_settled(v) for v in value]
    if isinstance(value, dict):
        return {k: _settled(v) for k, v in value.items()}
    return value
