"""A program whose functions are exchanged while it is loaded: many changes are tried, each in milliseconds.

Loading a file anew for every change costs ten times what running it does.  Here only the changed function is
compiled, and its code takes the place of the old one.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from bptt.checking.loading.clips import without_clips
from bptt.checking.loading.displayed import squared
from bptt.checking.loading.script import STEP
from bptt.checking.program import Program, Sizes
from bptt.checking.repairing.nodes import stored
from bptt.checking.repairing.patch import Change, parsed, patched_code, replace
from bptt.checking.repairing.step_text import statement_of, with_changed_step
from bptt.checking.tracing.numeric import built, reseed
from bptt.checking.tracing.quiet import quiet
from bptt.checking.tracing.trees import copied
from bptt.dims import Array

TURN = "__bptt_turn__"
TURNS = 2000
"""Turns of ``while`` loops in one run at most."""
HERE = "__bptt_here__"


@dataclass(frozen=True, eq=False)
class _Group:
    """Versions of one statement."""

    here: Change
    texts: list[str]
    choice: str
    """The variable that says which."""


class _Chooser(ast.NodeTransformer):
    """Puts a choice between statements in the place of the marked one."""

    def __init__(self, group: _Group) -> None:
        self.blocks = [_block("\n" * (group.here.line - 1) + text) for text in group.texts]
        self.choice = group.choice

    def visit(self, node: ast.AST) -> Any:
        """Look at statements only."""
        return node if isinstance(node, ast.expr) else super().visit(node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST | list[ast.stmt]:
        if not (isinstance(node.value, ast.Name) and node.value.id == HERE):
            return node
        return self._between(0, len(self.blocks), node)

    def _between(self, first: int, last: int, node: ast.Expr) -> list[ast.stmt]:
        if last - first == 1:
            return self.blocks[first]
        middle = (first + last) // 2
        test = ast.Compare(ast.Name(self.choice, ast.Load()), [ast.Lt()], [ast.Constant(middle)])
        sides = [self._between(first, middle, node), self._between(middle, last, node)]
        choice = ast.If(test, *sides)
        for new in (choice, test, test.left, *test.comparators):
            ast.copy_location(new, node)
        return [choice]


def _block(text: str) -> list[ast.stmt]:
    try:
        return ast.parse(text).body or ast.parse("pass").body
    except SyntaxError:  # it is then refused where it is tried alone
        return ast.parse("raise SyntaxError").body


class Exchange:
    """Runs a program's gradients with changes of its text.

    Parameters
    ----------
    program : Program
    seed : int
        For the case's values; the same in every run.
    """

    def __init__(self, program: Program, seed: int) -> None:
        self.program, self.seed = program, seed
        self._turns = 0
        self._lines = program.code.split("\n")
        with quiet():
            reseed(seed)
            self._module = self._loaded(program.tree)
        shown = {(n.lineno, n.name) for n in ast.walk(ast.parse(program.code)) if isinstance(n, ast.FunctionDef)}
        self._functions = [
            n for n in ast.walk(program.tree) if isinstance(n, ast.FunctionDef) and (n.lineno, n.name) in shown
        ]
        written = [n for n in program.tree.body if isinstance(n, ast.FunctionDef) and n.name == STEP]
        self._step = next((n for n in written if n not in self._functions), None)
        self._last: tuple[tuple[Change, ...], list[tuple[FunctionType, CodeType]] | None] | None = None
        self._groups: dict[Change, tuple[_Group, int]] = {}
        self._versions: dict[Any, CodeType] = {}
        self._live = {(f.__code__.co_firstlineno, f.__name__): f for f in _functions(self._module)}

    def gradients(self, changes: Sequence[Change], sizes: Sizes) -> dict[str, Array]:
        """Run the gradients of the changed program; whatever it raises goes through.

        Raises
        ------
        Exception
            Theirs, and ``SyntaxError`` where the changed text is no Python.
        """
        with quiet():
            if self._last is None or self._last[0] != tuple(changes):  # it is run at one size after the other
                self._last = (tuple(changes), self._exchanged(changes))
            exchanged = self._last[1]
            if exchanged is None:
                return self._run(self._loaded(parsed(patched_code(self.program, changes))), sizes)
            held = [(function, function.__code__) for function, _ in exchanged]
            try:
                for function, code in exchanged:
                    function.__code__ = code
                return self._run(self._module, sizes)
            finally:
                for function, code in held:
                    function.__code__ = code

    def _loaded(self, tree: ast.Module) -> ModuleType:
        if any(isinstance(n, ast.While) for n in ast.walk(tree)):
            tree = copied(tree)
            _count_turns(tree)
        module = self.program.load(tree)
        vars(module)[TURN] = self._turn
        return module

    def _run(self, module: ModuleType, sizes: Sizes) -> dict[str, Array]:
        self._turns = TURNS
        case = built(self.program, module, sizes, self.seed)
        reseed(self.seed)
        return {name: np.array(value) for name, value in dict(case.gradients()).items()}

    def _turn(self) -> None:
        """Count a turn of a ``while``: a change may make it endless."""
        self._turns -= 1
        if self._turns < 0:
            raise TimeoutError("a loop does not end")

    def offer(self, node: ast.stmt, texts: Sequence[tuple[Change, str]]) -> None:
        """Compile many versions of one statement together, so that each of them runs without being compiled.

        Parameters
        ----------
        node : ast.stmt
        texts : sequence of (Change, str)
            The change that puts each version in the place of the statement, and the whole version.
        """
        choice = f"__bptt_choice_{len(self._groups)}__"
        group = _Group(replace(self.program.code, node, HERE), [text for _, text in texts], choice)
        self._groups.update({change: (group, k) for k, (change, _) in enumerate(texts)})

    def _exchanged(self, changes: Sequence[Change]) -> list[tuple[FunctionType, CodeType]] | None:
        """Return the live functions that are changed and their new code; None where only a new load will do."""
        inside: dict[int, tuple[ast.FunctionDef, list[Change]]] = {}
        for change in changes:
            node = self._around(change)
            if node is None:
                return None
            inside.setdefault(id(node), (node, []))[1].append(change)
        found = []
        for node, own in inside.values():
            found.append((self._live_of(node), self._version(node, self._live_of(node), tuple(own))))
        return found

    def _live_of(self, node: ast.FunctionDef) -> FunctionType:
        return self._live[_first_line(node), node.name]

    def _exchangeable(self, node: ast.FunctionDef) -> bool:
        """Tell whether a function's code may be exchanged: it is there, and closes over nothing."""
        live = self._live.get((_first_line(node), node.name))
        return live is not None and set(live.__code__.co_freevars) <= {"__class__"}

    def _version(self, node: ast.FunctionDef, live: FunctionType, changes: tuple[Change, ...]) -> CodeType:
        """Return the code of one changed function; the last change may be one of many that were offered."""
        offered = self._groups.get(changes[-1])
        if offered is not None and not any(
            c in self._groups and self._groups[c][0] is offered[0] for c in changes[:-1]
        ):
            group, vars(self._module)[offered[0].choice] = offered
            key: Any = (changes[:-1], group)
            if key not in self._versions:
                self._versions[key] = self._code(node, live, [*changes[:-1], group.here], group)
            return self._versions[key]
        if changes not in self._versions:
            self._versions[changes] = self._code(node, live, changes, None)
        return self._versions[changes]

    def _code(
        self, node: ast.FunctionDef, live: FunctionType, changes: Sequence[Change], group: _Group | None
    ) -> CodeType:
        """Compile a changed function; with a group, the marked statement is one of its, by a number."""
        if node is self._step:
            text, tree = with_changed_step(self.program, node, changes)
            _declare_global(tree, (stored(tree) - stored(node)) & set(vars(self._module)))
        else:
            lines = patched_code(self.program, changes).split("\n")
            last = (node.end_lineno or node.lineno) + len(lines) - len(self._lines)
            text = textwrap.dedent("\n".join(lines[_first_line(node) - 1 : last]))
            tree = ast.parse("\n" * (_first_line(node) - 1) + text)  # so that the lines keep their numbers
        if "clip" in text:
            tree, _ = without_clips(tree, self.program.tree)
        if "abs" in text:
            tree, _ = squared(tree)
        if "while" in text:
            _count_turns(tree)
        if group is not None:
            tree = _Chooser(group).visit(tree)
        made = tree.body[0]
        if len(tree.body) != 1 or not isinstance(made, ast.FunctionDef):
            raise SyntaxError("a change goes beyond the function that it stands in")
        made.decorator_list, made.returns = [], None
        if live.__code__.co_freevars:
            tree.body = [ast.ClassDef("_", [], [], [made], [])]
        if live.__code__.co_freevars:
            ast.fix_missing_locations(tree)
        compiled = compile(tree, live.__code__.co_filename, "exec")
        return next(
            c for c in _codes(compiled) if c.co_name == node.name and c.co_freevars == live.__code__.co_freevars
        )

    def _around(self, change: Change) -> ast.FunctionDef | None:
        """Return the innermost function that holds a change and may be exchanged.

        None where one within it is alive: made while the program was loaded, it would go on as it was.
        """
        holders = [
            n for n in self._functions if n.lineno <= change.line and change.end_line <= (n.end_lineno or n.lineno)
        ]
        for node in sorted(holders, key=lambda n: -n.lineno):
            if self._exchangeable(node):
                return node
            if (_first_line(node), node.name) in self._live:
                return None
        step = self._step
        if step is None or holders or not self._exchangeable(step):
            return None
        return step if statement_of(self.program, step, change) is not None else None


def _declare_global(tree: ast.Module, names: set[str]) -> None:
    """Let the one function of a tree write to the module's variables, as the script does that it was made of."""
    if names and isinstance(tree.body[0], ast.FunctionDef):
        tree.body[0].body.insert(0, ast.Global(sorted(names)))
        ast.fix_missing_locations(tree)


def _count_turns(tree: ast.Module) -> None:
    """Let every ``while`` count its turns."""
    for loop in [n for n in ast.walk(tree) if isinstance(n, ast.While)]:
        turn = ast.Expr(ast.Call(ast.Name(TURN, ast.Load()), [], []))
        loop.body.insert(0, ast.fix_missing_locations(ast.copy_location(turn, loop.body[0])))


def _first_line(node: ast.FunctionDef) -> int:
    return min([node.lineno, *(d.lineno for d in node.decorator_list)])


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if inspect.iscode(constant):
            yield constant
            yield from _codes(constant)


def _functions(module: ModuleType) -> Iterator[FunctionType]:
    """Yield the functions and methods that a module holds, whatever wraps them."""
    queue: list[Any] = list(vars(module).values())
    seen: set[int] = set()
    while queue:
        value = queue.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, classmethod | staticmethod):
            value = value.__func__
        if isinstance(value, property):
            queue += [f for f in (value.fget, value.fset) if f is not None]
        elif isinstance(value, type) and getattr(value, "__module__", None) == module.__name__:
            queue += list(vars(value).values())
        elif isinstance(value, FunctionType):
            inner = inspect.unwrap(value)
            if inner.__code__.co_filename == vars(module).get("__file__"):
                yield inner
            queue += _wrapped(value)


def _wrapped(function: FunctionType) -> Iterable[Any]:
    return [cell.cell_contents for cell in function.__closure__ or () if _filled(cell)]


def _filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - it raises where it is empty
    except ValueError:
        return False
    return True
