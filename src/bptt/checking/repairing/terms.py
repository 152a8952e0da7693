"""Expressions over a person's variables, evaluated at several executions of one statement at once.

Each distinct expression is one :class:`Term`, so that no value is computed twice: an edit deep inside a statement
evaluates anew only the way from there to the top.  Values of all executions are stacked along leading axes, and one
NumPy call computes them all.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bptt.dims import Array


@dataclass(frozen=True, slots=True)
class Stack:
    """Numbers of one shape at every execution: ``data`` is (executions, *shape), or (fills, executions, *shape)."""

    data: Array
    ndim: int

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape at one execution."""
        return self.data.shape[self.data.ndim - self.ndim :]


Value = Stack | tuple[Any, ...] | None
"""A stack; or one object an execution, where they are no numbers of one shape; or None where it cannot be computed."""


class Term:
    """One expression: an operation on other terms; compared by identity."""

    __slots__ = ("args", "number", "op", "payload", "size", "value")

    def __init__(self, op: str, args: tuple[Term, ...], payload: Any, number: int) -> None:
        self.op = op
        self.args = args
        self.payload = payload
        self.number = number
        self.size: int = 1 if op == "item" else 1 + sum(arg.size for arg in args)
        self.value: Value = None

    def __repr__(self) -> str:
        """Return the operation tree, for whoever debugs a search."""
        return f"{self.op}:{self.payload}" if not self.args else f"{self.op}({', '.join(map(repr, self.args))})"


def shape_of(term: Term) -> tuple[int, ...] | None:
    """Return the shape of a term's numbers at one execution; None where it has none."""
    return term.value.shape if isinstance(term.value, Stack) else None


BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
    "//": operator.floordiv,
    "%": operator.mod,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}

STACKED = {*BINARY, "dot", "neg", "T", "sum", "mean", "outer"}
"""What is computed for all executions at once: it fails at one shape, or at none."""


class Terms:
    """All terms over the environments of some executions."""

    def __init__(self, environments: Sequence[Any]) -> None:
        self.environments = environments
        self.count = len(environments)
        self.evaluated = 0
        self._table: dict[tuple[Any, ...], Term] = {}

    def leaf(self, text: str, values: Sequence[Any]) -> Term:
        """Return the term of a variable (or of anything that is taken whole), by its text."""
        key = ("leaf", text)
        if key not in self._table:
            term = Term("leaf", (), text, len(self._table))
            term.value = pack(values)
            self._table[key] = term
        return self._table[key]

    def undefined(self, text: str) -> Term:
        """Return the term of an expression that has no value here."""
        key = ("undefined", text)
        if key not in self._table:
            self._table[key] = Term("leaf", (), text, len(self._table))
        return self._table[key]

    def number(self, constant: Any) -> Term:
        """Return the term of a constant."""
        key = ("const", type(constant).__name__, constant)
        if key not in self._table:
            term = Term("const", (), constant, len(self._table))
            term.value = pack([constant] * self.count)
            self._table[key] = term
        return self._table[key]

    def make(self, op: str, *args: Term, payload: Any = None) -> Term:
        """Return the term of an operation, evaluated."""
        if op == "T" and args[0].op == "T":
            return args[0].args[0]
        key = (op, payload, *[arg.number for arg in args])
        term = self._table.get(key)
        if term is None:
            term = Term(op, args, payload, len(self._table))
            self._table[key] = term
            term.value = self.compute(op, payload, [arg.value for arg in args])
        return term

    def known(self, op: str, args: tuple[Term, ...], payload: Any, value: Value) -> Term:
        """Return the term of an operation whose value was computed already."""
        if op == "T" and args[0].op == "T":
            return args[0].args[0]
        key = (op, payload, *[arg.number for arg in args])
        term = self._table.get(key)
        if term is None:
            term = self._table[key] = Term(op, args, payload, len(self._table))
            term.value = value
        return term

    def swap(self, term: Term, old: Term, new: Term) -> Term:
        """Return the term with every occurrence of ``old`` replaced by ``new``."""
        if term is old:
            return new
        if not term.args:
            return term
        args = tuple(self.swap(arg, old, new) for arg in term.args)
        if all(a is b for a, b in zip(args, term.args, strict=True)):
            return term
        return self.make(term.op, *args, payload=term.payload)

    def compute(self, op: str, payload: Any, values: list[Value]) -> Value:
        """Apply one operation to values; None if it raises."""
        if any(value is None for value in values):
            return None
        self.evaluated += 1
        try:
            if all(isinstance(value, Stack) for value in values):
                result = _stacked(op, payload, values)  # type: ignore[arg-type]
                if result is not None:
                    return result
            elif op == "call" and _is_ufunc(values, payload):
                stacks: list[Stack] = values[1:]  # type: ignore[assignment]
                function = values[0][0]  # type: ignore[index]
                nd = max(stack.ndim for stack in stacks)
                return Stack(function(*[_align(stack, nd) for stack in stacks]), nd)
            return self._one_by_one(op, payload, values)
        except Exception:  # their functions may raise anything; such an expression has no value
            return None

    def _one_by_one(self, op: str, payload: Any, values: list[Value]) -> Value:
        fills = max((v.data.shape[0] for v in values if isinstance(v, Stack) and v.data.ndim - v.ndim == 2), default=0)

        def row(k: int | None) -> Value:
            return pack([_single(op, payload, [pick(v, s, k) for v in values]) for s in range(self.count)])

        if not fills:
            return row(None)
        rows = [row(k) for k in range(fills)]
        stacks = [one for one in rows if isinstance(one, Stack)]
        return Stack(np.stack([one.data for one in stacks]), stacks[0].ndim) if len(stacks) == fills else None


def pack(values: Sequence[Any]) -> Value:
    """Return one value an execution as a stack, if they are numbers of one shape."""
    values = _of_one_shape(values)
    first = values[0]
    if isinstance(first, np.ndarray):
        alike = all(isinstance(v, np.ndarray) and v.shape == first.shape for v in values)
        return Stack(np.array(values), first.ndim) if alike and first.dtype.kind in "fiub" else tuple(values)
    numbers = all(isinstance(v, int | float | np.number | np.bool_) for v in values)
    return Stack(np.array(values), 0) if numbers else tuple(values)


def _of_one_shape(values: Sequence[Any]) -> Sequence[Any]:
    """Take a 0 for an array of zeros where a variable is an array later, and an axis less, as of a first state, too."""
    shapes = {v.shape for v in values if isinstance(v, np.ndarray)}
    if len(shapes) == 1 and all(isinstance(v, np.ndarray) for v in values):
        return values
    if not shapes or len({tuple(n for n in shape if n != 1) for shape in shapes}) != 1:
        return values
    like = max(shapes, key=len)
    given = [np.zeros(like) if isinstance(v, int | float) and v == 0 else v for v in values]
    return [v.reshape(like) if isinstance(v, np.ndarray) else v for v in given]


def pick(value: Value, execution: int, fill: int | None = None) -> Any:
    """Return the value at one execution, as their code would have it."""
    if not isinstance(value, Stack):
        return value[execution] if value is not None else None
    data = value.data
    if data.ndim - value.ndim == 2:
        data = data[fill]
    item = data[execution]
    return item.item() if value.ndim == 0 else item


def _align(stack: Stack, ndim: int) -> Array:
    missing = ndim - stack.ndim
    if not missing:
        return stack.data
    lead = stack.data.ndim - stack.ndim
    return stack.data.reshape(stack.data.shape[:lead] + (1,) * missing + stack.data.shape[lead:])


def _is_ufunc(values: list[Value], payload: Any) -> bool:
    head = values[0]
    return (
        isinstance(head, tuple)
        and isinstance(head[0], np.ufunc)
        and head[0].signature is None
        and head[0].nin == len(values) - 1
        and not payload
        and all(isinstance(value, Stack) for value in values[1:])
    )


def _stacked(op: str, payload: Any, values: list[Stack]) -> Stack | None:
    if op in BINARY:
        a, b = values
        nd = max(a.ndim, b.ndim)
        return Stack(BINARY[op](_align(a, nd), _align(b, nd)), nd)
    if op == "dot":
        return _dot(*values)
    (a, *_) = values
    if op == "neg":
        return Stack(-a.data, a.ndim)
    if op == "T":
        if a.ndim < 2:
            return a
        lead = a.data.ndim - a.ndim
        return Stack(a.data.transpose(*range(lead), *range(a.data.ndim - 1, lead - 1, -1)), a.ndim)
    if op in ("sum", "mean"):
        axis, keep = payload
        total = _sum(a, axis, keep)
        share = total.data.size / a.data.size if op == "mean" and a.data.size else 1.0
        return Stack(total.data * share, total.ndim) if op == "mean" else total
    if op == "outer" and values[0].ndim == 1 and values[1].ndim == 1:
        return Stack(values[0].data[..., :, None] * values[1].data[..., None, :], 2)
    return None


def _dot(a: Stack, b: Stack) -> Stack | None:
    if a.ndim == 0 or b.ndim == 0:
        nd = max(a.ndim, b.ndim)
        return Stack(_align(a, nd) * _align(b, nd), nd)
    if a.ndim > 2 or b.ndim > 2:
        return None
    left = a.data if a.ndim == 2 else a.data[..., None, :]
    right = b.data if b.ndim == 2 else b.data[..., :, None]
    product = np.matmul(left, right)
    if b.ndim == 1:
        product = product[..., 0]
    if a.ndim == 1:
        product = product[..., 0] if b.ndim == 1 else product[..., 0, :]
    return Stack(product, a.ndim + b.ndim - 2)


def _sum(a: Stack, axis: Any, keep: bool) -> Stack:
    if axis is None:
        axes = tuple(range(-a.ndim, 0))
    else:
        axes = tuple(k - a.ndim if k >= 0 else k for k in (axis if isinstance(axis, tuple) else (axis,)))
        if any(not -a.ndim <= k < 0 for k in axes):
            raise ValueError("no such axis")
    data = a.data.sum(axis=axes, keepdims=keep) if axes else a.data
    return Stack(data, a.ndim if keep else a.ndim - len(axes))


def _single(op: str, payload: Any, values: list[Any]) -> Any:
    if op in BINARY:
        return BINARY[op](*values)
    if op == "item":
        index = values[1:]
        return values[0][tuple(index) if payload or len(index) > 1 else index[0]]
    if op == "slice":
        return slice(*values)
    if op == "attr":
        return getattr(values[0], payload)
    if op == "call":
        split = len(values) - len(payload)
        given = [v.copy() if isinstance(v, np.ndarray) else v for v in values[1:]]  # theirs may write into it
        return values[0](*given[: split - 1], **dict(zip(payload, given[split - 1 :], strict=True)))
    if op == "if":
        return values[1] if values[0] else values[2]
    if op == "not":
        return not values[0]
    if op == "tuple":
        return tuple(values)
    if op == "list":
        return list(values)
    if op == "dict":
        return dict(zip(payload, values, strict=True))
    if op == "dot":
        return np.dot(*values)
    if op == "neg":
        return -values[0]
    if op == "T":
        return np.transpose(values[0])
    if op in ("sum", "mean"):
        return (np.sum if op == "sum" else np.mean)(values[0], axis=payload[0], keepdims=payload[1])
    if op == "outer":
        return np.outer(*values)
    raise ValueError(op)
