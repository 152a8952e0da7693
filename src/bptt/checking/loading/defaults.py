"""Defaults of arguments: the module's own objects (``def clear(params=parameters)``), and rates."""

from __future__ import annotations

from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any

from bptt.checking.loading import roles_by_name as roles

UNSURE = ("alpha", "rate")
"""Names of a rate that may as well be a leak's or a dropout's."""


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


def set_rates_to_one(module: ModuleType) -> None:
    """Let a function that moves the weights by default move them by the whole gradient."""
    for function in _functions(module):
        names = function.__code__.co_varnames[: function.__code__.co_argcount]
        given = function.__defaults__ or ()
        pairs = zip(names[len(names) - len(given) :], given, strict=True)
        function.__defaults__ = tuple(1.0 if _is_rate(n, d) else d for n, d in pairs) or None
        if function.__kwdefaults__:
            function.__kwdefaults__ = {n: 1.0 if _is_rate(n, d) else d for n, d in function.__kwdefaults__.items()}


def _is_rate(name: str, default: Any) -> bool:
    return isinstance(default, float) and roles.matches(name, roles.RATE) and name not in UNSURE


def _functions(module: ModuleType) -> Iterator[FunctionType]:
    for value in list(vars(module).values()):
        held = (
            list(vars(value).values()) if isinstance(value, type) and value.__module__ == module.__name__ else [value]
        )
        for item in held:
            item = getattr(item, "__func__", item)
            if isinstance(item, FunctionType) and item.__globals__ is vars(module):
                yield item
