"""Which units a unit takes its values from: what a fault that shows in one may have come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bptt.checking.diagnosing.roles import accumulates, judge
from bptt.checking.repairing.nodes import PLACES
from bptt.checking.tracing.stepping import Unit

if TYPE_CHECKING:
    from bptt.checking.diagnosing.judging import Judging

SMALL = 3
"""The units of an elementary function at most."""


def sources(judging: Judging, reader: Unit, settled: bool) -> list[Unit]:
    """Return the units whose value a unit reads: those whose role is open, or those that have one already.

    Open is a unit without a role, one that holds a part of an adjoint only, and one that is out of step with its loop.
    """
    result = []
    copies = reader.op == "=" and not reader.nameless and isinstance(reader.expression, PLACES)
    for unit in judging.units:
        if unit.number == reader.number or unit.number in judging.sink_names or unit.number in judging.mixed:
            continue
        if not _feeds(judging, unit, reader) or not judging.natural.events.get(unit.number):
            continue
        role = judging.roles.get(unit.number)
        if role is not None and role.evidence == "sink":
            continue
        if unit.function != reader.function and _right_elsewhere(judging, unit):
            continue
        partial = role is not None and role.series.kind in ("part", "share") and not _goes_on(judging, unit)
        if role is not None and copies and role.series.kind == "share":
            partial = False  # it is whole as it is: what is to be added to it is missing where it arrives
        is_open = role is None or partial or judging.out_of_step(unit, role)
        if is_open != settled and not judging.makes_the_cost(unit.number):
            result.append(unit)
    moved = judging.graph.moved if judging.graph is not None else set()
    # The slice that is handed on stands nearer than what it is a slice of.
    latest = {event.unit: place for place, event in enumerate(judging.natural.order)}
    return sorted(
        result,
        key=lambda u: (judging.roles.get(u.number) is not None, u.number not in moved, -latest.get(u.number, 0)),
    )


def _right_elsewhere(judging: Judging, unit: Unit) -> bool:
    """Tell whether a unit of a small function, an activation or its slope, is right in another chain of calls."""
    return elementary(judging, unit) and any(
        n != unit.number
        and judging.units[n].root == unit.root
        and n in judging.fixed
        and not judge(judging.units[n], role, judging.last.events.get(n, []))
        for n, role in judging.roles.items()
    )


def elementary(judging: Judging, unit: Unit) -> bool:
    """Tell whether a unit stands in a small function, as an activation or its slope is one."""
    inside = [other for other in judging.units if other.function == unit.function and other.base < 0]
    return bool(unit.function) and len(inside) <= SMALL and not any(other.loops for other in inside)


def _goes_on(judging: Judging, unit: Unit) -> bool:
    """Tell whether a later statement adds to what a unit began: a part is then all that it is meant to be."""
    return any(
        other.target == unit.target
        and other.function == unit.function
        and other.loops == unit.loops
        and accumulates(other)
        and (other.line, other.column) > (unit.line, unit.column)
        for other in judging.units
    )


def _feeds(judging: Judging, unit: Unit, reader: Unit) -> bool:
    """Tell whether a unit's value goes directly into a reader's, or into one that only hands it on."""
    graph = judging.graph
    if unit.target.isidentifier() and unit.function == reader.function and unit.context != reader.context:
        return False  # its own of each call
    named = bool(unit.target) and _reads(reader, unit)
    if graph is None or reader.number not in graph.sources:
        return named
    direct = graph.sources[reader.number]
    if unit.number in direct or graph.aliases.get(unit.number) in direct:
        return True
    if unit.number in graph.moved and (named or graph.sources.get(unit.number, set()) & direct):
        return True
    return named and not any(e.value is not None and e.value.any() for e in judging.natural.events.get(unit.number, ()))


def _reads(reader: Unit, unit: Unit) -> bool:
    if unit.function.split(".")[-1] in reader.reads and unit.function != reader.function:
        return True  # it stands in a function that the reader calls
    if unit.target.isidentifier() and unit.function != reader.function:
        return False
    if unit.target in reader.reads:
        return True
    base = unit.target.split("[")[0]
    keyed = unit.target[-2:] in ("']", '"]')
    return unit.target != base and any(
        read.split("[")[0] == base and not (keyed and read[-2:] in ("']", '"]')) for read in reader.reads
    )
