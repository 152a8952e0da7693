"""The hooks that an instrumented program calls: each does the operation itself, and tells the active tracer."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from bptt.checking.tracing.tape_rules import BINARY, IN_PLACE

MARK = "__bptt_instrumented__"
active: Any = None
"""The :class:`bptt.checking.tracing.trace.Trace` at work, or None."""


@contextlib.contextmanager
def watching(tracer: Any) -> Iterator[Any]:
    """Make a tracer the active one (None: nobody watches)."""
    global active
    before, active = active, tracer
    try:
        yield tracer
    finally:
        active = before


def mine(function: Any) -> Any:
    """Mark a function whose inside is instrumented."""
    with contextlib.suppress(AttributeError, TypeError):
        target = function.__func__ if isinstance(function, classmethod | staticmethod) else function
        if isinstance(target, property):
            target = target.fget
        setattr(target, MARK, True)
    return function


def is_mine(function: Any) -> bool:
    """Tell whether the inside of a callable reports by itself."""
    inner = getattr(function, "__func__", function)
    if isinstance(inner, functools.partial):
        return is_mine(inner.func)
    if hasattr(inner, "__bptt_instrumented__"):
        return True
    own = getattr(type(inner), "__call__", None)
    return hasattr(own, "__bptt_instrumented__")


def binop(site: int, op: str, left: Any, right: Any) -> Any:
    """``left op right``."""
    if active is None:
        return BINARY[op](left, right)
    return active.binop(site, op, left, right)


def negative(site: int, value: Any) -> Any:
    """``-value``."""
    return -value if active is None else active.negative(site, value)


def call(site: int, function: Callable[..., Any], /, *arguments: Any, **keywords: Any) -> Any:
    """``function(*arguments, **keywords)``."""
    if active is None:
        return function(*arguments, **keywords)
    return active.call(site, function, arguments, keywords)


def getitem(site: int, holder: Any, index: Any) -> Any:
    """``holder[index]``."""
    if active is None or not isinstance(holder, np.ndarray):
        return holder[index]
    return active.getitem(site, holder, index)


def setitem(site: int, holder: Any, index: Any, value: Any) -> None:
    """``holder[index] = value``."""
    if active is None or not isinstance(holder, np.ndarray):
        holder[index] = value
    else:
        active.setitem(site, holder, index, value)


def update(site: int, op: str, old: Any, value: Any) -> Any:
    """``old op= value``; the result is bound again, as Python does."""
    if active is None:
        return IN_PLACE[op](old, value)
    return active.update(site, op, old, value)


def update_item(site: int, op: str, holder: Any, index: Any, value: Any) -> None:
    """``holder[index] op= value``."""
    if active is None:
        holder[index] = IN_PLACE[op](holder[index], value)
        return
    old = getitem(site, holder, index)
    setitem(site, holder, index, active.update(site, op, old, value))


def iterate(values: Any) -> Any:
    """Return what a ``for`` runs over."""
    return values if active is None else active.iterate(values)


def named(name: str | tuple[str, ...], value: Any) -> Any:
    """Tell that a value gets a name."""
    if active is not None:
        if isinstance(name, str):
            active.named(name, value)
        elif isinstance(value, tuple | list) and len(value) == len(name):
            for one, part in zip(name, value, strict=True):
                active.named(one, part)
    return value
