"""Recognise a unit by an edit: what one change of its text makes of it, at every step, is what it is meant to be.

Where a unit's own value is no true quantity, and nobody who reads it tells which one is wanted, the text itself still
does: of all its single edits hardly one gives the numbers of a true quantity, in step with the loop, by chance.
"""

from __future__ import annotations

import ast
import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from bptt.checking.diagnosing.roles import is_start, judge, match_unit
from bptt.checking.diagnosing.suspects import backward_statements
from bptt.checking.repairing.alternatives import edited
from bptt.checking.repairing.terms import Stack, Term, pick
from bptt.checking.tracing.bank import Role
from bptt.checking.tracing.forced import Event, Run

if TYPE_CHECKING:
    from bptt.checking.diagnosing.judging import Judging
    from bptt.checking.tracing.stepping import Unit

NEAR = 2.2
"""What an edit costs at most."""
KINDS = ("adjoint", "share", "contribution", "gradient", "part")
LOOKED_AT = 6
"""At most so many executions are compared."""
TRIED = 4
"""At most so many quantities are tried for one unit."""


def by_edit(judging: Judging) -> bool:
    """Give one unit the role that an edit of it shows, if the program is nearer to the truth with it.

    Returns
    -------
    bool
        Whether a role was given.
    """
    asked = [judging.units[n] for n in backward_statements(judging) if _open(judging, judging.units[n])]
    wanted = {unit.number for unit in asked}
    run, delivered, _ = judging.run(judging.roles, wanted.__contains__)
    before = _progress(judging, run, delivered)
    first = {event.unit: place for place, event in reversed(list(enumerate(run.order)))}
    for unit in sorted((u for u in asked if u.number in first), key=lambda u: first[u.number]):
        judging.edited.add(unit.number)
        for role in _roles(judging, unit, run.events[unit.number]):
            judging.complete(role, run.events[unit.number])
            tried, delivered, _ = judging.run({**judging.roles, unit.number: role})
            if _progress(judging, tried, delivered) > before:
                judging.roles[unit.number] = role
                judging.fixed.add(unit.number)
                return True
    return False


def _open(judging: Judging, unit: Unit) -> bool:
    """Tell whether it is open what a unit of the backward pass is meant to be."""
    if unit.number in judging.edited or unit.op == "call" or is_start(unit) or unit.number in judging.mixed:
        return False
    return unit.number not in judging.roles


def _progress(judging: Judging, run: Run, delivered: dict[str, Any]) -> tuple[int, int]:
    """Return how many gradients are right, and how many units compute a true quantity of their own."""
    right = sum(judging.right_gradients(delivered).values())
    units = 0
    for number, role in judging.roles.items():
        events = run.events.get(number, [])
        units += bool(events) and not judge(judging.units[number], role, events)
    for number, events in run.events.items():
        unit = judging.units[number]
        if number not in judging.roles and number not in run.supplies and unit.op != "call" and not is_start(unit):
            units += match_unit(unit, events, judging.bank, judging.scale, judging.working, judging.scales)[1]
    return right, units


def _roles(judging: Judging, unit: Unit, events: list[Event]) -> list[Role]:
    """Return the quantities that single edits of a unit give at every execution, the nearest edit first."""
    seen = [event for event in events if event.names is not None][:LOOKED_AT]
    value = unit.expression
    if unit.part is not None:
        if not isinstance(value, ast.Tuple):
            return []
        value = value.elts[unit.part]
    space, program = judging.space(), judging.program
    environments = [{**space, **(event.names or {})} for event in seen]
    _, _, found = edited(unit.statement, value, environments, code=program.code, tree=program.tree)
    result: list[Role] = []
    for cost, term in found:
        if cost > NEAR or len(result) == TRIED:
            break
        role = _recognised(judging, unit, seen, term)
        if role is not None and all(role.series is not r.series or role.axes != r.axes for r in result):
            role.evidence = "edit"
            result.append(role)
    return result


def _recognised(judging: Judging, unit: Unit, events: list[Event], term: Term) -> Role | None:
    if not isinstance(term.value, Stack) or term.value.data.dtype.kind != "f":
        return None
    made = []
    for k, event in enumerate(events):
        value = np.asarray(pick(term.value, k), dtype=float)
        if not np.isfinite(value).all():
            return None
        if unit.op in ("+=", "-="):
            value = value if unit.op == "+=" else -value
            if event.before is not None and event.before.shape not in ((), value.shape):
                return None
            value = value if event.before is None else event.before + value
        if k == 0 and value.any() and not _known(judging, event, value):
            return None
        made.append(dataclasses.replace(event, value=value, error=None))
    role, whole = match_unit(unit, made, judging.bank, judging.scale, judging.working, ())
    return role if role is not None and whole and role.series.kind in KINDS else None


def _known(judging: Judging, event: Event, value: Any) -> bool:
    """Tell whether the first value is a true quantity at all, by itself or as what is added."""
    bank = judging.bank
    added = value if event.before is None or event.before.size != value.size else value - event.before
    return any(bank.look(v / s) for v in (value, added) for s in dict.fromkeys(judging.signs))
