"""Findings of changes that were found by their effect on the gradients: an edit, or a change of form."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from bptt.checking.diagnosing.edit_labels import labels_of_edit
from bptt.checking.diagnosing.findings import STATIC, equations, statement_text, wanted
from bptt.checking.diagnosing.meanings import Meanings
from bptt.checking.repairing.alternatives import Alternative
from bptt.checking.repairing.index_edits import restated
from bptt.checking.repairing.nodes import place_of, targets_of
from bptt.checking.repairing.patch import Change
from bptt.checking.report import Expected, Finding, Replacement

if TYPE_CHECKING:
    from bptt.checking.diagnosing.judging import Judging


HOLDING = ast.For | ast.While | ast.If
"""Statements that hold others."""


def shape_finding(judging: Judging, change: Alternative) -> Finding:
    """Return the finding of a change of form."""
    first = change.changes[0]
    alone = first.kind == "insert" and len(change.changes) == 1
    line = first.line if alone else change.statement.lineno
    origin = judging.program.origins[line - 1]
    code, cause = _raised(judging, change) or _cause(judging, change)
    text = judging.program.code.splitlines()[line - 1].strip()
    kind = first.kind
    message = f"`{text}` is not right as it stands\n{cause}"
    whole = change.text or first.text
    if not change.text and all(one.kind == "edit" and _within(one, change.statement) for one in change.changes):
        whole = restated(judging.program.code, change.statement, *change.changes)
        if isinstance(change.statement, HOLDING):
            whole = whole.split("\n")[0]  # its own line
    if alone:
        message = f"a line is missing after this one\n{cause}"
    return Finding(
        (code,),
        origin.line,
        origin.line,
        text,
        message,
        fix=Replacement(first.text.strip() if kind == "insert" else whole, kind),
        cell=origin.cell,
    )


def _within(change: Change, statement: ast.stmt) -> bool:
    """Tell whether a change is of a part of a statement; of one with others in it, of its first line."""
    end = (statement.end_lineno or statement.lineno, statement.end_col_offset or 0)
    inside = place_of(statement) <= (change.line, change.column) and (change.end_line, change.end_column) <= end
    return inside and (not isinstance(statement, HOLDING) or change.end_line == statement.lineno)


def _raised(judging: Judging, change: Alternative) -> tuple[str, str] | None:
    """Say what raises: a name that does not exist, or a line that is not needed."""
    place = place_of(change.statement)
    here = {u.number for u in judging.units if (u.line, u.column) == place}
    errors = [event.error for event in judging.natural.order if event.unit in here and event.error is not None]
    error = errors[0] if errors else None
    if error is not None and change.what == "left out":
        return "K", f"it raises {type(error).__name__}: {error}. Nothing needs it: without this line all is right"
    if not isinstance(error, STATIC) or not change.what.startswith("into "):
        return None
    missing = f"there is no key {error}" if isinstance(error, KeyError) else str(error)
    return "K", f"{missing}: `{change.what.removeprefix('into ')}` is meant"


def _moves_weights(judging: Judging, statement: ast.stmt) -> bool:
    """Tell whether a statement updates a parameter."""
    names = {name.rpartition(".")[2] for name in judging.truth.parameters}
    return bool({re.split(r"\W+", ast.unparse(t).rstrip("]'\""))[-1] for t in targets_of(statement)} & names)


def _cause(judging: Judging, change: Alternative) -> tuple[str, str]:
    what = change.what
    if change.changes[0].kind == "insert" and "return" in what:
        return "K", f"what it calculates is never returned: {what}"
    if what.startswith("minus one"):
        return (
            "S1",
            "the gradient of cross-entropy by the logits is y_hat - y: nothing is subtracted at the target",
        )
    if "in one step" in what:
        return (
            "S1",
            "this is the slope by the probabilities, and only at the target: together, softmax and cross-entropy give "
            "y_hat - y, the probabilities with 1 less at the target",
        )
    if "comes twice" in what:
        return (
            "M3",
            f"an index that comes twice is added once only by `[...] +=`: {what.split(': ', 1)[1]} adds every one",
        )
    if "instead of lost" in what:
        return "R1", f"what this call returns goes nowhere, so that nothing comes back to the step before: {what}"
    if what.startswith("masked"):
        return (
            "W2",
            "the cost leaves out what the mask is zero for, and nothing of it may come back: it is to be masked",
        )
    if what.startswith("never added to"):
        return "W1", "this gradient starts as zeros and no line adds to it: its own line is missing"
    if what.startswith("never moved"):
        return "W1", "one weight stays as it is while the others are moved by their gradients: its own line is missing"
    if what.startswith("another like"):
        return "W1", "what this line does for one gate or weight is done for no other: its like is missing"
    if "at one step only" in what or "own part at every step" in what:
        return "R4", f"the output's gradient enters at the wrong steps: it must enter {what}"
    if what.startswith("at every step"):
        code = "T1" if re.search(r"(> 0|!= 0|>= 1|0 <|> -1)`$", what) else "T3"
        return code, f"a step is left out here: this is to be done {what}"
    if "through a gate" in what:
        line = what.partition(": ")[2]
        return "R1", f"nothing takes it through the gate on its way to the step before: `{line}` is missing"
    if what.startswith("added up in"):
        return "U1", f"the weights move while the pass still reads them: this must be {what}"
    if what.startswith("scaled"):
        return "L1", f"every gradient that comes through here is off by one and the same factor: it must be {what}"
    if isinstance(change.statement, ast.For | ast.While) and change.changes[0].kind != "insert":
        return "T3", f"this loop must run {what}: as it stands, steps are missed or taken in the wrong direction"
    if "instead of =" in what:
        return "W1", f"{what} is right: each step overwrites what the steps before it left"
    if "instead of" in what:
        return "L1", f"{what} is right"
    if "a copy" in what:
        return "U1", f"two names mean one array, and it is changed in place: it must be {what.removeprefix('perhaps ')}"
    if "comes through" in what:
        name = what.split()[0]
        return "R2", f"the loop reads `{name}` before anything sets it: what comes back from the output is missing here"
    if what.startswith("begun anew"):
        return "U1", f"this loop goes on with what the one above left; `{what.split('`')[1]}` is missing before it"
    if what.startswith("with `"):
        return "K", f"what is listed here is taken in another order: it is right {what}, and the other way round"
    if "goes past" in what:
        return "R2", f"a part of the gradient is lost here: this is to be handed back {what}"
    if what.startswith("begun with"):
        return "R1", f"what comes back from the part above ends here: it must be {what}, and not with zeros"
    if what.startswith("filled"):
        place = what.split("`")[1].partition("[...]")[0]
        return "U1", f"`{place}` gets a new array here, and what is handed out is the array that it held: fill that one"
    if what.startswith("a new array"):
        return "U1", "this changes an array in place that is kept for later under another name: it must make a new one"
    if "set to zero" in what or "its own" in what:
        return "U1", f"it must be {what}"
    if what.startswith("into "):
        return "W1", f"its value belongs {what}"
    if "line" in what and _moves_weights(judging, change.statement):
        return "U1", f"it changes weights that the lines below still read: it must stand {what}"
    if what.startswith("called as"):
        return "K", f"the function takes another number of arguments: it is to be {what}"
    if what == "returned in the other order":
        return "K", f"the caller takes what it returns in the order of `{change.changes[0].text}`"
    if "before line" in what or "after line" in what:
        return "T2", f"it must stand {what}: there its operands are of the right step"
    if what == "left out":
        return "U1", "without this line every gradient is right"
    if "return" in what:
        return "K", f"{what} is right"
    return "R1", f"it is missing that {what}"


def edit_finding(judging: Judging, change: Alternative) -> Finding:
    """Return the finding of a statement whose proven edit tells what was wrong with it."""
    place = place_of(change.statement)
    here = [u for u in judging.units if (u.line, u.column) == place]
    unit = next((u for u in here if not u.nameless), here[0])
    labels = labels_of_edit(unit, change.text, Meanings(judging, unit))
    codes = tuple(dict.fromkeys(one.code for one in labels)) or ("X",)
    target = f"`{unit.target}`" if unit.target and not unit.nameless else "this statement"
    causes = [one.cause for one in labels] or ["so written, the gradients that come through it are right"]
    origin, last = judging.program.origins[unit.line - 1], judging.program.origins[unit.end_line - 1]
    role = judging.roles.get(unit.number)
    role = None if role is not None and role.series.kind == "value" else role  # what it reads, and not what it gives
    return Finding(
        codes,
        origin.line,
        last.line,
        statement_text(judging, unit),
        "\n".join([f"{target} does not get the right value", *causes]),
        Expected(*wanted(judging, role)) if role is not None else None,
        equations=equations(judging, role) if role is not None else (),
        cell=origin.cell,
    )
