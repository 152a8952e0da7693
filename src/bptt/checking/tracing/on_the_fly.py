"""Instrument a function that is already loaded: an adapter's, or one that the loader wrote."""

from __future__ import annotations

import ast
import linecache
import types
import weakref
from functools import lru_cache
from typing import Any

from bptt.checking.tracing import hooks
from bptt.checking.tracing.instrument import HOOKS, Site, Tracer
from bptt.checking.tracing.trees import copied

SITES: list[Site] = []
"""Places in functions that are not the person's own program; their hooks report site -1 - index."""
_done: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()
LEFT_ALONE = (
    "numpy",
    "scipy",
    "builtins",
    "collections",
    "copy",
    "functools",
    "itertools",
    "random",
    "typing",
    "inspect",
    "types",
)


def instrumented(function: Any) -> Any:
    """Return an instrumented twin of a Python function whose source can be read; else the function itself."""
    if isinstance(function, types.MethodType):
        inner = instrumented(function.__func__)
        return function if inner is function.__func__ else types.MethodType(inner, function.__self__)
    if not isinstance(function, types.FunctionType) or hooks.is_mine(function):
        return function
    if (function.__module__ or "").split(".")[0] in LEFT_ALONE:
        return function
    if function not in _done:
        try:
            _done[function] = _twin(function)
        except (OSError, TypeError, SyntaxError, ValueError, KeyError):
            _done[function] = None
    return _done[function] or function


def _twin(function: types.FunctionType) -> types.FunctionType | None:
    node = _find(function.__code__)
    if node is None:
        return None
    first = len(SITES)
    tracer = Tracer(SITES)
    tracer._inside.append(function.__name__)
    if isinstance(node, ast.FunctionDef):
        node.decorator_list = []
        body: ast.stmt = tracer.visit(node)
        node.decorator_list = []
        inner = [body]
        if node.name not in function.__code__.co_freevars:
            inner.insert(0, ast.Global([node.name]))  # it may call itself: by its module's name, not by a closure
    else:
        inner = [ast.Return(tracer.visit(node))]
        inner[0].value = node  # type: ignore[attr-defined]
    outer = ast.parse(f"def _outer({', '.join(function.__code__.co_freevars)}): pass")
    outer.body[0].body = inner  # type: ignore[attr-defined]
    _shift(outer, first)
    ast.fix_missing_locations(outer)
    space: dict[str, Any] = {}
    exec(compile(outer, function.__code__.co_filename, "exec"), space)
    made = space["_outer"]
    code = next(
        c for c in made.__code__.co_consts if isinstance(c, types.CodeType) and c.co_name == function.__code__.co_name
    )
    function.__globals__.setdefault(HOOKS, hooks)
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    twin = types.FunctionType(
        code, function.__globals__, function.__name__, function.__defaults__, tuple(cells[n] for n in code.co_freevars)
    )
    twin.__kwdefaults__ = function.__kwdefaults__
    hooks.mine(twin)
    return twin


def _find(code: types.CodeType) -> ast.FunctionDef | ast.Lambda | None:
    """Return a copy of the node that a function was compiled from; a lambda is told from others by its columns."""
    lines = linecache.getlines(code.co_filename)
    if not lines:
        return None
    wanted = ast.Lambda if code.co_name == "<lambda>" else ast.FunctionDef
    found = [n for n in ast.walk(_parsed("".join(lines))) if isinstance(n, wanted) and _first(n) == code.co_firstlineno]
    places = {(line, column) for line, _, column, _ in code.co_positions() if line is not None and column is not None}
    for node in found:
        body = {(n.lineno, n.col_offset) for n in ast.walk(node) if isinstance(n, ast.expr) and n is not node}
        if len(found) == 1 or places & body:
            return copied(node)
    return None


@lru_cache(maxsize=8)
def _parsed(source: str) -> ast.Module:
    return ast.parse(source)


def _first(node: ast.FunctionDef | ast.Lambda) -> int:
    decorators = node.decorator_list if isinstance(node, ast.FunctionDef) else []
    return min([node.lineno, *(d.lineno for d in decorators)])


def _shift(tree: ast.AST, first: int) -> None:
    """Sites of these functions are negative, so that they are never taken for the person's lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            holder = node.func.value
            if (
                isinstance(holder, ast.Name)
                and holder.id == HOOKS
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                value = node.args[0].value
                if isinstance(value, int) and value >= first:
                    node.args[0] = ast.Constant(-2 - value)
