"""From a program to a report: verdict by numbers, then the wrong lines, then the fix."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from bptt.checking.diagnosing.causes import counted
from bptt.checking.diagnosing.left_over import left_over
from bptt.checking.diagnosing.raising import line_of
from bptt.checking.diagnosing.truncation import truncated_at
from bptt.checking.diagnosing.verdict import rows
from bptt.checking.diagnosing.wrong_lines import FIRST, Findings, lines
from bptt.checking.program import Case, Program, Sizes
from bptt.checking.report import Finding, Got, Note, ParameterRow, Report, Verdict
from bptt.checking.running.late import Late, disarm
from bptt.checking.tracing.measured import FLOAT32_BOUND
from bptt.checking.tracing.numeric import Theirs, cost_of, fresh, numeric_gradient, reseed, their_gradients
from bptt.checking.tracing.quiet import quiet
from bptt.checking.tracing.series import Truth
from bptt.checking.tracing.truth import NoTruth, find_truth, taped
from bptt.dims import Array

ADAPTER = "An adapter tells it: --case FILE, see docs/check.md."
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
        ``verdict`` comes from the numbers alone: central differences of their own cost, or the tape of their forward
        pass once those have proven it.
    """
    started = time.perf_counter()
    notes = [Note((code,) if code else (), line, text) for code, line, text in program.notes]

    def report(verdict: Verdict, reason: str, **parts: Any) -> Report:
        return Report(
            program.file,
            program.source,
            verdict,
            reason,
            notes=tuple(dict.fromkeys([*notes, *parts.pop("notes", ())])),
            assumed=program.assumed,
            seconds=time.perf_counter() - started,
            **parts,
        )

    try:
        with quiet():
            _, case = fresh(program, program.tree, FIRST, seed)
            cost = cost_of(case)
            again = cost_of(case)
    except (Exception, SystemExit) as error:
        return report("cannot-check", f"the forward pass or the cost raises: {describe(error, program)}")
    if not np.isfinite(cost):
        return report("cannot-check", f"the cost of the forward pass is {cost}: it has no gradient.")
    if again != cost:
        return report(
            "cannot-check", "two runs of the cost with the same parameters differ: it is no function of them."
        )
    true, rough, truth, untraced = true_gradients(program, case, seed)
    theirs = _theirs(program, seed)
    table = rows(case.parameters, theirs, true, rough, FIRST)
    verdict, reason = verdict_of(table, theirs, program)
    if verdict == "wrong" and theirs.error is None:
        if (doubt := misread(program, theirs, table) or _upward(program, theirs, true)) is not None:
            return report("cannot-check", doubt, parameters=table)
        if _within_float32(case, theirs, table):
            return _undecided_in_float32(report, table)
        reach = truncated_at(program, FIRST, seed)
        if reach is not None:
            return _truncated(report, reach, table)
    sizes = FIRST
    more: list[Note] = []
    if verdict == "right":
        reason, verdict, more, other = _elsewhere(program, seed, reason)
        reach = truncated_at(program, FIRST, seed) if verdict == "wrong" else None
        if reach is not None:
            return _truncated(report, reach, table)
        kept, cleared = left_over(program, FIRST, seed)
        if kept is not None and (verdict == "wrong" or not cleared):
            reason = "the first run of the backward pass is right, and the next ones are not: sums are not set to zero."
            return report("wrong", reason, parameters=table, notes=more, findings=(kept,))
        if kept is not None:
            more.append(Note(("U1",), kept.line, f"{kept.message.splitlines()[0]}: clear it before every run."))
        if other is None:
            return report(verdict, reason, parameters=table, notes=more)
        sizes, seed, case, theirs, table = other  # its lines are looked for where it is wrong
        true, rough, truth, untraced = true_gradients(program, case, seed, sizes)
    if verdict == "cannot-check":
        return report(verdict, reason, parameters=table)
    if truth is None:
        return report(verdict, f"{reason} The lines cannot be named: {untraced}.", parameters=table)
    try:
        try:
            found = lines(program, truth, sizes, seed, deadline)
        finally:
            disarm()  # what is known is reported, however it ended
    except Late:
        disarm()
        found = Findings()
        reason += " The lines could not be named in this time; --timeout gives more."
    except Exception as error:  # the numbers stand by themselves; what names the lines is ours
        found = Findings()
        reason += f" The lines cannot be named, by a fault of ours ({type(error).__name__}: {error})."
    table = tuple(dataclasses.replace(row, fixed_error=found.fixed.get(row.name)) for row in table)
    if not found.findings and theirs.error is not None:
        found.findings += raised_at(program, theirs.error)
    if not found.findings and "The line" not in reason:
        reason += " Which line it is could not be found out."
    elif found.findings:
        somewhere = "" if sizes is FIRST else f" It shows at {_shown(sizes)}, and not at every size."
        reason = counted(program.tree, len(found.findings), found.functions, theirs.error is not None) + somewhere
    notes_found = [*more, *found.notes]
    return report(verdict, reason, parameters=table, findings=tuple(found.findings), fix=found.fix, notes=notes_found)


def misread(program: Program, theirs: Theirs, table: tuple[ParameterRow, ...]) -> str | None:
    """Return why what was found is more likely a misreading than a fault: no gradient is right, and more than that."""
    if program.adapter or any(row.status == "right" for row in table):
        return None
    if not any(np.any(gradient) for gradient in theirs.gradients.values() if isinstance(gradient, np.ndarray)):
        return "every gradient that was found is zero: what the backward pass delivers was not found. " + ADAPTER
    if any(said.startswith("The cost is not shown") for said in program.assumed):
        return f"the cost is not shown, and with none of the usual ones is any gradient right. {ADAPTER}"
    return f"{program.doubt} {ADAPTER}" if program.doubt else None


def _upward(program: Program, theirs: Theirs, true: dict[str, Array]) -> str | None:
    """Return why nothing can be said where the cost is not shown, and some gradients are those of minus that cost.

    All of them would be: it is another cost, to be made larger, with terms of its own.
    """
    if program.adapter or not any(said.startswith("The cost is not shown") for said in program.assumed):
        return None
    opposite = {
        name
        for name, gradient in theirs.gradients.items()
        if name in true
        and np.shape(gradient) == true[name].shape
        and np.any(true[name])
        and np.allclose(np.asarray(gradient, dtype=float), -true[name], rtol=1e-6, atol=1e-9 * np.abs(true[name]).max())
    }
    if not opposite or opposite == set(theirs.gradients):
        return None
    shown = ", ".join(sorted(opposite))
    return f"the cost is not shown, and {shown} would be right for a gain that is made larger. {ADAPTER}"


def _truncated(report: Callable[..., Report], reach: int, table: tuple[ParameterRow, ...]) -> Report:
    said = f"the backward pass reaches back {reach} steps: it equals BPTT truncated at {reach}"
    table = tuple(dataclasses.replace(row, status="not checked") if row.status == "wrong" else row for row in table)
    note = Note((), None, f"truncated: {said}, and differs from the whole gradient where T_x is larger.")
    return report("right", f"{said}, and up to {reach} steps every gradient is right.", parameters=table, notes=[note])


def raised_at(program: Program, error: BaseException) -> list[Finding]:
    """Return a finding of the line that raises, where it is no unit that could be judged.

    Shapes that do not fit may come from a line above: where nothing tells which one, no line is named for them.
    """
    line = line_of(error, program)
    if isinstance(error, ValueError) or line is None or not 1 <= line <= len(program.origins):
        return []
    origin = program.origins[line - 1]
    code = (
        "K"
        if isinstance(error, NameError | KeyError | AttributeError | TypeError)
        else "T2"
        if isinstance(error, IndexError)
        else "M1"
    )
    text = program.code.splitlines()[line - 1].strip()
    said = f"{type(error).__name__}: {error}"
    return [
        Finding(
            (code,), origin.line, origin.line, text, f"this line raises {said}", None, Got(error=said), cell=origin.cell
        )
    ]


def true_gradients(
    program: Program,
    case: Case,
    seed: int,
    sizes: Sizes = FIRST,
    tape: Callable[[Program, Sizes, int, Case], Truth] = find_truth,
) -> tuple[dict[str, Array], dict[str, float], Truth | None, str]:
    """Return the true gradients: from the proven tape, else by differences; with the tape, or why there is none."""
    try:
        truth = tape(program, sizes, seed, case)
    except NoTruth as reason:
        true, rough = {}, {}
        for name in case.parameters:
            true[name], rough[name] = numeric_gradient(case, name)
        return true, rough, None, str(reason)
    return truth.parameters, {}, truth, ""


def _theirs(program: Program, seed: int) -> Theirs:
    try:
        with quiet():
            _, case = fresh(program, program.tree, FIRST, seed)
            reseed(seed)
    except Exception as error:  # it was built a moment ago
        return Theirs(error=error)
    return their_gradients(case)


Elsewhere = tuple[Sizes, int, Case, Theirs, tuple[ParameterRow, ...]]
"""Where a program is wrong that is right at the first sizes: sizes, seed, its case, its gradients, their rows."""


def _elsewhere(program: Program, seed: int, reason: str) -> tuple[str, Verdict, list[Note], Elsewhere | None]:
    """Check a right program at other sizes as well; one it does not run at is only noted."""
    notes: list[Note] = []
    for sizes in OTHERS:
        try:
            with quiet():
                _, case = fresh(program, program.tree, sizes, seed + 1)
            if not np.isfinite(cost_of(case)):
                continue
            theirs = their_gradients(case)
        except (Exception, SystemExit):  # a program made for one size
            continue
        true, rough, _, _ = true_gradients(program, case, seed + 1, sizes, taped)
        table = rows(case.parameters, theirs, true, rough, sizes)
        verdict, why = verdict_of(table, theirs, program)
        if verdict == "wrong":
            shown = _shown(sizes)
            if theirs.error is not None:
                notes.append(Note((), None, f"at {shown} the backward pass raises: {describe(theirs.error, program)}"))
                continue
            found = (sizes, seed + 1, case, theirs, table)
            return f"right at one size, but not at {shown}: {why}", "wrong", notes, found
    return reason, "right", notes, None


def _shown(sizes: Sizes) -> str:
    return ", ".join(f"{name}={size}" for name, size in sizes.as_dict().items())


def _within_float32(case: Case, theirs: Theirs, table: tuple[ParameterRow, ...]) -> bool:
    """Tell whether the program calculates in a short type and its errors are no larger than that type's rounding."""
    arrays = [*case.parameters.values(), *theirs.gradients.values()]
    short = any(getattr(array, "dtype", None) in (np.float32, np.float16) for array in arrays)
    errors = [row.relative_error for row in table if row.status == "wrong"]
    return short and all(error is not None and error < FLOAT32_BOUND for error in errors)


def _undecided_in_float32(report: Callable[..., Report], table: tuple[ParameterRow, ...]) -> Report:
    worst = max(row.relative_error or 0.0 for row in table if row.status == "wrong")
    table = tuple(dataclasses.replace(row, status="not checked") if row.status == "wrong" else row for row in table)
    reason = (
        f"the program calculates in float32: its gradients agree with the numeric ones to {worst:.0e}, and the "
        "rounding of float32 lets no more be seen. Run it in float64 to be sure."
    )
    return report("cannot-check", reason, parameters=table)


def verdict_of(table: tuple[ParameterRow, ...], theirs: Theirs, program: Program) -> tuple[Verdict, str]:
    """Return the verdict and one sentence of reason."""
    if theirs.error is not None:
        return "wrong", f"the backward pass raises: {describe(theirs.error, program)}."
    wrong = [row for row in table if row.status == "wrong"]
    computed = [row for row in table if row.status != "not computed"]
    if wrong:
        return "wrong", f"{len(wrong)} of {len(computed)} gradients are not the gradient of the cost."
    if not any(row.status == "right" for row in table):
        return "cannot-check", "no gradient could be compared."
    return "right", f"all {len(computed)} gradients that it computes are the gradient of its cost."


def describe(error: BaseException, program: Program) -> str:
    """Say an error in one line, with the person's own line."""
    line = line_of(error, program)
    where = f"line {program.origins[line - 1].line}: " if line and line <= len(program.origins) else ""
    return f"{where}{type(error).__name__}: {error}"
