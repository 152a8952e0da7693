"""Defaults of arguments that are the module's own objects: ``def clear(params=parameters)``."""

from __future__ import annotations

from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any


def objects_of(module: ModuleType) -> dict[int, str]:
    """Return the names of a module's objects that a default may be, by identity; numbers and texts are left out."""
    return {
        id(value): name
        for name, value in vars(module).items()
        if not name.startswith("__") and not isinstance(value, int | float | str | bytes | bool | type(None))
    }


def rebind(module: ModuleType, before: dict[int, str]) -> None:
    """Give defaults that were the module's objects the objects that now go by their names.

    A default is bound where its function is defined; where the module's sizes are set anew, its objects are made
    anew, and the functions would go on with the old ones.
    """
    for function in _functions(module):
        function.__defaults__ = tuple(_now(d, module, before) for d in function.__defaults__ or ()) or None
        if function.__kwdefaults__:
            function.__kwdefaults__ = {k: _now(d, module, before) for k, d in function.__kwdefaults__.items()}


def _now(default: Any, module: ModuleType, before: dict[int, str]) -> Any:
    name = before.get(id(default))
    return default if name is None else vars(module).get(name, default)


def _functions(module: ModuleType) -> Iterator[FunctionType]:
    for value in list(vars(module).values()):
        held = (
            list(vars(value).values()) if isinstance(value, type) and value.__module__ == module.__name__ else [value]
        )
        for item in held:
            item = getattr(item, "__func__", item)
            if isinstance(item, FunctionType) and item.__globals__ is vars(module):
                yield item
