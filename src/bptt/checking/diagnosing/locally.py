"""Whether a true value for what a unit reads would make it right: its expression alone is evaluated, nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bptt.checking.diagnosing.roles import same
from bptt.checking.repairing.nodes import PLACES
from bptt.checking.repairing.reading import names_for
from bptt.checking.tracing.bank import Role
from bptt.checking.tracing.forced import Event, Run
from bptt.checking.tracing.quiet import quiet
from bptt.checking.tracing.stepping import Unit
from bptt.checking.tracing.trees import copied

if TYPE_CHECKING:
    from bptt.checking.diagnosing.judging import Judged

GIVEN = "_bptt_given"
LOOKED_AT = 3


@dataclass
class Reading:
    """The executions of a wrong unit in which it reads another one's value by name."""

    reader: Unit
    role: Role
    op: str
    code: Any
    executions: list[tuple[Event, Event, dict[str, Any]]]
    """What the reader did, what the other unit had done, and the names that the reader saw."""

    def right_with(self, source: Role) -> bool:
        """Tell whether the reader would be right if the other unit had the true values of a role."""
        with quiet():
            return all(self._right(source, *execution) for execution in self.executions)

    def _right(self, source: Role, event: Event, given: Event, names: dict[str, Any]) -> bool:
        wanted, item = self.role.item(event.instance), source.item(given.instance)
        if wanted is None or item is None:
            return True
        like = given.value if given.value is not None else given.before
        if like is not None and like.size == item.size:
            item = item.reshape(like.shape)
        try:
            if source.delta and given.before is not None:
                item = given.before.reshape(item.shape) + item
            value = eval(self.code, {**names, GIVEN: np.array(item)})
            value = np.asarray(value if self.reader.part is None else value[self.reader.part], dtype=float)
            if self.op in ("+=", "-="):
                value = value if self.op == "+=" else -value
                value = value if self.role.delta or event.before is None else event.before + value
            elif self.role.delta and event.before is not None and event.before.size:
                value = value - event.before
            return same(value, wanted)
        except Exception:  # shapes that do not fit
            return False


def reading(judged: Judged, unit: Unit, run: Run, shared: Mapping[str, Any]) -> Reading | None:
    """Return the executions of a wrong unit that read another's value in a place; None where that cannot be seen.

    Parameters
    ----------
    judged : Judged
        The wrong unit.
    unit : Unit
        The one whose value it may read.
    run : Run
        A forced run with the names that the wrong unit saw.
    shared : mapping
        The names of the module.
    """
    reader = judged.unit
    if reader.op == "call":
        return None
    done: list[Event] = []
    earlier: dict[int, list[Event]] = {}
    for event in run.order:
        if event.unit == unit.number and event.value is not None:
            done.append(event)
        elif event.unit == reader.number and event.names is not None:
            earlier[event.instance] = done[::-1]
    events = run.events.get(reader.number, [])
    asked = [events[k] for k in judged.wrong if earlier.get(k) and k < len(events)][:LOOKED_AT]
    read, op = _read(reader, judged.role.delta)
    places = (
        _place(read, reader, unit, event, given, shared) for event in asked[:1] for given in earlier[event.instance]
    )
    place = next((place for place in places if place is not None), None)
    if place is None:
        return None
    expression = _Swap(place).visit(copied(reader.expression))
    code = compile(ast.fix_missing_locations(ast.Expression(expression)), "<theirs>", "eval")
    executions = []
    for event in asked:
        names = names_for(expression, {**shared, **(event.names or {})})
        given = next((one for one in earlier[event.instance] if _is_that(place, names, one)), None)
        if given is None:
            return None
        executions.append((event, given, names))
    return Reading(reader, judged.role, op, code, executions)


def _read(reader: Unit, delta: bool) -> tuple[ast.expr, str]:
    """Return what a unit evaluates, and its operator: where a whole sum is meant, what the target held is read too."""
    if reader.op not in ("+=", "-=") or delta:
        return reader.expression, reader.op
    held = ast.parse(reader.target, mode="eval").body
    return ast.BinOp(held, ast.Add() if reader.op == "+=" else ast.Sub(), reader.expression), "="


def _place(
    read: ast.expr, reader: Unit, unit: Unit, event: Event, given: Event, shared: Mapping[str, Any]
) -> str | None:
    """Return where a reader reads what a unit computed: as the unit calls it, or under another name."""
    names = {k: v for k, v in {**shared, **(event.names or {})}.items() if k.isidentifier()}
    places = [ast.unparse(n) for n in ast.walk(read) if isinstance(n, PLACES)]
    local = unit.target.isidentifier() and unit.function != reader.function
    own = [p for p in places if p == unit.target and not local]
    if given.value is None or (not own and (given.value.size < 2 or not given.value.any())):
        return None
    return next((p for p in dict.fromkeys([*own, *places]) if _is_that(p, names, given)), None)


def _is_that(place: str, names: dict[str, Any], given: Event) -> bool:
    """Tell whether a place holds what the unit computed, and not what another execution of it did."""
    try:
        return np.array_equal(np.asarray(eval(place, dict(names)), dtype=float), np.asarray(given.live, dtype=float))
    except Exception:  # it is not known here
        return False


class _Swap(ast.NodeTransformer):
    """Put a name of ours in the place of what a unit is read as."""

    def __init__(self, target: str) -> None:
        self.target = target

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, PLACES) and ast.unparse(node) == self.target:
            return ast.copy_location(ast.Name(GIVEN, ast.Load()), node)
        return super().generic_visit(node)
