"""What a reading takes from the program's own run, in words, and why its cost may be doubted."""

from __future__ import annotations

import ast

from bptt.checking.loading.made_up import kinds_of_files
from bptt.checking.loading.plan import Plan
from bptt.checking.loading.training_loops import SHOWN


def run_sentences(plan: Plan, tree: ast.Module) -> list[str]:
    """Return what a reading takes from the program's own run, in words."""
    if plan.rehearsal is None:
        return []
    said = ["What its functions are given is what the program's own run gives them, up to its first gradients."]
    if len(kinds_of_files(tree)) > 1:
        columns = plan.rehearsal.files.columns
        held = f"numbers in {columns} column{'s' * (columns > 1)}" if columns else "a short text"
        said.append(f"The files that it reads are not there: {held}, made up, stand in for them.")
    shown = _shown(plan, tree)
    if shown is not None:
        said.append(f"The cost is taken to be the number that line {shown.lineno} shows: {ast.unparse(shown)}.")
    return said


def doubt(plan: Plan, tree: ast.Module) -> str:
    """Return why a cost may not be that of the weights that the gradients are of; "" where nothing says so.

    What a training loop calculates only to show it may be calculated after the weights were moved.
    """
    shown = _shown(plan, tree)
    if shown is None or not any(isinstance(n, ast.Call) for n in ast.walk(shown)):
        return ""
    return (
        f"the only cost found is the number that line {shown.lineno} shows, {ast.unparse(shown)}, and no gradient is "
        "that of it: it may be calculated after the weights were moved."
    )


def _shown(plan: Plan, tree: ast.Module) -> ast.expr | None:
    name = plan.cost.path[-1][1] if plan.cost is not None and plan.cost.path else ""
    if not isinstance(name, str) or not name.startswith(SHOWN):
        return None
    return next(n.value for n in ast.walk(tree) if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == name)
