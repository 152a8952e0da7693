"""Faults in a loop's header: it runs the wrong way, or misses a step."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import partial
from operator import eq
from typing import TYPE_CHECKING, Any

from bptt.checking.repairing.alternatives import Alternative
from bptt.checking.repairing.patch import replace

if TYPE_CHECKING:
    from bptt.checking.diagnosing.judging import Judging


@dataclass
class WrongHeader:
    """A ``for`` whose range is wrong, and the header that makes every gradient right."""

    line: int
    end_line: int
    text: str
    right: str
    right_iter: str
    cause: str


def wrong_header(judging: Judging) -> WrongHeader | None:
    """Try other ranges for each loop of the backward pass, alone; return one that makes every gradient right."""
    program = judging.program
    backward = {unit.loops[-1] for unit in judging.units if unit.loops and unit.number in judging.backward_units}
    loops = [n for n in ast.walk(program.tree) if isinstance(n, ast.For) and n.lineno in backward]
    for loop in loops:
        for cause, iterable in other_ranges(loop.iter):
            text = ast.unparse(iterable)
            if judging.right_with([replace(program.code, loop.iter, text)]):
                return WrongHeader(
                    loop.lineno, loop.iter.end_lineno or loop.lineno, _head(loop.target, loop.iter),
                    _head(loop.target, iterable), text, cause,
                )  # fmt: skip
    return None


def every_step(judging: Judging, missing: list[int]) -> list[Alternative]:
    """Return the ranges by which the loops around some units come to every step, and to those that they come to now."""
    found = {}
    for number in missing[:1]:
        unit, role = judging.units[number], judging.roles[number]
        run, _, _ = judging.run(judging.roles, partial(eq, number))
        names = next((e.names for e in run.events.get(number, ()) if e.names is not None), None)
        loops = [n for n in ast.walk(judging.program.tree) if isinstance(n, ast.For) and n.lineno in unit.loops[-1:]]
        space = {**judging.space(), **(names or {})}
        for loop in loops:
            now = _turns(loop.iter, space)
            for _, iterable in other_ranges(loop.iter):
                turns = _turns(iterable, space)
                every = turns is not None and len(turns) == len(role.series.items)
                if now and turns and every and set(now) < set(turns) and min(turns) >= min(0, *now):
                    text = ast.unparse(iterable)
                    change = replace(judging.program.code, loop.iter, text)
                    found[text] = Alternative((change,), 1.0, loop, what="over every step")
    return list(found.values())


def _turns(iterable: ast.expr, names: dict[str, Any]) -> list[Any] | None:
    """Return what a loop goes over; None where that is not known, or no whole numbers."""
    try:
        turns = list(eval(ast.unparse(iterable), dict(names)))
    except Exception:  # anybody's program
        return None
    return turns if all(isinstance(turn, int) for turn in turns) else None


def _head(target: ast.expr, iterable: ast.expr) -> str:
    return f"for {ast.unparse(target)} in {ast.unparse(iterable)}:"


def other_ranges(iterable: ast.expr) -> list[tuple[str, ast.expr]]:
    """Return other headers near to one: the other direction, one step more or less at either end."""
    inner, wrap = iterable, False
    if isinstance(iterable, ast.Call) and isinstance(iterable.func, ast.Name) and iterable.func.id == "reversed":
        inner, wrap = iterable.args[0], True
    if not (isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id in ("range", "xrange")):
        if wrap:
            return [("direction", inner)]
        return [
            ("direction", _call("reversed", [_call("list", [iterable])])),
            ("direction", _call("reversed", [iterable])),
        ]
    called, bounds = inner.func.id, list(inner.args)
    if len(bounds) == 1:
        bounds = [ast.Constant(0), bounds[0]]
    results: list[tuple[str, ast.expr]] = []

    def put(cause: str, arguments: list[ast.expr], reverse: bool) -> None:
        made: ast.expr = _call(called, _short(arguments))
        results.append((cause, _call("reversed", [made]) if reverse else made))

    if len(bounds) == 2:
        put("direction", bounds, not wrap)
    for by_first in (0, -1, 1, -2, 2):
        for by_last in (0, 1, -1, 2, -2):
            if (by_first or by_last) and abs(by_first) + abs(by_last) < 3:
                put("steps", [_plus(bounds[0], by_first), _plus(bounds[1], by_last), *bounds[2:]], wrap)
    if len(bounds) == 2 and not wrap:
        put("direction", [ast.Constant(0), _plus(bounds[1], 1)], True)
        put("direction", [ast.Constant(0), bounds[1]], True)
    return results


def _short(bounds: list[ast.expr]) -> list[ast.expr]:
    if len(bounds) == 2 and isinstance(bounds[0], ast.Constant) and bounds[0].value == 0:
        return bounds[1:]
    return bounds


def _plus(value: ast.expr, by: int) -> ast.expr:
    if by == 0:
        return value
    old: Any  # what a bound holds is a number
    if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub) and isinstance(value.operand, ast.Constant):
        old = value.operand.value
        return _number(by - old)
    if isinstance(value, ast.Constant):
        old = value.value
        return _number(old + by)
    if (
        isinstance(value, ast.BinOp)
        and isinstance(value.op, ast.Add | ast.Sub)
        and isinstance(value.right, ast.Constant)
    ):
        old = value.right.value
        return _plus(value.left, (old if isinstance(value.op, ast.Add) else -old) + by)
    return ast.BinOp(value, ast.Add() if by > 0 else ast.Sub(), ast.Constant(abs(by)))


def _number(value: int) -> ast.expr:
    return ast.Constant(value) if value >= 0 else ast.UnaryOp(ast.USub(), ast.Constant(-value))


def _call(name: str, arguments: list[ast.expr]) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), arguments, [])
