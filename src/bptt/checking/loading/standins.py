"""What stands in for plots, progress bars, files and packages while somebody's definitions are executed."""

from __future__ import annotations

import builtins
import importlib
import io
import re
import sys
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

TEXT = "tot tbtnt tet\n" * 30
"""Seven distinct characters, a vocabulary unlike every other size; of any four in a row, one comes again."""
NUMERIC = {"numpy", "scipy", "math", "cmath", "random", "copy", "itertools", "functools", "collections", "operator"}
PLAIN = NUMERIC | {
    "typing", "dataclasses", "abc", "enum", "re", "string", "time", "datetime", "os", "sys", "warnings", "__future__",
    "types", "contextlib", "json", "pickle", "io", "pathlib", "argparse", "logging", "unittest", "pdb", "codecs", "csv",
    "decimal", "fractions", "statistics", "numbers", "textwrap", "pprint", "inspect", "urllib", "gzip", "struct",
}  # fmt: skip


OPTIMISER = re.compile(r"(fmin\w*|minimi[sz]e\w*|leastsq|least_squares|fsolve|basinhopping)$")


class StandIn:
    """Takes every call, attribute and item and gives itself; a decorator gives the function back."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return StandIn(f"{self._name}.{name}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Give a lone function, class or iterable back (decorators, ``tqdm(...)``), and else a stand-in.

        An optimiser calls the functions that it is given once, at the point where it would begin, and ends there.
        """
        if len(args) > 1 and callable(args[0]) and OPTIMISER.search(self._name):
            more = kwargs.get("args", args[2] if len(args) > 2 and isinstance(args[2], tuple) else ())
            slopes = [kwargs.get("fprime", kwargs.get("jac")), *args[2:3]]
            for function in (args[0], *(s for s in slopes if callable(s))):
                value = function(args[1], *(more if isinstance(more, tuple) else (more,)))
            if "minimi" in self._name:
                return SimpleNamespace(x=args[1], fun=value, success=True, message="", nit=0)
            return (args[1], value, {}) if "bfgs_b" in self._name or "least" in self._name else args[1]
        if (
            args
            and (callable(args[0]) or isinstance(args[0], range | list | enumerate))
            and not isinstance(args[0], StandIn)
        ):
            return args[0]
        return StandIn(f"{self._name}()")

    def __getitem__(self, key: Any) -> Any:
        return StandIn(f"{self._name}[...]")

    def __iter__(self) -> Iterator[Any]:
        # two, for `figure, axes = plt.subplots()`
        return iter((StandIn(self._name), StandIn(self._name)))

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *args: object) -> None:
        return None

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        return (object,)

    def __repr__(self) -> str:
        """Name what it stands for."""
        return f"<stand-in for {self._name}>"


class _StandInModule(ModuleType):
    provide: Callable[[str], Any] | None = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        usual = self.provide(name) if self.provide is not None else None
        if usual is not None:
            return usual
        return StandIn(f"{self.__name__}.{name}")


TABLES = {"pandas", "sklearn", "pandas_datareader", "yfinance"}
HOOKS = ("bptt.checking.tracing.hooks", "bptt.checking.tracing.forced")
"""What an instrumented tree imports."""


def importer(
    provide: Callable[[str], Any], replaced: set[str], tables: Callable[[str], Any] | None = None
) -> Callable[..., Any]:
    """Return an ``__import__`` that gives NumPy and the standard library, and stand-ins for all else.

    Parameters
    ----------
    provide : function
        The usual definition of a name that is imported from a file that is not there, or None.
    replaced : set of str
        Receives the names of the modules that were replaced.
    tables : function, optional
        What stands in for a name of a package that reads and scales tables, or None.
    """

    def load(name: str, globals_: Any = None, locals_: Any = None, fromlist: Any = (), level: int = 0) -> Any:
        root = name.split(".")[0]
        if level == 0 and root in PLAIN and (root in sys.stdlib_module_names or root in ("numpy", "scipy")):
            try:
                return builtins.__import__(name, globals_, locals_, fromlist, level)
            except ImportError:
                pass
        if level == 0 and name in HOOKS:
            return builtins.__import__(name, globals_, locals_, fromlist, level)
        if level == 0 and name == "autograd.numpy":
            return importlib.import_module("numpy")
        if name == "__future__":
            return importlib.import_module("__future__")
        replaced.add(name or ".")
        module = _StandInModule(name or "package")
        if root in TABLES:
            module.provide = tables
        names = [n for n in (fromlist or ()) if n != "*"]
        for wanted in names:
            usual = provide(wanted)
            if usual is not None:
                setattr(module, wanted, usual)
        if fromlist and "*" in fromlist:
            module.__dict__["__all__"] = []
        return module

    return load


def open_stand_in(*args: Any, **kwargs: Any) -> Any:
    """Give a small text for every file that is read, and memory for every file that is written."""
    mode = str(args[1] if len(args) > 1 else kwargs.get("mode", "r"))
    if any(c in mode for c in "wax+"):
        return io.BytesIO() if "b" in mode else io.StringIO()
    return io.BytesIO(TEXT.encode()) if "b" in mode else io.StringIO(TEXT)
