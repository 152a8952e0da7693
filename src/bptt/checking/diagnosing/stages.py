"""Several faults in stages: what helps is put in place, and the program is judged anew as it then stands.

With one fault less, more values are true, more units are recognised, and a statement may be looked at again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from bptt.checking.program import Program
from bptt.checking.repairing import patch
from bptt.checking.repairing.alternatives import Alternative
from bptt.checking.repairing.nodes import place_of, statements


def changed(program: Program, changes: Sequence[patch.Change]) -> Program:
    """Return the program with changes of its text in place; its lines are its own."""
    code = patch.patched_code(program, changes)
    return dataclasses.replace(program, code=code, tree=patch.parsed(code))


def joined(program: Program, first: Sequence[Alternative], then: Iterable[Alternative]) -> list[Alternative] | None:
    """Return the changes of one stage and of the next one, all as changes of the program that was given.

    Parameters
    ----------
    program : Program
        As given.
    first : sequence of Alternative
        Changes of it.
    then : iterable of Alternative
        Changes of the program that these make of it.

    Returns
    -------
    list of Alternative, or None
        None where a change of the second stage has no place in the text as given.
    """
    marks, touched = _lines(program, [change for one in first for change in one.changes])
    result = list(first)
    for one in then:
        line = marks[one.statement.lineno - 1]
        place = (line, one.statement.col_offset)
        node = next((s for s in statements(program.tree) if place_of(s) == place), None)
        if node is None:
            return None
        again = next((k for k, f in enumerate(result) if place_of(f.statement) == place), None)
        if again is not None and one.text and result[again].text:  # one statement, changed twice
            text = one.text
            cost = result[again].cost + one.cost
            result[again] = Alternative((patch.replace(program.code, node, text),), cost, node, text)
            continue
        moved = [_moved(change, marks, touched) for change in one.changes]
        if any(change is None for change in moved):
            return None
        kept = tuple(change for change in moved if change is not None)
        result.append(dataclasses.replace(one, changes=kept, statement=node))
    return result


def _lines(program: Program, changes: Sequence[patch.Change]) -> tuple[list[int | None], set[int]]:
    """Return of each line of the changed text which one it was, and the lines that were changed."""
    marks: list[int | None] = list(range(1, len(program.code.split("\n")) + 1))
    touched: set[int] = set()
    for change in patch.last_first(changes):
        if change.whole and change.kind == "delete":
            del marks[change.line - 1 : change.end_line]
        elif change.whole:
            marks[change.line : change.line] = [None] * (change.text.count("\n") + 1)
        else:
            touched |= set(range(change.line, change.end_line + 1))
            marks[change.line - 1 : change.end_line] = [change.line, *[None] * change.text.count("\n")]
    return marks, touched


def _moved(change: patch.Change, marks: Sequence[int | None], touched: set[int]) -> patch.Change | None:
    line, end = (marks[max(number, 1) - 1] for number in (change.line, change.end_line))
    if line is None or end is None:
        return None
    if not change.whole and touched & set(range(line, end + 1)):
        return None
    return dataclasses.replace(change, line=line if change.line else 0, end_line=end if change.end_line else 0)
