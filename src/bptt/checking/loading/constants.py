"""What a module's numbers are: its sizes by their names or by their use, its rates, its limits."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from types import ModuleType

import numpy as np

from bptt.checking.loading import paths as places
from bptt.checking.loading import roles_by_name as roles
from bptt.checking.loading.binding import LIMIT
from bptt.checking.loading.facts import Function
from bptt.checking.loading.plan import LARGE, Source


def numbers_of(run: Iterable[ast.stmt], module: ModuleType, functions: list[Function]) -> dict[str, Source]:
    """Return what the module-level numbers of a program are to be at other sizes.

    Parameters
    ----------
    run : iterable of ast.stmt
        The statements at module level.
    module : ModuleType
        The module as it was loaded.
    functions : list of Function
        What the forward and backward pass are made of.
    """
    run = list(run)
    text = "\n".join(f.text for f in functions)
    stored = {n.id for s in run for n in ast.walk(s) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    out: dict[str, Source] = {}
    unnamed = []
    for name in sorted(stored):
        value = vars(module).get(name)
        size = roles.size_of(name)
        if isinstance(value, int) and not isinstance(value, bool) and size:
            out[name] = Source("size", size)
        elif isinstance(value, float | int) and roles.is_rate(name, text):
            out[name] = Source("const", 1.0)
        elif isinstance(value, float | int) and roles.matches(name, LIMIT):
            out[name] = Source("const", 1e6)
        elif isinstance(value, int) and roles.matches(name, roles.TRUNCATION):
            out[name] = Source("const", LARGE)
        elif isinstance(value, int) and not isinstance(value, bool) and value > 1:
            unnamed.append(name)
    for name in unnamed:
        size = _size_by_use(name, run, module, functions)
        if size and Source("size", size) not in out.values():
            out[name] = Source("size", size)
    return out


def _size_by_use(name: str, run: list[ast.stmt], module: ModuleType, functions: list[Function]) -> str | None:
    """Return the size that a number is by its use: the states' of a square weight, the steps of a loop."""
    value = vars(module)[name]
    for statement in run:
        if isinstance(statement, ast.Assign) and _mentions(statement.value, name):
            for _, held in places.walk([vars(module).get(t) for t in _targets(statement)]):
                if isinstance(held, np.ndarray) and held.shape == (value, value):
                    return "n_a"
    looped = rf"range\({name}(?: - 1, -1, -1)?\)|range\(0, {name}\)|range\(1, {name}( \+ 1)?\)|range\({name}, 0, -1\)"
    if any(re.search(looped, f.text) for f in functions):
        return "T_x"
    return None


def _targets(statement: ast.Assign) -> list[str]:
    return [n.id for t in statement.targets for n in ast.walk(t) if isinstance(n, ast.Name)]


def _mentions(node: ast.AST, name: str) -> bool:
    return any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(node))
