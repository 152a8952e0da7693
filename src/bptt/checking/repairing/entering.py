"""At which steps a line acts: under a test that leaves steps out, once before a loop, or at every turn of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from bptt.checking.repairing.nodes import Function, block_of, statements, targets_of, text_of
from bptt.checking.repairing.patch import delete, insert_after, insert_before, replace
from bptt.checking.repairing.ranges import is_zero
from bptt.checking.repairing.restructuring import Restructuring
from bptt.checking.tracing.trees import copied


def at_other_steps(code: str, tree: ast.Module, function: Function) -> Iterator[Restructuring]:
    """Yield the changes of when the lines of a function's loops act."""
    for loop in (n for n in statements(function) if isinstance(n, ast.For | ast.While)):
        yield from _without_the_test(code, loop)
        yield from _once(code, tree, loop)
        yield from _at_every_turn(code, function, loop)


def _without_the_test(code: str, loop: ast.For | ast.While) -> Iterator[Restructuring]:
    """Yield the line under ``if t > 0:`` without that test."""
    steps = _variables(loop)
    for node in ast.walk(loop):
        if isinstance(node, ast.If) and steps & _names(node.test):
            for block in (node.body, node.orelse):
                if len(block) == 1 and isinstance(block[0], ast.Assign | ast.AugAssign):
                    change = replace(code, node, text_of(code, block[0]))
                    yield Restructuring((change,), f"at every step, whether or not `{ast.unparse(node.test)}`", node)


def _once(code: str, tree: ast.Module, loop: ast.For | ast.While) -> Iterator[Restructuring]:
    """Yield what is the same at every turn of a loop before it instead, and zeros for the turns that follow."""
    made = {ast.unparse(t) for n in ast.walk(loop) if isinstance(n, ast.stmt) for t in targets_of(n)} | _variables(loop)
    for node in loop.body:
        if not isinstance(node, ast.Assign) or len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
            continue
        name = node.targets[0].id
        if is_zero(node.value) or _names(node.value) & made or node is loop.body[-1]:
            continue
        before = insert_before(code, loop, text_of(code, node))
        after = insert_after(code, loop.body[-1], f"{name} = 0.0")
        yield Restructuring((before, delete(code, tree, node), after), "at one step only, before the loop", node)


def _at_every_turn(code: str, function: Function, loop: ast.For | ast.While) -> Iterator[Restructuring]:
    """Yield what goes into a loop once, of the last step, added at every turn instead, of its own step."""
    block = block_of(function, loop)
    step = loop.target.id if isinstance(loop, ast.For) and isinstance(loop.target, ast.Name) else ""
    for begun in block[: block.index(loop)] if block and step else []:
        if not isinstance(begun, ast.Assign) or len(begun.targets) != 1 or not isinstance(begun.targets[0], ast.Name):
            continue
        last, name = _at(begun.value, step), begun.targets[0].id
        if last is None or is_zero(begun.value):
            continue
        for node in loop.body:
            reads = [n for n in ast.walk(node) if isinstance(n, ast.Name) and n.id == name]
            reads = [n for n in reads if isinstance(n.ctx, ast.Load)]
            if reads and isinstance(node, ast.Assign):
                zeros = replace(code, begun.value, f"np.zeros_like({text_of(code, begun.value)})")
                alone = node.value is reads[0]
                both = f"{last} + {name}" if alone else f"({last} + {name})"
                changes = replace(code, reads[0], both), zeros
                yield Restructuring(changes, "the output's own part at every step", node)
            if reads:
                break


def _at(value: ast.expr, step: str) -> str | None:
    """Return an expression of the last step as one of a loop's step; None where it is of no step."""
    found = copied(value)
    count = 0
    for node in ast.walk(found):
        if isinstance(node, ast.Subscript) and re.fullmatch(r"-1|\w+ - 1|len\([\w.]+\) - 1", ast.unparse(node.slice)):
            node.slice, count = ast.Name(step, ast.Load()), count + 1
    return ast.unparse(found) if count else None


def _variables(loop: ast.For | ast.While) -> set[str]:
    target = loop.target if isinstance(loop, ast.For) else loop.test
    return {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}


def _names(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
