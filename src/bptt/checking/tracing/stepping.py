"""Rewrite a program so that it runs statement by statement, each result handed to us and perhaps replaced.

A *unit* is one place where a value arrives: the target of an assignment, or an expression with no name of its own
(an element of a returned tuple, the argument of ``append``).
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from bptt.checking.tracing.step_nodes import (
    HERE,
    HOOKS,
    as_load,
    as_store,
    entered,
    here,
    hook,
    is_plain_function,
    is_preamble,
    is_read,
    keeps_values,
    locals_call,
    located,
    looking_out,
    statement_of,
    turned,
    variables,
)
from bptt.checking.tracing.trees import copied

ADDS = {"append", "appendleft", "insert", "add", "setdefault"}


@dataclass
class Unit:
    """One place where a value arrives."""

    number: int
    line: int
    end_line: int
    function: str
    text: str
    """The statement, as written."""
    target: str
    """Where the value goes, as written; for a nameless expression what it goes into."""
    op: str
    """``=`` or the operator of an update, ``+=``."""
    expression: ast.expr
    statement: ast.stmt
    reads: frozenset[str]
    """What the expression reads: names, attributes and items with their keys, as written."""
    loops: tuple[int, ...]
    """The lines of the ``for`` statements around it, outermost first."""
    recursive: bool = False
    """Whether the expression reads its own target, as an update does."""
    part: int | None = None
    """The place in a tuple of targets."""
    column: int = 0
    nameless: bool = False
    """Whether it is only a part of its statement: an argument, an element of a display."""
    base: int = -1
    """The unit that it is in another chain of calls; -1 for one by itself."""
    context: int = 0
    """The chain of calls."""

    @property
    def root(self) -> int:
        """The number of the unit whatever the chain of calls."""
        return self.number if self.base < 0 else self.base


class Stepper(ast.NodeTransformer):
    """Put the steps into a tree."""

    def __init__(self, units: list[Unit], own: frozenset[str] = frozenset()) -> None:
        self.units = units
        self.own = own
        self._function: list[str] = []
        self._around: set[str] = set()
        self._loops: list[int] = []
        self._guarded = 0

    def visit_Module(self, node: ast.Module) -> ast.AST:
        for statement in node.body:
            self._outside(statement)
        place = 0
        while place < len(node.body) and is_preamble(node.body[place]):
            place += 1
        node.body.insert(place, ast.parse(f"import bptt.checking.tracing.forced as {HOOKS}").body[0])
        return ast.fix_missing_locations(node)

    def _outside(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            self.visit(statement)
        elif isinstance(statement, ast.If | ast.Try | ast.With):
            for child in ast.iter_child_nodes(statement):
                if isinstance(child, ast.stmt):
                    self._outside(child)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self._function.append(node.name)
        for statement in node.body:
            if isinstance(statement, ast.FunctionDef | ast.ClassDef):
                self.visit(statement)
        self._function.pop()
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self._function.append(node.name)
        loops, self._loops = self._loops, []
        around, self._around = self._around, self._around | variables(node)
        generator = any(isinstance(n, ast.Yield | ast.YieldFrom) for n in ast.walk(node))
        if not generator:
            node.body = [*looking_out(around, node), *entered(node, self._block(node.body))]
        self._loops, self._around = loops, around
        self._function.pop()
        return node

    def _block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        done: list[ast.stmt] = []
        for statement in body:
            result = self.visit(statement)
            done += result if isinstance(result, list) else [result]
        return done

    def visit_For(self, node: ast.For) -> ast.AST | list[ast.stmt]:
        self._loops.append(node.lineno)
        names = [n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)]
        node.body = self._block(node.body)
        depth = len(self._loops)
        self._loops.pop()
        node.orelse = self._block(node.orelse)
        tick = ast.parse(f"{HOOKS}.tick({node.lineno})").body[0]
        return turned(node, tick, names, depth)

    def visit_While(self, node: ast.While) -> ast.AST:
        self._loops.append(node.lineno)
        node.body = self._block(node.body)
        self._loops.pop()
        node.body.insert(0, ast.parse(f"{HOOKS}.tick({node.lineno})").body[0])
        return node

    def visit_If(self, node: ast.If) -> ast.AST:
        node.body, node.orelse = self._block(node.body), self._block(node.orelse)
        return node

    def visit_With(self, node: ast.With) -> ast.AST:
        node.body = self._block(node.body)
        return node

    def visit_Try(self, node: ast.Try) -> ast.AST:
        self._guarded += bool(node.handlers)
        node.body = self._block(node.body)
        self._guarded -= bool(node.handlers)
        for handler in node.handlers:
            handler.body = self._block(handler.body)
        node.orelse, node.finalbody = self._block(node.orelse), self._block(node.finalbody)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST | list[ast.stmt]:
        original = copied(node)
        target = node.targets[-1]
        listed = isinstance(node.value, ast.ListComp) and isinstance(target, ast.Name) and bool(self._function)
        display = isinstance(node.value, ast.Tuple | ast.List | ast.Dict | ast.ListComp | ast.DictComp) and not listed
        if display or isinstance(target, ast.Starred):
            before = len(self.units)
            node.value = self._elements(node.value, original, target)
            if len(self.units) > before or not self._function or not keeps_values(original):
                return node
            return self._step(node, [target], [self._unit(original, ast.unparse(target), "call", original.value, None)])
        if is_plain_function(node.value):
            return node
        self._arguments(node.value, original)
        targets = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
        if any(isinstance(t, ast.Starred | ast.Tuple | ast.List) for t in targets):
            return node
        many = isinstance(target, ast.Tuple | ast.List)
        units = [
            self._unit(original, ast.unparse(t), "=", original.value, place if many else None)
            for place, t in enumerate(targets)
        ]
        return self._step(node, targets, units)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | list[ast.stmt]:
        if node.value is None or not isinstance(node.target, ast.Name):
            return node
        plain = ast.copy_location(ast.Assign([node.target], node.value), node)
        return self.visit_Assign(plain)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST | list[ast.stmt]:
        original = copied(node)
        op = {"Add": "+=", "Sub": "-=", "Mult": "*=", "Div": "/="}.get(type(node.op).__name__, "?=")
        unit = self._unit(original, ast.unparse(node.target), op, original.value, None)
        return self._step(node, [node.target], [unit])

    def visit_Return(self, node: ast.Return) -> ast.AST | list[ast.stmt]:
        if node.value is None:
            return node
        original = copied(node)
        node.value = self._elements(node.value, original, None)
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST | list[ast.stmt]:
        call = node.value
        if not isinstance(call, ast.Call):
            return node
        original = copied(node)
        if isinstance(call.func, ast.Attribute) and call.func.attr in ADDS and call.args:
            call.args[-1] = self._elements(call.args[-1], original, call.func.value)
            return node
        out = next((k.value for k in call.keywords if k.arg == "out"), None)
        if out is not None:
            unit = self._unit(original, ast.unparse(out), "=", original.value, None)
            return self._step(node, [out], [unit])
        if isinstance(call.func, ast.Attribute) and ast.unparse(call.func) in (
            "np.add.at",
            "numpy.add.at",
            "np.subtract.at",
        ):
            op = "+=" if "add" in ast.unparse(call.func) else "-="
            unit = self._unit(original, ast.unparse(call.args[0]), op, original.value, None)
            return self._step(node, [call.args[0]], [unit])
        if not self._guarded:
            unit = self._unit(original, "", "call", original.value, None)
            name = call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func)
            if name in self.own and self._function:
                return self._step(node, [], [unit])
            return self._try([node], f"{HOOKS}.failed({HERE}, {unit.number})", node)
        return node

    def _arguments(self, value: ast.expr, statement: ast.stmt) -> None:
        """Make units of the sums and products that are handed to one of their own functions."""
        for call in [n for n in ast.walk(value) if isinstance(n, ast.Call)]:
            name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
            if name in self.own:
                call.args = [
                    self._elements(a, statement, ast.Name("")) if isinstance(a, ast.BinOp | ast.Subscript) else a
                    for a in call.args
                ]

    def _elements(
        self, value: ast.expr, statement: ast.stmt, target: ast.expr | None, assigned: bool = False
    ) -> ast.expr:
        """Judge each element of a display by itself; one that only names a value is judged where it is assigned."""
        if isinstance(value, ast.Tuple | ast.List):
            names: list[ast.expr | None] = [target] * len(value.elts)
            each = isinstance(target, ast.Tuple | ast.List) and len(target.elts) == len(value.elts)
            if isinstance(target, ast.Tuple | ast.List) and each:
                names = list(target.elts)
            value.elts = [self._elements(e, statement, n, each) for e, n in zip(value.elts, names, strict=True)]
            return value
        if isinstance(value, ast.Dict):
            value.values = [
                self._elements(v, statement, k if isinstance(k, ast.Constant) else target)
                for k, v in zip(value.keys, value.values, strict=True)
            ]
            return value
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "dict":
            for keyword in value.keywords:
                keyword.value = self._elements(keyword.value, statement, ast.Constant(keyword.arg))
            return value
        handed_on = isinstance(value, ast.Subscript) and isinstance(target, ast.Name)
        handed_on |= isinstance(statement, ast.Return) and isinstance(statement.value, ast.Name)
        handed_on |= assigned and isinstance(value, ast.Name) and isinstance(target, ast.Subscript | ast.Attribute)
        if not handed_on and not any(isinstance(n, ast.BinOp | ast.Call | ast.UnaryOp) for n in ast.walk(value)):
            return value
        if isinstance(value, ast.ListComp | ast.DictComp | ast.GeneratorExp | ast.Starred | ast.Lambda):
            return value
        name = "" if target is None else target.value if isinstance(target, ast.Constant) else ast.unparse(target)
        unit = self._unit(statement, str(name), "=", copied(value), None)
        unit.nameless = True
        late = ast.Lambda(ast.arguments([], [], None, [], [], None, []), value)
        call = ast.Call(hook("nameless"), [ast.Constant(unit.number), late, locals_call(), here()], [])
        return ast.copy_location(call, value)

    def _unit(self, statement: ast.stmt, target: str, op: str, expression: ast.expr, part: int | None) -> Unit:
        reads = frozenset(ast.unparse(n) for n in ast.walk(expression) if is_read(n))
        unit = Unit(
            len(self.units), statement.lineno, statement.end_lineno or statement.lineno, ".".join(self._function),
            ast.unparse(statement), target, op, expression, statement, reads, tuple(self._loops),
            recursive=target in reads, part=part, column=statement.col_offset,
        )  # fmt: skip
        self.units.append(unit)
        return unit

    def _step(self, node: ast.stmt, targets: list[ast.expr], units: list[Unit]) -> list[ast.stmt]:
        numbers = ", ".join(str(u.number) for u in units)
        loads = [as_load(t) for t in targets]
        begin = statement_of(f"{HOOKS}.begin(({numbers},), locals(), {HERE})")
        updates = bool(targets) and (units[0].op != "=" or units[0].recursive)
        if updates or (targets and units[0].loops and isinstance(targets[0], ast.Name)):
            old = ast.Lambda(ast.arguments([], [], None, [], [], None, []), copied(loads[0]))
            begin.value.args += [old, ast.Constant(updates)]  # type: ignore[attr-defined]
        place = ast.parse(f"({numbers},)", mode="eval").body
        values = loads or [ast.Constant(None)]  # a call for what it does gives nothing
        done = ast.Expr(ast.Call(hook("done"), [place, ast.Tuple(values, ast.Load()), here()], []))
        steps: list[ast.stmt] = [begin]
        if self._guarded:
            steps += [node, done]
        else:
            steps += self._try([node, done], f"{HOOKS}.failed({HERE}, {numbers})", node)
        for unit, target in zip(units, targets, strict=bool(targets)):
            put = ast.Assign([as_store(target)], ast.Call(hook("forced"), [ast.Constant(unit.number), here()], []))
            steps.append(ast.If(ast.Call(hook("forces"), [ast.Constant(unit.number), here()], []), [put], []))
        return [located(s, node) for s in steps]

    def _try(self, body: list[ast.stmt], on_error: str, node: ast.stmt) -> list[ast.stmt]:
        handler = ast.ExceptHandler(
            ast.Name("Exception", ast.Load()), "_bptt_error", [statement_of(on_error[:-1] + ", error=_bptt_error)")]
        )
        return [located(ast.Try(body, [handler], [], []), node)]


def stepped_tree(tree: ast.Module) -> tuple[ast.Module, list[Unit]]:
    """Return a copy of a program that runs unit by unit, and its units."""
    units: list[Unit] = []
    own = frozenset(n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef))
    return Stepper(units, own).visit(copied(tree)), units
