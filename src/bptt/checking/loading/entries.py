"""Where a program that begins nothing by itself may be begun: its tests, its demonstrations, its main function."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any

NAMED = re.compile(r"_?(test|main|run|demo|check|train|example|experiment|gradient_?check|fit)", re.IGNORECASE)
MOST = 6


class Arguments(list[str]):
    """A command line without arguments; one that is asked for is a file's name."""

    def __getitem__(self, key: Any) -> Any:
        """Return an argument."""
        return "input.txt" if isinstance(key, int) and key >= len(self) else super().__getitem__(key)


def entries(module: ModuleType) -> Iterator[Callable[[], Any]]:
    """Yield what can be called without an argument and is named like a beginning, the tests of its classes included.

    Parameters
    ----------
    module : ModuleType
        It has been executed.
    """
    held = [v for v in list(vars(module).values()) if getattr(v, "__module__", None) == module.__name__]
    functions = [f for f in held if isinstance(f, FunctionType) and NAMED.match(f.__name__) and _needs_nothing(f)]
    yield from functions[:MOST]
    for kind in held:
        if not isinstance(kind, type):
            continue
        tests = [n for n, f in vars(kind).items() if n.startswith("test") and isinstance(f, FunctionType)]
        for name in tests[:MOST]:
            yield lambda kind=kind, name=name: _test(kind, name)  # type: ignore[misc]


def _needs_nothing(function: FunctionType) -> bool:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = inspect.signature(function).parameters.values()
    return not any(p.kind in kinds and p.default is inspect.Parameter.empty for p in parameters)


def _test(kind: type, name: str) -> None:
    """Run one test of a test case."""
    try:
        case = kind(name)
    except TypeError:
        case = kind()
    for prepare in ("setUp", "setup_method", "setup"):
        if hasattr(case, prepare):
            getattr(case, prepare)()
            break
    getattr(case, name)()
