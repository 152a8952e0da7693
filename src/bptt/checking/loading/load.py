"""From a text to a program that runs: read it, execute its definitions, and find forward, cost and backward."""

from __future__ import annotations

import ast
import contextlib
import inspect
import linecache
from collections.abc import Callable
from types import ModuleType
from typing import Any

from bptt.checking.loading.both_passes import with_its_first_half
from bptt.checking.loading.clips import without_clips
from bptt.checking.loading.discover import discover
from bptt.checking.loading.displayed import squared
from bptt.checking.loading.namespace import Namespace
from bptt.checking.loading.notebook import is_notebook, read_notebook
from bptt.checking.loading.paste import read_code
from bptt.checking.loading.protocol import cannot_check, check_case
from bptt.checking.program import Case, Program, Sizes
from bptt.errors import CannotCheckError

CLIPPED = "the gradients are clipped here; they are checked with the clip set aside, because it would hide them."
SHOWN_ONLY = (
    "Line {} adds up absolute errors to show them: the cost is taken to be half the squared error, 1/2 * sum(e**2)."
)
PROBE = Sizes(n_x=3, n_a=5, n_y=7, m=2, T_x=4)


def load_program(text: str, file: str, adapter: str | None = None, name: str | None = None) -> Program:
    """Make a program of somebody's text.

    Parameters
    ----------
    text : str
        A module, a notebook's JSON, or pasted text.
    file : str
        What to call it in messages.
    adapter : str, optional
        The text of a module that defines ``bptt_case(module, sizes, seed)``.
    name : str, optional
        Which function or class to check where the text holds several (``FILE::Name``).

    Returns
    -------
    Program
        It has been built and its cost has been run twice.

    Raises
    ------
    CannotCheckError
        With what was found, what is missing, and the adapter to fill in.
    """
    code, origins, assumed = read_notebook(text, file) if is_notebook(text) else _read(text, file)
    tree, clipped = without_clips(ast.parse(code))
    shown: tuple[int, ...] = ()
    if adapter is None and not _defines(tree, "bptt_case"):
        tree, shown = squared(tree)
    namespace = Namespace(tree, _set_by(adapter))
    assumed = (*assumed, *(SHOWN_ONLY.format(line) for line in shown), *namespace.assumed.values())
    if adapter is not None or _defines(tree, "bptt_case"):
        build = _adapter_build(adapter, file)
        program = Program(file, text, code, tree, origins, namespace.load, build, assumed, (), True)
        try:
            check_case(program, PROBE)
        except CannotCheckError:
            program = with_its_first_half(program, PROBE)
            check_case(program, PROBE)
        return program
    notes = tuple(("", line, CLIPPED) for line in clipped)
    found = discover(tree, namespace, file, name)
    return Program(
        file,
        text,
        code,
        found.tree,
        origins,
        found.load,
        found.build,
        (*assumed, *found.assumed),
        (*found.notes, *notes),
        False,
        found.names,
        found.doubt,
    )


def _read(text: str, file: str) -> Any:
    try:
        return read_code(text)
    except SyntaxError as error:
        raise CannotCheckError(cannot_check(file, _syntax(error))) from None


def _syntax(error: SyntaxError) -> str:
    line = f" (line {error.lineno}: {(error.text or '').strip()})" if error.lineno else ""
    return f"it is not Python, and no reading of it as pasted Python is: {error.msg}{line}."


def _defines(tree: ast.Module, name: str) -> bool:
    return any(isinstance(s, ast.FunctionDef) and s.name == name for s in tree.body)


def _set_by(adapter: str | None) -> set[str]:
    """Return the names that an adapter sets in the module that it is handed."""
    with contextlib.suppress(SyntaxError):  # it is said where the adapter is run
        for case in ast.walk(ast.parse(adapter or "")):
            if isinstance(case, ast.FunctionDef) and case.name == "bptt_case" and case.args.args:
                module = case.args.args[0].arg
                return {
                    n.attr
                    for n in ast.walk(case)
                    if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store) and ast.unparse(n.value) == module
                }
    return set()


def _adapter_build(adapter: str | None, file: str) -> Callable[[ModuleType, Sizes, int], Case]:
    """Return ``bptt_case`` of the adapter, or the one that the program itself holds, whatever arguments it takes."""
    if adapter is None:

        def own(module: ModuleType, sizes: Sizes, seed: int) -> Case:
            return _call(module.bptt_case, module, sizes, seed)

        return own
    space: dict[str, Any] = {"__name__": "adapter", "__file__": "adapter.py"}
    # The tracer reads the source of the adapter's functions.
    linecache.cache["adapter.py"] = (len(adapter), None, adapter.splitlines(keepends=True), "adapter.py")
    try:
        exec(compile(adapter, "adapter.py", "exec"), space)
    except Exception as error:
        raise CannotCheckError(
            cannot_check(file, f"the adapter does not run: {type(error).__name__}: {error}", adapter=True)
        ) from error
    if not callable(space.get("bptt_case")):
        raise CannotCheckError(cannot_check(file, "the adapter defines no function bptt_case.", adapter=True))

    def given(module: ModuleType, sizes: Sizes, seed: int) -> Case:
        return _call(space["bptt_case"], module, sizes, seed)

    return given


def _call(function: Callable[..., Any], module: ModuleType, sizes: Sizes, seed: int) -> Case:
    count = len(inspect.signature(function).parameters)
    case: Case = function(module, sizes, seed) if count >= 3 else function(sizes, seed)
    return case
