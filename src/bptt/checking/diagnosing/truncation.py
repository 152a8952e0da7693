"""Truncated backpropagation is a choice, not a fault: right up to k steps, and meant to stop there."""

from __future__ import annotations

import ast
import dataclasses

import numpy as np

from bptt.checking.diagnosing.verdict import rows
from bptt.checking.program import Program, Sizes
from bptt.checking.tracing.numeric import cost_of, fresh, numeric_gradient, their_gradients
from bptt.checking.tracing.quiet import quiet
from bptt.dims import Array

LONGEST = 6


def truncated_at(program: Program, sizes: Sizes, seed: int) -> int | None:
    """Return the number of steps up to which the gradients are right, where there are at least two.

    A dropped recurrent term is right for one step; a truncation reaches back further, and the text shows a bound.
    """
    bound = meant(program.tree)
    if not bound:
        return None
    reach = 0
    for steps in range(1, LONGEST + 1):
        right = _right_at(program, dataclasses.replace(sizes, T_x=steps), seed)
        if right is None and steps == 1:
            reach = 1  # it does not run for one step alone
            continue
        if not right:
            break
        reach = steps
    if not 2 <= reach < LONGEST:
        return None
    longer = dataclasses.replace(sizes, T_x=reach + 1)
    return reach if bound == "chunk" or _vanishes(program, longer, seed, reach) else None


def meant(tree: ast.Module) -> str:
    """Return how the text bounds the steps: "chunk" by a remainder in a loop, "window" by name or in a range, or "".

    Some faults are right for two steps too (a carry that is added up); without a bound they stay faults.
    """
    window = False
    for node in ast.walk(tree):
        name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
        window |= "trunc" in name.lower()
        if isinstance(node, ast.For):
            cuts = [n for n in ast.walk(node) if isinstance(n, ast.IfExp) or (isinstance(n, ast.If) and _sets_zero(n))]
            tests = [n.test for n in cuts]
            if any(isinstance(n, ast.Mod) for test in tests for n in ast.walk(test)):
                return "chunk"
            calls = [n.func for n in ast.walk(node.iter) if isinstance(n, ast.Call)]
            window |= any(isinstance(f, ast.Name) and f.id in ("max", "min") for f in calls)
    return "window" if window else ""


def _sets_zero(node: ast.If) -> bool:
    """Tell whether a condition cuts something off, rather than prints every hundredth step."""
    return any(
        isinstance(s, ast.Assign) and ("zeros" in ast.unparse(s) or "0" in ast.unparse(s.value)) for s in node.body
    )


def _vanishes(program: Program, sizes: Sizes, seed: int, reach: int) -> bool:
    """Tell whether what is missing went through the recurrent weights at least ``reach`` times.

    With those weights scaled by s the missing part is of order s to that power; a carry that is added up, or anything
    else that is wrong earlier, is of a lower order.
    """
    errors = []
    for scale in (0.1, 0.05):
        try:
            with quiet():
                _, case = fresh(program, program.tree, sizes, seed)
            square = [n for n, v in case.parameters.items() if v.ndim == 2 and v.shape[0] == v.shape[1] == sizes.n_a]
            for name in square:
                case.parameters[name][...] *= scale
            theirs = their_gradients(case)
            others = [n for n in case.parameters if n not in square and n in theirs.gradients]
            gaps = [_gap(theirs.gradients[n], numeric_gradient(case, n)[0]) for n in others]
        except Exception:  # a program that cannot be scaled
            return False
        if not square or not gaps:
            return False
        errors.append(float(max(gaps)))
    if errors[1] == 0 or errors[0] < 1e-9:
        return True
    return bool(np.log2(errors[0] / errors[1]) > reach - 0.4)


def _gap(theirs: Array, true: Array) -> float:
    return float(np.abs(np.ravel(theirs) - np.ravel(true)).max())


def _right_at(program: Program, sizes: Sizes, seed: int) -> bool | None:
    try:
        with quiet():
            _, case = fresh(program, program.tree, sizes, seed)
        if not np.isfinite(cost_of(case)):
            return None
        theirs = their_gradients(case)
    except Exception:  # a program made for one size
        return None
    if theirs.error is not None:
        return None
    true = {name: numeric_gradient(case, name)[0] for name in case.parameters}
    table = rows(case.parameters, theirs, true, {}, sizes)
    return all(row.status != "wrong" for row in table) and any(row.status == "right" for row in table)
