"""What cannot be mended where it shows is right, perhaps, and was handed something wrong: an argument, a slice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bptt.checking.diagnosing.above import candidates, spoiled
from bptt.checking.diagnosing.judging import Judged
from bptt.checking.diagnosing.locally import reading
from bptt.checking.diagnosing.roles import judge
from bptt.checking.diagnosing.sources import sources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bptt.checking.diagnosing.judging import Judging


def handed_wrong(judging: Judging, judged: Judged) -> Iterator[Judged]:
    """Yield the units that, with another true quantity than their own, make a wrong unit right and no other wrong."""
    run, _, _ = judging.run(judging.roles, {judged.unit.number}.__contains__)
    judging.last = run
    for unit in sources(judging, judged.unit, True):
        read = reading(judged, unit, run, vars(judging.module))
        if read is None:
            continue
        for role in candidates(judging, unit):
            if not read.right_with(role):
                continue
            role.evidence = "above"
            given = {unit.number: role}
            tried, _, _ = judging.run({**judging.roles, **given}, given.__contains__)
            events = tried.events.get(unit.number, [])
            if judge(judged.unit, judged.role, tried.events.get(judged.unit.number, [])):
                continue
            if (bad := judge(unit, role, events)) and not spoiled(judging, tried, [judged], given):
                yield Judged(unit, role, bad, events)
