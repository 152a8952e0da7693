"""Recognise a unit by an edit: what one change of its text makes of it, at every step, is what it is meant to be.

Where a unit's own value is no true quantity, and nobody who reads it tells which one is wanted, the text itself still
does: of all its single edits hardly one gives the numbers of a true quantity, in step with the loop, by chance.
"""

from __future__ import annotations

import ast
import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from bptt.checking.diagnosing.roles import HANDED_BACK, is_start, judge, match_unit
from bptt.checking.diagnosing.suspects import backward_statements
from bptt.checking.repairing.single_edits import edited
from bptt.checking.repairing.terms import Stack, Term, pick
from bptt.checking.tracing.bank import Role
from bptt.checking.tracing.forced import Event, Run
from bptt.checking.tracing.series import Series
from bptt.dims import Array

if TYPE_CHECKING:
    from bptt.checking.diagnosing.judging import Judging
    from bptt.checking.tracing.stepping import Unit

NEAR = 2.2
"""What an edit costs at most."""
KINDS = (*HANDED_BACK, "contribution", "gradient")
EDITS = 800
"""At most so many edits of one unit are looked at."""
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
    before: dict[int, tuple[int, int]] = {}
    first = {event.unit: place for place, event in reversed(list(enumerate(run.order)))}
    for unit in sorted((u for u in asked if u.number in first), key=lambda u: first[u.number]):
        judging.edited.add(unit.number)
        for role, whole in _roles(judging, unit, run.events[unit.number]):
            judging.complete(role, run.events[unit.number])
            tried, brought, _ = judging.run({**judging.roles, unit.number: role})
            held = before.setdefault(id(role.series), _progress(judging, run, delivered, role.series))
            if _gained(held, _progress(judging, tried, brought, role.series), whole):
                judging.roles[unit.number] = role
                judging.fixed.add(unit.number)
                return True
    return False


def _open(judging: Judging, unit: Unit) -> bool:
    """Tell whether it is open what a unit of the backward pass is meant to be."""
    if unit.number in judging.edited or unit.op == "call" or is_start(unit) or unit.number in judging.mixed:
        return False
    return unit.number not in judging.roles


def _gained(before: tuple[int, int], after: tuple[int, int], whole: bool) -> bool:
    """Tell whether a program is nearer to the truth; more is wanted of what was recognised at the first step only."""
    return after > before if whole else after[0] > before[0] or after[1] > before[1] + 1


def _progress(judging: Judging, run: Run, delivered: dict[str, Any], given: Series) -> tuple[int, int]:
    """Return how many gradients are right, and how many units compute a true quantity of their own.

    What a unit is that only hands on what was given does not count.
    """
    right = sum(judging.right_gradients(delivered).values())
    units = 0
    for number, role in judging.roles.items():
        events = run.events.get(number, [])
        units += bool(events) and role.series is not given and not judge(judging.units[number], role, events)
    for number, events in run.events.items():
        unit = judging.units[number]
        if number not in judging.roles and number not in run.supplies and unit.op != "call" and not is_start(unit):
            role_of, whole = match_unit(unit, events, judging.bank, judging.scale, judging.working, judging.scales)
            units += whole and role_of is not None and role_of.series is not given
    return right, units


def _roles(judging: Judging, unit: Unit, events: list[Event]) -> list[tuple[Role, bool]]:
    """Return the quantities that single edits of a unit give, the nearest edit first, and whether at every execution.

    Where a fault goes round with the loop, what a unit is given is right at its first execution only.
    """
    seen = [event for event in events if event.names is not None][:LOOKED_AT]
    value = unit.expression
    if unit.part is not None:
        if not isinstance(value, ast.Tuple):
            return []
        value = value.elts[unit.part]
    space, program = judging.space(), judging.program
    environments = [{**space, **(event.names or {})} for event in seen]
    _, _, found = edited(unit.statement, value, environments, code=program.code, tree=program.tree, most=EDITS)
    result: list[tuple[Role, bool]] = []
    for cost, term in found:
        if cost > NEAR or len(result) == TRIED:
            break
        role, whole = recognised(judging, unit, seen, term)
        if role is not None and all(role.series is not r.series or role.axes != r.axes for r, _ in result):
            role.evidence = "edit"
            result.append((role, whole))
    return sorted(result, key=lambda pair: not pair[1])


def recognised(judging: Judging, unit: Unit, events: list[Event], term: Term) -> tuple[Role | None, bool]:
    """Return the true quantity that an edit of a unit gives, if any, and whether at every execution."""
    nothing = None, False
    if not isinstance(term.value, Stack) or term.value.data.dtype.kind != "f" or not events:
        return nothing
    if not _may_be(judging, unit, events[0], term.value.data[0]):
        return nothing
    made = []
    for k, event in enumerate(events):
        value = np.asarray(pick(term.value, k), dtype=float)
        if not np.isfinite(value).all():
            return nothing
        if unit.op in ("+=", "-="):
            value = value if unit.op == "+=" else -value
            if event.before is not None and event.before.shape not in ((), value.shape):
                return nothing
            value = value if event.before is None else event.before + value
        made.append(dataclasses.replace(event, value=value, error=None))
    role, whole = match_unit(unit, made, judging.bank, judging.scale, judging.working, ())
    if role is None or role.series.kind not in KINDS:
        return nothing
    at_first = len(made) > 1 and 0 not in judge(unit, role, made[:1]) and 0 in role.times
    return (role, whole) if whole or at_first else nothing


def _may_be(judging: Judging, unit: Unit, event: Event, value: Array) -> bool:
    """Tell at once of nearly every value that is no true quantity that it is none, added or not."""
    bank, before = judging.bank, event.before
    if bank.may_be(value, judging.signs) or not value.any():
        return True
    if before is None or before.shape != value.shape:
        return False
    others = (before + value, before - value) if unit.op in ("+=", "-=") else (value - before,)
    return any(bank.may_be(other, judging.signs) for other in others)
