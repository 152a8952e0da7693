"""What a unit that raises, or is zero throughout, is meant to be: what it reads and who reads it decide."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import numpy as np

from bptt.checking.diagnosing.roles import accumulates, bare_name, is_start, words
from bptt.checking.tracing.bank import Role
from bptt.checking.tracing.series import Series
from bptt.checking.tracing.stepping import Unit

if TYPE_CHECKING:
    from bptt.checking.diagnosing.judging import Judged, Judging


def guess(judging: Judging, wrong: list[Judged]) -> bool:
    """Give the most likely role to one unit that has no value to go by: it raises, or is zero where a gradient is."""
    run = judging.last
    for event in run.order:
        unit = judging.units[event.unit]
        if unit.number in judging.roles or not unit.target or unit.op == "call" or unit.number in judging.guessed:
            continue
        if (event.error is None and not _idle(judging, unit)) or calls_own(judging, unit):
            continue
        judging.guessed.add(unit.number)
        series = likely(judging, unit)
        if series is None:
            continue
        item = series.items[0]
        axes = tuple(range(item.ndim if item is not None else 0))
        role = Role(series, axes, sign=judging.sign_of(series), evidence="guess")
        judging.complete(role, run.events[unit.number])
        judging.roles[unit.number] = role
        if event.error is None:
            judging.fixed.add(unit.number)  # what flows through it, now that all else is true, is not the whole of it
        return True
    return False


def _idle(judging: Judging, unit: Unit) -> bool:
    """Tell whether a unit gives nothing but zeros, at every step, and a gradient is wrong."""
    values = [event.value for event in judging.natural.events.get(unit.number, ())]
    if is_start(unit) or accumulates(unit) or len(values) < 2:
        return False
    if any(value is None or value.size < 2 or value.any() for value in values):
        return False
    return not all(judging.right_gradients(judging.delivered).values())


def likely(judging: Judging, unit: Unit) -> Series | None:
    """Return the quantity that a unit most likely means.

    A variable that the loop carries back is a recurrent term; a sum with such a variable is the whole adjoint of the
    state it goes back to; for all others the names in the statement decide.
    """
    named = _named_after(judging, unit)
    if named is not None:
        return named
    carried = carries(judging, unit)
    shape = _start_shape(judging, unit) if carried else None
    options = []
    for series in judging.bank.series:
        item = series.items[0] if series.items else None
        if item is None or item.ndim not in (1, 2) or series.kind not in ("adjoint", "share") or item.size < 2:
            continue
        if not any(i is not None and i.any() for i in series.items):
            continue
        if shape is not None and item.shape != shape:
            continue
        if carried and series.future is None:
            continue
        options.append(series)
    if not options:
        return None
    return max(options, key=lambda s: _score(judging, unit, s, carried))


def _named_after(judging: Judging, unit: Unit) -> Series | None:
    """Return the parts of the parameter that a unit is named after, ``dWax`` of ``Wax``; the whole outside a loop."""
    bare = bare_name(unit.target)
    kind = "contribution" if unit.loops else "gradient"
    for series in judging.bank.series:
        if series.kind == kind and bare_name(series.parameter) == bare and len(bare) > 1:
            return series
    return None


def calls_own(judging: Judging, unit: Unit) -> bool:
    """Tell whether a unit is a call of one of their functions: what raises then stands in there."""
    names = {node.name for node in ast.walk(judging.program.tree) if isinstance(node, ast.FunctionDef)}
    call = unit.expression
    return unit.op == "=" and isinstance(call, ast.Call) and ast.unparse(call.func).split(".")[-1] in names


def _score(judging: Judging, unit: Unit, series: Series, carried: bool) -> tuple[float, ...]:
    mine = {w for read in unit.reads for w in words(read)} | {bare_name(r) for r in unit.reads}
    if carried:
        state = judging.truth.label(series.future) if series.future is not None else ""
        return (len(series.consumers), stem(unit.target) == stem(state), len(words(series.name) & mine))
    adds = [judging.units[n] for n in added(judging, unit)]
    states = {s.future for other in adds for s in [likely(judging, other)] if s is not None}
    whole = series.kind == "adjoint" and series.node in states
    used = (
        {w for k in uses(judging, series) for w in words(judging.truth.text(k))} if series.kind == "adjoint" else set()
    )
    near = len((words(series.name) | used) & mine)
    return (whole, stem(unit.target) == stem(judging.truth.label(series.node)), near, series.kind == "adjoint")


def uses(judging: Judging, series: Series) -> set[int]:
    """Return the sites that work on the results of a series' operation."""
    return {c for s in judging.bank.series if s.kind == "part" and s.node == series.node for c in s.consumers}


def carries(judging: Judging, unit: Unit) -> bool:
    """Tell whether the loop hands a unit's value to its next iteration: read above, written below."""
    if not unit.loops or "[" in unit.target:
        return False
    for other in judging.units:
        same_loop = other.loops[-1:] == unit.loops[-1:] and other.function == unit.function
        if same_loop and unit.target in other.reads and (other.line, other.column) < (unit.line, unit.column):
            return True
    return False


def added(judging: Judging, unit: Unit) -> list[int]:
    """Return the carried units whose variable a unit adds to something."""
    names = set()
    for node in ast.walk(unit.expression):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            names |= {ast.unparse(side) for side in (node.left, node.right)}
    return [
        other.number
        for other in judging.units
        if other.target in names and other.number != unit.number and other.loops and carries(judging, other)
    ]


def _start_shape(judging: Judging, unit: Unit) -> tuple[int, ...] | None:
    for other in judging.units:
        if other.target == unit.target and other.function == unit.function and not other.loops:
            for event in judging.natural.events.get(other.number, ()):
                if event.value is not None and event.value.ndim:
                    return tuple(np.shape(event.value))
    return None


def stem(name: str) -> str:
    """Return a variable's bare name without what says which step it is of: ``da_prev`` and ``a_next`` are ``a``."""
    bare = bare_name(name)
    for mark in ("next", "prev", "future", "t", "cur", "last"):
        if bare.endswith(mark) and len(bare) > len(mark):
            return bare[: -len(mark)]
    return bare
