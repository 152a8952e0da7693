"""A variable that every mended statement reads another way, or scaled: the line that sets it is the one to mend."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bptt.checking.diagnosing.differences_in_text import differing, value_of
from bptt.checking.diagnosing.suspects import backward_functions, unlike_the_others
from bptt.checking.repairing import patch
from bptt.checking.repairing.alternatives import Alternative
from bptt.checking.repairing.index_edits import restated
from bptt.checking.repairing.leaves import enclosing
from bptt.checking.repairing.nodes import statements, targets_of, text_of

if TYPE_CHECKING:
    from bptt.checking.diagnosing.judging import Judging

KINDS = {ast.Div: "/", ast.Mult: "*"}


def at_their_source(judging: Judging, changes: list[Alternative]) -> Iterator[list[Alternative]]:
    """Yield proven changes with one of a line above in the place of those that all do the same to what it sets."""
    read = _read_otherwise(judging, changes)
    if read is not None:
        yield [read]
    factors = {id(one): factor for one in changes if (factor := _factor(one)) is not None}
    for factor in dict.fromkeys(factors.values()):
        group = [one for one in changes if factors.get(id(one)) == factor]
        above = _scaled(judging, group, *factor) if len(group) > 1 else None
        if above is not None:
            yield [above, *(one for one in changes if one not in group)]


def moved_otherwise(judging: Judging, changes: list[Alternative]) -> Iterator[list[Alternative]]:
    """Yield the other sign of the one move of a weight that is unlike the others, alone or for one of the changes."""
    code = judging.program.code
    for node in (s for f in backward_functions(judging) for s in unlike_the_others(f) if changes):
        sign, old = ("-=", "+=") if isinstance(node.op, ast.Add) else ("+=", "-=")
        text = f"{text_of(code, node.target)} {sign} {text_of(code, node.value)}"
        change = Alternative((patch.replace(code, node, text),), 1.0, node, what=f"{sign} instead of {old}")
        if all(one.what != change.what or one.statement is not node for one in changes):
            yield from ([change, *changes[:k], *changes[k + 1 :]] for k in range(len(changes)))


def _read_otherwise(judging: Judging, changes: list[Alternative]) -> Alternative | None:
    """Return the change of the one line that sets the variable which all changes replace by the same."""
    found = {_replaced(one) for one in changes}
    pair = found.pop() if len(found) == 1 else None
    function = _function_around(judging, changes)
    if pair is None or function is None:
        return None
    name, text = pair
    names = [n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == name]
    stores = [n for n in names if isinstance(n.ctx, ast.Store)]
    sets = [n for n in ast.walk(function) if isinstance(n, ast.Assign) and n.targets == stores]
    if len(sets) != 1 or not isinstance(sets[0].value, ast.Subscript | ast.Attribute | ast.Name):
        return None
    change = patch.replace(judging.program.code, sets[0].value, text)
    return Alternative((change,), 1.0, sets[0], restated(judging.program.code, sets[0], change))


def _scaled(judging: Judging, group: list[Alternative], sign: str, size: str) -> Alternative | None:
    """Return a line that scales the variable which all of a group read, behind the last one that changes it."""
    function = _function_around(judging, group)
    first = min(one.statement.lineno for one in group)
    read = set[str].intersection(*({n.id for n in ast.walk(one.statement) if isinstance(n, ast.Name)} for one in group))
    sets = [
        (node, name)
        for node in (statements(function) if function is not None else ())
        for name in (ast.unparse(target).split("[")[0] for target in targets_of(node))
        if name in read and node.lineno < first
    ]
    if not sets:
        return None
    node, name = max(sets, key=lambda one: one[0].lineno)
    line = f"{name} {sign}= {size}"
    change = patch.insert_after(judging.program.code, node, line)
    return Alternative((change,), 1.0, node, line, f"scaled: `{line}`")


def _function_around(judging: Judging, changes: list[Alternative]) -> ast.FunctionDef | None:
    around = {enclosing(judging.program.tree, one.statement) for one in changes}
    return around.pop() if len(around) == 1 else None


def _replaced(change: Alternative) -> tuple[str, str] | None:
    """Return the variable and what is read instead of it, where nothing else differs."""
    new = _statement(change)
    theirs, right = value_of(change.statement), value_of(new) if new is not None else None
    if theirs is None or right is None or type(change.statement) is not type(new):
        return None
    pairs = [pair for pair, _ in differing(theirs, right, ())]
    names = {(ast.unparse(old), ast.unparse(new)) for old, new in pairs if isinstance(old, ast.Name)}
    return names.pop() if len(names) == 1 == len(pairs) else None


def _factor(change: Alternative) -> tuple[str, str] | None:
    """Return the one factor or divisor more that a changed statement has: its sign and its text."""
    new = _statement(change)
    if new is None:
        return None
    counts = [
        Counter(
            (KINDS[type(n.op)], ast.unparse(n.right))
            for n in ast.walk(tree)
            if isinstance(n, ast.BinOp) and type(n.op) in KINDS
        )
        for tree in (change.statement, new)
    ]
    more = counts[1] - counts[0]
    return next(iter(more)) if more.total() == 1 and not counts[0] - counts[1] else None


def _statement(change: Alternative) -> ast.stmt | None:
    """Return what an edit makes of a statement; None of a change of form."""
    if change.what or not change.text or not isinstance(change.statement, ast.Assign | ast.AugAssign | ast.Return):
        return None
    try:
        return ast.parse(change.text).body[0]
    except SyntaxError:  # a part of a longer line
        return None
