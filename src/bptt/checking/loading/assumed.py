"""Helpers that are called by name and not shown (softmax, tanh_backward, ...): their usual definitions."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from bptt.dims import Array


def softmax(z: Array, axis: int | None = None) -> Any:
    """Return exp(z) / sum(exp(z)) over the classes, which are axis 0 for the columns that hand-written networks use."""
    axis = 0 if axis is None else axis
    e = np.exp(z - np.max(z, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def softmax_rows(z: Array, axis: int | None = None) -> Any:
    """Return the softmax over the last axis."""
    return softmax(z, axis=-1 if axis is None else axis)


def softmax_diagonal(z: Array) -> Any:
    """Return s * (1 - s) with s = softmax(z)."""
    s = softmax(z)
    return s * (1 - s)


def sigmoid(z: Array) -> Any:
    """Return 1 / (1 + exp(-z))."""
    return 1 / (1 + np.exp(-z))


def sigmoid_slope(z: Array) -> Any:
    """Return s * (1 - s) with s = sigmoid(z)."""
    s = sigmoid(z)
    return s * (1 - s)


def sigmoid_slope_of_value(s: Array) -> Any:
    """Return s * (1 - s) for a value s of the sigmoid."""
    return s * (1 - s)


def tanh_slope(z: Array) -> Any:
    """Return 1 - tanh(z)**2."""
    return 1 - np.tanh(z) ** 2


def tanh_slope_of_value(a: Array) -> Any:
    """Return 1 - a**2 for a value a of tanh."""
    return 1 - a**2


def relu(z: Array) -> Any:
    """Return max(z, 0)."""
    return np.maximum(z, 0)


def relu_slope(z: Array) -> Any:
    """Return 1 where z > 0."""
    return (z > 0) * 1.0


def cross_entropy(y_pred: Array, y: Array) -> Any:
    """Return -sum(y * log(y_pred))."""
    return -np.sum(y * np.log(y_pred))


def one_hot(ids: Any, n: int) -> Any:
    """Return a row of zeros with a one for each id."""
    return np.eye(n)[np.asarray(ids)]


SLOPE = r"(_?(backward|derivative|deriv|prime|grad|gradient|der|der?v|d|dot|bwd))"
HELPERS: tuple[tuple[str, Callable[..., Any], str], ...] = (
    (r"(stable_?)?soft_?max(_?(func|fn|function|forward))?", softmax, "exp(z) / sum(exp(z)) over the classes (axis 0)"),
    (rf"(d_?softmax|softmax{SLOPE}|grad_?softmax)", softmax_diagonal, "s * (1 - s) with s = softmax(z)"),
    (r"(sigmoid|sigm|logistic|expit)(_?(func|fn|function|forward))?", sigmoid, "1 / (1 + exp(-z))"),
    (rf"(d_?sigm(oid)?|sigm(oid)?{SLOPE}|grad_?sigmoid|sigmoid_output_to_derivative)", sigmoid_slope,
     "s * (1 - s) with s = sigmoid(z)"),
    (r"tanh(_?(func|fn|function|forward))?", np.tanh, "np.tanh(z)"),
    (rf"(d_?tanh|tanh{SLOPE}|grad_?tanh)", tanh_slope, "1 - tanh(z)**2"),
    (r"relu(_?(func|fn|function|forward))?", relu, "np.maximum(z, 0)"),
    (rf"(d_?relu|relu{SLOPE}|grad_?relu)", relu_slope, "1 where z > 0"),
    (r"(categorical_)?cross_?entropy(_loss)?", cross_entropy, "-sum(y * log(y_pred)), called as (y_pred, y)"),
    (r"(to_)?one_?hot(_encod(e|ing))?|to_categorical", one_hot, "a row of zeros with a one for each id"),
)  # fmt: skip
OF_VALUE: dict[Callable[..., Any], tuple[Callable[..., Any], str]] = {
    sigmoid_slope: (sigmoid_slope_of_value, "s * (1 - s), s being the sigmoid's value, which it is called with"),
    tanh_slope: (tanh_slope_of_value, "1 - a**2, a being the value of tanh, which it is called with"),
}
NUMPY = {"np": np, "numpy": np}
PLAIN = {
    "zeros", "ones", "zeros_like", "ones_like", "dot", "exp", "log", "sum", "array", "outer", "random", "sqrt",
    "matmul", "concatenate", "argmax", "clip", "maximum", "empty", "eye", "arange", "multiply", "square", "mean",
}  # fmt: skip


def missing_names(tree: ast.Module) -> list[str]:
    """Return the global names that a program reads and nowhere binds, in the order of reading."""
    bound: set[str] = set(dir(builtins)) | {"__file__", "__name__"}
    read: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Load):
                read.setdefault(node.id)
            else:
                bound.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            bound |= {(a.asname or a.name).split(".")[0] for a in node.names}
        elif isinstance(node, ast.ExceptHandler) and node.name:
            bound.add(node.name)
    return [name for name in read if name not in bound]


def usual_definition(name: str, tree: ast.Module | None = None) -> tuple[Any, str] | None:
    """Return what a name usually stands for and the sentence that says so, or None for a name that could be anything.

    A derivative that is called with a value of the activation (``tanh_derivative(h)``) is that of the value.
    """
    if name in NUMPY:
        return np, f"`{name}` is NumPy."
    if name in PLAIN and hasattr(np, name):
        return getattr(np, name), f"`{name}` is not shown; it is taken to be `np.{name}`."
    if tree is not None and _labelled_texts(name, tree):
        return dict(TEXTS), f"`{name}` is not shown: a few short texts, each true or false, stand in for it."
    for pattern, function, text in HELPERS:
        if re.fullmatch(pattern, name, re.IGNORECASE):
            if function is softmax and tree is not None and _in_rows(tree):
                function, text = softmax_rows, "exp(z) / sum(exp(z)) over the classes (axis -1)"
            of_value = OF_VALUE.get(function)
            if of_value and tree is not None and _called_with_values(name, tree):
                function, text = of_value
            argument = re.search(r"\bz\b", text) or re.search(r"\b(s|a)\b", text)
            shown = f"{name}({argument.group()})" if argument and "called as" not in text else name
            return function, f"`{shown}` is not shown; it is taken to be {text}."
    return None


TEXTS = {"good film": True, "this is bad": False, "a very good film": True, "bad": False, "not bad at all": True}


@lru_cache(maxsize=4)
def _text(tree: ast.Module) -> str:
    """Return the text of a program: it is asked for at every load, as often as names are not shown."""
    return ast.unparse(tree)


def _labelled_texts(name: str, tree: ast.Module) -> bool:
    """Tell whether a name is used as texts with their labels: ``for text, label in data.items()``, words split."""
    text = _text(tree)
    return re.search(rf"\b{name}\.(items|keys)\(\)", text) is not None and ".split(" in text


WEIGHT = re.compile(r"(^|[._'\"\[])[WUVw](_?\w{0,4}|eights?)(\.T)?['\"\]]*$")


def _in_rows(tree: ast.Module) -> bool:
    """Tell whether the weights stand at the right of most products, so that an example is a row."""
    rows = columns = 0
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            left, right = node.left, node.right
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("np.dot", "np.matmul") and len(node.args) == 2:
            left, right = node.args
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "dot"
            and node.args
        ):
            left, right = node.func.value, node.args[0]
        else:
            continue
        first, second = (bool(WEIGHT.search(ast.unparse(side))) for side in (left, right))
        rows += second and not first
        columns += first and not second
    return rows > columns


def _called_with_values(name: str, tree: ast.Module) -> bool:
    """Tell whether every call passes something that is named like an activation, not like a sum before it."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            called = node.func.id if isinstance(node.func, ast.Name) else ""
            if called == name:
                argument: ast.expr = node.args[0]
                while isinstance(argument, ast.Subscript):
                    argument = argument.value
                text = argument.attr if isinstance(argument, ast.Attribute) else ast.unparse(argument)
                names.append(text)
    value = re.compile(r"(h|a|s|o|out|act|hidden|state|layer|y)[a-z0-9_]*", re.IGNORECASE)
    return bool(names) and all(value.fullmatch(text) for text in names)
