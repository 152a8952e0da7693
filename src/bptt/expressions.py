"""Typed expressions over named dimensions: the one form from which every text, value and shape is made.

An expression knows the *names* of its dimensions, so ``W_ya @ dz_y`` with W_ya (n_y, n_a) and dz_y (n_y, m) is
refused when it is built, at any size, while ``W_ya.T @ dz_y`` stands.  This module knows no network: it computes
with whatever symbols it is given.  :mod:`bptt.notation` writes expressions out.

Examples
--------
>>> W_ya, dz_y = symbol("W_ya", "n_y", "n_a"), symbol("dz_y", "n_y", "m")
>>> (W_ya.T @ dz_y).dims
('n_a', 'm')
>>> W_ya @ dz_y
Traceback (most recent call last):
    ...
bptt.errors.DimensionError: matmul: the inner dimensions differ: W_ya has n_a where dz_y has n_y.
  W_ya  (n_y, n_a)
  dz_y  (n_y, m)
  A product (p, q) · (q, r) sums over q, which both must share.
  W_ya.T @ dz_y fits: (n_a, n_y) · (n_y, m) → (n_a, m).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bptt.dims import Array, Dims, wanted_shape
from bptt.errors import DimensionError, ValueRangeError, message


@dataclass(frozen=True)
class Expression:
    """A node: an operation on other nodes, or a symbol, or a constant.

    Attributes
    ----------
    op : str
        "symbol", "const", "transpose", "matmul", "add", "sub", "mul", "div", "xlogy", "sum", "softmax", "diag", or
        one of the elementwise functions "neg", "tanh", "relu", "step", "square".
    dims : tuple of str or int
        The named dimensions of the value; a number is a size that has no name (the 1 of a bias).
    args : tuple of Expression
    name : str
        Of a symbol.
    axis : str
        The dimension that "sum" and "softmax" work along.
    keepdims : bool
        Whether "sum" leaves an axis of size 1.
    value : float
        Of a constant.
    """

    op: str
    dims: Dims
    args: tuple[Expression, ...] = ()
    name: str = ""
    axis: str = ""
    keepdims: bool = False
    value: float = 0.0

    @property
    def T(self) -> Expression:
        """The transpose: (p, q) becomes (q, p)."""
        if len(self.dims) != 2:
            raise _misfit("transpose", "a matrix of two axes is wanted.", self)
        return Expression("transpose", self.dims[::-1], (self,))

    def __matmul__(self, other: Expression) -> Expression:
        """Build the matrix product; the inner dimensions must have one name."""
        return matmul(self, other)

    def __add__(self, other: Expression | float) -> Expression:
        """Build the elementwise sum."""
        return _elementwise("add", self, other)

    def __sub__(self, other: Expression | float) -> Expression:
        """Build the elementwise difference."""
        return _elementwise("sub", self, other)

    def __mul__(self, other: Expression | float) -> Expression:
        """Build the elementwise product ⊙, never a matrix product."""
        return _elementwise("mul", self, other)

    def __truediv__(self, other: Expression | float) -> Expression:
        """Build the elementwise quotient."""
        return _elementwise("div", self, other)

    def __rsub__(self, other: float) -> Expression:
        """Build number - expression."""
        return _elementwise("sub", const(other), self)

    def __rmul__(self, other: float) -> Expression:
        """Build number · expression."""
        return _elementwise("mul", const(other), self)

    def __neg__(self) -> Expression:
        """Build the negative."""
        return Expression("neg", self.dims, (self,))

    def __str__(self) -> str:
        """Return it as NumPy would be written, for messages."""
        from bptt.notation import numpy_code

        return numpy_code(self)

    def symbols(self) -> tuple[Expression, ...]:
        """Return the symbols, each once, in the order of reading."""
        return tuple(dict.fromkeys(node for node in self.nodes() if node.op == "symbol"))

    def nodes(self) -> Iterator[Expression]:
        """Yield this node and all under it, in the order of reading."""
        yield self
        for arg in self.args:
            yield from arg.nodes()

    def evaluate(self, values: Mapping[str, Any]) -> Array:
        """Return the value, with an array (or number) for each symbol's name.

        Raises
        ------
        DimensionError
            If a symbol has no value, or a value does not have the symbol's axes.
        """
        return _evaluate(self, values)

    def to_json(self) -> dict[str, Any]:
        """Return the plain data that the page evaluates; every node carries its dims."""
        node: dict[str, Any] = {"op": self.op, "dims": list(self.dims)}
        if self.op == "symbol":
            node["name"] = self.name
        if self.op == "const":
            node["value"] = self.value
        if self.axis:
            node["axis"] = self.axis
        if self.op == "sum":
            node["keepdims"] = self.keepdims
        if self.args:
            node["args"] = [arg.to_json() for arg in self.args]
        return node


# ------------------------------------------------------------------------------------------------ building


def symbol(name: str, *dims: str | int) -> Expression:
    """Return a named tensor, for example ``symbol("W_ya", "n_y", "n_a")``; without dims it is a scalar."""
    return Expression("symbol", dims, name=name)


def const(value: float) -> Expression:
    """Return a number."""
    return Expression("const", (), value=value)


def matmul(left: Expression, right: Expression) -> Expression:
    """Return the matrix product, (p, q) · (q, r) → (p, r)."""
    if len(left.dims) != 2 or len(right.dims) != 2:
        raise _misfit("matmul", "both operands must be matrices; * is the elementwise product.", left, right)
    if left.dims[1] != right.dims[0]:
        raise _misfit(
            "matmul",
            f"the inner dimensions differ: {left} has {left.dims[1]} where {right} has {right.dims[0]}.",
            left,
            right,
            details=["A product (p, q) · (q, r) sums over q, which both must share."],
            hint=_transposed_fit(left, right),
        )
    return Expression("matmul", (left.dims[0], right.dims[1]), (left, right))


def tanh(x: Expression) -> Expression:
    """Return tanh(x), elementwise."""
    return Expression("tanh", x.dims, (x,))


def relu(x: Expression) -> Expression:
    """Return max(x, 0), elementwise."""
    return Expression("relu", x.dims, (x,))


def step(x: Expression) -> Expression:
    """Return 1 where x > 0 and 0 elsewhere."""
    return Expression("step", x.dims, (x,))


def square(x: Expression) -> Expression:
    """Return x², elementwise."""
    return Expression("square", x.dims, (x,))


def xlogy(x: Expression, y: Expression) -> Expression:
    """Return x log y, elementwise, which is 0 where x is 0, whatever y is."""
    return _elementwise("xlogy", x, y)


def total(x: Expression, axis: str, keepdims: bool = False) -> Expression:
    """Return the sum over a named dimension; with ``keepdims`` an axis of size 1 stays."""
    _has_axis("sum", x, axis)
    kept: tuple[str | int, ...] = (1,) if keepdims else ()
    place = x.dims.index(axis)
    dims = x.dims[:place] + kept + x.dims[place + 1 :]
    return Expression("sum", dims, (x,), axis=axis, keepdims=keepdims)


def softmax(x: Expression, axis: str) -> Expression:
    """Return exp(x) / Σ exp(x), the sum running along a named dimension."""
    _has_axis("softmax", x, axis)
    return Expression("softmax", x.dims, (x,), axis=axis)


def diag(x: Expression) -> Expression:
    """Return the (p, p) matrix with the column x (p, 1) on its diagonal."""
    if len(x.dims) != 2 or x.dims[1] != 1:
        raise _misfit("diag", "one column (p, 1) is wanted.", x)
    return Expression("diag", (x.dims[0], x.dims[0]), (x,))


def _elementwise(op: str, left: Expression, other: Expression | float) -> Expression:
    right = other if isinstance(other, Expression) else const(float(other))
    if not left.dims or not right.dims:
        return Expression(op, left.dims or right.dims, (left, right))
    if len(left.dims) != len(right.dims):
        raise _misfit(op, "the operands have different numbers of axes.", left, right)
    dims: list[str | int] = []
    for a, b in zip(left.dims, right.dims, strict=True):
        if a != b and 1 not in (a, b):
            wrong = f"elementwise, axis for axis: {left} has {a} where {right} has {b}."
            raise _misfit(op, wrong, left, right, hint=_transposed_fit(left, right) if op == "mul" else "")
        dims.append(b if a == 1 else a)
    args = (*left.args, right) if op == "add" and left.op == "add" else (left, right)  # a + b + c is one sum
    return Expression(op, tuple(dims), args)


def _has_axis(op: str, x: Expression, axis: str) -> None:
    if axis not in x.dims:
        raise _misfit(op, f"{x} has no dimension {axis}.", x)


def _misfit(
    op: str, wrong: str, *operands: Expression, details: list[str] | None = None, hint: str = ""
) -> DimensionError:
    shapes = {str(operand): wanted_shape(operand.dims, {}) for operand in operands}
    return DimensionError(message(op, wrong, operands=shapes, details=details or [], hint=hint))


def _transposed_fit(left: Expression, right: Expression) -> str:
    """Name the transposes that would make a product fit, where one or two do."""
    for a, b in ((left.T, right), (left, right.T), (left.T, right.T)):
        if a.dims[1] == b.dims[0]:
            shapes = [wanted_shape(dims, {}) for dims in (a.dims, b.dims, (a.dims[0], b.dims[1]))]
            return f"{a} @ {b} fits: {shapes[0]} · {shapes[1]} → {shapes[2]}."
    return ""


# ---------------------------------------------------------------------------------------------- evaluating


_OPERATIONS: dict[str, Callable[..., Any]] = {
    "transpose": np.transpose,
    "matmul": np.matmul,
    "add": lambda *x: sum(x[1:], x[0]),
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "xlogy": lambda x, y: x * np.log(np.where(x == 0, 1, y)),
    "neg": np.negative,
    "tanh": np.tanh,
    "relu": lambda x: np.where(x.real > 0, x, 0),
    "step": lambda x: (x.real > 0).astype(np.float64),
    "square": np.square,
    "diag": np.diagflat,
}


def _evaluate(node: Expression, values: Mapping[str, Any]) -> Array:
    if node.op == "symbol":
        return _value(node, values)
    if node.op == "const":
        return np.asarray(node.value)
    args = [_evaluate(arg, values) for arg in node.args]
    if not node.axis:
        return np.asarray(_OPERATIONS[node.op](*args))
    x, axis = args[0], node.args[0].dims.index(node.axis)
    if node.op == "sum":
        return np.asarray(x.sum(axis=axis, keepdims=node.keepdims))
    e = np.exp(x - x.real.max(axis=axis, keepdims=True))  # the shift keeps the exponential of softmax from overflowing
    return np.asarray(e / e.sum(axis=axis, keepdims=True))


def _value(node: Expression, values: Mapping[str, Any]) -> Array:
    if node.name not in values:
        raise ValueRangeError(message("evaluate", f"{node.name} has no value.", operands={node.name: str(node.dims)}))
    value = np.asarray(values[node.name])
    fits = value.ndim == len(node.dims) and all(
        size == dim for size, dim in zip(value.shape, node.dims, strict=True) if isinstance(dim, int)
    )
    if not fits:
        raise DimensionError(
            message(
                "evaluate",
                f"the value of {node.name} does not have its axes.",
                operands={"wanted": wanted_shape(node.dims, {}), "given": str(value.shape)},
            )
        )
    return value
