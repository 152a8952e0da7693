"""Methods that give an object what its passes need and its constructor leaves out: ``reset()``, ``_init(n_in)``."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from bptt.checking.loading import roles_by_name as roles
from bptt.checking.loading.facts import Facts, Function
from bptt.checking.loading.links import end_of
from bptt.checking.loading.parameters_found import reachable
from bptt.checking.loading.paths import Path
from bptt.checking.loading.scores import BACKWARD, FORWARD, TRAIN


def starting_methods(facts: Facts, owner: str, passes: Iterable[Function | None]) -> list[Function]:
    """Return the methods that must be called before the passes, in the order of the text.

    Each of them is the only one that sets an attribute which the passes read, and which neither they nor the
    constructor set.  It neither trains nor runs a pass.

    Parameters
    ----------
    facts : Facts
    owner : str
        The class.
    passes : iterable of Function or None
        The forward, the backward, the costs.
    """
    methods = facts.methods(owner)
    used = reachable(facts, [f for f in passes if f is not None])
    init = methods.get("__init__")
    made = {n for f in [*used, *([init, *reachable(facts, [init])] if init else [])] for n in _attributes(f, ast.Store)}
    missing = {n for f in used if f.owner == owner for n in _attributes(f, ast.Load)} - made - set(methods)
    missing -= _of_class(facts, owner)
    names = {f.name for f in used}
    found: list[Function] = []
    for name, method in methods.items():
        if method in used or name.startswith("__") or re.search(f"{TRAIN}|{FORWARD}|{BACKWARD}", name, re.I):
            continue
        if names & facts.reached(method) or any(
            roles.matches(a, f"{roles.INPUT}|{roles.TARGET}") for a in method.arguments
        ):
            continue
        if _attributes(method, ast.Store) & missing:
            found.append(method)
            missing -= _attributes(method, ast.Store)
    return found


def appended_to(facts: Facts, path: Path) -> bool:
    """Tell whether a place is an item of an object's list that grows with the steps: its first state."""
    if len(path) != 2 or path[0][0] != "attr" or path[1][0] != "item":
        return False
    return any(f"self.{path[0][1]}.append(" in f.text for f in facts.functions.values() if f.name != "__init__")


def handed_on(facts: Facts, name: str) -> bool:
    """Tell whether a variable is set to the last of several, as the state that the next sequence begins with is."""
    if roles.is_weight(name) or roles.is_bias(name):
        return False
    for function in facts.functions.values():
        for node in ast.walk(function.node) if function.name != "__init__" else ():
            if isinstance(node, ast.Assign) and any(end_of(t) == name for t in node.targets):
                last = node.value
                if isinstance(last, ast.Call) and isinstance(last.func, ast.Attribute) and last.func.attr == "copy":
                    last = last.func.value
                if isinstance(last, ast.Subscript) and ast.unparse(last.slice) == "-1":
                    return True
    return False


def _attributes(function: Function, context: type[ast.expr_context]) -> set[str]:
    """Return the attributes of ``self`` that a method reads or sets."""
    return {
        n.attr
        for n in ast.walk(function.node)
        if isinstance(n, ast.Attribute)
        and isinstance(n.ctx, context)
        and isinstance(n.value, ast.Name)
        and n.value.id == "self"
    }


def _of_class(facts: Facts, owner: str) -> set[str]:
    """Return the names that the class itself sets."""
    return {
        n.id for s in facts.classes[owner].body if isinstance(s, ast.Assign | ast.AnnAssign)
        for n in ast.walk(s) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }  # fmt: skip
