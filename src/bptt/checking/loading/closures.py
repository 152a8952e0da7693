"""Functions that return a value and the way back from it: ``y, pullback = f(x)``."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from bptt.checking.loading.facts import Facts, Function, label
from bptt.checking.loading.paths import Path
from bptt.checking.loading.roles_by_name import COST_NAME
from bptt.checking.loading.scores import TRAIN


@dataclass(frozen=True)
class Pullback:
    """A function that returns its own backward pass, where in its result it stands, and how much it is the network."""

    forward: Function
    backward: Function
    place: Path
    score: float


def pullbacks(facts: Facts) -> list[Pullback]:
    """Return the functions that hand out their own backward pass; the one that no other function needs is the network.

    Parameters
    ----------
    facts : Facts

    Returns
    -------
    list of Pullback
    """
    found = [(f, *way) for f in facts.functions.values() if (way := _way_back(f)) is not None]
    names = {f.name for f, _, _ in found}
    users = [f for f in facts.functions.values() if not re.search(f"{TRAIN}|main|test|check|demo", f.name, re.I)]
    called = {name for f in users for name in _named(f) & names if name != f.name}
    out = []
    for function, inner, place in found:
        reached = [f for f in facts.functions.values() if f.name in facts.reached(function) or f is function]
        runs = any(isinstance(n, ast.For | ast.While) for f in reached for n in ast.walk(f.node))
        costs = COST_NAME.fullmatch(function.labels[0]) is not None
        whole = function.name not in called
        score = 5.0 + whole * (6.0 + 2.0 * runs) + 1.5 * costs
        out.append(Pullback(function, inner, (("item", place),), score))
    return out


def _way_back(function: Function) -> tuple[Function, int] | None:
    """Return the function that a function returns beside a value, and its place in the result."""
    if not function.returns or not isinstance(function.returns[-1], ast.Tuple):
        return None
    inner: dict[str, ast.FunctionDef] = {}
    for node in ast.walk(function.node):
        if isinstance(node, ast.FunctionDef) and node is not function.node:
            inner[node.name] = node
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            inner |= {t.id: _named_lambda(node.value) for t in node.targets if isinstance(t, ast.Name)}
    given: list[ast.FunctionDef | None] = []
    for item in function.returns[-1].elts:
        given.append(_named_lambda(item) if isinstance(item, ast.Lambda) else inner.get(label(item)))
    functions = [(node, i) for i, node in enumerate(given) if node is not None]
    if len(functions) != 1 or len(given) == 1:
        return None
    node, place = functions[0]
    return Function(node, None, f"{function.qualified}.<locals>."), place


def _named_lambda(node: ast.Lambda) -> ast.FunctionDef:
    """Return a lambda as the function that it is."""
    body = ast.copy_location(ast.Return(node.body), node.body)
    made = ast.FunctionDef("<lambda>", node.args, [body], [], None, None)
    return ast.copy_location(made, node)


def _named(function: Function) -> set[str]:
    """Return the names that a function mentions: what it calls, and what it hands to others, as ``fold(cell, xs)``."""
    return function.calls | {n.id for n in ast.walk(function.node) if isinstance(n, ast.Name)}
