"""Two names for one array: what is kept and then changed in place is to be a copy; what others hold is to be filled."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from bptt.checking.repairing.nodes import Function, statements, targets_of, text_of
from bptt.checking.repairing.patch import replace
from bptt.checking.repairing.restructuring import Restructuring, rewritten

PLACES = ast.Name | ast.Attribute | ast.Subscript
KEEP = ("append", "insert", "appendleft")


def copies(code: str, function: Function) -> Iterator[Restructuring]:
    """Yield each line that keeps an array with a copy of it, where the function changes that array in place."""
    moved = {_base(t) for n in statements(function) for t in targets_of(n) if _in_place(n, t)}
    added = {ast.unparse(t) for n in statements(function) if isinstance(n, ast.AugAssign) for t in targets_of(n)}
    names: set[str] = set()
    for node in statements(function):
        for kept, into in _kept(node):
            name = ast.unparse(kept)
            if {name, _base(kept), *into} & moved:
                names.add(name)
                what = f"a copy, an array of its own: `{name}.copy()`"
                likely = bool({name, *into} & added)
                change = replace(code, kept, f"{text_of(code, kept)}.copy()")
                yield Restructuring((change,), what if likely else f"perhaps {what}", node)
    for node in statements(function):
        if (
            isinstance(node, ast.AugAssign)
            and not isinstance(node.target, ast.Name)
            and ast.unparse(node.target) in names
        ):
            text = f"{text_of(code, node.target)} = {ast.unparse(ast.BinOp(node.target, node.op, node.value))}"
            yield rewritten(code, node, text, f"a new array: `{text}`")


def filled(code: str, function: Function) -> Iterator[Restructuring]:
    """Yield each line that puts an array in a place with the array filled that is there, which others hold as well."""
    for node in statements(function):
        target = node.targets[0] if isinstance(node, ast.Assign) and len(node.targets) == 1 else None
        sliced = isinstance(target, ast.Subscript) and any(isinstance(n, ast.Slice) for n in ast.walk(target.slice))
        if isinstance(target, ast.Attribute | ast.Subscript) and not sliced and ast.unparse(target)[-5:] != "[...]":
            text = f"{text_of(code, target)}[...]"
            yield Restructuring((replace(code, target, text),), f"filled in place: `{text} = ...`", node)


def _kept(node: ast.stmt) -> Iterator[tuple[ast.expr, set[str]]]:
    """Yield what a statement only names or keeps, with the names that it is known by afterwards."""
    if isinstance(node, ast.Assign) and isinstance(node.value, PLACES):
        yield node.value, {_base(t) for t in targets_of(node)}
    elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
        yield from ((e, set()) for e in node.value.elts if isinstance(e, PLACES))
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and node.value.args:
        last = node.value.args[-1]
        parts = last.elts if isinstance(last, ast.Tuple | ast.List) else [last]
        if getattr(node.value.func, "attr", "") in KEEP:
            yield from ((part, set()) for part in parts if isinstance(part, PLACES))


def _in_place(node: ast.stmt, target: ast.expr) -> bool:
    """Tell whether a statement changes the array that it writes to, and gives no new one."""
    return isinstance(node, ast.AugAssign) or isinstance(target, ast.Subscript)


def _base(target: ast.expr) -> str:
    """Return what is changed: ``h`` of ``h[:, 0]``, ``self.h`` of ``self.h``."""
    while isinstance(target, ast.Subscript):
        target = target.value
    return ast.unparse(target)
