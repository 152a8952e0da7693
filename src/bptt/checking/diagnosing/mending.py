"""Mend what was found: each wrong statement alone by the repair search, then all together, proven."""

from __future__ import annotations

import ast
import time
from dataclasses import dataclass, field
from itertools import islice, product
from typing import TYPE_CHECKING, Any

import numpy as np

from bptt.checking.diagnosing.causes import causes
from bptt.checking.diagnosing.edit_labels import labels_of_edit
from bptt.checking.diagnosing.handed import handed_wrong
from bptt.checking.diagnosing.loops import WrongHeader
from bptt.checking.diagnosing.meanings import Meanings
from bptt.checking.diagnosing.missing import insertions, missing_update
from bptt.checking.diagnosing.missing_terms import NAME, inserted, missing_term, with_missing_terms
from bptt.checking.diagnosing.mistakes import Label
from bptt.checking.repairing import patch
from bptt.checking.repairing.index_edits import restated
from bptt.checking.repairing.prove import Proof, minimise, preconditions, prove
from bptt.checking.repairing.prove import Truth as Slopes
from bptt.checking.repairing.repair import repair_statement
from bptt.checking.repairing.samples import Budget, Candidate, Sample
from bptt.checking.tracing.forced import Event
from bptt.checking.tracing.quiet import quiet

if TYPE_CHECKING:
    from bptt.checking.diagnosing.judging import Judged, Judging

PATIENCE = 0.6
"""Seconds for the search of one statement; most are found at once."""
MORE = 1.2
"""Seconds for one that raises, or for one of two: more than one thing may be wrong with it."""
ALONE = 3.0
"""Seconds for the only one that is wrong: it explains everything."""
SHOTS = 24
"""Combinations of candidates that are tried together at most."""


@dataclass
class Mended:
    """The proven changes, and what each finding got."""

    changes: list[patch.Change]
    proof: Proof
    preconditions: tuple[str, ...]
    by_unit: dict[int, Candidate] = field(default_factory=dict)
    header: bool = False
    by_change: dict[patch.Change, int] = field(default_factory=dict)
    """The number of the unit that each change mends; -1 for a loop's header."""


def samples(judging: Judging, judged: Judged) -> list[Sample]:
    """Return the executions of a wrong statement, with true values above it and the true value it should give."""
    space = judging.space()
    result = []
    for one in (judged, *judged.alike):
        for event in one.events:
            item = one.role.item(event.instance)
            if item is not None and event.names is not None:
                result.append(Sample({**space, **event.names}, event.before, _target(event, item, one.role.delta)))
    return result


def _target(event: Event, item: Any, delta: bool) -> Any:
    like = event.value if event.value is not None else event.before
    if like is not None and like.size == item.size:
        item = item.reshape(like.shape)
    if delta and event.before is not None:
        return event.before + item if np.size(event.before) in (1, np.size(item)) else item
    return np.array(item)


Options = list[tuple[int, Candidate | None, patch.Change]]
"""What may stand in the place of one statement: the number of its unit, the candidate, the change."""


def options_for(
    judging: Judging,
    wrong: list[Judged],
    header: WrongHeader | None,
    deadline: float | None,
    known: dict[int, Options],
    every: bool = True,
) -> tuple[list[Options], bool]:
    """Return the candidates for each wrong statement, and whether each has one.

    A unit that cannot be mended gives its place in ``wrong`` to the one that hands it something wrong.
    ``known`` keeps what was found for a unit; without ``every``, the search ends at a statement that has none.
    """
    program = judging.program
    options: list[Options] = []
    complete = True
    if header is not None:
        loop = next(n for n in ast.walk(program.tree) if isinstance(n, ast.For) and n.lineno == header.line)
        options.append([(-1, None, patch.replace(program.code, loop.iter, header.right_iter))])
    by_statement: dict[tuple[int, int], list[Judged]] = {}
    for judged in wrong:
        by_statement.setdefault((judged.unit.line, judged.unit.column), []).append(judged)
    for group in by_statement.values():
        judged = group[0]
        if deadline is not None and time.monotonic() > deadline:
            return options, False
        if judged.unit.number not in known:
            raises = any(event.error is not None for event in judged.events)
            seconds = ALONE if len(by_statement) == 1 else MORE if raises or len(by_statement) == 2 else PATIENCE
            known[judged.unit.number] = _candidates(judging, judged, seconds)
            for other in () if known[judged.unit.number] or raises else handed_wrong(judging, judged):
                found = repairs(judging, other, PATIENCE)
                if found:
                    wrong[wrong.index(judged)] = other
                    judging.roles[other.unit.number] = other.role
                    known[judged.unit.number] = known[other.unit.number] = found
                    break
        found = known[judged.unit.number]
        if found:
            options.append(found)
        elif not every:
            return options, False
        complete = complete and bool(found)
    return options, complete and bool(options)


def _candidates(judging: Judging, judged: Judged, seconds: float) -> Options:
    missing = missing_update(judging, judged)
    found = insertions(judging, judged, missing, MORE) if missing else []
    if not found and (term := missing_term(judging, judged)) is not None:
        found = inserted(judging, judged, term, seconds)
    found = found or repairs(judging, judged, seconds)
    return found or with_missing_terms(judging, judged, seconds)


def combine(
    judging: Judging, options: list[Options], header: bool, slopes: Slopes, deadline: float | None
) -> Mended | None:
    """Return the first combination of candidates that is proven, without what is not needed."""
    program, seed = judging.program, slopes.seed
    choices = (
        sorted(product(*(range(len(o)) for o in options)), key=sum)
        if np.prod([len(o) for o in options]) < 5000
        else product(*(range(len(o)) for o in options))
    )
    for choice in islice(choices, SHOTS):
        chosen = [options[i][k] for i, k in enumerate(choice)]
        changes = [change for _, _, change in chosen]
        if not judging.right_with(changes):
            continue
        code = patch.patched_code(program, changes)
        if deadline is not None and time.monotonic() > deadline:
            return None
        proof = prove(program, code, seed=seed, truth=slopes)
        if proof.ok:
            if len(changes) > 1:
                needed = minimise(program, changes, seed, truth=slopes)
                if len(needed) < len(changes):
                    chosen = [one for one in chosen if one[2] in needed]
                    changes = list(needed)
                    code = patch.patched_code(program, changes)
                    proof = prove(program, code, seed=seed, truth=slopes)
            known = [p for _, c, _ in chosen if c is not None for p in c.preconditions]
            conditions = tuple(dict.fromkeys([*known, *preconditions(program, code, seed)]))
            by_unit = {n: c for n, c, _ in chosen if c is not None}
            return Mended(changes, proof, conditions, by_unit, header, {change: n for n, _, change in chosen})
    return None


def repairs(judging: Judging, judged: Judged, seconds: float) -> list[tuple[int, Candidate | None, patch.Change]]:
    """Return the candidates for one wrong unit, each with the change of the text that it is."""
    unit, code = judged.unit, judging.program.code
    with quiet():
        if not unit.nameless:
            found = repair_statement(
                unit.statement, samples(judging, judged), code=code, budget=Budget(seconds=seconds)
            )
            return [(unit.number, c, patch.replace(code, unit.statement, c.replacement, c.kind)) for c in found[:6]]
        # An expression without a name is mended as if it were assigned to one.
        longer = f"{code}\n{NAME} = {ast.unparse(unit.expression)}\n"
        node = ast.parse(longer).body[-1]
        found = repair_statement(node, samples(judging, judged), code=longer, budget=Budget(seconds=seconds))
    result: list[tuple[int, Candidate | None, patch.Change]] = []
    for candidate in found[:6]:
        change = patch.replace(code, unit.expression, candidate.replacement.removeprefix(f"{NAME} = "))
        whole = restated(code, unit.statement, change)
        named = Candidate(whole, candidate.kind, candidate.cost, candidate.preconditions)
        result.append((unit.number, named, change))
    return result


def edit_labels(judging: Judging, judged: Judged, candidate: Candidate) -> list[Label]:
    """Read the kind of mistake off the repair: what was exchanged tells what was wrong."""
    if judged.events[judged.wrong[0]].error is not None:
        found = causes(judged.unit.statement, ast.parse(candidate.replacement).body[0], 0 in judged.role.times)
        if found:
            return found
    return labels_of_edit(judged.unit, candidate.replacement, Meanings(judging, judged.unit))
