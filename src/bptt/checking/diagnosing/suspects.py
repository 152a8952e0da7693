"""The statements that a wrong gradient may come from: those that it changes with, and no part of the forward pass."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from bptt.checking.program import Sizes
from bptt.checking.repairing.nodes import statements
from bptt.checking.repairing.ranges import is_zero
from bptt.checking.repairing.repair import spread
from bptt.checking.tracing.forced import Event
from bptt.checking.tracing.stepping import Unit

if TYPE_CHECKING:
    from bptt.checking.diagnosing.judging import Judging

EXECUTIONS = 4


@dataclass
class Suspect:
    """A statement of the backward pass, what it saw, and the gradients that change with it."""

    statement: ast.stmt
    function: str
    units: list[int] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    environments: list[Mapping[str, Any]] = field(default_factory=list)
    moves: set[str] = field(default_factory=set)
    moves_short: set[str] = field(default_factory=set)
    """Those that change with it where there is one step only."""
    raises: bool = False
    vague: bool = False
    """Whether it gives no numbers that could be disturbed: what changes with it is not known."""


def suspects(judging: Judging, short: Sizes | None) -> list[Suspect]:
    """Return the statements of the backward pass that ran and compute something, in the order in which they ran.

    ``short``: sizes with one step.
    """
    found: dict[tuple[int, int], Suspect] = {}
    numbers = backward_statements(judging)
    run, _, _ = judging.run(judging.roles, numbers.__contains__)
    space = judging.space()
    for event in run.order:
        if event.unit not in numbers:
            continue
        unit = judging.units[event.unit]
        key = (unit.line, unit.column)
        if key not in found:
            found[key] = Suspect(unit.statement, unit.function)
        suspect = found[key]
        suspect.raises |= event.error is not None
        if event.unit not in suspect.units:
            suspect.units.append(event.unit)
    single = judging.disturbed(None, short) if short is not None else {}
    for suspect in found.values():
        events = [e for e in run.events[suspect.units[0]] if e.names is not None]
        suspect.events = spread(events, EXECUTIONS)
        suspect.environments = [{**space, **(e.names or {})} for e in suspect.events]
        for number in _telling(judging, suspect):
            if all(event.value is None and event.error is None for event in run.events[number]):
                suspect.vague = True
                suspect.moves |= set(judging.delivered)  # no numbers to disturb: a list, a count
                suspect.moves_short |= set(judging.delivered)
                continue
            suspect.moves |= _moves(judging, number, judging.sizes, judging.delivered)
            if short is not None:
                suspect.moves_short |= _moves(judging, number, short, single)
    return list(found.values())


def _telling(judging: Judging, suspect: Suspect) -> list[int]:
    """Return the units of a statement whose disturbance tells what moves with it: its parts go through the whole."""
    whole = [n for n in suspect.units if not judging.units[n].nameless]
    calls = (n.func for n in ast.walk(suspect.statement) if isinstance(n, ast.Call))
    return whole if whole and all(_only_computes(function) for function in calls) else suspect.units


def _only_computes(function: ast.expr) -> bool:
    """Tell whether a function changes nothing besides what it returns: one of NumPy, or of an array."""
    if not isinstance(function, ast.Attribute):
        return False
    return ast.unparse(function).split(".")[0] in ("np", "numpy") or function.attr in ("sum", "mean", "dot", "copy")


def backward_statements(judging: Judging) -> set[int]:
    """Return the units that are no part of the forward pass and compute something."""
    forward = judging.units_of_the_cost()
    units = judging.units
    ran = {n for n in judging.natural.events if units[n].loops or not is_zero(units[n].expression) or _filled(units, n)}
    root = {n: judging.units[n].root for n in ran}
    backward = {n for n, role in judging.roles.items() if role.series.kind != "value"} | set(judging.sink_names)
    kept = {n for n in ran if judging.units[n].op == "call" and judging.units[n].target}  # put together for later
    if not {judging.units[n].root for n in backward} & forward:
        return {n for n in ran if root[n] not in forward} | kept
    # One function does both passes: what the cost does not change with is no part of the forward pass.
    return {n for n in ran if not judging.makes_the_cost(n)} | kept


def _filled(units: list[Unit], number: int) -> bool:
    """Tell whether zeros are what is not written of an array like another: ``d = zeros_like(p); d[y] = ...``."""
    zeros = units[number]
    like = zeros.target.isidentifier() and "_like(" in ast.unparse(zeros.expression)
    return like and any(u.function == zeros.function and u.target.startswith(f"{zeros.target}[") for u in units)


def unlike_the_others(function: ast.FunctionDef) -> list[ast.AugAssign]:
    """Return the one of several ``w -= rate * dw`` that has another sign than all the others with the same rate."""
    moves: dict[str, list[ast.AugAssign]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add | ast.Sub):
            factors = [node.value.left, node.value.right] if isinstance(node.value, ast.BinOp) else []
            for rate in {ast.unparse(f) for f in factors if not isinstance(f, ast.Subscript | ast.Call)}:
                moves.setdefault(rate, []).append(node)
    found: list[ast.AugAssign] = []
    for several in moves.values():
        added = [node for node in several if isinstance(node.op, ast.Add)]
        taken = [node for node in several if isinstance(node.op, ast.Sub)]
        fewer, more = sorted((added, taken), key=len)
        found += fewer if len(fewer) == 1 < len(more) else []
    return found


def _moves(judging: Judging, number: int, sizes: Sizes, before: Mapping[str, Any]) -> set[str]:
    """Return the gradients that change when one unit's values are disturbed."""
    if not before:
        return set(judging.truth.parameters)
    moved = judging.disturbed(number, sizes)
    return {
        name
        for name, value in before.items()
        if name not in moved or not np.array_equal(np.asarray(moved[name]), np.asarray(value), equal_nan=True)
    }


def backward_functions(judging: Judging) -> list[ast.FunctionDef]:
    """Return their functions that run for the gradients and not for the cost alone, the one with the loop first."""
    known = set(judging.backward_units) | set(judging.mixed) | backward_statements(judging)
    ran = {judging.units[n].function.split(".")[-1] for n in known}
    found = [n for n in ast.walk(judging.program.tree) if isinstance(n, ast.FunctionDef) and n.name in ran]
    return sorted(found, key=lambda f: not any(isinstance(n, ast.For | ast.While) for n in ast.walk(f)))


def forgotten(judging: Judging, unpacked: bool = True) -> set[str]:
    """Return the variables of the backward pass that are computed and never read: something was to use them.

    Of what is unpacked from a tuple, much is never read without a fault: it is left out where ``unpacked`` is False.
    """
    found = set()
    for function in backward_functions(judging):
        read = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
        for node in statements(function):
            if isinstance(node, ast.Assign) and not is_zero(node.value):
                targets = [
                    n for t in node.targets for n in (ast.walk(t) if unpacked else [t]) if isinstance(n, ast.Name)
                ]
                found |= {n.id for n in targets if isinstance(n.ctx, ast.Store) and n.id != "_"} - read
    return found
