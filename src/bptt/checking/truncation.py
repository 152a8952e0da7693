"""Truncated backpropagation is a choice, not a fault: right up to k steps, and meant to stop there."""

from __future__ import annotations

import ast
import dataclasses

import numpy as np

from bptt.checking.numeric import cost_of, fresh, numeric_gradient, quiet, their_gradients
from bptt.checking.program import Program, Sizes
from bptt.checking.verdict import rows

LONGEST = 6


def truncated_at(program: Program, sizes: Sizes, seed: int) -> int | None:
    """Return the number of steps up to which the gradients are right, where there are at least two.

    A dropped recurrent term is right for one step; a truncation reaches back further, and the text shows a bound.
    """
    if not meant(program.tree):
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
    return reach if 2 <= reach < LONGEST else None


def meant(tree: ast.Module) -> bool:
    """Tell whether the text shows a bound on the steps: by name, in a loop's range, or by a remainder in a loop.

    Some faults are right for two steps too (a carry that is added up); without a bound they stay faults.
    """
    for node in ast.walk(tree):
        name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
        if "trunc" in name.lower():
            return True
        if isinstance(node, ast.For):
            called = {n.func.id for n in ast.walk(node.iter) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
            if called & {"max", "min"}:
                return True
            tests = [n.test for n in ast.walk(node) if isinstance(n, ast.If | ast.IfExp)]
            if any(isinstance(n, ast.Mod) for test in tests for n in ast.walk(test)):
                return True
    return False


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
