"""From a program to a report: verdict by numbers, then the wrong lines, then the fix."""

from __future__ import annotations

import time
import traceback

import numpy as np

from bptt.checking.numeric import Theirs, cost_of, numeric_gradient, quiet, their_gradients
from bptt.checking.program import Case, Program, Sizes
from bptt.checking.report import Note, ParameterRow, Report
from bptt.checking.verdict import rows
from bptt.dims import Array

FIRST = Sizes(n_x=3, n_a=5, n_y=7, m=2, T_x=4)
"""Where the lines are judged: pairwise different sizes, and a first, two middle and a last step."""
OTHERS = (Sizes(n_x=4, n_a=3, n_y=2, m=1, T_x=5), Sizes(n_x=2, n_a=4, n_y=5, m=3, T_x=1))
"""Where a right program must be right as well: m = 1 and T = 1 among them."""


def diagnose(program: Program, seed: int = 0, deadline: float | None = None) -> Report:
    """Judge a program's gradients, name its wrong lines, and mend them.

    Parameters
    ----------
    program : Program
        What the loader found.
    seed : int
        For the case's values and the random directions; the same seed gives the same report.
    deadline : float, optional
        A ``time.monotonic()`` after which no new search is begun.

    Returns
    -------
    Report
    """
    started = time.perf_counter()
    notes = [Note((code,) if code else (), line, text) for code, line, text in program.notes]

    def report(verdict: str, reason: str, **parts: object) -> Report:
        return Report(
            program.file,
            program.source,
            verdict,  # type: ignore[arg-type]
            reason,
            notes=tuple(notes),
            assumed=program.assumed,
            seconds=time.perf_counter() - started,
            **parts,  # type: ignore[arg-type]
        )

    try:
        with quiet():
            module = program.load(program.tree)
            case = program.build(module, FIRST, seed)
        cost = cost_of(case)
    except (Exception, SystemExit) as error:
        return report("cannot-check", f"their forward pass or cost raises: {describe(error, program)}")
    if not np.isfinite(cost):
        return report("cannot-check", f"the cost of their forward pass is {cost}: it has no gradient.")
    if cost_of(case) != cost:
        return report("cannot-check", "two runs of the cost with the same parameters differ.")
    theirs = their_gradients(case)
    true, rough = full_truth(case)
    table = rows(case.parameters, theirs, true, rough, FIRST)
    return report(*verdict_of(table, theirs, program), parameters=table)


def full_truth(case: Case) -> tuple[dict[str, Array], dict[str, float]]:
    """Return the numeric gradient of every parameter."""
    true, rough = {}, {}
    for name in case.parameters:
        true[name], rough[name] = numeric_gradient(case, name)
    return true, rough


def verdict_of(table: tuple[ParameterRow, ...], theirs: Theirs, program: Program) -> tuple[str, str]:
    """Return the verdict and one sentence of reason."""
    if theirs.error is not None:
        return "wrong", f"their backward pass raises: {describe(theirs.error, program)}"
    wrong = [row for row in table if row.status == "wrong"]
    computed = [row for row in table if row.status != "not computed"]
    if wrong:
        return "wrong", f"{len(wrong)} of {len(computed)} gradients are not the gradient of the cost."
    if not any(row.status == "right" for row in table):
        return "cannot-check", "no gradient could be compared."
    return "right", f"all {len(computed)} gradients that it computes are the gradient of its cost."


def describe(error: BaseException, program: Program) -> str:
    """Say an error in one line, with the person's own line."""
    line = None
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename == program.file or frame.filename.endswith(program.file):
            line = frame.lineno
    where = f"line {line}: " if line else ""
    return f"{where}{type(error).__name__}: {error}"
