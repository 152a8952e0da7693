"""Calls of their own functions with an argument too many, or one too few."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from bptt.checking.repairing.nodes import Function, statements, text_of
from bptt.checking.repairing.patch import Change, replace


def other_arguments(code: str, tree: ast.Module, function: Function) -> Iterator[tuple[ast.stmt, Change, str]]:
    """Yield (statement, change, call) for each call that does not fit its function: with an argument less, or more.

    What is added is the variable of the parameter's own name.
    """
    own: dict[str, list[ast.FunctionDef]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            own.setdefault(node.name, []).append(node)
    for statement in statements(function):
        for call in (n for n in ast.walk(statement) if isinstance(n, ast.Call)):
            called = own.get(ast.unparse(call.func).split(".")[-1], [])
            if len(called) != 1 or call.keywords or any(isinstance(a, ast.Starred) for a in call.args):
                continue
            arguments = called[0].args
            if arguments.vararg is not None:
                continue
            names = [a.arg for a in arguments.args if a.arg not in ("self", "cls")]
            needed = len(names) - len(arguments.defaults)
            given = [text_of(code, a) for a in call.args]
            if len(given) > len(names):
                fitting = [given[:k] + given[k + 1 :] for k in reversed(range(len(given)))]
            elif len(given) < needed:
                fitting = [[*given[:k], names[k], *given[k:]] for k in reversed(range(len(given) + 1))]
            else:
                continue
            for texts in fitting:
                text = f"{text_of(code, call.func)}({', '.join(texts)})"
                yield statement, replace(code, call, text), text
