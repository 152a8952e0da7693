"""How a function uses an argument: whether at all, as a number, item by item, as a tuple of states."""

from __future__ import annotations

import ast
import re

from bptt.checking.loading.facts import Function


def is_used(function: Function, name: str) -> bool:
    """Tell whether a function reads its argument at all."""
    return any(
        isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load) for n in ast.walk(function.node)
    )


def is_series(function: Function, name: str) -> bool:
    """Tell whether an argument is a row of numbers that arrays are put together from: ``[[a[t], b[t]]]``."""
    inside = {id(n) for d in ast.walk(function.node) if isinstance(d, ast.List) for n in ast.walk(d)}
    taken = [n for n in ast.walk(function.node) if isinstance(n, ast.Subscript) and ast.unparse(n.value) == name]
    measured = [
        n.args[0]
        for n in ast.walk(function.node)
        if isinstance(n, ast.Call) and ast.unparse(n.func) == "len" and n.args
    ]
    known = {id(n.value) for n in taken} | {id(n) for n in measured}
    uses = [n for n in ast.walk(function.node) if isinstance(n, ast.Name) and n.id == name]
    single = all(id(n) in inside and not isinstance(n.slice, ast.Tuple | ast.Slice | ast.Constant) for n in taken)
    return bool(taken) and single and all(id(n) in known for n in uses)


def is_count(function: Function, name: str) -> bool:
    """Tell whether a one-letter name is used as a number: in ``range(n)``, in a shape, as a divisor."""
    made = r"(zeros|ones|empty|randn?|normal|uniform|reshape|full|range|arange|eye)"
    return re.search(rf"\b{made}\((?:[^()]*\()?[^()]*\b{name}\b(?!\.)", function.text) is not None


def is_indexed(function: Function, name: str) -> bool:
    """Tell whether a function takes items of an argument."""
    return any(
        isinstance(n, ast.Subscript) and isinstance(n.value, ast.Name) and n.value.id == name
        for n in ast.walk(function.node)
    )


def states_in(function: Function, name: str) -> int:
    """Return how many states an argument holds in a tuple: ``H, C = state``; 0 where it is one itself."""
    for node in ast.walk(function.node):
        if isinstance(node, ast.Assign) and ast.unparse(node.value) == name and isinstance(node.targets[0], ast.Tuple):
            return len(node.targets[0].elts)
    return 0


def special_words(text: str) -> list[str]:
    """Return the words that a program looks up in its vocabulary by name: ``word_to_idx['<START>']``."""
    return list(dict.fromkeys(re.findall(r"(?:\[|\.get\()'(<\w+>|[A-Z]+(?:_[A-Z]+)*)'", text)))
