"""From whatever a person hands to ``bptt.check`` to a text: a path, the code itself, a function, a class, a module."""

from __future__ import annotations

import ast
import builtins
import inspect
import linecache
import os
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, MethodType, ModuleType
from typing import Any

from bptt.checking.loading.sources import Source, read_file
from bptt.errors import ValueRangeError, message


def split_name(target: str) -> tuple[str, str | None]:
    """Split ``FILE::Name``; a file whose own name holds ``::`` is itself."""
    if "::" in target and not Path(target).exists():
        file, _, name = target.rpartition("::")
        return file, name or None
    return target, None


def source_of(target: Any, where: str = "bptt.check") -> tuple[Source, str | None]:
    """Return the text of a target, and the name to check in it where the target says one.

    Raises
    ------
    FileError
        If the target names a file that cannot be read.
    ValueRangeError
        If no text belongs to it.
    """
    if isinstance(target, os.PathLike):
        return read_file(os.fsdecode(os.fspath(target)), where), None
    if isinstance(target, str):
        if "\n" in target:
            return Source("<text>", target), None
        file, name = split_name(target)
        return read_file(file, where), name
    if isinstance(target, ModuleType) and getattr(target, "__file__", None):
        return read_file(str(target.__file__), where), None
    if isinstance(target, MethodType):
        target = target.__func__
    if isinstance(target, FunctionType | type):
        return _source_of_object(target, where)
    raise ValueRangeError(
        message(
            where,
            f"a {type(target).__name__} is nothing that can be checked.",
            details=[
                "wanted: the path of a file, the code as a text of several lines, a function, a class, a module,",
                "or a case: an object with parameters (a dict of arrays), cost() and gradients().",
            ],
        )
    )


def is_case(target: Any) -> bool:
    """Tell whether an object is a case: its numbers can be compared, whatever computes them."""
    if isinstance(target, type | ModuleType):
        return False
    return isinstance(getattr(target, "parameters", None), dict) and all(
        callable(getattr(target, name, None)) for name in ("cost", "gradients")
    )


def adapter_text(case: Any, where: str = "bptt.check") -> str | None:
    """Return the text of an adapter: a path, the text itself, or a function ``(module, sizes, seed) -> case``."""
    if case is None:
        return None
    source, name = source_of(case, where)
    if isinstance(case, FunctionType) and name not in (None, "bptt_case"):
        return f"{source.text}\n\nbptt_case = {name}\n"
    return source.text


def _source_of_object(target: FunctionType | type, where: str) -> tuple[Source, str | None]:
    name = None if "<" in target.__qualname__ else target.__qualname__
    function = _a_function_of(target)
    file = function.__code__.co_filename if function is not None else inspect.getsourcefile(target)
    if file and os.path.isfile(file) and not _is_cell(file):
        return read_file(file, where), name
    lines = linecache.getlines(file) if file else []
    if not lines or function is None:
        raise ValueRangeError(
            message(
                where,
                f"the source of {target.__qualname__} cannot be found.",
                hint="Give the code itself as a text, or the path of its file.",
            )
        )
    cell = "".join(lines)
    return Source("<cell>", cell + _rest_of_notebook(cell, function.__globals__)), name


def _a_function_of(target: FunctionType | type) -> FunctionType | None:
    if isinstance(target, FunctionType):
        unwrapped = inspect.unwrap(target)
        return unwrapped if isinstance(unwrapped, FunctionType) else target
    for member in vars(target).values():
        member = getattr(member, "__func__", member)
        if isinstance(member, FunctionType):
            return member
    return None


def _is_cell(file: str) -> bool:
    """Tell a notebook cell's file name: ipykernel compiles cells under a path in the folder of temporary files."""
    return file.startswith("<") or f"{os.sep}ipykernel_" in file


def _rest_of_notebook(cell: str, space: dict[str, Any]) -> str:
    """Return, to stand after the cell, what it uses from other cells: imports, functions, classes, plain numbers."""
    parts: list[str] = []
    seen: set[str] = set()
    waiting = list(_free_names(cell))
    while waiting:
        name = waiting.pop(0)
        if name in seen or name not in space:
            continue
        seen.add(name)
        value = space[name]
        if isinstance(value, ModuleType):
            parts.append(f"import {value.__name__} as {name}")
        elif isinstance(value, bool | int | float | str):
            parts.append(f"{name} = {value!r}")
        elif isinstance(value, FunctionType | type):
            text = _own_text(value)
            if text is None:  # imported from a package
                parts.append(f"from {value.__module__} import {value.__name__} as {name}")
            elif text:
                parts.append(text)
                waiting += _free_names(text)
    return "\n\n\n" + "\n\n".join(parts) + "\n" if parts else ""


def _own_text(value: FunctionType | type) -> str | None:
    """Return the text of what was defined in a cell; None where it comes from a package."""
    function = _a_function_of(value)
    if function is None or not _is_cell(function.__code__.co_filename):
        return None
    try:
        return textwrap.dedent(inspect.getsource(value))
    except (OSError, TypeError):
        return ""


def _free_names(text: str) -> Iterator[str]:
    try:
        tree = ast.parse(textwrap.dedent(text))
    except SyntaxError:  # a cell with a magic line; the check will say so
        return
    defined = {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id not in defined and not hasattr(builtins, node.id):
            yield node.id
