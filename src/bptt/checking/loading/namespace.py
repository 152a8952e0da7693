"""Somebody's module without its run: definitions and constants are executed, training, plots and prints are not."""

from __future__ import annotations

import ast
import builtins
import contextlib
import random
import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from types import CodeType, FrameType, ModuleType
from typing import Any

import numpy as np

from bptt.checking.loading.assumed import missing_names, usual_definition
from bptt.checking.loading.clips import without_clips
from bptt.checking.loading.displayed import squared
from bptt.checking.loading.entries import Arguments, entries
from bptt.checking.loading.made_up import Files
from bptt.checking.loading.printed import with_printed_cost
from bptt.checking.loading.script import as_function
from bptt.checking.loading.shown import as_class
from bptt.checking.loading.standins import importer, open_stand_in
from bptt.checking.loading.tables import stand_in_for
from bptt.checking.loading.training_loops import MARK, Where, as_step
from bptt.checking.tracing.numeric import seeded_generators

BUDGET = 40_000  # lines of Python that the constants may take together; a training run takes millions
RUNS = re.compile(
    r"(train|fit|main|run|optimi[sz]e|learn|sample|test|evaluat|plot|show|demo|predict|generate|check)", re.I
)
MODULE_NAME = "program"
PROGRAM = "program.py"


class Exhausted(BaseException):
    """The budget is spent; no ``except Exception`` of theirs may catch it."""


class Namespace:
    """Executes trees of one program, each in a fresh module.

    Parameters
    ----------
    tree : ast.Module
        The program; it decides which names are missing.
    """

    def __init__(self, tree: ast.Module, given: Collection[str] = ()) -> None:
        self.tree = tree
        self.replaced: set[str] = set()
        self.assumed: dict[str, str] = {}
        self.supplied: dict[str, Any] = {}
        self.unknown: list[str] = []
        self.dressed = False  # whether lone methods are put in a class
        self.printed = False  # whether a cost that is only shown is made a function
        self.step: Where | None = None  # the training loop whose body is checked, where it is not the script's own
        for name in (n for n in missing_names(tree) if n not in given):
            if self._provide(name) is None:
                self.unknown.append(name)
        self.failed: dict[str, str] = {}
        self._long: set[tuple[int, int]] = set()  # where the statements stand that ran for too long: they are left out
        self.files = Files()  # what stands in for its tables
        self.raised = ""  # what its own run raised last
        self._trees: list[tuple[ast.Module, tuple[bool, bool, Where | None], ast.Module]] = []
        self._codes: dict[int, tuple[ast.stmt, CodeType]] = {}

    def _provide(self, name: str) -> Any:
        usual = usual_definition(name, self.tree)
        if usual is None:
            return None
        self.supplied[name], said = usual
        self.assumed.setdefault(name, said)
        return self.supplied[name]

    def load(self, tree: ast.Module, **constants: Any) -> ModuleType:
        """Execute the definitions and constants of a tree in a fresh module.

        Parameters
        ----------
        tree : ast.Module
        **constants
            Values that module-level names have whatever the program assigns to them (its sizes).
        """
        tree = self._ready(tree)
        module = self.fresh()
        with registered(module):
            self.execute(tree.body, module.__dict__, constants)
        return module

    def fresh(self) -> ModuleType:
        """Return a module in which nothing has been executed yet."""
        module = ModuleType(MODULE_NAME)
        module.__dict__["__builtins__"] = self._builtins()
        module.__dict__["__file__"] = PROGRAM
        module.__dict__.update(self.supplied)
        return module

    def run(
        self, module: ModuleType, tree: ast.Module, watch: Callable[..., Any], marks: Callable[[bool], None], seed: int, files: Files
    ) -> None:  # fmt: skip
        """Execute all of a program, its run included, until the watcher has seen enough.

        Parameters
        ----------
        module : ModuleType
            A fresh one, of :meth:`fresh`.
        tree : ast.Module
        watch : function
            What ``sys.settrace`` takes.
        marks : function
            What a marked loop calls where a pass begins (False) and ends (True).
        seed : int
            Of what the program draws.
        files : Files
            What stands in for its files.
        """
        scope = module.__dict__
        scope["__builtins__"] |= {"open": files.open, MARK: marks}
        before, arguments = np.random.get_state(), sys.argv
        self.files = files
        np.random.seed(seed)
        random.seed(seed)
        sys.argv = Arguments([PROGRAM])
        try:
            with files.in_numpy(), seeded_generators(seed), registered(module):
                for statement in _flat(tree.body):
                    try:
                        code = self._compiled(statement, PROGRAM)
                        sys.settrace(watch)
                        exec(code, scope)
                    except (Exception, SystemExit) as error:
                        self.raised = f"{type(error).__name__}: {error}"
                        continue
                    finally:
                        sys.settrace(None)
                for function in entries(module):  # nothing has begun by itself
                    try:
                        sys.settrace(watch)
                        function()
                    except (Exception, SystemExit) as error:
                        self.raised = self.raised or f"{type(error).__name__}: {error}"
                    finally:
                        sys.settrace(None)
        finally:
            sys.argv = arguments
            np.random.set_state(before)

    def _ready(self, given: ast.Module) -> ast.Module:
        """Return the tree as it is executed; the last few are kept, for a program is loaded many times."""
        way = (self.printed, self.dressed, self.step)
        for kept, former, ready in self._trees:
            if kept is given and former == way:
                return ready
        tree = squared(without_clips(with_printed_cost(given) if self.printed else given)[0])[0]
        tree = as_function(tree)[0] if self.step is None else as_step(tree, self.step)
        tree = as_class(tree) if self.dressed else tree
        self._trees = [(given, way, tree), *self._trees[:3]]
        return tree

    def _compiled(self, statement: ast.stmt, file: str) -> CodeType:
        """Return the code of a statement, compiled once."""
        held = self._codes.get(id(statement))
        if held is None or held[0] is not statement:
            if len(self._codes) > 2000:
                self._codes.clear()
            held = self._codes[id(statement)] = (statement, compile(ast.Module([statement], []), file, "exec"))
        return held[1]

    def execute(self, body: Iterable[ast.stmt], scope: dict[str, Any], constants: dict[str, Any]) -> None:
        """Execute the statements that define something; what fails is remembered in ``failed``."""
        scope.update(constants)
        state = np.random.get_state()
        np.random.seed(0)
        left = [BUDGET]
        try:
            for statement in body:
                place = (statement.lineno, statement.col_offset)
                if place in self._long or not self._wanted(statement, scope):
                    continue
                code = self._compiled(statement, scope["__file__"])
                try:
                    if isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.Import):
                        exec(code, scope)
                    else:
                        within_budget(lambda code=code: exec(code, scope), left)  # type: ignore[misc]
                except Exhausted:
                    self._long.add(place)
                    self._failed(statement, "it runs for too long to be a constant")
                except SystemExit:
                    self._failed(statement, "it ends the program")
                except Exception as error:
                    self._failed(statement, f"{type(error).__name__}: {error}")
                scope.update(constants)
        finally:
            np.random.set_state(state)

    def _failed(self, statement: ast.stmt, why: str) -> None:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                self.failed[node.id] = f"line {statement.lineno}: {why}"

    def _builtins(self) -> dict[str, Any]:
        scope = dict(vars(builtins))
        scope.update(
            __import__=importer(self._provide, self.replaced, lambda name: stand_in_for(name, lambda: self.files)),
            print=lambda *a, **k: None,
            input=lambda *a: "",
            raw_input=lambda *a: "",
            open=open_stand_in,
            xrange=range,
            unicode=str,
            long=int,
            reload=lambda m: m,
        )
        return scope

    def _wanted(self, statement: ast.stmt, scope: dict[str, Any]) -> bool:
        """Tell a definition or a constant from the run."""
        match statement:
            case ast.FunctionDef() | ast.ClassDef() | ast.Import() | ast.ImportFrom() | ast.AsyncFunctionDef():
                return True
            case ast.If(test=test) if "__name__" in ast.unparse(test):
                return False
            case ast.Assign() | ast.AnnAssign() | ast.AugAssign() | ast.With() | ast.Try():
                return not _trains(statement, scope)
            case ast.If():
                return not _trains(statement, scope)
            case ast.For():
                return not _trains(statement, scope) and not _computes(statement, self.tree)
            case ast.Expr(value=ast.Call(func=ast.Attribute() as f)):
                text = ast.unparse(f)
                return text.endswith("random.seed") or f.attr in ("append", "update", "extend", "add", "setdefault")
        return False


@contextlib.contextmanager
def registered(module: ModuleType) -> Iterator[None]:
    """Let the module be found by its name: dataclasses look theirs up while they are made."""
    kept = sys.modules.get(MODULE_NAME)
    sys.modules[MODULE_NAME] = module
    try:
        yield
    finally:
        if kept is None:
            del sys.modules[MODULE_NAME]
        else:
            sys.modules[MODULE_NAME] = kept


def _flat(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield statements, those under the main guard one by one."""
    for statement in body:
        if isinstance(statement, ast.If) and "__name__" in ast.unparse(statement.test):
            yield from statement.body
        else:
            yield statement


def _trains(statement: ast.stmt, scope: dict[str, Any]) -> bool:
    """Tell whether a statement calls a function of the program that is named like a run."""
    for node in ast.walk(statement):
        if isinstance(node, ast.While):
            return True
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            attribute = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            owner = ast.unparse(node.func).split(".")[0]
            if RUNS.match(name or "_") and isinstance(scope.get(name), type(_trains)):
                return True
            if attribute and RUNS.match(attribute) and owner in scope and not isinstance(scope[owner], ModuleType):
                return True
    return False


def _computes(statement: ast.stmt, tree: ast.Module, depth: int = 2) -> bool:
    """Tell whether a loop does a network's work, itself or in what it calls; one that only fills a table does not."""
    for node in ast.walk(statement):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            return True
        if isinstance(node, ast.Attribute) and node.attr in ("dot", "exp", "tanh", "matmul", "einsum"):
            return True
        if isinstance(node, ast.Call):
            if re.search(r"forward|backward|loss|sigmoid|softmax|step", ast.unparse(node.func)):
                return True
            called = node.func.id if isinstance(node.func, ast.Name) and depth else ""
            own = [f for f in tree.body if isinstance(f, ast.FunctionDef) and f.name == called]
            if any(_computes(part, tree, depth - 1) for f in own for part in f.body):
                return True
    return False


def within_budget(
    run: Callable[[], Any], left: list[int] | None = None, seen: dict[str, set[int]] | None = None
) -> Any:
    """Run something, and stop it by :class:`Exhausted` when it has gone through its lines of Python.

    ``seen`` receives the lines that were reached, by the name of the function that they stand in.
    """
    left = [BUDGET] if left is None else left

    def count(frame: FrameType, event: str, argument: Any) -> Callable[..., Any] | None:
        if frame.f_code.co_filename != PROGRAM:
            return None  # only their own lines count
        if event == "line":
            left[0] -= 1
            if left[0] < 0:
                raise Exhausted
            if seen is not None:
                seen.setdefault(frame.f_code.co_name, set()).add(frame.f_lineno)
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        return run()
    finally:
        sys.settrace(before)
