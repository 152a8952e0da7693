"""A sum that lacks some of its terms: what is there is right, and each missing term is looked for by itself."""

from __future__ import annotations

import ast
import dataclasses
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from bptt.checking.diagnosing.roles import arrived, same
from bptt.checking.repairing import patch
from bptt.checking.repairing.index_edits import restated
from bptt.checking.repairing.nodes import place_of, text_of
from bptt.checking.repairing.repair import write_statement
from bptt.checking.repairing.samples import Budget, Candidate, Sample
from bptt.checking.tracing.forced import Event
from bptt.checking.tracing.quiet import quiet
from bptt.checking.tracing.series import Series
from bptt.dims import Array

if TYPE_CHECKING:
    from bptt.checking.diagnosing.judging import Judged, Judging

NAME = "_bptt_value"
"""What an expression without a name is assigned to, while a right one is searched for."""
MOST = 3
"""At most so many terms are missing."""
COST = 0.5
"""What a term costs besides its own text."""


def with_missing_terms(
    judging: Judging, judged: Judged, seconds: float
) -> list[tuple[int, Candidate | None, patch.Change]]:
    """Return the statement with the terms that it lacks; empty where it is not that.

    A quantity is the sum of what comes through each operation that uses it (the multivariable chain rule): where what
    they have differs from it by some of these parts, each part is written by itself.
    """
    unit, code = judged.unit, judging.program.code
    if unit.part is not None or isinstance(unit.expression, ast.IfExp | ast.Compare | ast.BoolOp | ast.Lambda):
        return []
    space = judging.space()
    seen = [({**space, **event.names}, event.instance) for event in judged.events if event.names is not None]
    texts, cost = _written(judging, judged, lacking(judging, judged), seen, unit.statement, seconds)
    if not texts:
        return []
    whole = text_of(code, unit.expression) + "".join(f" - {t[1:]}" if t.startswith("-") else f" + {t}" for t in texts)
    change = patch.replace(code, unit.expression, whole)
    return [(unit.number, Candidate(restated(code, unit.statement, change), "edit", round(cost, 6)), change)]


def _written(
    judging: Judging,
    judged: Judged,
    terms: list[Series],
    seen: list[tuple[dict[str, Any], int]],
    near: ast.stmt,
    seconds: float,
) -> tuple[list[str], float]:
    """Return each term in the person's variables and what they cost together; nothing where one cannot be written.

    ``seen`` are the names at the place where they are to stand, each with the execution that they are for.
    """
    texts, cost = [], 0.0
    for term in terms:
        given = [
            Sample(names, None, item) for names, instance in seen if (item := _item(judged, term, instance)) is not None
        ]
        with quiet():
            found = write_statement(
                NAME, "=", given, code=judging.program.code, near=near, budget=Budget(seconds=seconds)
            )
        if not found:
            return [], 0.0
        texts.append(found[0].replacement.removeprefix(f"{NAME} = "))
        cost += found[0].cost + COST
    return texts, cost


@dataclass
class MissingTerm:
    """A line that adds one more part to what a variable carries back to the step before."""

    name: str
    after: ast.stmt
    terms: list[Series]


def missing_term(judging: Judging, judged: Judged) -> MissingTerm | None:
    """Return what a sum lacks because a variable that it reads, and the loop carries back, was not given all its parts.

    None where no such variable is read, or what is lacking is no sum of parts.
    """
    unit = judged.unit
    terms = lacking(judging, judged)
    if not terms or any(term.future is None for term in terms):
        return None
    for name in dict.fromkeys(n.id for n in ast.walk(unit.expression) if isinstance(n, ast.Name)):
        sets = [
            u
            for u in judging.units
            if u.target == name and u.function == unit.function and u.loops == unit.loops and not u.nameless
        ]
        last = max(sets, key=lambda u: (u.line, u.column), default=None)
        if last is not None and (last.line, last.column) > (unit.line, unit.column) and last.op in ("=", "+="):
            return MissingTerm(name, last.statement, terms)
    return None


def inserted(
    judging: Judging, judged: Judged, missing: MissingTerm, seconds: float
) -> list[tuple[int, Candidate | None, patch.Change]]:
    """Return the line that adds what is missing, to stand after the last one that adds to the variable."""
    code, space = judging.program.code, judging.space()
    place = place_of(missing.after)
    numbers = {u.number for u in judging.units if (u.line, u.column) == place and u.context == judged.unit.context}
    run, _, _ = judging.run(judging.roles, numbers.__contains__)
    seen: list[tuple[dict[str, Any], int]] = []
    before: Event | None = None
    for event in run.order:
        if event.unit in numbers:
            before = event
        elif event.unit == judged.unit.number and before is not None:
            seen.append(({**space, **(before.names or {}), missing.name: before.live}, event.instance))
    texts, cost = _written(judging, judged, missing.terms, seen, missing.after, seconds)
    if not texts:
        return []
    text = f"{missing.name} += {' + '.join(texts)}"
    change = patch.insert_after(code, missing.after, text)
    return [(judged.unit.number, Candidate(text, "insert", round(cost, 6)), change)]


def lacking(judging: Judging, judged: Judged) -> list[Series]:
    """Return the parts of a quantity that a unit lacks: the fewest that make it right."""
    role = judged.role
    parts = [_part_of(role.series, s) for s in judging.bank.series if len(s.consumers) == 1]
    if len(role.axes) != role.series.ndim:
        return []
    gaps: dict[int, Array] = {}
    for event in judged.events:
        item, value = role.item(event.instance), arrived(judged.unit, event, role.delta)
        if item is None or value is None or event.error is not None or value.size != item.size:
            return []
        gaps[event.instance] = item - value.reshape(item.shape)
    for count in range(1, min(MOST, len(parts)) + 1):
        for chosen in combinations([p for p in parts if p is not None], count):
            if all(same(_sum(judged, chosen, instance, gap), gap) for instance, gap in gaps.items()):
                return list(chosen)
    return []


def _part_of(whole: Series, part: Series) -> Series | None:
    """Return a series if its items may be parts of another's, step by step; None if not."""
    if len(part.items) != len(whole.items) or part.shape != whole.shape:
        return None
    if part.kind == "part" and whole.kind == "adjoint" and part.node == whole.node:
        return part
    if part.kind != "share" or part.future is None:
        return None
    if whole.kind != "adjoint":
        return part
    # What a step hands back belongs to the state of the step before.
    return dataclasses.replace(part, items=[*part.items[1:], None])


def _sum(judged: Judged, chosen: tuple[Series, ...], instance: int, like: Array) -> Array:
    total = np.zeros(like.shape)
    for series in chosen:
        item = _item(judged, series, instance)
        total = total if item is None else total + item.reshape(like.shape)
    return total


def _item(judged: Judged, series: Series, instance: int) -> Array | None:
    """Return a part for one execution, in their order of axes."""
    time = judged.role.times.get(instance)
    item = series.items[time] if time is not None and 0 <= time < len(series.items) else None
    return None if item is None else judged.role.sign * np.transpose(item, judged.role.axes)
