"""Where a running program keeps its arrays: every dict, list, attribute and closure that a case reaches."""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CellType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

LIMIT = 20_000  # values looked at; a program that keeps more is not searched further
PLAIN = {str, bytes, int, float, bool, complex, type(None)}
"""Types that hold no array: a text of a hundred thousand words is passed over."""


@dataclass(frozen=True)
class Place:
    """One reference to an array: how the person would write it, the array, and how to put another one there."""

    name: str
    value: np.ndarray[Any, Any]
    put: Callable[[Any], None]


def array_places(case: object, module: ModuleType | None = None) -> Iterator[Place]:
    """Yield every place from which a case (and the loaded module) reaches an array.

    Tuples and arrays of objects cannot be written and are passed over.
    """
    seen: set[int] = set()
    queue: deque[tuple[str, Any, Callable[[Any], None] | None]] = deque([("", case, None)])
    if module is not None:
        queue.append(("", module, None))
    while queue and len(seen) < LIMIT:
        name, value, put = queue.popleft()
        if isinstance(value, np.ndarray):
            if put is not None:
                yield Place(name, value, put)
            continue
        if id(value) in seen:
            continue
        seen.add(id(value))
        queue.extend(_members(name, value, module))


def _members(name: str, value: Any, module: ModuleType | None) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(value, ast.AST):  # the program as it was read, behind the case that the loader made
        return
    if isinstance(value, dict):
        for key, item in list(value.items()):
            if type(item) in PLAIN or key == "__builtins__":  # ours, and behind it the whole program as it was read
                continue
            yield (str(key) if isinstance(key, str) else name), item, _put_item(value, key)
    elif isinstance(value, list):
        for k, item in enumerate(value):
            if type(item) not in PLAIN:
                yield name, item, _put_item(value, k)
    elif isinstance(value, tuple | set):
        for item in value:
            if type(item) not in PLAIN:
                yield name, item, None
    elif isinstance(value, MethodType):
        yield name, value.__self__, None
        yield name, value.__func__, None
    elif isinstance(value, FunctionType):
        for cell_name, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=True):
            try:
                yield cell_name, cell.cell_contents, _put_cell(cell)
            except ValueError:  # a variable of the enclosing function that was never assigned
                continue
        for item in value.__defaults__ or ():
            yield name, item, None
        if module is not None and value.__globals__ is not module.__dict__ and "bptt_case" in value.__globals__:
            yield name, value.__globals__, None  # an adapter in a file of its own
    elif isinstance(value, ModuleType):
        if value is module:
            yield "", value.__dict__, None
    elif isinstance(value, type):
        for member in vars(value).values():
            if isinstance(member, FunctionType | dict | list):
                yield name, member, None
    elif hasattr(value, "__dict__"):
        yield name, value.__dict__, None
        for kind in type(value).__mro__[:-1]:
            yield name, kind, None


def _put_item(container: Any, key: Any) -> Callable[[Any], None]:
    def put(value: Any) -> None:
        container[key] = value

    return put


def _put_cell(cell: CellType) -> Callable[[Any], None]:
    def put(value: Any) -> None:
        cell.cell_contents = value

    return put
