"""Name the wrong lines of a program, each with its cause, and mend them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from bptt.checking.diagnosing.causes import with_shared_steps
from bptt.checking.diagnosing.change_findings import edit_finding, shape_finding
from bptt.checking.diagnosing.climbing import Climbed
from bptt.checking.diagnosing.findings import finding
from bptt.checking.diagnosing.judging import Judged, Judgement, Judging
from bptt.checking.diagnosing.loops import WrongHeader
from bptt.checking.diagnosing.mending import Mended, edit_labels
from bptt.checking.diagnosing.missing import missing_update
from bptt.checking.diagnosing.missing_findings import missing_finding, term_finding
from bptt.checking.diagnosing.missing_terms import missing_term
from bptt.checking.diagnosing.raising import raises_itself
from bptt.checking.diagnosing.searching import Search
from bptt.checking.program import Program, Sizes
from bptt.checking.repairing import patch
from bptt.checking.repairing.alternatives import Alternative
from bptt.checking.repairing.nodes import place_of
from bptt.checking.repairing.prove import Proof, preconditions
from bptt.checking.repairing.samples import Candidate
from bptt.checking.report import Finding, Fix, Note, Replacement
from bptt.checking.running.late import Late, disarm
from bptt.checking.tracing.measured import Truth as Slopes
from bptt.checking.tracing.series import Truth

FIRST = Sizes(n_x=3, n_a=5, n_y=7, m=2, T_x=4)
"""Where the lines are judged: pairwise different sizes, and a first, two middle and a last step."""


@dataclass
class Findings:
    """What the search for the lines brought."""

    findings: list[Finding] = field(default_factory=list)
    fix: Fix | None = None
    notes: list[Note] = field(default_factory=list)
    fixed: dict[str, float] = field(default_factory=dict)
    functions: tuple[str, ...] = ()
    """Where the wrong statements stand."""


def lines(program: Program, truth: Truth, sizes: Sizes, seed: int, deadline: float | None) -> Findings:
    """Name the wrong lines and mend them."""
    judging = Judging(program, truth, sizes, seed)
    search = Search(judging, Slopes(program, seed), deadline)
    try:
        search.run()
    except Late:
        disarm()
        if search.mended is None and search.climbed is None:
            raise
    judgement, header, mended, climbed = search.judgement, search.header, search.mended, search.climbed
    if climbed is not None:
        return _explained(judging, judgement, climbed, seed)
    result = Findings()
    if header is not None:
        result.findings.append(_header_finding(judging, header, mended))
    if mended is not None:  # what need not change is not wrong
        judgement.wrong = [
            j for j in judgement.wrong if j.unit.number in mended.by_unit or _same_statement(j, mended, judging)
        ]
    if mended is None:
        judgement.wrong = [judged for judged in judgement.wrong if raises_itself(judged, judgement.wrong, program)]
    for judged in judgement.wrong:
        candidate = mended.by_unit.get(judged.unit.number) if mended else None
        missing = missing_update(judging, judged) if candidate is None or candidate.kind == "insert" else None
        term = missing_term(judging, judged) if candidate is not None and candidate.kind == "insert" else None
        more = edit_labels(judging, judged, candidate) if candidate and not missing and not term else None
        if missing is not None:
            found = missing_finding(judging, judged, missing)
        else:
            found = term_finding(judging, judged, term) if term else finding(judging, judged, more)
        if candidate is not None:
            found = dataclasses.replace(found, fix=Replacement(candidate.replacement, candidate.kind))
        result.findings.append(found)
    if mended is None:
        raises = [f for f in result.findings if f.got is not None and f.got.error is not None]
        first = judgement.sufficient and all("T1" in f.codes for f in result.findings)
        result.findings = result.findings if first else raises
    result.findings = with_shared_steps(_merged(result.findings))
    result.functions = tuple(dict.fromkeys(judged.unit.function for judged in judgement.wrong))
    if mended is not None:
        result.fix = _fix(program, mended.changes, mended.proof, mended.preconditions)
        result.fixed = dict(mended.proof.per_parameter)
    elif result.findings and not judgement.sufficient:
        result.notes.append(
            Note(
                (), None, "these lines are wrong, but they do not explain every wrong gradient: there is another fault."
            )
        )
    return result


def _explained(judging: Judging, judgement: Judgement, climbed: Climbed, seed: int) -> Findings:
    """Return the findings of proven changes."""
    program, result = judging.program, Findings()
    for change in climbed.changes:
        result.findings.append(_of_change(judging, judgement, change))
    result.findings = with_shared_steps(_merged(sorted(result.findings, key=lambda f: (f.cell or 0, f.line))))
    lines = {change.statement.lineno for change in climbed.changes}
    result.functions = tuple(dict.fromkeys(u.function for u in judging.units if u.line in lines))
    changes = [one for change in climbed.changes for one in change.changes]
    conditions = preconditions(program, patch.patched_code(program, changes), seed)
    result.fix = _fix(program, changes, climbed.proof, conditions)
    result.fixed = dict(climbed.proof.per_parameter)
    return result


def _of_change(judging: Judging, judgement: Judgement, change: Alternative) -> Finding:
    """Return the finding of one change: by the forced value where that is known, else by what the change does."""
    if change.what:
        return shape_finding(judging, change)
    place = place_of(change.statement)
    kind = change.changes[0].kind
    judged = next((j for j in judgement.wrong if (j.unit.line, j.unit.column) == place), None)
    if judged is None:
        found = edit_finding(judging, change)
    elif kind == "insert" and (missing := missing_update(judging, judged)):
        found = missing_finding(judging, judged, missing)
    elif kind == "insert" and (term := missing_term(judging, judged)):
        found = term_finding(judging, judged, term)
    else:
        candidate = Candidate(change.text, "edit", change.cost)
        found = finding(judging, judged, edit_labels(judging, judged, candidate))
    return dataclasses.replace(found, fix=Replacement(change.text, kind))


def _same_statement(judged: Judged, mended: Mended, judging: Judging) -> bool:
    return any(
        judging.units[n].line == judged.unit.line and judging.units[n].column == judged.unit.column
        for n in mended.by_unit
    )


def _fix(program: Program, changes: list[patch.Change], proof: Proof, conditions: tuple[str, ...]) -> Fix:
    diff, sizes = patch.unified_diff(program, changes), tuple(s.as_dict() for s in proof.sizes)
    return Fix(True, diff, proof.max_relative_error, proof.method, sizes, conditions)


def _header_finding(judging: Judging, header: WrongHeader, mended: Mended | None) -> Finding:
    origin = judging.program.origins[header.line - 1]
    cause = (
        "it runs through the steps in the wrong direction: the gradient comes from the last step and goes back"
        if header.cause == "direction"
        else "it misses a step, so that what this step gives to the gradients is lost"
    )
    return Finding(
        ("T3",),
        origin.line,
        origin.line,
        header.text,
        f"the range of this loop is wrong\n{cause}\nwith `{header.right_iter}` every gradient is right",
        fix=Replacement(header.right, "edit") if mended else None,
        cell=origin.cell,
    )


def _merged(findings: list[Finding]) -> list[Finding]:
    """Join the findings of one statement (a tuple of targets)."""
    merged: dict[tuple[Any, ...], Finding] = {}
    for one in findings:
        key = (one.cell, one.line, one.statement)
        held = merged.get(key)
        if held is None:
            merged[key] = one
        else:
            codes = tuple(dict.fromkeys((*held.codes, *one.codes)))
            merged[key] = dataclasses.replace(held, codes=codes, message=f"{held.message}\n{one.message}")
    return list(merged.values())
