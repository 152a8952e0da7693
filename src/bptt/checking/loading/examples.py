"""What the program itself passes to its functions, as values: ``step(X[i], Y[i])`` with the X and Y of its own run."""

from __future__ import annotations

import ast
from types import ModuleType
from typing import Any

import numpy as np

from bptt.checking.loading.callsites import Evidence
from bptt.checking.loading.facts import Facts, Function
from bptt.checking.loading.layouts import Layout


class UnknownError(Exception):
    """An expression that nothing is known of."""


def examples_of(function: Function, evidence: Evidence, facts: Facts, module: ModuleType) -> dict[str, Any]:
    """Return the arguments that the run at module level passes to a function, where they are plain to see.

    Nothing of the program is called for it: only names, items and slices are followed, and a loop's variable is its
    first value.
    """
    names = dict(vars(module))
    for statement in facts.run:
        for node in ast.walk(statement):
            if isinstance(node, ast.For):
                _first_values(node, names)
    found: dict[str, Any] = {}
    for site in evidence.of(function):
        if site.scope != len(facts.functions):
            continue
        for argument, value in site.arguments.items():
            try:
                found.setdefault(argument, _value(value, names))
            except (UnknownError, KeyError, IndexError, TypeError, AttributeError, ValueError):
                continue
    return found


def _first_values(loop: ast.For, names: dict[str, Any]) -> None:
    """Bind a loop's variables to their first values, as far as they are plain to see."""
    source = loop.iter
    called = ast.unparse(source.func) if isinstance(source, ast.Call) else ""
    try:
        if called == "range":
            value: Any = 0
        elif called == "enumerate" and isinstance(source, ast.Call):
            value = (0, _value(source.args[0], names)[0])
        elif called == "zip" and isinstance(source, ast.Call):
            value = tuple(_value(a, names)[0] for a in source.args)
        else:
            value = _value(source, names)[0]
        _bind(loop.target, value, names)
    except (UnknownError, KeyError, IndexError, TypeError, AttributeError, ValueError):
        return


def _bind(target: ast.expr, value: Any, names: dict[str, Any]) -> None:
    if isinstance(target, ast.Name):
        names[target.id] = value
    elif isinstance(target, ast.Tuple | ast.List):
        for inner, item in zip(target.elts, value, strict=True):
            _bind(inner, item, names)


def _value(node: ast.expr, names: dict[str, Any]) -> Any:
    match node:
        case ast.Name(id=name):
            return names[name]
        case ast.Constant(value=value):
            return value
        case ast.Subscript(value=inner, slice=index):
            return _value(inner, names)[_index(index, names)]
        case ast.Attribute(value=inner, attr="T"):
            return _value(inner, names).T
    raise UnknownError


def _index(node: ast.expr, names: dict[str, Any]) -> Any:
    match node:
        case ast.Slice(lower=low, upper=high):
            return slice(None if low is None else _value(low, names), None if high is None else _value(high, names))
        case ast.Tuple(elts=elements):
            return tuple(_index(e, names) for e in elements)
    return _value(node, names)


def misfit(layout: Layout, example: Any) -> float:
    """Return what speaks against a layout beside a value that the program passes itself."""
    if isinstance(example, list | tuple) and example and isinstance(example[0], np.ndarray):
        shape: tuple[int, ...] = (len(example), *example[0].shape)
    elif isinstance(example, np.ndarray | list | tuple | int | float | np.number):
        try:
            shape = np.shape(example)
        except ValueError:
            return 0.0
    else:
        return 0.0
    if len(shape) != len(layout.axes):
        return 2.5
    ones = sum((n == 1) != (a == "1") for n, a in zip(shape, layout.axes, strict=True))
    held: Any = example[0] if isinstance(example, list | tuple) and example else example
    whole = np.asarray(held).dtype.kind in "iu"
    return 0.8 * ones + 1.5 * (layout.kind == "ids" and not whole)
