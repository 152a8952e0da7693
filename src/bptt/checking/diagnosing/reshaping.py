"""Faults of form: the functions in which they are looked for, and what is said of one."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from bptt.checking.repairing.alternatives import Alternative
from bptt.checking.report import Finding, Replacement

if TYPE_CHECKING:
    from bptt.checking.diagnosing.judging import Judging

def backward_functions(judging: Judging) -> list[ast.FunctionDef]:
    """Return their functions that run for the gradients and not for the cost alone, the one with the loop first."""
    known = set(judging.backward_units) | set(judging.mixed)
    ran = {judging.units[n].function.split(".")[-1] for n in known}
    ran |= {
        u.function.split(".")[-1]
        for u in judging.units
        if judging.natural.events.get(u.number) and "back" in u.function.lower()
    }
    found = [n for n in ast.walk(judging.program.tree) if isinstance(n, ast.FunctionDef) and n.name in ran]
    return sorted(found, key=lambda f: not any(isinstance(n, ast.For | ast.While) for n in ast.walk(f)))


def shape_finding(judging: Judging, change: Alternative) -> Finding:
    """Return the finding of a change of form."""
    first = change.changes[0]
    line = first.line if first.kind == "insert" else change.statement.lineno
    origin = judging.program.origins[line - 1]
    code, cause = _cause(change)
    text = judging.program.code.splitlines()[line - 1].strip()
    kind = first.kind
    message = f"`{text}` is wrong in its form, not in its expression\n{cause}"
    if kind == "insert":
        message = f"a line is missing after this one\n{cause}"
    return Finding(
        (code,), origin.line, origin.line, text, message, fix=Replacement(first.text.strip() if kind == "insert" else change.text or first.text, kind), cell=origin.cell
    )


def _cause(change: Alternative) -> tuple[str, str]:
    what = change.what
    if change.changes[0].kind == "insert" and "return" in what:
        return "K", f"what it calculates is never returned: {what}"
    if what.startswith("scaled"):
        return "L1", f"every gradient is off by one and the same factor: here it must be {what}"
    if isinstance(change.statement, ast.For | ast.While) and change.changes[0].kind != "insert":
        return "T3", f"this loop must run {what}: as it stands, steps are missed or taken in the wrong direction"
    if "instead of =" in what:
        return "W1", f"{what} is right: each step overwrites what the steps before it left"
    if "instead of" in what:
        return "L1", f"{what} is right"
    if "set to zero" in what or "its own" in what:
        return "U1", f"it must be {what}"
    if what.startswith("into "):
        return "W1", f"its value belongs {what}"
    if "before line" in what or "after line" in what:
        return "T2", f"it must stand {what}: there its operands are of the right step"
    if what == "left out":
        return "U1", "without this line every gradient is right"
    if "return" in what:
        return "K", f"{what} is right"
    return "R1", f"a line is missing after it: {what}"
