"""Faults of form, where every expression is right: a loop's range and direction, = for +=, order, a wrong target.

No statement alone can tell these; the judge is the proof of the whole repaired program.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches
from itertools import combinations, pairwise

from bptt.checking.repairing.arity import other_arguments
from bptt.checking.repairing.entering import at_other_steps
from bptt.checking.repairing.nodes import Function, blocks, statements, targets_of, text_of
from bptt.checking.repairing.own_arrays import copies, filled
from bptt.checking.repairing.patch import delete, insert_after, insert_before, replace
from bptt.checking.repairing.ranges import carries, endings, is_zero, ranges
from bptt.checking.repairing.restructuring import Restructuring, rewritten
from bptt.checking.repairing.sums import accumulated, beginnings, begun_again, initialisations

ALIKE = 0.7
"""How alike two attributes are of which one may be a slip of the pen."""
FARTHEST = 4
"""Over how many statements one is moved at most."""


def restructurings(code: str, tree: ast.Module, function: Function) -> Iterator[Restructuring]:
    """Yield every change of form of a function, likely ones first."""
    yield from _returns(code, function)
    for node, change, text in other_arguments(code, tree, function):
        yield Restructuring((change,), f"called as `{text}`", node)
    yield from _kept(code, tree, function)
    yield from _targets_subtracted(code, tree, function)
    yield from _both_steps(code, function)
    yield from _signs(code, function)
    yield from _loops(code, function)
    for last, text, what in carries(code, function):
        yield Restructuring((insert_after(code, last, text),), what, last)
    yield from initialisations(code, tree, function)
    yield from beginnings(code, function)
    yield from begun_again(code, function)
    yield from at_other_steps(code, tree, function)
    yield from copies(code, function)
    yield from filled(code, function)
    yield from _passed_by(code, function)
    yield from _exchanged(code, function)
    yield from _targets(code, function)
    yield from accumulated(code, function)
    yield from _repeated(code, tree, function)
    yield from _orders(code, tree, function)
    yield from _deletions(code, tree, function)


def _kept(code: str, tree: ast.Module, function: Function) -> Iterator[Restructuring]:
    """Yield a call whose result goes nowhere with its result kept, in one of the variables that it is given."""
    returning = {
        f.name
        for f in ast.walk(tree)
        if isinstance(f, ast.FunctionDef) and any(isinstance(n, ast.Return) and n.value for n in ast.walk(f))
    }
    for node in statements(function):
        call = node.value if isinstance(node, ast.Expr) else None
        if isinstance(call, ast.Call) and ast.unparse(call.func).split(".")[-1] in returning:
            for name in (a.id for a in call.args if isinstance(a, ast.Name)):
                yield rewritten(
                    code, node, f"{name} = {text_of(code, call)}", f"its result kept instead of lost: {name}"
                )


def _passed_by(code: str, function: Function) -> Iterator[Restructuring]:
    """Yield what is handed back with a gradient that arrives added to it: it goes past what the function does."""
    arrives = [a.arg for a in function.args.args if a.arg != "self"] if isinstance(function, ast.FunctionDef) else []
    for node in statements(function):
        value = node.value if isinstance(node, ast.Return) else None
        for part in value.elts if isinstance(value, ast.Tuple) else [value]:
            for name in arrives if isinstance(part, ast.Name) else ():
                if name != part.id:  # type: ignore[union-attr]
                    change = replace(code, part, f"{part.id} + {name}")  # type: ignore[arg-type, union-attr]
                    yield Restructuring((change,), f"with {name} added, which goes past all this", node)


def _targets_subtracted(code: str, tree: ast.Module, function: Function) -> Iterator[Restructuring]:
    """Yield the one subtracted at the target's place, y_hat - y, as the cost's logarithm is indexed there."""
    logs = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and ast.unparse(n.func).split(".")[-1] == "log"]
    indices = [n.slice for log in logs for n in ast.walk(log) if isinstance(n, ast.Subscript)]
    named = [i for i in indices if any(isinstance(n, ast.Name) for n in ast.walk(i)) and not _has_slice(i)]
    names = dict.fromkeys(ast.unparse(index) for index in named)
    for node in statements(function):
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Subscript):
            text = f"{text_of(code, node.target)} -= 1"
            if ast.unparse(node.target.slice) in names and text != text_of(code, node):
                yield rewritten(code, node, text, f"minus one at the target: `{text}`")
        if not isinstance(node, ast.Assign) or len(node.targets) != 1 or is_zero(node.value):
            continue
        target = node.targets[0]
        if isinstance(target, ast.Name):
            for place in names:
                text = f"{target.id}[{place}] -= 1"
                yield Restructuring((insert_after(code, node, text),), f"minus one at the target: `{text}`", node)


def _both_steps(code: str, function: Function) -> Iterator[Restructuring]:
    """Yield y_hat - y in the place of what is only written at the target: ``d = zeros_like(p); d[y] = -1 / p[y]``."""
    for block in blocks(function):
        for first, second in pairwise(block):
            if not isinstance(first, ast.Assign) or not isinstance(second, ast.Assign) or not is_zero(first.value):
                continue
            whole, item = first.targets[0], second.targets[0]
            like = first.value.args[0] if isinstance(first.value, ast.Call) and first.value.args else None
            if isinstance(item, ast.Subscript) and ast.unparse(item.value) == ast.unparse(whole) and _read(like):
                given = replace(code, first.value, f"{text_of(code, like)}.copy()")  # type: ignore[arg-type]
                less = replace(code, second, f"{text_of(code, item)} -= 1")
                yield Restructuring((less, given), "softmax and cross-entropy in one step", second)


def _read(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Name | ast.Attribute | ast.Subscript)


def _has_slice(index: ast.expr) -> bool:
    return any(isinstance(node, ast.Slice) for node in ast.walk(index))


def _repeated(code: str, tree: ast.Module, function: Function) -> Iterator[Restructuring]:
    """Yield a sum over rows that are chosen by indices as one in which an index that comes twice counts twice."""
    imported = (n for i in ast.walk(tree) if isinstance(i, ast.Import) for n in i.names if n.name == "numpy")
    numpy = next((n.asname or n.name for n in imported), None)
    for node in statements(function):
        own = targets_of(node)
        target = own[0] if len(own) == 1 and not _starts(node) else None
        if not isinstance(target, ast.Subscript) or not isinstance(node, ast.AugAssign | ast.Assign) or numpy is None:
            continue
        kind = type(node.op) if isinstance(node, ast.AugAssign) else ast.Add
        ufunc = {ast.Add: "add", ast.Sub: "subtract"}.get(kind)
        index = target.slice
        if (
            ufunc is None
            or (_has_slice(index) and not isinstance(index, ast.Subscript))
            or isinstance(index, ast.Constant)
        ):
            continue
        base, value = text_of(code, target.value), text_of(code, node.value)
        text = f"{numpy}.{ufunc}.at({base}, {text_of(code, index)}, {value})"
        yield rewritten(code, node, text, f"an index that comes twice counts twice: `{text}`")


def _signs(code: str, function: Function) -> Iterator[Restructuring]:
    for node in statements(function):
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add | ast.Sub):
            target, value = text_of(code, node.target), text_of(code, node.value)
            old = "+=" if isinstance(node.op, ast.Add) else "-="
            for sign in ("=", "-=" if old == "+=" else "+="):
                yield rewritten(code, node, f"{target} {sign} {value}", f"{sign} instead of {old}")
        elif isinstance(node, ast.Assign) and len(node.targets) == 1:
            first = node.targets[0]
            if isinstance(first, ast.Name | ast.Subscript | ast.Attribute):
                target, value = text_of(code, first), text_of(code, node.value)
                for sign in ("+=", "-="):
                    yield rewritten(code, node, f"{target} {sign} {value}", f"{sign} instead of =")


def _loops(code: str, function: Function) -> Iterator[Restructuring]:
    for node in statements(function):
        if isinstance(node, ast.While):
            for text in endings(code, node.test):
                yield Restructuring((replace(code, node.test, text),), "over every step", node)
        if isinstance(node, ast.For):
            for text, what in ranges(code, node.iter):
                yield Restructuring((replace(code, node.iter, text),), what, node)


def _targets(code: str, function: Function) -> Iterator[Restructuring]:
    """Yield an assignment to another target: one of the same function, or the same under another key."""
    targets: dict[str, ast.expr] = {}
    keys: dict[str, None] = {}
    attributes: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Attribute) or (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)):
            attributes.add(node.attr if isinstance(node, ast.Attribute) else ast.unparse(node.target))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            keys.update(dict.fromkeys((node.value, f"d{node.value}")))
    for node in statements(function):
        for target in targets_of(node):
            targets.setdefault(ast.unparse(target), target)
    moves: list[tuple[bool, ast.stmt, ast.expr, str, str]] = []
    written_twice = Counter(ast.unparse(t) for n in statements(function) if not _starts(n) for t in targets_of(n))
    updated = set(written_twice)
    for node in statements(function):
        own = targets_of(node)
        if len(own) != 1 or not isinstance(node, ast.AugAssign | ast.Assign):
            continue
        (target,) = own
        texts = {text: text_of(code, other) for text, other in targets.items() if type(other) is type(target)}
        if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant) and target.slice.value in keys:
            base, key = text_of(code, target.value), text_of(code, target.slice)
            for other_key in keys:
                texts.setdefault(f"{base}[{other_key!r}]", f"{base}[{key[0]}{other_key}{key[0]}]")
        if isinstance(target, ast.Attribute):  # a slip of the pen
            for like in get_close_matches(target.attr, attributes - {target.attr}, 3, ALIKE):
                text = f"{text_of(code, target.value)}.{like}"
                texts.setdefault(text, text)
        for text, written in texts.items():
            other = text in targets and written_twice.get(ast.unparse(target), 0) < 2 and text in updated
            if text != ast.unparse(target) and not other:  # two statements share a target, or one has none
                moves.append((text in targets, node, target, text, written))
    for _, node, target, text, written in sorted(moves, key=lambda move: move[0]):  # first what nothing is written to
        yield Restructuring((replace(code, target, written),), f"into {text}", node)


def _exchanged(code: str, function: Function) -> Iterator[Restructuring]:
    """Yield two statements that stand together with their targets exchanged."""
    for block in blocks(function):
        for first, second in pairwise(block):
            if not isinstance(first, ast.Assign | ast.AugAssign) or type(first) is not type(second):
                continue
            a, b = targets_of(first), targets_of(second)
            if len(a) == len(b) == 1 and type(a[0]) is type(b[0]) and not _starts(first):
                changes = replace(code, a[0], text_of(code, b[0])), replace(code, b[0], text_of(code, a[0]))
                yield Restructuring(changes, "each into the other's target", first)


def _starts(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and is_zero(node.value)


def _orders(code: str, tree: ast.Module, function: Function) -> Iterator[Restructuring]:
    """Yield a statement moved to another place of its block, near places first."""
    moves: list[tuple[int, ast.stmt, ast.stmt, bool]] = []
    for block in blocks(function):
        simple = [node for node in block if isinstance(node, ast.Assign | ast.AugAssign | ast.Expr)]
        for node in simple:
            for other in block:
                distance = block.index(other) - block.index(node)
                if abs(distance) > FARTHEST:
                    continue
                if distance > 0 and not isinstance(other, ast.Return):
                    moves.append((distance, node, other, True))
                if distance < -1 or (distance == -1 and other not in simple):
                    moves.append((-distance, node, other, False))
        for loop in (n for n in block if isinstance(n, ast.For | ast.While)):
            for node in simple:  # into the loop, or out of it
                if block.index(node) == block.index(loop) + 1:
                    moves.append((2, node, loop.body[-1], True))
            for last in loop.body[-2:]:
                if isinstance(last, ast.Assign | ast.AugAssign) and len(loop.body) > 1:
                    moves.append((2, last, loop, True))
    for _, moved, other, after in sorted(moves, key=lambda move: move[0]):
        text = text_of(code, moved)
        if "\n" in text:
            continue
        there = insert_after(code, other, text) if after else insert_before(code, other, text)
        where = f"{'after' if after else 'before'} line {other.lineno}"
        yield Restructuring((there, delete(code, tree, moved)), where, moved)


def _deletions(code: str, tree: ast.Module, function: Function) -> Iterator[Restructuring]:
    for node in statements(function):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.Expr):
            yield Restructuring((delete(code, tree, node),), "left out", node)


def _returns(code: str, function: Function) -> Iterator[Restructuring]:
    """Yield a returned tuple with two of its parts exchanged, and a missing return of what was accumulated."""
    for node in statements(function):
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple | ast.List):
            parts = [text_of(code, part) for part in node.value.elts]
            listed = isinstance(node.value, ast.List)
            for i in range(len(parts)):
                for j in range(i + 1, len(parts)):
                    order = list(parts)
                    order[i], order[j] = order[j], order[i]
                    text = f"[{', '.join(order)}]" if listed else ", ".join(order)
                    yield rewritten(code, node, f"return {text}", "returned in the other order")
    for node in statements(function):
        call = getattr(node, "value", None)
        shown = (n for n in ast.walk(call) if isinstance(n, ast.Tuple | ast.List)) if isinstance(call, ast.Call) else ()
        for items in (n for n in shown if len(n.elts) > 2 and all(isinstance(e, ast.Name) for e in n.elts)):
            for one, other in combinations(items.elts, 2):
                a, b = text_of(code, one), text_of(code, other)
                yield Restructuring((replace(code, one, b), replace(code, other, a)), f"with `{b}` for `{a}`", node)
    last = function.body[-1]
    if isinstance(function, ast.FunctionDef) and not any(isinstance(n, ast.Return) for n in ast.walk(function)):
        names = dict.fromkeys(ast.unparse(t) for n in statements(function) for t in targets_of(n))
        for name in (n for n in names if n.isidentifier()):
            yield Restructuring((insert_after(code, last, f"return {name}"),), f"{name} returned", last)
