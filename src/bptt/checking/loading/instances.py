"""Arguments that are objects of the program's own classes: a box of weights, a loss layer."""

from __future__ import annotations

import ast
import re

from bptt.checking.loading.facts import Facts, Function

OF_ANY = {"shape", "T", "copy", "dot", "size", "sum", "append", "items", "keys", "values", "get", "ndim", "reshape"}
"""What arrays, lists and dicts have as well."""


def class_of(name: str, function: Function, facts: Facts) -> str | None:
    """Return the class whose object an argument must be: the only one that has all that is asked of the argument.

    Parameters
    ----------
    name : str
        The argument.
    function : Function
    facts : Facts
    """
    asked = _asked(name, function.node)
    if function.owner:
        kept = [
            ast.unparse(t)
            for n in ast.walk(function.node)
            if isinstance(n, ast.Assign) and isinstance(n.value, ast.Name) and n.value.id == name
            for t in n.targets
            if isinstance(t, ast.Attribute)
        ]
        for method in facts.methods(function.owner).values():
            for place in kept:
                asked |= _asked(place, method.node)
    fitting = [c for c in facts.classes if asked and c != function.owner and asked <= _offers(c, facts)]
    named = [c for c in fitting if _plain(c) == _plain(name)]
    return named[0] if named else fitting[0] if len(fitting) == 1 else None


def _asked(place: str, node: ast.AST) -> set[str]:
    """Return the attributes of a place that a text reads; those that any array has tell nothing."""
    return {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute) and ast.unparse(n.value) == place} - OF_ANY


def _offers(name: str, facts: Facts) -> set[str]:
    methods = facts.methods(name)
    stored = {
        n.attr
        for m in methods.values()
        for n in ast.walk(m.node)
        if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)
    }
    fields = {
        n.target.id for n in facts.classes[name].body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)
    }
    return stored | fields | set(methods)


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def feeders(methods: dict[str, Function], facts: Facts) -> list[Function]:
    """Return the methods that take the steps one at a time: one argument, which is put at the end of a list."""
    found = []
    for method in methods.values():
        needed = [a for a in method.arguments if a not in method.defaults]
        if len(needed) != 1 or method.name.startswith("__") or method.makes_gradients:
            continue
        appended = any(
            isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr == "append"
            and any(isinstance(a, ast.Name) and a.id == needed[0] for a in n.args)
            for n in ast.walk(method.node)
        )  # fmt: skip
        names = facts.reached(method) | {method.name}
        works = any(re.search(r"tanh|sigm|exp\(", f.text) for f in facts.functions.values() if f.name in names)
        loops = any(isinstance(n, ast.For | ast.While) for n in ast.walk(method.node))
        if appended and works and not loops:
            found.append(method)
    return found
