"""Edits within a comprehension or a lambda: its parts have no values here, so that they are changed as text."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from bptt.checking.repairing.nodes import text_of
from bptt.checking.repairing.patch import Change, replace

COMPREHENSIONS = ast.ListComp | ast.DictComp | ast.SetComp | ast.GeneratorExp
OPPOSITE = {ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*"}
FACTORS = 8
"""So many arrays are tried as a factor that an element lacks."""


def within_comprehensions(
    node: ast.stmt, names: Mapping[str, Any], code: str, tree: ast.Module
) -> Iterator[tuple[float, Change]]:
    """Yield the changes of what a comprehension makes of each element, and of what a lambda returns."""
    for loop in ast.walk(node):
        if isinstance(loop, ast.Lambda):
            inner, own = loop.body, {a.arg for a in loop.args.args}
        elif isinstance(loop, COMPREHENSIONS):
            inner = loop.value if isinstance(loop, ast.DictComp) else loop.elt
            own = {n.id for part in loop.generators for n in ast.walk(part.target) if isinstance(n, ast.Name)}
        else:
            continue
        yield from _operators(inner, code)
        yield from _other_names(inner, own, names, code)
        yield from _turned(inner, code)
        yield from _factors(inner, own, names, code)
        yield from _masks(inner, own, names, code, tree)
        if isinstance(loop, ast.ListComp) and own.isdisjoint(n.id for n in ast.walk(inner) if isinstance(n, ast.Name)):
            yield from _one_of_all(loop, code)


def _operators(inner: ast.expr, code: str) -> Iterator[tuple[float, Change]]:
    """Yield a sum or a product without one of its sides, or with another operator."""
    for both in ast.walk(inner):
        if not isinstance(both, ast.BinOp) or type(both.op) not in OPPOSITE:
            continue
        left, right = text_of(code, both.left), text_of(code, both.right)
        for text in (left, right):
            yield 1.3, replace(code, both, text)
        yield 1.2, replace(code, both, f"{left} {OPPOSITE[type(both.op)]} {right}")


def _other_names(inner: ast.expr, own: set[str], names: Mapping[str, Any], code: str) -> Iterator[tuple[float, Change]]:
    """Yield another variable of the same build in the place of one: copy and paste."""
    for name in (n for n in ast.walk(inner) if isinstance(n, ast.Name) and n.id not in own):
        build = _build(names.get(name.id))
        for other, value in names.items():
            if build is not None and other != name.id and _build(value) == build:
                yield 1.0, replace(code, name, other)


def _turned(inner: ast.expr, code: str) -> Iterator[tuple[float, Change]]:
    """Yield the operands of a matrix product turned, or turned back."""
    for product in ast.walk(inner):
        if isinstance(product, ast.BinOp) and isinstance(product.op, ast.MatMult):
            for side in (product.left, product.right):
                text = text_of(code, side)
                plain = isinstance(side, ast.Name | ast.Attribute | ast.Subscript | ast.Call)
                yield (
                    1.0,
                    replace(code, side, text[:-2] if text.endswith(".T") else f"{text}.T" if plain else f"({text}).T"),
                )


def _factors(inner: ast.expr, own: set[str], names: Mapping[str, Any], code: str) -> Iterator[tuple[float, Change]]:
    """Yield an element times an array that it lacks: a mask, first one of zeros and ones or what scales them."""
    read = {n.id for n in ast.walk(inner) if isinstance(n, ast.Name)}
    arrays = [n for n, v in names.items() if n not in read | own and isinstance(v, np.ndarray) and v.ndim > 1]
    arrays.sort(key=lambda n: len(np.unique(names[n])) > 2)
    text = text_of(code, inner)
    for name in arrays[:FACTORS]:
        masks = len(np.unique(names[name])) <= 2
        whole = text if isinstance(inner, ast.Name | ast.Call | ast.Subscript | ast.Attribute) else f"({text})"
        yield 1.2 if masks else 1.7, replace(code, inner, f"{whole} * {name}")


def _masks(
    inner: ast.expr, own: set[str], names: Mapping[str, Any], code: str, tree: ast.Module
) -> Iterator[tuple[float, Change]]:
    """Yield an element times a part of a mask, as the program has it elsewhere: ``mask[:, t, None]``."""
    parts: dict[str, None] = {}
    for node in ast.walk(tree):
        base = node.value if isinstance(node, ast.Subscript) else None
        held = names.get(base.id) if isinstance(base, ast.Name) else None
        if isinstance(held, np.ndarray) and held.dtype.kind in "fbi" and np.isin(held, (0, 1)).all():
            read = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
            if read <= own | set(names) and read & own:
                parts[ast.unparse(node)] = None
    text = text_of(code, inner)
    for part in list(parts)[:FACTORS]:
        if part not in text:
            yield 1.2, replace(code, inner, f"{part} * ({text})")


def _one_of_all(loop: ast.ListComp, code: str) -> Iterator[tuple[float, Change]]:
    """Yield a list that holds its value in the last or the first place only, and zeros elsewhere."""
    value, of = text_of(code, loop.elt), text_of(code, loop.generators[0].iter)
    for rest in (f"[0 * {value}] * (len({of}) - 1) + [{value}]", f"[{value}] + [0 * {value}] * (len({of}) - 1)"):
        yield 1.4, replace(code, loop, rest)


def _build(value: Any) -> Any:
    """Return what values that may stand for each other share: shapes, and for what is put together its parts'."""
    if isinstance(value, np.ndarray):
        return value.shape if value.dtype.kind == "f" else None
    if isinstance(value, list | tuple) and value:
        parts = tuple(_build(v) for v in value)
        return None if all(p is None for p in parts) else (type(value).__name__, parts)
    return ("dict", tuple(map(_build, value.values()))) if isinstance(value, dict) and value else None
