"""A pasted text as a file that Python runs: its code, its prose as comments, and what was not shown."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from bptt.checking.loading import assumed
from bptt.checking.loading.assumed import missing_names, usual_definition
from bptt.checking.loading.paste import read_code


def runnable_code(text: str) -> str:
    """Return the code of a pasted text with restored indentation, on top the usual definitions of what it calls.

    Parameters
    ----------
    text : str
        As pasted; the fix is in it already.

    Returns
    -------
    str
        It compiles.  Every line of prose stands in its place as a comment.

    Raises
    ------
    SyntaxError
        If no reading of the text as pasted Python is Python; it was read before, so this is a fault of ours.
    """
    code, _, _ = read_code(text)
    given, lines = text.split("\n"), code.split("\n")
    for number, (line, prose) in enumerate(zip(lines, given, strict=False)):
        if prose.strip() and not line.strip():
            lines[number] = f"# {prose.strip()}"
    whole = "\n".join([*_definitions(ast.parse(code)), *lines]).rstrip() + "\n"
    compile(whole, "fixed.py", "exec")
    return whole


def _definitions(tree: ast.Module) -> Iterator[str]:
    """Define what the code calls and does not show, each name once, NumPy first."""
    names = missing_names(tree)
    found = {name: usual[0] for name in names if (usual := usual_definition(name, tree)) is not None}
    written: set[str] = set()
    for name, value in found.items():
        if value is np and name != "np":
            yield f"import numpy as {name}"
    if found:
        yield "import numpy as np\n\n# Not shown in the question; the usual definitions."
    for name, value in found.items():
        if value is np:
            continue
        own = getattr(value, "__module__", None) == assumed.__name__
        if own:
            yield from _with_needs(value, written)
        origin = value.__name__ if own else f"np.{getattr(value, '__name__', name)}"
        if origin != name:
            yield f"{name} = {origin}\n"


def _with_needs(function: Callable[..., Any], written: set[str]) -> Iterator[str]:
    """Write a definition after those that it calls, without annotations."""
    if function.__name__ in written:
        return
    written.add(function.__name__)
    definition = ast.parse(inspect.getsource(function)).body[0]
    assert isinstance(definition, ast.FunctionDef)
    for node in ast.walk(definition):
        needed = getattr(assumed, node.id, None) if isinstance(node, ast.Name) else None
        if inspect.isfunction(needed) and needed is not function:
            yield from _with_needs(needed, written)
    definition.returns = None
    for argument in definition.args.args:
        argument.annotation = None
    yield ast.unparse(definition) + "\n"
