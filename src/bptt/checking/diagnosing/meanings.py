"""What the parts of a statement are worth while it runs, with true values above it: sizes, slopes, true quantities."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from bptt.checking.tracing.series import Series
from bptt.checking.tracing.stepping import Unit

if TYPE_CHECKING:
    from bptt.checking.diagnosing.judging import Judging

RUNS = 6
"""So many executions of a statement are looked at."""


class Meanings:
    """What the parts of one statement are worth.

    Parameters
    ----------
    judging : Judging
    unit : Unit
        Of the statement.
    """

    def __init__(self, judging: Judging, unit: Unit) -> None:
        self.judging, self.unit = judging, unit

    @cached_property
    def _spaces(self) -> list[Mapping[str, Any]]:
        run, _, _ = self.judging.run(self.judging.roles, lambda n: n == self.unit.number)
        shared = {**vars(builtins), **self.judging.space()}
        events = [e for e in run.events.get(self.unit.number, ()) if e.names is not None]
        return [{**shared, **(e.names or {})} for e in events[:RUNS]]

    @cached_property
    def role_kind(self) -> str:
        """The kind of the true quantity that the statement is meant to compute; empty where it is not known."""
        role = self.judging.roles.get(self.unit.number)
        return role.series.kind if role is not None else ""

    @cached_property
    def raised(self) -> bool:
        """Whether the statement raises as it stands."""
        return any(event.error is not None for event in self.judging.natural.events.get(self.unit.number, ()))

    def is_step(self, index: ast.AST) -> bool:
        """Tell whether an index is a whole number: one place, as of a step, and not many."""
        values = self.values(index)
        return bool(values) and all(isinstance(v, int | np.integer) for v in values)

    def values(self, node: ast.AST) -> list[Any]:
        """Return what an expression is worth at each execution; nothing where it raises."""
        if not isinstance(node, ast.expr):
            return []
        code = compile(ast.Expression(ast.parse(ast.unparse(node), mode="eval").body), "<part>", "eval")
        found = []
        for space in self._spaces:
            try:
                with np.errstate(all="ignore"):
                    found.append(eval(code, dict(space)))
            except Exception:  # what it reads is not there yet
                return []
        return found

    def is_number(self, node: ast.AST) -> bool:
        """Tell whether an expression is one number all the time: a size, a factor."""
        values = self.values(node)
        single = all(isinstance(v, int | float | np.number) and not isinstance(v, bool) for v in values)
        return bool(values) and single and len({float(v) for v in values}) == 1

    def is_zero(self, node: ast.AST) -> bool:
        """Tell whether an expression is an array of zeros all the time."""
        values = self.values(node)
        return bool(values) and all(isinstance(v, np.ndarray) and v.size > 0 and not v.any() for v in values)

    def series(self, node: ast.AST) -> list[Series]:
        """Return the true quantities that an expression is at every execution, one after the other."""
        bank, common = self.judging.bank, None
        for value in self.values(node):
            if not isinstance(value, np.ndarray) or not value.any():
                continue
            here = {match.series for match in bank.look(value)}
            common = here if common is None else common & here
        return [bank.series[number] for number in sorted(common or ())]

    def kinds(self, node: ast.AST) -> set[str]:
        """Return the kinds of those quantities: value, slope, adjoint, share ..."""
        return {series.kind for series in self.series(node)}

    def is_slope(self, node: ast.AST) -> bool:
        """Tell whether an expression is the derivative of an activation, and nothing else."""
        kinds = self.kinds(node)
        return "slope" in kinds and "value" not in kinds

    def other_step(self, old: ast.AST, new: ast.AST) -> bool:
        """Tell whether two expressions are one quantity at different steps."""
        theirs, right = self.series(old), self.series(new)
        return bool({id(s) for s in theirs} & {id(s) for s in right})

    def comes_later(self, node: ast.AST) -> bool:
        """Tell whether an expression is what comes back from the later steps."""
        return any(s.later or s.future is not None for s in self.series(node))

    def is_filled(self, unit: Unit) -> bool:
        """Tell whether single places of what a unit makes are written later."""
        units = self.judging.units
        return any(u.function == unit.function and u.target.startswith(f"{unit.target}[") for u in units)

    def sums_to_one(self, node: ast.AST) -> bool:
        """Tell whether an expression is a distribution over classes, as a softmax gives."""
        values = [v for v in self.values(node) if isinstance(v, np.ndarray) and v.ndim]
        return bool(values) and all(any(np.allclose(v.sum(axis), 1) for axis in range(v.ndim)) for v in values)
