"""What is summed up over the steps: where the sum begins as zero, and that the weights move only after it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from bptt.checking.repairing.nodes import Function, block_of, blocks, statements, targets_of, text_of
from bptt.checking.repairing.patch import delete, insert_after, insert_before, replace
from bptt.checking.repairing.ranges import is_zero
from bptt.checking.repairing.restructuring import Restructuring, rewritten


def initialisations(code: str, tree: ast.Module, function: Function) -> Iterator[Restructuring]:
    """Yield accumulators set to zero before the loop instead of in it, in it instead of before, and not shared."""
    for loop in (n for n in statements(function) if isinstance(n, ast.For | ast.While)):
        for node in loop.body:
            if isinstance(node, ast.Assign) and is_zero(node.value):
                changes = (insert_before(code, loop, text_of(code, node)), delete(code, tree, node))
                yield Restructuring(changes, "set to zero once, before the loop", node)
        block = block_of(function, loop)
        for node in block[: block.index(loop)] if block else []:
            if isinstance(node, ast.Assign) and is_zero(node.value):
                change = insert_before(code, loop.body[0], text_of(code, node))
                yield Restructuring((change, delete(code, tree, node)), "set to zero in every step", node)
    for node in statements(function):
        if isinstance(node, ast.Assign) and len(node.targets) > 1 and is_zero(node.value):
            value = text_of(code, node.value)
            text = "; ".join(f"{text_of(code, target)} = {value}" for target in node.targets)
            yield rewritten(code, node, text, "an array of its own for each")


def begun_again(code: str, function: Function) -> Iterator[Restructuring]:
    """Yield what begins as zeros before one loop begun so before the next one as well, which goes on with it."""
    for block in blocks(function):
        loops = [n for n in block if isinstance(n, ast.For | ast.While)]
        for node in (n for n in block if isinstance(n, ast.Assign) and is_zero(n.value)):
            names = {t.id for t in targets_of(node) if isinstance(t, ast.Name)}
            later = [n for n in loops if n.lineno > node.lineno]
            carried = {t.id for one in later[:1] for n in ast.walk(one) if isinstance(n, ast.Assign)
                       for t in targets_of(n) if isinstance(t, ast.Name)} & names  # fmt: skip
            for loop in later[1:]:
                if carried & {n.id for n in ast.walk(loop) if isinstance(n, ast.Name)}:
                    change = insert_before(code, loop, text_of(code, node))
                    yield Restructuring((change,), f"begun anew: `{text_of(code, node)}`", loop)


def beginnings(code: str, function: Function) -> Iterator[Restructuring]:
    """Yield what begins as zeros before a loop begun with what a loop above left: one part hands back to another."""
    loops = [n for n in statements(function) if isinstance(n, ast.For | ast.While)]
    for node in statements(function):
        target = node.targets[0] if isinstance(node, ast.Assign) and is_zero(node.value) else None
        above = [loop for loop in loops if (loop.end_lineno or loop.lineno) < node.lineno]
        if not isinstance(target, ast.Name) or not above:
            continue
        left = (t.id for loop in above for n in ast.walk(loop) if isinstance(n, ast.Assign) for t in targets_of(n)
                if isinstance(t, ast.Name) and t.id != target.id)  # fmt: skip
        for name in dict.fromkeys(left):
            yield rewritten(code, node, f"{target.id} = {name}", f"begun with what is left in {name}")


def accumulated(code: str, function: Function) -> Iterator[Restructuring]:
    """Yield an update of the weights within a loop as a sum in a variable that starts as zeros and stays so."""
    begun = {ast.unparse(t) for n in statements(function) for t in targets_of(n) if begins(n)}
    idle = begun - {ast.unparse(t) for n in statements(function) for t in targets_of(n) if not begins(n)}
    for loop in (n for n in statements(function) if isinstance(n, ast.For | ast.While)):
        for node in (n for n in ast.walk(loop) if isinstance(n, ast.AugAssign) and idle):
            value = node.value
            sides = [value.left, value.right] if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mult) else []
            for name in sorted(idle):
                for part in (value, *sides):  # without its rate as well
                    text = f"{name} += {text_of(code, part)}"
                    yield rewritten(code, node, text, f"added up in {name}, and not to the weights that are still read")
        yield from _moved_afterwards(code, loop, idle)


def _moved_afterwards(code: str, loop: ast.For | ast.While, idle: set[str]) -> Iterator[Restructuring]:
    """Yield an update of weights within a loop as a sum there, by which they move after the loop."""
    for node in (n for n in ast.walk(loop) if isinstance(n, ast.AugAssign) and isinstance(n.op, ast.Add | ast.Sub)):
        value, target = node.value, text_of(code, node.target)
        read = sum(ast.unparse(n) == ast.unparse(node.target) for n in ast.walk(loop)) > 1
        if not read or not isinstance(value, ast.BinOp) or not isinstance(value.op, ast.Mult):
            continue
        sign = "+=" if isinstance(node.op, ast.Add) else "-="
        begun = "d" + re.split(r"\W+", ast.unparse(node.target).rstrip("']"))[-1]  # dV for self.V, p["V"]
        for name in sorted(idle) or ([begun] if begun.isidentifier() else []):
            zeros = () if idle else (insert_before(code, loop, f"{name} = np.zeros_like({target})"),)
            for part, rate in ((value.right, value.left), (value.left, value.right)):
                inside = replace(code, node, f"{name} += {text_of(code, part)}")
                after = insert_after(code, loop, f"{target} {sign} {text_of(code, rate)} * {name}")
                what = f"added up in {name}, by which they are moved after the loop"
                yield Restructuring((inside, after, *zeros), what, node)


def begins(node: ast.stmt) -> bool:
    """Tell whether a statement only makes zeros, one array or several."""
    value = node.value if isinstance(node, ast.Assign) else None
    parts = value.elts if isinstance(value, ast.Tuple | ast.List) else [value] if value is not None else []
    return bool(parts) and all(is_zero(part) for part in parts)
