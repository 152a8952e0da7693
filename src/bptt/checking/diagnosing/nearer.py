"""One change that explains more than several that are proven: what they make up for, each at its own line."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from bptt.checking.diagnosing.labels import label
from bptt.checking.diagnosing.roles import accumulates, bare_name
from bptt.checking.diagnosing.sources import elementary
from bptt.checking.diagnosing.suspects import forgotten

if TYPE_CHECKING:
    from bptt.checking.diagnosing.climbing import Climbed, Climbing
    from bptt.checking.diagnosing.judging import Judged, Judgement, Judging
    from bptt.checking.diagnosing.mending import Mended

SIMPLE = 2.0
"""How far one change may be from the text to be preferred to several that are proven."""

NEARER = 4.0
"""Seconds for a change that explains more than what is proven already."""

NEAR_ENOUGH = 1.5
"""No other statement is changed for one that is changed as little as that."""

FAR = 4.5
"""A change that is as far from the text as that hardly says what was wrong with it."""

FEW = 3
"""No one change is looked for instead of more changes than these."""


def nearer(judging: Judging, judgement: Judgement, mended: Mended, climbing: Callable[[], Climbing]) -> Climbed | None:
    """Return one change that explains more than the proven ones of single statements do.

    Several lines may compensate for one; a factor may be lost above the line where it shows; a function that is
    right may be handed the wrong argument; and a variable that nothing reads was meant to be read.
    """
    changed = [j for j in judgement.wrong if j.unit.number in mended.by_unit]
    costs = [candidate.cost for candidate in mended.by_unit.values()]
    read = {
        n.id
        for candidate in mended.by_unit.values()
        for n in ast.walk(ast.parse(candidate.replacement))
        if isinstance(n, ast.Name)
    }
    unread = forgotten(judging, unpacked=False)
    if unread and not unread & read:
        search = climbing()
        found = search.single(SIMPLE, accept=search.likely.uses_forgotten)
        if found is not None:
            return found
    if len(mended.changes) > FEW:
        return None
    if len(mended.changes) > 1:
        scaled = sum(_by_a_factor(judging, judged) for judged in changed)
        if max(costs, default=0.0) <= SIMPLE and scaled <= 1:
            return None
        return climbing().single(max(SIMPLE, sum(costs) / 2))
    if len(changed) != 1 or not costs:
        return None
    judged = changed[0]
    anew = any(candidate.kind == "rewrite" for candidate in mended.by_unit.values())
    if anew or costs[0] > FAR:  # no small change of that statement
        return climbing().single(SIMPLE)
    name = judged.unit.function.split(".")[-1]
    if judged.role.series.kind == "slope" or elementary(judging, judged.unit):
        as_meant = _given_what_it_names(judging, name)
        return climbing().single(SIMPLE, lambda s: name in _names(s) and not as_meant(s))
    if (beside := _sums_beside(judging, judged)) and costs[0] > NEAR_ENOUGH:
        found = climbing().single(SIMPLE + NEAR_ENOUGH, lambda s: id(s) in beside)
        if found is not None:
            return found
    if _by_a_factor(judging, judged):
        search = climbing()
        order = [id(suspect.statement) for suspect in search.likely.suspects]
        here = order.index(id(judged.unit.statement)) if id(judged.unit.statement) in order else 0
        above = set(order[:here])
        return search.single(SIMPLE, lambda s: id(s) in above)
    return None


def _given_what_it_names(judging: Judging, name: str) -> Callable[[ast.stmt], bool]:
    """Return what tells whether a statement hands a function a variable that is named like its parameter."""
    functions = [n for n in ast.walk(judging.program.tree) if isinstance(n, ast.FunctionDef) and n.name == name]
    named = {bare_name(argument.arg) for function in functions for argument in function.args.args}

    def as_meant(statement: ast.stmt) -> bool:
        calls = [n for n in ast.walk(statement) if isinstance(n, ast.Call) and name in _names(n.func)]
        given = [bare_name(_without_index(argument)) for call in calls for argument in call.args]
        return any(one in named for one in given)

    return as_meant


def _without_index(argument: ast.expr) -> str:
    """Return what an argument is an item of, as written."""
    while isinstance(argument, ast.Subscript) and not isinstance(argument.slice, ast.Constant):
        argument = argument.value
    return ast.unparse(argument)


def _sums_beside(judging: Judging, judged: Judged) -> set[int]:
    """Return the other statements that a sum is written with, term by term: one may make up for another's fault."""
    unit = judged.unit
    same = [u for u in judging.units if u.target == unit.target and u.function == unit.function and u.root == u.number]
    return {id(u.statement) for u in same} - {id(unit.statement)} if any(map(accumulates, same)) else set()


def _names(statement: ast.AST) -> set[str]:
    """Return the names that a statement reads, also those of attributes."""
    return {getattr(node, "id", getattr(node, "attr", "")) for node in ast.walk(statement)}


def _by_a_factor(judging: Judging, judged: Judged) -> bool:
    return any(one.code == "L1" for one in label(judging, judged))
