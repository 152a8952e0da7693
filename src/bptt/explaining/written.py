"""One number written out: the terms whose sum it is, with their symbols, their numbers and their values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from bptt.dims import Array
from bptt.expressions import Expression
from bptt.notation import Unicode

Index = tuple[int, ...]
LONG = 6  # a softmax over more classes than this is written with Σ instead of all its terms


@dataclass(frozen=True)
class Term:
    """One term: ``W_ya[0, 2] · dz_y[0, 1]``, the same with numbers, and its value (with its sign)."""

    symbols: str
    numbers: str
    value: float


@dataclass(frozen=True)
class Cell:
    """One number of a step's output and the terms that add up to it.

    Attributes
    ----------
    name : str
        The target, "da_from_output".
    index : tuple of int
    terms : tuple of Term
        In the order of summation.
    value : float
        The sum; for a gradient that adds up, with what the later steps had gathered.
    """

    name: str
    index: Index
    terms: tuple[Term, ...]
    value: float

    @property
    def running(self) -> tuple[float, ...]:
        """The running sum after each term."""
        return tuple(float(x) for x in np.cumsum([term.value for term in self.terms]))


def write_out(expression: Expression, index: Index, values: Mapping[str, Array]) -> tuple[Term, ...]:
    """Return the terms of one element of an expression: a product of matrices gives one for each inner index."""
    if expression.op == "add":
        return tuple(term for arg in expression.args for term in write_out(arg, _spread(arg, index), values))
    if expression.op == "sub" and expression.dims:
        kept, taken = (write_out(arg, _spread(arg, index), values) for arg in expression.args)
        return (*kept, *(_minus(term) for term in taken))
    if expression.op == "neg":
        return tuple(_minus(term) for term in write_out(expression.args[0], index, values))
    if expression.op == "matmul":
        left, right = expression.args
        inner = left.evaluate(values).shape[1]
        return tuple(_product((left, (index[0], k)), (right, (k, index[1])), values) for k in range(inner))
    if expression.op == "sum":
        arg = expression.args[0]
        return tuple(term for place in _along(expression, index, values) for term in write_out(arg, place, values))
    return (_single(expression, index, values),)


class _AtIndex(Unicode):
    """Writes one element: every symbol with its own index (``a_t[0, 1]``), or as its number."""

    def __init__(self, index: Index, values: Mapping[str, Array], leaf: Callable[[str, Index, float], str]) -> None:
        self.index, self.values, self.leaf = index, values, leaf

    def at(self, node: Expression, index: Index) -> str:
        return _AtIndex(index, self.values, self.leaf).write(node)

    def symbol(self, node: Expression) -> str:
        index = _spread(node, self.index)
        return self.leaf(node.name, index, float(np.asarray(self.values[node.name])[index]))

    def product(self, node: Expression) -> str:
        return "·"

    def write(self, node: Expression) -> str:
        """Write what reads other places than this one; leave the rest to the notation."""
        match node.op:
            case "transpose":
                return self.at(node.args[0], self.index[::-1])
            case "diag":
                i, k = self.index
                return self.at(node.args[0], (i, 0)) if i == k else "0"
            case "sum":
                return "(" + " + ".join(self.at(node.args[0], p) for p in _along(node, self.index, self.values)) + ")"
            case "softmax":
                return self.softmax(node)
        return super().write(node)

    def softmax(self, node: Expression) -> str:
        arg, places = node.args[0], _along(node, self.index, self.values)
        if len(places) > LONG:
            column = f"{arg.name}[k, {', '.join(str(i) for i in self.index[1:])}]"
            return f"exp({self.at(arg, self.index)}) / Σ_k exp({column})"
        return f"exp({self.at(arg, self.index)}) / ({' + '.join(f'exp({self.at(arg, p)})' for p in places)})"


def _single(node: Expression, index: Index, values: Mapping[str, Array]) -> Term:
    value = float(node.evaluate(values)[index])
    return Term(_written(node, index, values, _named), _written(node, index, values, _number), value)


def _written(
    node: Expression, index: Index, values: Mapping[str, Array], leaf: Callable[[str, Index, float], str]
) -> str:
    text = _AtIndex(index, values, leaf).write(node)
    return re.sub(r"\((\([^()]*\))\)", r"\1", text)  # tanh((-0.2)): the function's own brackets are enough


def _product(left: tuple[Expression, Index], right: tuple[Expression, Index], values: Mapping[str, Array]) -> Term:
    one, two = _single(*left, values), _single(*right, values)
    return Term(f"{one.symbols} · {two.symbols}", f"{one.numbers} · {two.numbers}", one.value * two.value)


def _minus(term: Term) -> Term:
    return Term(
        f"-{term.symbols}", f"-({term.numbers})" if term.numbers[0] in "-(" else f"-{term.numbers}", -term.value
    )


def _named(name: str, index: Index, value: float) -> str:
    return f"{name}[{', '.join(str(i) for i in index)}]" if index else name


def _number(name: str, index: Index, value: float) -> str:
    text = f"{value + 0.0:.4g}"  # no -0
    return f"({text})" if value < 0 else text


def _spread(node: Expression, index: Index) -> Index:
    """Return the place in a node that broadcasting reads for a place in the whole: 0 along axes of size 1."""
    return tuple(0 if dim == 1 else i for dim, i in zip(node.dims, index, strict=False)) if node.dims else ()


def _along(node: Expression, index: Index, values: Mapping[str, Array]) -> list[Index]:
    """Return the places that a sum (or softmax) runs over for one element of its result."""
    arg = node.args[0]
    axis = arg.dims.index(node.axis)
    outer = index if len(index) == len(arg.dims) else (*index[:axis], 0, *index[axis:])
    return [(*outer[:axis], k, *outer[axis + 1 :]) for k in range(arg.evaluate(values).shape[axis])]
