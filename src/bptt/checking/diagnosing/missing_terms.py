"""A sum that lacks some of its terms: what is there is right, and each missing term is looked for by itself."""

from __future__ import annotations

import ast
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from bptt.checking.diagnosing.roles import arrived, same
from bptt.checking.repairing import patch
from bptt.checking.repairing.index_edits import restated
from bptt.checking.repairing.nodes import text_of
from bptt.checking.repairing.repair import write_statement
from bptt.checking.repairing.samples import Budget, Candidate, Sample
from bptt.checking.tracing.quiet import quiet
from bptt.checking.tracing.series import Series
from bptt.dims import Array

if TYPE_CHECKING:
    from bptt.checking.diagnosing.judging import Judged, Judging

NAME = "_bptt_value"
MOST = 3
"""At most so many terms are missing."""
COST = 0.5
"""What a term costs besides its own text."""


def with_missing_terms(
    judging: Judging, judged: Judged, samples: list[Sample], seconds: float
) -> list[tuple[int, Candidate | None, patch.Change]]:
    """Return the statement with the terms that it lacks; empty where it is not that.

    A quantity is the sum of what comes through each operation that uses it (the multivariable chain rule): where what
    they have differs from it by some of these parts, each part is written by itself.
    """
    unit, code = judged.unit, judging.program.code
    if unit.part is not None or isinstance(unit.expression, ast.IfExp | ast.Compare | ast.BoolOp | ast.Lambda):
        return []
    texts, cost = [], 0.0
    for term in lacking(judging, judged):
        given = [
            Sample(sample.env, None, item)
            for sample, event in zip(samples, judged.events, strict=False)
            if (item := _item(judged, term, event.instance)) is not None
        ]
        with quiet():
            found = write_statement(NAME, "=", given, code=code, near=unit.statement, budget=Budget(seconds=seconds))
        if not found:
            return []
        texts.append(found[0].replacement.removeprefix(f"{NAME} = "))
        cost += found[0].cost + COST
    if not texts:
        return []
    whole = text_of(code, unit.expression) + "".join(f" - {t[1:]}" if t.startswith("-") else f" + {t}" for t in texts)
    change = patch.replace(code, unit.expression, whole)
    return [(unit.number, Candidate(restated(code, unit.statement, change), "edit", round(cost, 6)), change)]


def lacking(judging: Judging, judged: Judged) -> list[Series]:
    """Return the parts of a quantity that a unit lacks: the fewest that make it right."""
    role = judged.role
    parts = [
        series
        for series in judging.bank.series
        if len(series.consumers) == 1
        and len(series.items) == len(role.series.items)
        and (
            (series.kind == "share" and series.future is not None and series.future == role.series.future)
            or (series.kind == "part" and role.series.kind == "adjoint" and series.node == role.series.node)
        )
    ]
    gaps: dict[int, Array] = {}
    for event in judged.events:
        item, value = role.item(event.instance), arrived(judged.unit, event, role.delta)
        if item is None or value is None or event.error is not None or value.size != item.size:
            return []
        gaps[event.instance] = item - value.reshape(item.shape)
    for count in range(1, min(MOST, len(parts)) + 1):
        for chosen in combinations(parts, count):
            if all(same(_sum(judged, chosen, instance, gap), gap) for instance, gap in gaps.items()):
                return list(chosen)
    return []


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
