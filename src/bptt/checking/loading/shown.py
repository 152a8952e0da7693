"""Methods shown without their class: a class of that name only, in place, and the attributes that it must have had."""

from __future__ import annotations

import ast

from bptt.checking.loading import roles_by_name as roles
from bptt.checking.loading.assumed import usual_definition
from bptt.checking.loading.discover_state import usage_of_self
from bptt.checking.loading.links import zeros_of
from bptt.checking.loading.plan import Parameter, Source

SHOWN = "Shown"


def is_method(statement: ast.stmt) -> bool:
    """Tell whether a function outside any class takes ``self``."""
    return isinstance(statement, ast.FunctionDef) and [a.arg for a in statement.args.args[:1]] == ["self"]


def as_class(tree: ast.Module) -> ast.Module:
    """Return the program with its lone methods in a class, where they stand; nothing else changes."""
    methods = [s for s in tree.body if is_method(s)]
    if not methods:
        return tree
    holder = ast.ClassDef(SHOWN, [], [], list(methods), [])
    ast.copy_location(holder, methods[0])
    holder.end_lineno, holder.end_col_offset = methods[-1].end_lineno, methods[-1].end_col_offset
    body = [holder if s is methods[0] else s for s in tree.body if s is methods[0] or s not in methods]
    return ast.fix_missing_locations(ast.Module(body, tree.type_ignores))


def missing_attributes(
    methods: list[ast.FunctionDef], tree: ast.Module
) -> tuple[dict[str, Source], tuple[Parameter, ...], list[str], list[str]]:
    """Return what the class not shown must have set up.

    Returns
    -------
    attributes : dict of str to Source
        Sizes, the dict of parameters, empty dicts, helpers.
    parameters : tuple of Parameter
    data : list of str
        Attributes that are inputs, targets or states.
    said : list of str
        What was assumed, each a sentence.
    """
    usage = usage_of_self(methods)
    known = {m.name for m in methods}
    weights = {n for m in methods for n in zeros_of(ast.walk(m)).values()} - usage.stored.keys()
    missing = [n for n in (*usage.dicts, *usage.plain) if n not in usage.stored and n not in known]
    attributes: dict[str, Source] = {}
    parameters: list[Parameter] = []
    data: list[str] = []
    said: list[str] = []
    for name in dict.fromkeys(missing):
        box = usage.dicts.get(name)
        size = roles.size_of(name) if name not in weights else None
        if box is not None and box.read and not box.assigned:
            attributes[name] = Source("params")
            parameters += [Parameter(key, "argument", (), ()) for key in box.read]
        elif box is not None:
            attributes[name] = Source("empty", {})
        elif size:
            attributes[name] = Source("size", size)
        elif name in weights or roles.is_weight(name) or roles.is_bias(name):
            attributes[name] = Source("param", name)
            parameters.append(Parameter(name, "argument", (), ()))
        elif roles.matches(name, f"{roles.INPUT}|{roles.TARGET}|{roles.STATE0}|{roles.CELL0}"):
            data.append(name)
        else:
            usual = usual_definition(name, tree)
            if usual is not None:
                attributes[name] = Source("const", usual[0])
                said.append(usual[1])
    return attributes, tuple(parameters), data, said
