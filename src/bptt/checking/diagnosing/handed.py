"""What cannot be mended where it shows is right, perhaps, and was handed something wrong: an argument, a slice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bptt.checking.diagnosing.above import candidates, is_result, same_role, spoiled
from bptt.checking.diagnosing.judging import Judged
from bptt.checking.diagnosing.locally import reading
from bptt.checking.diagnosing.roles import judge
from bptt.checking.diagnosing.sources import sources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bptt.checking.diagnosing.judging import Judging
    from bptt.checking.tracing.bank import Role
    from bptt.checking.tracing.forced import Run
    from bptt.checking.tracing.stepping import Unit

HANDS = 3
"""From hand to hand so many times at most: out of a function, through a copy, into another variable."""


def handed_wrong(judging: Judging, judged: Judged, hands: int = HANDS) -> Iterator[Judged]:
    """Yield the units that, with another true quantity than their own, make a wrong unit right and no other wrong.

    Then those that hand it to them: with what makes a unit right taken for what it is meant to be.
    """
    run, _, _ = judging.run(judging.roles, {judged.unit.number}.__contains__)
    judging.last = run
    found: list[Judged] = []
    for unit in sources(judging, judged.unit, True):
        for role in _roles(judging, judged, unit, run):
            role.evidence = "above"
            given = {unit.number: role}
            tried, _, _ = judging.run({**judging.roles, **given}, given.__contains__)
            events = tried.events.get(unit.number, [])
            if judge(judged.unit, judged.role, tried.events.get(judged.unit.number, [])):
                continue
            if (bad := judge(unit, role, events)) and not spoiled(judging, tried, [judged], given):
                found.append(Judged(unit, role, bad, events))
                yield found[-1]
    for other in found if hands else ():
        held = judging.roles.get(other.unit.number)
        judging.roles[other.unit.number] = other.role
        yield from handed_wrong(judging, other, hands - 1)
        if held is not None:
            judging.roles[other.unit.number] = held
        else:
            del judging.roles[other.unit.number]


def _roles(judging: Judging, judged: Judged, unit: Unit, run: Run) -> Iterator[Role]:
    """Yield what a unit may be meant to be, that the one it is handed to would be right with."""
    if is_result(judging, judged.unit, unit):
        yield same_role(judging, judged, unit)
        return
    read = reading(judged, unit, run, vars(judging.module))
    if read is not None:
        yield from (role for role in candidates(judging, unit) if read.right_with(role))
