"""What a run of the backward pass leaves behind: sums that the next run goes on with, instead of beginning at zero."""

from __future__ import annotations

import ast
import re

import numpy as np

from bptt.checking.program import Program, Sizes
from bptt.checking.report import Finding
from bptt.checking.tracing import forced
from bptt.checking.tracing.forced import Run
from bptt.checking.tracing.numeric import fresh, reseed
from bptt.checking.tracing.quiet import quiet
from bptt.checking.tracing.stepping import Unit, stepped_tree


def left_over(program: Program, sizes: Sizes, seed: int) -> tuple[Finding | None, bool]:
    """Return a finding of the statements that add to what the run before left, and whether another place clears it.

    None where two runs give the same gradients.

    Parameters
    ----------
    program : Program
    sizes : Sizes
    seed : int
    """
    tree, units = stepped_tree(program.tree)
    runs, delivered = (Run(), Run()), []
    with quiet():
        _, case = fresh(program, tree, sizes, seed)
        for run in runs:
            reseed(seed)
            with forced.recording(run):
                try:
                    gradients = dict(case.gradients())
                except Exception:  # anybody's program
                    return None, False
            delivered.append({name: np.array(value) for name, value in gradients.items()})
    found = [unit for unit in units if unit.op in ("+=", "-=") and _goes_on(unit, *runs)]
    if not found or all(
        name in delivered[1] and np.array_equal(v, delivered[1][name]) for name, v in delivered[0].items()
    ):
        return None, False
    first = found[0]
    targets = list(dict.fromkeys(f"`{unit.target}`" for unit in found))
    others = sorted(
        {program.origins[unit.line - 1].line for unit in found[1:]} - {program.origins[first.line - 1].line}
    )
    message = [
        f"{targets[0]} still holds the sum of the run before when this run begins",
        "the first run is right, and every later one adds to what the earlier ones left: "
        f"{', '.join(targets)} must be set to zero where the backward pass begins",
    ]
    if others:
        message.append(f"the same holds in line{'s' * (len(others) > 1)} {', '.join(map(str, others))}")
    origin, last = program.origins[first.line - 1], program.origins[first.end_line - 1]
    text = "\n".join(program.code.splitlines()[first.line - 1 : first.end_line]).strip()
    finding = Finding(("U1",), origin.line, last.line, text, "\n".join(message), cell=origin.cell)
    return finding, any(_cleared(program.tree, unit) for unit in found)


def _cleared(tree: ast.Module, unit: Unit) -> bool:
    """Tell whether another place sets to zero what a unit adds to: a function that the training loop may call."""
    name = re.sub(r"\[.*", "", unit.target).split(".")[-1]
    for function in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and not _only_at_first(tree, n)):
        for node in (n for n in ast.walk(function) if isinstance(n, ast.stmt)):
            if re.search(rf"\b{re.escape(name)}\b.*(= 0(\.0*)?$|zeros|fill\(0)", ast.unparse(node).split("\n")[0]):
                return True
    return False


def _only_at_first(tree: ast.Module, function: ast.FunctionDef) -> bool:
    """Tell whether a function runs while an object is made and at no other time, as far as the text says."""
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and _name_of(n) == function.name]
    makers = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == "__init__"]
    at_first = {id(n) for maker in makers for n in ast.walk(maker)}
    return function.name == "__init__" or (bool(calls) and all(id(call) in at_first for call in calls))


def _name_of(call: ast.Call) -> str:
    return ast.unparse(call.func).split(".")[-1]


def _goes_on(unit: Unit, first: Run, second: Run) -> bool:
    """Tell whether a sum began at zero in the first run and not in the second."""
    begins = [run.events[unit.number][0].before if run.events.get(unit.number) else None for run in (first, second)]
    return (
        all(value is not None and value.size and np.isfinite(value).all() for value in begins)
        and not np.any(begins[0])
        and bool(np.any(begins[1]))
    )
