"""Look above a wrong unit: where a true value for something that it reads makes it right, the fault is up there."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from bptt.checking.diagnosing.locally import Reading, reading
from bptt.checking.diagnosing.roles import accumulates, bare_name, is_start, judge, words
from bptt.checking.diagnosing.sources import sources
from bptt.checking.tracing.bank import Role
from bptt.checking.tracing.series import Series
from bptt.checking.tracing.stepping import Unit

if TYPE_CHECKING:
    from bptt.checking.diagnosing.judging import Judged, Judging
    from bptt.checking.tracing.forced import Event, Run

TRIED = 64
"""At most so many different quantities are tried for one unit."""
UNSEEN = 12
"""At most so many where it cannot be seen how a unit is read, and its own value was recognised."""
RUNS = 120
"""At most so many runs of one program."""
STILL = 3
"""After so many that leave the reader with the same exception, the fault is the reader's own."""


def look_above(judging: Judging, wrong: list[Judged]) -> bool:
    """Find one unit whose missing or mistaken role explains a wrong unit; give it that role.

    Returns
    -------
    bool
        Whether a role was given.
    """
    if wrong:
        judging.last = judging.run(judging.roles, {j.unit.number for j in wrong}.__contains__)[0]
    for settled in (False, True):
        for judged in wrong:
            for unit in sources(judging, judged.unit, settled) if _misfits(judged) else ():
                if _gives(judging, judged, wrong, unit, False, _handed_on(judging, judged, unit), None):
                    return True
    shared = vars(judging.module)
    for settled in (False, True):
        pairs = [(judged, unit) for judged in wrong for unit in sources(judging, judged.unit, settled)]
        seen = [(judged, unit, reading(judged, unit, judging.last, shared)) for judged, unit in pairs]
        for judged, unit, read in sorted(seen, key=lambda one: one[2] is None):  # where it can be seen, it costs less
            result = is_result(judging, judged.unit, unit)
            if result and _gives(judging, judged, wrong, unit, settled, [same_role(judging, judged, unit)], None):
                return True
            roles = candidates(judging, unit, _misfits(judged))
            if _gives(judging, judged, wrong, unit, settled, roles, read):
                return True
    return False


def _misfits(judged: Judged) -> bool:
    """Tell whether a unit raises because shapes do not fit."""
    return isinstance(judged.events[judged.wrong[0]].error, ValueError)


def _gives(
    judging: Judging,
    judged: Judged,
    wrong: list[Judged],
    unit: Unit,
    settled: bool,
    roles: Sequence[Role],
    read: Reading | None,
) -> bool:
    same_error = 0
    misfit = _misfits(judged)
    mistaken = _mistaken(judging)
    tries = 0
    for role in roles:
        if read is not None and not read.right_with(role):
            continue
        tries += 1
        if read is None and tries > (UNSEEN if settled else 4 * UNSEEN):
            return False
        given = _alike(judging, unit, role) if unit.number in mistaken else {unit.number: role}
        key = (unit.number, id(role.series), role.axes, len(judging.roles))
        run = judging.tried.get(key)
        if run is None or (run.ended and not judge(judged.unit, judged.role, run.events.get(judged.unit.number, []))):
            if len(judging.tried) >= RUNS:
                return False
            run, _, _ = judging.run({**judging.roles, **given}, enough=_refuted(wrong))
            judging.tried[key] = run
        events = run.events.get(judged.unit.number, [])
        if len(events) < len(judged.events) and not run.ended:
            continue  # the run broke before it came here: that shows nothing
        if judge(judged.unit, judged.role, events):
            same_error += (
                bool(events) and str(events[0].error) == str(judged.events[0].error) and events[0].error is not None
            )
            if same_error >= STILL and not misfit:
                return False
            continue
        still = {j.unit.number for j in wrong if judge(j.unit, j.role, run.events.get(j.unit.number, []))}
        spoils = spoiled(judging, run, wrong, given)
        itself = bool(judge(unit, role, run.events.get(unit.number, [])))
        if spoils or (settled and unit.number not in mistaken and len(still - {unit.number}) + itself >= len(wrong)):
            continue
        for number, one in given.items():
            one.evidence = "above"
            judging.roles[number] = one
            judging.fixed.add(number)
        return True
    return False


def is_result(judging: Judging, reader: Unit, unit: Unit) -> bool:
    """Tell whether what a unit holds is what another one computed, in the function that it calls."""
    return (
        judging.graph is not None
        and judging.graph.aliases.get(reader.number) == unit.number
        and isinstance(reader.expression, ast.Call)
    )


def same_role(judging: Judging, judged: Judged, unit: Unit) -> Role:
    """Return for a unit what another one is meant to be, that holds what it computed."""
    role = Role(judged.role.series, judged.role.axes, sign=judged.role.sign)
    judging.complete(role, judging.natural.events[unit.number])
    return role


def _refuted(wrong: Sequence[Judged]) -> Callable[[Event], bool]:
    """Return what tells, event by event, whether each of some units is seen to be wrong: no more is to be seen."""
    left = {judged.unit.number: judged for judged in wrong}

    def enough(event: Event) -> bool:
        judged = left.get(event.unit)
        if judged is not None and judge(judged.unit, judged.role, [event]):
            del left[event.unit]
        return not left

    return enough


def _handed_on(judging: Judging, judged: Judged, unit: Unit) -> list[Role]:
    """Return what a reader that only adds up what it is given wants of a unit."""
    if judged.role.evidence not in ("sink", "value") or judged.role.series.kind != "contribution":
        return []
    role = Role(judged.role.series, judged.role.axes, sign=judged.role.sign)
    role.delta = accumulates(unit)
    judging.complete(role, judging.natural.events[unit.number])
    return [role]


def _alike(judging: Judging, unit: Unit, role: Role) -> dict[int, Role]:
    """Return a role for a unit, and for those that were mistaken for the same as it: what it computes is handed on."""
    held, given = judging.roles[unit.number], {unit.number: role}
    same = judging.graph.aliases if judging.graph is not None else {}
    for number, other in judging.roles.items():
        handed = same.get(number) == unit.number or same.get(unit.number) == number
        if handed and other.evidence == "value" and _same_numbers(other.series, held.series):
            given[number] = Role(role.series, role.axes, sign=role.sign)
            judging.complete(given[number], judging.natural.events[number])
    return given


def _same_numbers(a: Series, b: Series) -> bool:
    pairs = zip(a.items, b.items, strict=False)
    return len(a.items) == len(b.items) and all(
        x is not None and y is not None and np.array_equal(x.reshape(-1), y.reshape(-1)) for x, y in pairs
    )


def spoiled(judging: Judging, run: Run, wrong: list[Judged], given: dict[int, Role]) -> bool:
    """Tell whether new roles make units wrong that were right without them."""
    before = {j.unit.number for j in wrong} | set(given)
    return any(
        len(run.events.get(number, ())) < len(judging.last.events.get(number, ()))
        or judge(judging.units[number], role, run.events.get(number, []))
        for number, role in judging.roles.items()
        if number not in before and role.sign in judging.signs
    )


def _mistaken(judging: Judging) -> set[int]:
    """Return the units whose role was recognised in few of their executions, and by chance perhaps."""
    found = set()
    for number, role in judging.roles.items():
        events = judging.last.events.get(number, [])
        recognised = role.evidence == "value" and role.series.kind != "value" and len(events) > 2
        if recognised and 2 * len(judge(judging.units[number], role, events)) > len(events):
            found.add(number)
    return found


def candidates(judging: Judging, unit: Unit, misfit: bool = False) -> list[Role]:
    """Return what a unit may be meant to be, likely ones first: each different quantity of its size once.

    Where the reader cannot use a value of that shape, the shape is open as well.
    """
    events = judging.natural.events[unit.number]
    known = [e.value for e in judging.last.events.get(unit.number, events) if e.value is not None]
    if not known and not any(e.error for e in events):
        return []
    if known and not any(v.any() for v in known) and is_start(unit):
        return []
    shape = known[0].shape if known and not misfit else None
    held = judging.roles.get(unit.number)
    found: list[tuple[Series, tuple[int, ...]]] = []
    keys: set[bytes] = set()
    alike = {
        role.series.kind for n, role in judging.roles.items() if n != unit.number and judging.units[n].root == unit.root
    }
    for number, axes in judging.bank.of_size(int(np.prod(shape, dtype=int)) if shape is not None else None):
        series = judging.bank.series[number]
        item = next((one for one in series.items if one is not None), None)
        if item is None or (shape is not None and not _some_fit(series, axes, shape)):
            continue
        if not _may_be(series, held, axes, shape):
            continue
        key = np.round(np.concatenate([np.ravel(i) for i in series.items if i is not None]), 10).tobytes() + bytes(axes)
        if key not in keys:
            keys.add(key)
            found.append((series, axes))

    def nearness(pair: tuple[Series, tuple[int, ...]]) -> tuple[float, ...]:
        # In another chain of calls a statement computes another quantity, but of the same kind.
        return (pair[0].kind not in alike, *affinity(judging, unit, *pair))

    result = []
    for series, axes in sorted(found, key=nearness)[:TRIED]:
        role = Role(series, axes, sign=judging.sign_of(series))
        role.delta = series.kind == "contribution" and accumulates(unit)
        judging.complete(role, events)
        result.append(role)
    return result


def _may_be(series: Series, held: Role | None, axes: tuple[int, ...], shape: tuple[int, ...] | None) -> bool:
    if shape is None:
        return series.kind in ("adjoint", "share") and axes == tuple(range(len(axes))) and len(axes) in (1, 2)
    if held is not None and held.series.kind == "value":
        return series.kind == "value"
    if held is not None and held.series.kind in ("part", "share"):
        if series.kind == "share":
            return series is not held.series and (
                series.consumers > held.series.consumers or series.future is not None or series.later
            )
        return series.kind == "adjoint" and len(series.items) == len(held.series.items)
    return True


def _some_fit(series: Series, axes: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Tell whether a step of a series has a shape (layers that take turns differ)."""
    return any(
        i is not None and i.ndim == len(axes) and _fits(np.transpose(i, axes).shape, shape) for i in series.items
    )


def _fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return [n for n in shape if n != 1] == [n for n in wanted if n != 1]


def affinity(judging: Judging, unit: Unit, series: Series, axes: tuple[int, ...]) -> tuple[float, ...]:
    """Order quantities by how much of what they are made of the unit reads; smaller is nearer."""
    mine = {w for read in unit.reads for w in words(read)}
    theirs = words(series.name)
    common = len(mine & theirs)
    kinds = {"adjoint": 1, "share": 2, "slope": 3, "part": 4, "gradient": 5, "contribution": 6, "value": 7}
    kind = 0 if series.future is not None and judging.carried(unit) else kinds.get(series.kind, 9)
    named = bare_name(unit.target) in theirs
    straight = axes == tuple(range(len(axes)))
    return (not straight, kind, not named, -len(series.consumers), -common)
