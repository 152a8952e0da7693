"""Whether a line that raises is wrong itself: shapes that do not fit may come from a line above or from a call."""

from __future__ import annotations

import ast
import traceback
from typing import TYPE_CHECKING

from bptt.checking.program import Program

if TYPE_CHECKING:
    from bptt.checking.diagnosing.judging import Judged

TOGETHER = 3
"""So many lines that raise and read one variable have it from a line that is wrong."""


def line_of(error: BaseException, program: Program) -> int | None:
    """Return the last line of their code that an exception went through."""
    line = None
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename in (program.file, "program.py", "<program>"):
            line = frame.lineno
    return line


def raises_itself(judged: Judged, wrong: list[Judged], program: Program) -> bool:
    """Tell whether a statement may be named where nothing is proven; one that raises nothing may.

    One whose shapes do not fit may not where they fit at its first execution, where it calculates nothing, where the
    exception comes from a function that it calls, or where others raise as well and read the same.
    """
    first = judged.events[0].error
    errors = [event.error for event in judged.events if event.error is not None]
    if not errors or not isinstance(errors[0], ValueError):
        return True
    if isinstance(judged.unit.expression, ast.Name | ast.Attribute | ast.Subscript):
        return False
    line = line_of(errors[0], program)
    within = line is None or judged.unit.line <= line <= judged.unit.end_line
    return first is not None and within and not _shared(judged, wrong)


def _shared(judged: Judged, wrong: list[Judged]) -> bool:
    raising = {j.unit.line: j for j in wrong if any(event.error is not None for event in j.events)}.values()
    own = _variables(judged)
    return any(sum(name in _variables(other) for other in raising) >= TOGETHER for name in own)


def _variables(judged: Judged) -> set[str]:
    return {name for name in judged.unit.reads if name.isidentifier()} - {"np", "numpy", "self"}
