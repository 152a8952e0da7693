"""Where every wrong gradient is off by one and the same factor: the lines that may lack it, a 1/m or a 2."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from bptt.checking.diagnosing.suspects import Suspect
from bptt.checking.repairing import patch
from bptt.checking.repairing.alternatives import Alternative
from bptt.checking.repairing.leaves import enclosing
from bptt.checking.repairing.nodes import targets_of, text_of

if TYPE_CHECKING:
    from bptt.checking.diagnosing.judging import Judging

RETURNED = 0.3
"""What it costs more where all is handed back: a factor is rather lost where it arises."""
MULTIPLIED = 1.6
"""What it costs to multiply: by a size, one rather divides once too often."""
FURTHER = -0.1
"""What divides already may lack a factor."""
NUMBERS = ast.Name | ast.Attribute | ast.Subscript | ast.Constant


def scalings(judging: Judging, suspects: list[Suspect], wrong: set[str]) -> list[Alternative]:
    """Return the statements that may be missing, or lack a factor, where all is off by one."""
    factor = _common_factor(judging, wrong)
    if factor is None:
        return []
    code, tree = judging.program.code, ast.parse(judging.program.code)
    found: list[Alternative] = []
    for suspect in suspects:
        for text, value in _numbers_in(tree, suspect).items() if suspect.environments else ():
            for sign, by in (("/", factor), ("*", 1 / factor)):
                if abs(value - by) < 1e-9 * abs(by):
                    found += _scaled(code, suspect, sign, text)
    return found


def _common_factor(judging: Judging, wrong: set[str]) -> float | None:
    """Return by how much every wrong gradient is too large, if that is one number."""
    factors = []
    for name in wrong:
        theirs, true = judging.delivered.get(name), judging.truth.parameters[name]
        if not isinstance(theirs, np.ndarray) or theirs.size != true.size or not np.any(true):
            return None
        factor = float(np.vdot(true, theirs) / np.vdot(true, true))
        if factor == 0 or np.abs(theirs.reshape(true.shape) - factor * true).max() > 1e-9 * np.abs(theirs).max():
            return None
        factors.append(factor)
    if not factors or max(factors) - min(factors) > 1e-9 * abs(factors[0]):
        return None
    return factors[0]


def _scaled(code: str, suspect: Suspect, sign: str, number: str) -> Iterator[Alternative]:
    """Yield what a statement gives times a number: in itself where it gives a whole array, or else after it."""
    statement, targets = suspect.statement, targets_of(suspect.statement)
    value = getattr(statement, "value", None)
    by = f"{sign} {number}"
    cost = 1.5 if number.isdigit() else 1.0 if sign == "/" else MULTIPLIED  # a 2 is rather one too many

    def instead(text: str, more: float = 0.0) -> Alternative:
        return Alternative((patch.replace(code, statement, text),), cost + more, statement, text)

    if isinstance(statement, ast.Return) and isinstance(value, ast.Name):
        held = suspect.environments[0].get(value.id)
        if isinstance(held, list | tuple):
            yield instead(f"return [x {by} for x in {value.id}]", RETURNED)
        elif isinstance(held, dict):
            yield instead(f"return {{k: v {by} for k, v in {value.id}.items()}}", RETURNED)
    if value is None or len(targets) != 1:
        return
    whole = isinstance(value, ast.Name | ast.Call | ast.Subscript | ast.Attribute)
    scaled = f"{text_of(code, value) if whole else f'({text_of(code, value)})'} {by}"
    if isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Add | ast.Sub) and whole:
        plus = "+=" if isinstance(statement.op, ast.Add) else "-="
        yield instead(f"{text_of(code, targets[0])} {plus} {scaled}")
    if isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Div) and sign == "/":
        plain = isinstance(value, ast.Name | ast.Attribute | ast.Call)
        size = text_of(code, value) if plain else f"({text_of(code, value)})"
        yield instead(f"{text_of(code, targets[0])} /= {size} * {number}", FURTHER)
    base = targets[0]
    while isinstance(base, ast.Subscript):
        base = base.value
    if isinstance(statement, ast.Assign) and isinstance(targets[0], ast.Name) and sign == "/" and "\n" not in scaled:
        yield instead(f"{text_of(code, base)} = {scaled}")
        return
    line = f"{text_of(code, base)} {sign}= {number}"
    yield Alternative((patch.insert_after(code, statement, line),), cost, statement, line, f"scaled: `{line}`")


def _numbers_in(tree: ast.Module, suspect: Suspect) -> dict[str, float]:
    """Return the sizes that the function's text names, the lengths of what it is given, and their products."""
    found: dict[str, float] = {}
    environment = dict(suspect.environments[0])
    function = enclosing(tree, suspect.statement)
    for node in ast.walk(function) if function is not None else ():
        sized = isinstance(node, ast.Call) and ast.unparse(node.func) == "len"
        if isinstance(node, ast.expr) and (sized or isinstance(node, NUMBERS)):
            with contextlib.suppress(Exception):  # it is not known here
                value = eval(ast.unparse(node), environment)  # also what is only stored: a size that nothing reads
                if isinstance(value, int | float | np.number) and not isinstance(value, bool) and value not in (0, 1):
                    found.setdefault(ast.unparse(node), float(value))
    for argument in function.args.args if function is not None else ():
        held = environment.get(argument.arg)
        if isinstance(held, list | tuple) and len(held) > 1:
            found.setdefault(f"len({argument.arg})", float(len(held)))
    single = list(found.items())
    for a, x in single:
        for b, y in single:
            if a < b:
                found.setdefault(f"({a} * {b})", x * y)
    return {"2": 2.0, **found}
