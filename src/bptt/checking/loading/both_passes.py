"""A function that does both passes, as an adapter calls it for the cost, where its backward half raises.

The cost was computed by then: while the cost is asked for, the function returns what it had, and raises only for the
gradients.
"""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from bptt.checking.loading.unrun import place_of
from bptt.checking.program import Case, Program, Sizes
from bptt.checking.tracing.numeric import fresh
from bptt.checking.tracing.quiet import quiet
from bptt.checking.tracing.trees import copied
from bptt.dims import Array

RAISES = "__bptt_raises__"
"""The name in the module that tells whether the function may raise: while the gradients are asked for."""


@dataclass
class Halves:
    """A case whose cost needs the first half of a function only."""

    parameters: dict[str, Array]
    cost: Callable[[], float]
    gradients: Callable[[], dict[str, Array]]


def with_its_first_half(program: Program, sizes: Sizes) -> Program:
    """Return the program with the cost of the half that ran, where ``cost()`` raises behind it; else as it is."""
    error = _error_of_cost(program, sizes)
    for number, known in _unfinished(program, error) if error is not None else ():
        halved = _halved(program, number, known)
        if _error_of_cost(halved, sizes) is None:
            return halved
    return program


def _error_of_cost(program: Program, sizes: Sizes) -> Exception | None:
    try:
        with quiet():
            _, case = fresh(program, program.tree, sizes, 0)
            float(np.asarray(case.cost()).reshape(()))
    except Exception as error:
        return error
    return None


def _functions(tree: ast.Module) -> list[ast.FunctionDef]:
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]


def _unfinished(program: Program, error: Exception) -> Iterator[tuple[int, ast.Return]]:
    """Yield the functions that the exception went through, by number, and what each can hand back by then."""
    trace = error.__traceback__
    while trace is not None:
        code, line = trace.tb_frame.f_code, trace.tb_lineno
        for number, function in enumerate(_functions(program.tree)):
            if place_of(function) == (code.co_name, code.co_firstlineno):
                yield number, _known(function, line)
        trace = trace.tb_next


def _known(function: ast.FunctionDef, line: int) -> ast.Return:
    """Return what a function would hand back, with None for all that changes from the loop around a line on."""
    around = [n for n in ast.walk(function) if isinstance(n, ast.For | ast.While) and _holds(n, line)]
    begin = min([line, *(n.lineno for n in around)])
    later = {
        name
        for node in ast.walk(function)
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript)
        and isinstance(node.ctx, ast.Store)
        and node.lineno >= begin
        for name in _names(node)
    }
    after = [n for n in ast.walk(function) if isinstance(n, ast.Return) and n.lineno > line]
    value = after[0].value if after else None
    if value is None:
        return ast.Return(None)
    parts = value.elts if isinstance(value, ast.Tuple) else [value]
    known = [ast.Constant(None) if _names(part) & later else copied(part) for part in parts]
    return ast.Return(ast.Tuple(known, ast.Load()) if isinstance(value, ast.Tuple) else known[0])


def _holds(node: ast.stmt, line: int) -> bool:
    return node.lineno <= line <= (node.end_lineno or node.lineno)


def _names(node: ast.expr) -> set[str]:
    """Return the variables of an expression; ``self.dW`` by its whole text."""
    if isinstance(node, ast.Attribute):
        return {ast.unparse(node)}
    if isinstance(node, ast.Name):
        return {node.id}
    return {name for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr) for name in _names(child)}


def _halved(program: Program, number: int, known: ast.Return) -> Program:
    def load(tree: ast.Module) -> ModuleType:
        tree = copied(tree)
        function = _functions(tree)[number]
        may = ast.parse(f"if globals().get({RAISES!r}): raise").body[0]
        caught = ast.ExceptHandler(ast.Name("Exception", ast.Load()), None, [may, copied(known)])
        function.body = [ast.Try(function.body, [caught], [], [])]
        return program.load(ast.fix_missing_locations(tree))

    def build(module: ModuleType, sizes: Sizes, seed: int) -> Case:
        case = program.build(module, sizes, seed)

        def gradients() -> Any:
            vars(module)[RAISES] = True
            try:
                return case.gradients()
            finally:
                vars(module)[RAISES] = False

        return Halves(case.parameters, case.cost, gradients)

    return dataclasses.replace(program, load=load, build=build)
