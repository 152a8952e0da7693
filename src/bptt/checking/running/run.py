"""What the confined process does: load the program, diagnose it, and see that nothing under us was replaced."""

from __future__ import annotations

import builtins
import dataclasses
import math
import os
import sys
import time
import traceback
from types import ModuleType
from typing import Any, NoReturn

import numpy as np

from bptt.checking.diagnosing.diagnose import diagnose
from bptt.checking.diagnosing.reached import unreached
from bptt.checking.loading.load import load_program
from bptt.checking.report import Report
from bptt.checking.running.late import Late, arm, disarm, too_late
from bptt.errors import CannotCheckError, message

PROGRAM = "program.py"  # what the loader calls every program when it compiles it
LONGEST = 600  # characters of one line of a message
ENDS_BY_ITSELF = 0.8  # of the time: then the engine stops searching and reports what it has


def check_program(request: dict[str, Any]) -> dict[str, Any]:
    """Check one program.

    Parameters
    ----------
    request : dict
        ``text``, ``file``, ``adapter`` (text or None), ``name`` (or None), ``seed``, ``timeout``, ``folder`` (of the
        file, for imports of the person's own modules, or None).

    Returns
    -------
    dict
        The report as JSON data.

    Raises
    ------
    CannotCheckError
        With the reason.
    """
    start = time.monotonic()
    if request.get("folder"):
        sys.path.append(request["folder"])  # last: a file named random.py beside theirs must not stand in for Python's
    builtins.input = _nobody_answers
    before = _own_tools()
    arm(ENDS_BY_ITSELF * request["timeout"])
    try:
        report = _checked(request, before, start)
    except Late as late:
        frames = [frame for frame, _ in traceback.walk_tb(late.__traceback__) if frame.f_code.co_filename == PROGRAM]
        place = (frames[-1].f_lineno, frames[-1].f_code.co_name) if frames else None
        raise CannotCheckError(too_late(place, request["timeout"])) from None
    finally:
        disarm()
    return report.to_json()


def _checked(request: dict[str, Any], before: dict[str, Any], start: float) -> Report:
    """Load, diagnose, and see that the answer stands."""
    program = load_program(request["text"], request["file"], request["adapter"], request["name"])
    report = diagnose(program, seed=request["seed"], deadline=start + ENDS_BY_ITSELF * request["timeout"])
    replaced = [name for name, tool in _own_tools().items() if before.get(name, tool) is not tool]
    if replaced:
        raise CannotCheckError(
            message(
                request["file"],
                f"the program replaces {', '.join(sorted(replaced)[:3])} itself while it runs.",
                details=["The check calculates with the same function, so its answer would not be worth anything."],
                hint="Give your own function a name of its own, and call that.",
            )
        )
    report = _shortened(report)
    exhausted = next((f for f in report.findings if f.got and "MemoryError" in (f.got.error or "").split(":")[0]), None)
    if exhausted is not None:  # the limit is ours: that the line is wrong is not shown by it
        raise MemoryError(f"in line {exhausted.line}")
    if report.verdict == "right" and request["adapter"] is None and not program.adapter and request["name"] is None:
        report = _narrowed(_found(report), unreached(program, request["seed"]))
    return report


def _shortened(report: Report) -> Report:
    """Cut an exception's message that is a book; the statement's own text stays whole."""

    def cut(text: str) -> str:
        return "\n".join(line if len(line) <= LONGEST else f"{line[:LONGEST]} ..." for line in text.split("\n")[:40])

    findings = []
    for finding in report.findings:
        got = finding.got
        if got is not None and got.error is not None:
            got = dataclasses.replace(got, error=cut(got.error))
        findings.append(dataclasses.replace(finding, got=got, message=cut(finding.message)))
    return dataclasses.replace(report, reason=cut(report.reason), findings=tuple(findings))


def _found(report: Report) -> Report:
    """Take the verdict back where half of the gradients were not found: they are more likely given than left out."""
    lost = [row.name for row in report.parameters if row.status == "not computed"]
    if 2 * len(lost) < len(report.parameters) or not lost:
        return report
    return _taken_back(
        report,
        f"of {', '.join(lost[:4])} none was found in what the backward pass gives.\n"
        "An adapter (--case) says which gradient is which, see docs/check.md.",
    )


def _narrowed(report: Report, left: tuple[tuple[str, int], ...]) -> Report:
    """Take the verdict back where a part of the backward pass never ran: what was not run is not right."""
    if not left:
        return report
    names = ", ".join(f"{name} (line {line})" for name, line in left[:4]) + (", ..." if len(left) > 4 else "")
    return _taken_back(
        report,
        f"{names} never ran in this check.\n"
        "FILE::Name checks one class or function by itself; an adapter (--case) says how all of it runs together.",
    )


def _taken_back(report: Report, but: str) -> Report:
    """Return the report without its verdict, and with what stands against it."""
    reason = f"{report.reason.rstrip('.')}, but {but}"
    return dataclasses.replace(report, verdict="cannot-check", reason=reason)


def _nobody_answers(prompt: object = "") -> NoReturn:
    raise EOFError("the program calls input(), and in a check nobody is there to answer")


def _own_tools() -> dict[str, Any]:
    """Return the functions that our own calculations stand on, by name."""
    modules: dict[str, ModuleType] = {
        "": builtins,
        "math.": math,
        "np.": np,
        "np.linalg.": np.linalg,
        "np.random.": np.random,
        "time.": time,
        "os.": os,
    }
    return {
        f"{prefix}{name}": tool
        for prefix, module in modules.items()
        for name, tool in vars(module).items()
        if callable(tool)
    }
