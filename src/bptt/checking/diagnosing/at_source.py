"""A variable that every mended statement reads another way: the line that sets it is the one to mend."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from bptt.checking.diagnosing.differences_in_text import differing, value_of
from bptt.checking.repairing import patch
from bptt.checking.repairing.alternatives import Alternative
from bptt.checking.repairing.index_edits import restated
from bptt.checking.repairing.leaves import enclosing

if TYPE_CHECKING:
    from bptt.checking.diagnosing.judging import Judging
    from bptt.checking.diagnosing.mending import Mended


def at_its_source(judging: Judging, mended: Mended) -> Alternative | None:
    """Return the change of the one line that sets the variable which all proven changes replace by the same."""
    statements = {number: judging.units[number].statement for number in mended.by_unit}
    found = {_replaced(s, mended.by_unit[n].replacement) for n, s in statements.items()}
    pair = found.pop() if len(found) == 1 and not mended.header else None
    around = {enclosing(judging.program.tree, s) for s in statements.values()}
    function = around.pop() if len(around) == 1 else None
    if pair is None or function is None:
        return None
    name, text = pair
    stores = [
        n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store)
    ]
    sets = [n for n in ast.walk(function) if isinstance(n, ast.Assign) and n.targets == stores]
    if len(sets) != 1 or not isinstance(sets[0].value, ast.Subscript | ast.Attribute | ast.Name):
        return None
    change = patch.replace(judging.program.code, sets[0].value, text)
    return Alternative((change,), 1.0, sets[0], restated(judging.program.code, sets[0], change))


def _replaced(old: ast.stmt, replacement: str) -> tuple[str, str] | None:
    """Return the variable and what is read instead of it, where nothing else differs."""
    new = ast.parse(replacement).body[0]
    theirs, right = value_of(old), value_of(new)
    if theirs is None or right is None or type(old) is not type(new):
        return None
    pairs = {(ast.unparse(a), ast.unparse(b)) for (a, b), _ in differing(theirs, right, ()) if isinstance(a, ast.Name)}
    count = sum(1 for _ in differing(theirs, right, ()))
    return pairs.pop() if len(pairs) == 1 == count else None
