"""Findings of what is not there: an update, a return, a part of a sum."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bptt.checking.diagnosing.findings import wanted
from bptt.checking.diagnosing.missing import Missing
from bptt.checking.diagnosing.missing_terms import MissingTerm
from bptt.checking.report import Expected, Finding

if TYPE_CHECKING:
    from bptt.checking.diagnosing.judging import Judged, Judging


def missing_finding(judging: Judging, judged: Judged, missing: Missing) -> Finding:
    """Return the finding of an update that the loop lacks; its line is the one that it may follow."""
    name, dims = wanted(judging, judged.role)
    line = missing.last.lineno
    origin = judging.program.origins[line - 1]
    message = (
        f"`{missing.function.name}` ends without a return\n"
        f"`{missing.name}` keeps what it returns, which is None: nothing comes back from the later steps\n"
        if missing.function is not None
        else f"a line that sets `{missing.name}` for the step before is missing here\n"
        f"`{missing.name}` is set to zeros before the loop and never updated in it, "
        "so that nothing comes back from the later steps\n"
    )
    if any(series.future == judged.role.series.node for series in judging.bank.series):
        message += (
            f"`{judged.unit.target or judged.unit.text}` is meant to be {name}, "
            "the sum of what comes from the output and what comes from the future"
        )
    text = judging.program.code.splitlines()[line - 1].strip()
    codes = ("K" if missing.function is not None else "R1",)
    return Finding(
        codes,
        origin.line,
        origin.line,
        text,
        message.strip(),
        Expected(name, dims),
        None,
        ("B5", "B10"),
        None,
        origin.cell,
    )


def term_finding(judging: Judging, judged: Judged, missing: MissingTerm) -> Finding:
    """Return the finding of a part that is never added; its line is the one that it may follow."""
    name, dims = wanted(judging, judged.role)
    origin = judging.program.origins[missing.after.lineno - 1]
    uses = " and ".join(f"`{judging.truth.text(min(term.consumers))}`" for term in missing.terms)
    message = (
        f"a line that adds to `{missing.name}` is missing here\n"
        f"the state goes into the next step through {uses} as well: by the chain rule each use of it "
        f"hands a part of the gradient back, and `{missing.name}` is their sum"
    )
    text = judging.program.code.splitlines()[missing.after.lineno - 1].strip()
    return Finding(
        ("R2",), origin.line, origin.line, text, message, Expected(name, dims), None, ("B5", "B10"), None, origin.cell
    )
