"""A gradient that stays zero because no line gives it: the line that one of its like shows the place of."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bptt.checking.diagnosing.differences_in_text import value_of
from bptt.checking.diagnosing.missing_terms import NAME
from bptt.checking.repairing import patch
from bptt.checking.repairing.alternatives import Alternative
from bptt.checking.repairing.nodes import targets_of, text_of
from bptt.checking.repairing.repair import write_statement
from bptt.checking.repairing.samples import Budget, Sample
from bptt.checking.tracing.quiet import quiet

if TYPE_CHECKING:
    from bptt.checking.diagnosing.judging import Judging

PLACES = 4
"""Of so many lines that add to other gradients, each is tried as the place."""
SECONDS = 0.5
"""For the search of one line."""


def missing_sums(judging: Judging) -> Iterator[Alternative]:
    """Yield, for each gradient that stays zero, the line that adds to it, after one that adds to another gradient."""
    written = set(judging.sink_names.values())
    for name, true in judging.truth.parameters.items():
        delivered = judging.delivered.get(name)
        if name in written or not true.any() or not isinstance(delivered, np.ndarray) or delivered.any():
            continue
        for number, other in _like(judging, name)[:PLACES]:
            line = _line(judging, number, other, name)
            if line is not None:
                statement = judging.units[number].statement
                change = patch.insert_after(judging.program.code, statement, line)
                yield Alternative((change,), 0.9, statement, what=f"never added to: `{line}`")
                break


def _like(judging: Judging, name: str) -> list[tuple[int, str]]:
    """Return the units that add to other gradients, with their names: those of the likest name first."""
    letters = set(name.rpartition(".")[2].lower())
    found = [(n, other) for n, other in judging.sink_names.items() if judging.last.events.get(n)]
    return sorted(found, key=lambda one: (-len(letters & set(one[1].rpartition(".")[2].lower())), -one[0]))


def _line(judging: Judging, number: int, other: str, name: str) -> str | None:
    """Return the line that gives a gradient where a unit gives another one; None where it cannot be written."""
    unit, code = judging.units[number], judging.program.code
    targets = targets_of(unit.statement)
    role = judging.roles.get(number)
    if len(targets) != 1 or role is None:
        return None
    old, new = (one.rpartition(".")[2] for one in (other, name))
    target = text_of(code, targets[0])
    if target.count(old) != 1 or not unit.target:
        return None
    target = target.replace(old, new)
    run, _, _ = judging.run(judging.roles, lambda n: n == number)
    events = [e for e in run.events.get(number, ()) if e.names is not None]
    series, sign = judging.contribution(name, len(events)) if role.delta else None, "+=" if role.delta else "="
    if role.delta and series is None:
        return None
    space = judging.space()
    samples = []
    for event in events:
        time = role.times.get(event.instance)
        item = judging.truth.parameters[name] if series is None else None
        if series is not None and time is not None and 0 <= time < len(series.items):
            item = series.items[time]
        names = {**space, **(event.names or {})}
        held = _value(target, names)
        if item is None or not isinstance(held, np.ndarray) or held.size != item.size:
            return None
        samples.append(Sample(names, None, item.reshape(held.shape)))
    if (like := _as_others(judging, samples)) is not None:
        return f"{target} {sign} {like}"
    with quiet():
        found = write_statement(NAME, "=", samples, code=code, near=unit.statement, budget=Budget(seconds=SECONDS))
    if not found:
        return None
    return f"{target} {sign} {found[0].replacement.removeprefix(f'{NAME} = ')}"


def _as_others(judging: Judging, samples: list[Sample]) -> str | None:
    """Return what another gradient is given, with one variable of it another one, where that is what is wanted here."""
    arrays = [n for n, v in samples[0].env.items() if isinstance(v, np.ndarray) and v.ndim and n.isidentifier()]
    for number in judging.sink_names:
        value = value_of(judging.units[number].statement)
        text = ast.unparse(value) if value is not None else ""
        for old in dict.fromkeys(n.id for n in ast.walk(value) if isinstance(n, ast.Name)) if value is not None else ():
            for new in arrays:
                other = re.sub(rf"\b{old}\b", new, text)
                if other != text and all(_alike(_value(other, s.env), s.target) for s in samples):
                    return other
    return None


def _alike(value: Any, wanted: Any) -> bool:
    return (
        isinstance(value, np.ndarray) and value.shape == wanted.shape and np.allclose(value, wanted, rtol=1e-9, atol=0)
    )


def _value(text: str, names: Mapping[str, Any]) -> Any:
    try:
        with np.errstate(all="ignore"):
            return eval(text, dict(names))
    except Exception:  # there is no such gradient here
        return None
