"""Truncated backpropagation is a choice, not a fault: right up to k steps, and meant to stop there."""

from __future__ import annotations

import dataclasses
import re

import numpy as np

from bptt.checking.numeric import cost_of, fresh, numeric_gradient, quiet, their_gradients
from bptt.checking.program import Program, Sizes
from bptt.checking.verdict import rows

MEANT = re.compile(r"trunc|%\s*\w|(?<![\w.])(max|min)\(", re.I)
"""Without one of these in their text, nothing there can stop after a number of steps."""
LONGEST = 6


def truncated_at(program: Program, sizes: Sizes, seed: int) -> int | None:
    """Return the number of steps up to which the gradients are right, where there are at least two.

    A dropped recurrent term is right for one step; a truncation reaches back further, and the text shows a bound.
    """
    if not MEANT.search(program.code):
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
