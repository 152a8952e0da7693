"""Rewrite a program so that every operation in its functions reports to :mod:`bptt.checking.tracing.hooks`.

Values stay what they are, plain arrays and numbers; only the operators, calls, subscripts and assignments are
replaced by calls of hooks, which do the same work and may watch it.  Statements at module level are left alone.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from bptt.checking.tracing.trees import copied

HOOKS = "__bptt__"
UNTOUCHED = {"super", "locals", "globals", "vars", "eval", "exec", "dir", "isinstance", "len", "range", "print", "type"}


@dataclass(frozen=True)
class Site:
    """One operation in the person's text."""

    line: int
    column: int
    end_line: int
    end_column: int
    function: str
    text: str


class Tracer(ast.NodeTransformer):
    """Put a hook in the place of every operation within a function."""

    def __init__(self, sites: list[Site], own: str = "") -> None:
        self.sites = sites
        self.own = own
        self._inside: list[str] = []
        self._fresh = 0

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self._inside.append(node.name)
        node.body = [item for statement in node.body for item in self._statements(statement)]
        self._inside.pop()
        node.decorator_list.append(_hook("mine", node))
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self._inside.append(node.name)
        for statement in node.body:
            if isinstance(statement, ast.FunctionDef | ast.ClassDef):
                self.visit(statement)
        self._inside.pop()
        return node

    def visit_Module(self, node: ast.Module) -> ast.AST:
        for statement in node.body:
            self._outside(statement)
        place = 0
        while place < len(node.body) and _preamble(node.body[place]):
            place += 1
        load = ast.parse(f"import bptt.checking.tracing.hooks as {HOOKS}").body[0]
        node.body.insert(place, load)
        return ast.fix_missing_locations(node)

    def _outside(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            self.visit(statement)
        elif isinstance(statement, ast.If | ast.Try | ast.With):
            for child in ast.iter_child_nodes(statement):
                if isinstance(child, ast.stmt):
                    self._outside(child)

    def _statements(self, node: ast.stmt) -> list[ast.stmt]:
        done = self.visit(node)
        return done if isinstance(done, list) else [done]

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        node.body = self.visit(node.body)
        return ast.copy_location(ast.Call(_hook("mine", node), [node], []), node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        site = self._site(node)
        left, right = self.visit(node.left), self.visit(node.right)
        return self._call("binop", node, [site, ast.Constant(type(node.op).__name__), left, right])

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        if not isinstance(node.op, ast.USub) or isinstance(node.operand, ast.Constant):
            return self.generic_visit(node)
        site = self._site(node)
        return self._call("negative", node, [site, self.visit(node.operand)])

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Name) and node.func.id in UNTOUCHED:
            return self.generic_visit(node)
        if self.own and isinstance(node.func, ast.Attribute) and _is_name(node.func.value, self.own):
            node.args = [self.visit(argument) for argument in node.args]
            return node
        site = self._site(node)
        node.func = self.visit(node.func)
        arguments = [self.visit(argument) for argument in node.args]
        keywords = [self.visit(keyword) for keyword in node.keywords]
        return ast.copy_location(ast.Call(_hook("call", node), [site, node.func, *arguments], keywords), node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        site = self._site(node)
        value, index = self.visit(node.value), self.visit(node.slice)
        if not isinstance(node.ctx, ast.Load):
            node.value, node.slice = value, index
            return node
        return self._call("getitem", node, [site, value, _index(index)])

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        self.generic_visit(node)
        node.iter = ast.copy_location(ast.Call(_hook("iterate", node.iter), [node.iter], []), node.iter)
        return node

    def visit_For(self, node: ast.For) -> ast.AST:
        node.iter = self.visit(node.iter)
        node.iter = ast.copy_location(ast.Call(_hook("iterate", node.iter), [node.iter], []), node.iter)
        node.body = [item for statement in node.body for item in self._statements(statement)]
        node.orelse = [item for statement in node.orelse for item in self._statements(statement)]
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST | list[ast.stmt]:
        names = [ast.unparse(t) for t in node.targets if isinstance(t, ast.Name | ast.Attribute | ast.Subscript)]
        parts = [ast.unparse(e) for t in node.targets if isinstance(t, ast.Tuple) for e in t.elts]
        node.value = self.visit(node.value)
        if names or parts:
            label = ast.Tuple([ast.Constant(p) for p in parts], ast.Load()) if parts else ast.Constant(names[0])
            node.value = self._call("named", node.value, [label, node.value])
        after: list[ast.stmt] = []
        node.targets = [self._target(target, after) for target in node.targets]
        return [node, *after] if after else node

    def _target(self, target: ast.expr, after: list[ast.stmt]) -> ast.expr:
        """Let a subscript target receive its value through a name of ours and a hook."""
        if isinstance(target, ast.Tuple | ast.List):
            target.elts = [self._target(element, after) for element in target.elts]
            return target
        if isinstance(target, ast.Starred):
            target.value = self._target(target.value, after)
            return target
        if isinstance(target, ast.Subscript):
            name = self._name()
            value, index = self.visit(target.value), self.visit(target.slice)
            site = self._site(target)
            put = self._call("setitem", target, [site, value, _index(index), _load(name, target)])
            after.append(ast.copy_location(ast.Expr(put), target))
            return ast.copy_location(ast.Name(name, ast.Store()), target)
        return target

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST | list[ast.stmt]:
        site, op = self._site(node), ast.Constant(type(node.op).__name__)
        value = self.visit(node.value)
        if isinstance(node.target, ast.Subscript):
            holder, index = self.visit(node.target.value), self.visit(node.target.slice)
            call = self._call("update_item", node, [site, op, holder, _index(index), value])
            return ast.copy_location(ast.Expr(call), node)
        load = copied(node.target)
        for child in ast.walk(load):
            if hasattr(child, "ctx"):
                child.ctx = ast.Load()
        call = self._call("update", node, [site, op, load, value])
        return ast.copy_location(ast.Assign([node.target], call), node)

    def _site(self, node: ast.expr | ast.stmt) -> ast.Constant:
        self.sites.append(
            Site(
                node.lineno,
                node.col_offset,
                node.end_lineno or node.lineno,
                node.end_col_offset or 0,
                ".".join(self._inside),
                "" if self.own else ast.unparse(node),
            )
        )
        return ast.copy_location(ast.Constant(len(self.sites) - 1), node)

    def _name(self) -> str:
        self._fresh += 1
        return f"_bptt_{self._fresh}"

    def _call(self, hook: str, node: ast.AST, arguments: list[ast.expr]) -> ast.Call:
        return ast.copy_location(ast.Call(_hook(hook, node), arguments, []), node)


def _hook(name: str, node: ast.AST) -> ast.expr:
    value = ast.copy_location(ast.Name(HOOKS, ast.Load()), node)
    return ast.copy_location(ast.Attribute(value, name, ast.Load()), node)


def _load(name: str, node: ast.AST) -> ast.expr:
    return ast.copy_location(ast.Name(name, ast.Load()), node)


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _index(node: ast.expr) -> ast.expr:
    """Turn the slices of a subscript into expressions."""
    if isinstance(node, ast.Tuple):
        return ast.copy_location(ast.Tuple([_index(element) for element in node.elts], ast.Load()), node)
    if isinstance(node, ast.Slice):
        parts: list[ast.expr] = [part or ast.Constant(None) for part in (node.lower, node.upper, node.step)]
        return ast.copy_location(ast.Call(ast.Name("slice", ast.Load()), parts, []), node)
    return node


def _preamble(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return True
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"


def traced_tree(tree: ast.Module, own: str = "") -> tuple[ast.Module, list[Site]]:
    """Return an instrumented copy of a program, and the place of every operation.

    With ``own``, the module whose functions are hooks of ours already, they are left as they are, and no place gets
    its text.
    """
    sites: list[Site] = []
    done = Tracer(sites, own).visit(copied(tree))
    return done, sites
