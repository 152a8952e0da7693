"""Deep copies of what a program holds, with its functions and classes those of another module of the same text."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any


def is_data(value: Any) -> bool:
    """Tell what a run makes from what its text defines: no module, class or function, unless it holds variables."""
    if isinstance(value, FunctionType):
        return value.__closure__ is not None
    return not isinstance(value, ModuleType | type) and (not callable(value) or hasattr(value, "__dict__"))


def copied(value: Any, module: ModuleType | None = None, origin: ModuleType | None = None) -> Any:
    """Return a deep copy.

    Parameters
    ----------
    value : object
        Dicts are copied item by item: what cannot be copied is taken as it is, and spoils nothing else.
    module : ModuleType, optional
        Its functions and classes take the place of those of the same names.
    origin : ModuleType, optional
        Where the value comes from.
    """
    memo: dict[int, Any] = {}
    if module is not None and origin is not None:
        for name, held in vars(origin).items():
            if isinstance(held, type | FunctionType) and name in vars(module):
                memo[id(held)] = vars(module)[name]
    return _Copier(memo, module)(value)


class _Copier:
    """Copies values of one run, which share their parts."""

    def __init__(self, memo: dict[int, Any], module: ModuleType | None) -> None:
        self.memo, self.module = memo, module
        self.cells: dict[int, CellType] = {}

    def __call__(self, value: Any) -> Any:
        if id(value) in self.memo:
            return self.memo[id(value)]
        if type(value) is dict:
            made: dict[Any, Any] = {}
            self.memo[id(value)] = made
            made.update((k, self(v)) for k, v in value.items())
            return made
        if isinstance(value, FunctionType) and value.__closure__:
            return self._function(value)
        if type(value) in (list, tuple) and any(isinstance(v, FunctionType) for v in value):
            return type(value)(self(v) for v in value)
        try:
            return copy.deepcopy(value, self.memo)
        except Exception:
            return value

    def _function(self, function: FunctionType) -> FunctionType:
        """Copy a function with the variables that it holds."""
        cells = function.__closure__ or ()
        for cell in cells:
            self.cells.setdefault(id(cell), CellType())
        code = function.__code__ if self.module is None else _code_like(function.__code__, self.module)
        space = function.__globals__ if self.module is None else vars(self.module)
        own = tuple(self.cells[id(cell)] for cell in cells)
        made = FunctionType(code, space, function.__name__, function.__defaults__, own)
        made.__kwdefaults__ = function.__kwdefaults__
        vars(made).update(vars(function))
        self.memo[id(function)] = made
        for cell, mine in zip(cells, own, strict=True):
            try:
                contents = cell.cell_contents
            except ValueError:  # not bound yet
                continue
            if not _filled(mine):
                mine.cell_contents = None
                mine.cell_contents = self(contents)
        return made


def _filled(cell: CellType) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def _code_like(code: CodeType, module: ModuleType) -> CodeType:
    """Return the code of the same inner function in another module of the same text, or the code itself."""
    for held in vars(module).values():
        functions = [held, *vars(held).values()] if isinstance(held, type) else [held]
        for function in functions:
            inner = getattr(getattr(function, "__func__", function), "__code__", None)
            for found in _codes_in(inner) if isinstance(inner, CodeType) else ():
                if found.co_qualname == code.co_qualname and found.co_freevars == code.co_freevars:
                    return found
    return code


def _codes_in(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes_in(constant)
