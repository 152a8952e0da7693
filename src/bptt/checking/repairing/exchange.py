"""A program whose functions are exchanged while it is loaded: many changes are tried, each in milliseconds.

Loading a file anew for every change costs ten times what running it does.  Here only the changed function is
compiled, and its code takes the place of the old one.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from bptt.checking.loading.clips import without_clips
from bptt.checking.program import Program, Sizes
from bptt.checking.repairing.patch import Change, patched_code
from bptt.checking.tracing.numeric import fresh, reseed, seeded_generators
from bptt.checking.tracing.quiet import quiet
from bptt.dims import Array


class Exchange:
    """Runs a program's gradients with changes of its text.

    Parameters
    ----------
    program : Program
    seed : int
        For the case's values; the same in every run.
    """

    def __init__(self, program: Program, seed: int) -> None:
        self.program, self.seed = program, seed
        self.runs = 0
        self._lines = program.code.split("\n")
        with quiet():
            reseed(seed)
            self._module = program.load(program.tree)
        shown = {(n.lineno, n.name) for n in ast.walk(_parsed(program.code)) if isinstance(n, ast.FunctionDef)}
        self._functions = [
            n for n in ast.walk(program.tree) if isinstance(n, ast.FunctionDef) and (n.lineno, n.name) in shown
        ]
        self._compiled: tuple[tuple[Change, ...], tuple[Any, Any] | None] | None = None
        self._live = {(f.__code__.co_firstlineno, f.__name__): f for f in _functions(self._module)}

    def gradients(self, changes: Sequence[Change], sizes: Sizes) -> dict[str, Array]:
        """Run the gradients of the changed program; whatever it raises goes through.

        Raises
        ------
        Exception
            Theirs, and ``SyntaxError`` where the changed text is no Python.
        """
        self.runs += 1
        with quiet():
            if self._compiled is None or self._compiled[0] != tuple(changes):  # it is run at one size after the other
                self._compiled = (tuple(changes), self._exchanged(changes))
            exchanged = self._compiled[1]
            if exchanged is None:
                _, case = fresh(self.program, ast.parse(patched_code(self.program, changes)), sizes, self.seed)
                return _numbers(case.gradients())
            function, code = exchanged
            held = function.__code__
            function.__code__ = code
            try:
                reseed(self.seed)
                with seeded_generators(self.seed):
                    case = self.program.build(self._module, sizes, self.seed)
                reseed(self.seed)
                return _numbers(case.gradients())
            finally:
                function.__code__ = held

    def _exchanged(self, changes: Sequence[Change]) -> tuple[Any, Any] | None:
        """Return the live function that all changes stand in and its new code; None where only a new load will do."""
        node = self._around(changes)
        live = self._live.get((_first_line(node), node.name)) if node is not None else None
        if node is None or live is None or not set(live.__code__.co_freevars) <= {"__class__"}:
            return None
        lines = patched_code(self.program, changes).split("\n")
        last = (node.end_lineno or node.lineno) + len(lines) - len(self._lines)
        text = textwrap.dedent("\n".join(lines[_first_line(node) - 1 : last]))
        tree, _ = without_clips(ast.parse(text))
        made = tree.body[0]
        if len(tree.body) != 1 or not isinstance(made, ast.FunctionDef):
            return None
        made.decorator_list, made.returns = [], None
        if live.__code__.co_freevars:
            tree.body = [ast.ClassDef("_", [], [], [made], [])]
            ast.fix_missing_locations(tree)
        ast.increment_lineno(tree, _first_line(node) - 1)
        code = next(
            (c for c in _codes(compile(tree, live.__code__.co_filename, "exec")) if c.co_name == node.name), None
        )
        if code is None or code.co_freevars != live.__code__.co_freevars:
            return None
        return live, code

    def _around(self, changes: Sequence[Change]) -> ast.FunctionDef | None:
        """Return the innermost function that holds every change."""
        best = None
        for node in self._functions:
            end = node.end_lineno or node.lineno
            if all(node.lineno <= c.line and c.end_line <= end for c in changes) and (
                best is None or node.lineno > best.lineno
            ):
                best = node
        return best


def _parsed(code: str) -> ast.Module:
    return ast.parse(code)


def _numbers(gradients: Any) -> dict[str, Array]:
    return {name: np.array(value) for name, value in dict(gradients).items()}


def _first_line(node: ast.FunctionDef) -> int:
    return min([node.lineno, *(d.lineno for d in node.decorator_list)])


def _codes(code: Any) -> Iterator[Any]:
    for constant in code.co_consts:
        if inspect.iscode(constant):
            yield constant
            yield from _codes(constant)


def _functions(module: ModuleType) -> Iterator[FunctionType]:
    """Yield the functions and methods that a module holds, whatever wraps them."""
    queue: list[Any] = list(vars(module).values())
    seen: set[int] = set()
    while queue:
        value = queue.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, classmethod | staticmethod):
            value = value.__func__
        if isinstance(value, property):
            queue += [f for f in (value.fget, value.fset) if f is not None]
        elif isinstance(value, type) and getattr(value, "__module__", None) == module.__name__:
            queue += list(vars(value).values())
        elif isinstance(value, FunctionType):
            inner = inspect.unwrap(value)
            if inner.__code__.co_filename == vars(module).get("__file__"):
                yield inner
            queue += _wrapped(value)


def _wrapped(function: FunctionType) -> Iterable[Any]:
    return [cell.cell_contents for cell in function.__closure__ or () if _filled(cell)]


def _filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - it raises where it is empty
    except ValueError:
        return False
    return True
