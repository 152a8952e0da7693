"""Lines that are missing beside others: another gate's or weight's, like the one that is there, and what masks."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from bptt.checking.repairing.nodes import Function, place_of, statements, targets_of, text_of
from bptt.checking.repairing.patch import insert_after
from bptt.checking.repairing.ranges import adds
from bptt.checking.repairing.renaming import changed_part
from bptt.checking.repairing.restructuring import Restructuring

GATES = 6
"""So many values between 0 and 1 are tried as what a gradient is carried through."""
LINES = 150
"""So many lines of other gates are tried at most."""


def lines_of_other_gates(code: str, tree: ast.Module, function: Function) -> Iterator[Restructuring]:
    """Yield a line that adds something, once more with another gate's or weight's names, where there is none such."""
    known = {ast.unparse(node) for node in statements(function)}
    everywhere, here = _tokens(tree), _tokens(function)
    count = 0
    for node in statements(function):
        own = _tokens(node)
        if not _adds(node) or len(own) < 2:
            continue
        changes = {part for old in own for name in here if old != name and (part := changed_part(old, name))}
        for before, after in sorted(changes):
            names = {old: old.replace(before, after) for old in own if before in old}
            names = {old: new for old, new in names.items() if new in everywhere}
            if not names:
                continue
            line = ast.unparse(_Renamed(names).visit(ast.parse(text_of(code, node)).body[0]))
            lines = [line] if len(names) > 1 else _at_other_steps(line)  # of one name changed, another step
            for line in lines:
                if line not in known and count < LINES:
                    known.add(line)
                    count += 1
                    yield Restructuring((insert_after(code, node, line),), f"another like this one: {line}", node)


def lines_that_move(code: str, tree: ast.Module, function: Function) -> Iterator[Restructuring]:
    """Yield the line that moves a weight by its gradient, where others are moved by theirs and it is not."""
    everywhere, here = _tokens(tree), _tokens(function)
    pairs = ((node, *_weight_and_gradient(node)) for node in statements(function) if _adds(node))
    moves = [(node, weight, gradient) for node, weight, gradient in pairs if weight]
    others = everywhere - {weight for _, weight, _ in moves}
    in_order = sorted(statements(function), key=lambda node: node.lineno)
    last = {name: node.lineno for node in in_order for t in targets_of(node) for name in _tokens(t)}
    likes: dict[str, list[tuple[bool, float, int, ast.stmt, str]]] = {}
    for place, (node, weight, gradient) in enumerate(moves):
        before, _, after = gradient.partition(weight)
        for name in here:
            other = name.removeprefix(before).removesuffix(after)
            if before + other + after == name != other and other in others:
                renamed = _Renamed({weight: other, gradient: name}).visit(ast.parse(text_of(code, node)).body[0])
                like = difflib.SequenceMatcher(None, weight, other).ratio()
                whole = node.lineno > last.get(name, 0)
                likes.setdefault(other, []).append((whole, like, place, node, ast.unparse(renamed)))
    for other in sorted(likes):
        *_, node, line = max(likes[other], key=lambda like: like[:3])  # once its gradient is whole, beside its layer's
        yield Restructuring((insert_after(code, node, line),), f"never moved: `{line}`", node)


def _weight_and_gradient(node: ast.stmt) -> tuple[str, str]:
    """Return the names of a weight and its gradient of ``w -= rate * dw``; nothing of any other statement."""
    target, value = targets_of(node)[0], getattr(node, "value", None)
    weight = next((t for t in _tokens(target) if ast.unparse(target).endswith((t, f"'{t}']"))), "")
    found = sorted(t for t in _tokens(value) if weight and weight in t and t != weight) if value is not None else []
    return (weight, found[0]) if found else ("", "")


def lines_that_carry(
    code: str, function: Function, statement: ast.stmt, names: Mapping[str, Any]
) -> Iterator[Restructuring]:
    """Yield the line that takes a carried gradient through a gate, for the step before: ``dc = dc * f``."""
    target = next(iter(targets_of(statement)), None)
    held = names.get(target.id) if isinstance(target, ast.Name) else None
    loops = [n for n in statements(function) if isinstance(n, ast.For | ast.While)]
    loops = [n for n in loops if place_of(statement) in map(place_of, n.body)]
    if not adds(statement) or not isinstance(target, ast.Name) or not isinstance(held, np.ndarray) or not loops:
        return
    stored = [n for s in loops[0].body for n in ast.walk(s) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    if [n.id for n in stored].count(target.id) > 1:
        return  # it is made anew before it is handed on
    gates = [n for n, v in names.items() if isinstance(v, np.ndarray) and v.shape == held.shape and n.isidentifier()]
    gates = [n for n in gates if n != target.id and ((names[n] > 0) & (names[n] < 1)).all()][:GATES]
    for gate in gates:
        line = f"{target.id} = {target.id} * {gate}"
        change = insert_after(code, loops[0].body[-1], line)
        yield Restructuring((change,), f"handed on through a gate: {line}", statement)


def lines_that_mask(code: str, statement: ast.stmt, names: Mapping[str, Any]) -> Iterator[Restructuring]:
    """Yield the line that sets what a statement has changed to zero where a mask is."""
    target = next(iter(targets_of(statement)), None)
    while isinstance(target, ast.Subscript):
        target = target.value
    held = names.get(target.id) if isinstance(target, ast.Name) else None
    if not isinstance(target, ast.Name) or not isinstance(held, np.ndarray) or held.ndim == 0:
        return
    for name, mask in names.items():
        shape = mask.shape if isinstance(mask, np.ndarray) and mask.dtype.kind in "fbiu" else ()
        if name == target.id or not shape or held.shape[: len(shape)] != shape or not np.isin(mask, (0, 1)).all():
            continue
        spread = ", ".join([":"] * len(shape) + ["None"] * (held.ndim - len(shape)))
        line = f"{target.id} *= {name}" + (f"[{spread}]" if held.ndim > len(shape) else "")
        yield Restructuring((insert_after(code, statement, line),), f"masked: {line}", statement)


def _at_other_steps(line: str) -> list[str]:
    """Return a line with the index of its target moved by a step, as far as it has one."""
    target = getattr(ast.parse(line).body[0], "target", None)
    if not isinstance(target, ast.Subscript):
        return []
    index, rest = ast.unparse(target.slice), line[len(ast.unparse(target)) :]
    base = index.split(" ")[0]
    others = [o for o in (base, f"{base} - 1", f"{base} + 1") if base.isidentifier() and o != index]
    return [f"{ast.unparse(target.value)}[{other}]{rest}" for other in others]


def _adds(node: ast.stmt) -> bool:
    if isinstance(node, ast.AugAssign):
        return isinstance(node.op, ast.Add | ast.Sub)
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.BinOp):
        return False
    return ast.unparse(node.targets[0]) in {ast.unparse(n) for n in ast.walk(node.value)}


def _tokens(tree: ast.AST) -> set[str]:
    """Return the names, attributes and keys that a text is written with."""
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    names |= {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    names |= {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    names |= {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    return {name for name in names if name.isidentifier()} - {"np", "numpy", "self"}


class _Renamed(ast.NodeTransformer):
    """Gives names, attributes and keys other names."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self.names.get(node.id, node.id)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        node.attr = self.names.get(node.attr, node.attr)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, str):
            node.value = self.names.get(node.value, node.value)
        return node
