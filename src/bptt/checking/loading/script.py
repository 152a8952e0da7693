"""Inline scripts: the body of the training loop, which does forward and backward, as one function that can be called.

Nothing moves: the statements keep their lines and columns, so that a finding still names the person's own line.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Sequence

STEP = "training_step"
FORWARD = re.compile(r"tanh\(|exp\(|sigm\w*\(|relu\(|maximum\(|logistic\(|activation\(|np\.dot\(|@|\.dot\(|matmul\(")
GRADIENT = re.compile(
    r"\b(d|grad_?|delta_?|g)_?[A-Za-z]\w*\b *(\+=|-=|=)|\w*(_update|_delta|_grad|_d|_gradient)s? *(\+=|-=|=)|\bdelta\w* *=|\.append\(.*(delta|deriv)"
    r"|^\s*[\w.]+(\[[^\]]*\])? \+= .*(\.T\b.*(dot\(|@)|(dot\(|@ ).*\.T\b|outer\()"
)
NOT_GRADIENT = re.compile(
    r"(data|dt|dims?|dtype|done|decay|depth|dataset|data_\w+|date|dict|digits?|days?|df|display|gen|get|go|graph|guess\w*|gates?) *(\+=|-=|=)"
)


def as_function(tree: ast.Module) -> tuple[ast.Module, int | None]:
    """Return a program whose training loop stands in its run with that loop's body as the function ``training_step``.

    Parameters
    ----------
    tree : ast.Module

    Returns
    -------
    tree : ast.Module
        As given where there is no such loop, or where it is done already.
    line : int or None
        The line of the loop.
    """
    if any(isinstance(s, ast.FunctionDef) and s.name == STEP for s in tree.body):
        return tree, None
    for holder in _holders(tree):
        loops = [s for s in holder if isinstance(s, ast.For | ast.While) and does_both(s.body)]
        if not loops:
            continue
        loop = loops[-1]
        body, line = _body(loop)
        place = holder.index(loop)
        setup = holder[:place] if holder is not tree.body else []
        return _with_step(tree, holder, loop, setup, body), line
    return tree, None


def _holders(tree: ast.Module) -> list[list[ast.stmt]]:
    """Return the statement lists where a script's loop may stand: the module, its main guard, functions without arguments."""
    found = [tree.body]
    for statement in tree.body:
        if isinstance(statement, ast.If) and "__name__" in ast.unparse(statement.test):
            found.append(statement.body)
        if isinstance(statement, ast.FunctionDef) and len(statement.args.args) == len(statement.args.defaults):
            found.append(statement.body)
    return found


def does_both(body: list[ast.stmt]) -> bool:
    """Tell whether statements hold a forward and a backward pass, written out."""
    lines = "\n".join(ast.unparse(s) for s in body).split("\n")
    forward = any(FORWARD.search(line) for line in lines)
    gradients = [line for line in lines if GRADIENT.search(line) and not NOT_GRADIENT.match(line.strip())]
    multiplied = sum(bool(re.search(r"dot\(|@|outer\(|matmul|einsum|\*", line)) for line in gradients)
    return forward and len(gradients) >= 3 and multiplied >= 2


def _body(loop: ast.For | ast.While) -> tuple[list[ast.stmt], int]:
    """Return the statements of one pass; a loop that only runs through the examples is entered."""
    first: list[ast.stmt] = []
    if isinstance(loop, ast.For):
        # the loop's variable takes its first value
        value = ast.Call(ast.Name("next", ast.Load()), [ast.Call(ast.Name("iter", ast.Load()), [loop.iter], [])], [])
        assign = ast.Assign([copy.deepcopy(loop.target)], value)
        for node in ast.walk(assign):
            if not hasattr(node, "lineno"):
                ast.copy_location(node, loop.iter)
        first = [ast.fix_missing_locations(ast.copy_location(assign, loop))]
    inner = [s for s in loop.body if isinstance(s, ast.For | ast.While) and does_both(s.body) and not is_time(s)]
    if len(inner) == 1 and not activates([s for s in loop.body if s is not inner[0]]) and activates(inner):
        before = loop.body[: loop.body.index(inner[0])]
        rest, line = _body(inner[0])
        return [*first, *before, *rest], line
    return [*first, *loop.body], loop.lineno


def activates(statements: Sequence[ast.stmt]) -> bool:
    """Tell whether statements hold an activation, written out."""
    return any(
        re.search(r"tanh\(|exp\(|sigm\w*\(|relu\(|maximum\(|logistic\(|softmax\(", ast.unparse(s)) for s in statements
    )


def is_time(loop: ast.For | ast.While) -> bool:
    """Tell whether a loop runs through the time steps backwards: then it is the backward pass itself."""
    header = ast.unparse(loop.iter) if isinstance(loop, ast.For) else ast.unparse(loop.test)
    return re.search(r"reversed|-1\)|::-1|time|seq|steps", header) is not None


class Ends(ast.NodeTransformer):
    """Turns the loop's own break and continue into the end of the function."""

    def visit_Break(self, node: ast.Break) -> ast.AST:
        """End the function."""
        return end_of_step(node)

    def visit_Continue(self, node: ast.Continue) -> ast.AST:
        """End the function."""
        return end_of_step(node)

    def visit_If(self, node: ast.If) -> ast.AST:
        """Leave out what is only done every so many passes: progress is shown, a text is drawn."""
        test = ast.unparse(node.test)
        if re.search(r"\w % \w+ ==|not \w+ % \w", test) and re.search(
            r"print\(|write\(|plot|sample", ast.unparse(node)
        ):
            node.test = ast.copy_location(ast.Constant(False), node.test)
        return self.generic_visit(node)

    def _leave(self, node: ast.AST) -> ast.AST:
        return node

    visit_For = visit_While = visit_FunctionDef = visit_Lambda = _leave


def end_of_step(node: ast.AST) -> ast.Return:
    """Return the statement that ends a step: it gives all of its variables."""
    value = ast.Call(ast.Name("dict", ast.Load()), [ast.Call(ast.Name("locals", ast.Load()), [], [])], [])
    end = ast.copy_location(ast.Return(value), node)
    for part in ast.walk(end):
        ast.copy_location(part, node)
    return end


def carried(body: list[ast.stmt]) -> list[str]:
    """Return the names that a pass reads before it binds them and binds later: what one pass hands to the next."""
    stored = {n.id for s in body for n in ast.walk(s) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return [name for name in taken(body) if name in stored]


def taken(body: list[ast.stmt]) -> list[str]:
    """Return the names that statements read before they bind them."""
    bound: set[str] = set()
    early: dict[str, None] = {}
    for statement in body:
        for name in _reads_first(statement, bound):
            early.setdefault(name)
    return list(early)


def _reads_first(statement: ast.stmt, bound: set[str]) -> list[str]:
    """Return names that a statement reads while they are unbound, and add those that it binds for certain."""
    out: list[str] = []

    def loads(node: ast.AST | None) -> None:
        inner = (
            {
                n.id
                for c in ast.walk(node)
                if isinstance(c, ast.comprehension)
                for n in ast.walk(c.target)
                if isinstance(n, ast.Name)
            }
            if node
            else set()
        )
        for n in ast.walk(node) if node else ():
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load) and n.id not in bound | inner:
                out.append(n.id)

    def stores(node: ast.AST) -> None:
        bound.update(n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))

    match statement:
        case ast.Assign(targets=targets, value=value):
            loads(value)
            for target in targets:
                loads(target)
                stores(target)
        case ast.AugAssign(target=target, value=value):
            loads(value)
            if isinstance(target, ast.Name) and target.id not in bound:
                out.append(target.id)
            loads(target)
            stores(target)
        case ast.For(target=target, iter=iterable, body=body):
            loads(iterable)
            stores(target)
            for inner in body:
                out.extend(_reads_first(inner, bound))
        case ast.While(test=test, body=body) | ast.If(test=test, body=body):
            loads(test)
            before = set(bound)
            for inner in body:
                out.extend(_reads_first(inner, bound))
            if isinstance(statement, ast.If):
                after = set(bound)
                bound.clear()
                bound.update(before)
                for inner in statement.orelse:
                    out.extend(_reads_first(inner, bound))
                bound.intersection_update(after) if statement.orelse else bound.update(before)
        case ast.FunctionDef(name=name):
            bound.add(name)
        case _:
            loads(statement)
            stores(statement)
    return out


def _with_step(
    tree: ast.Module, holder: list[ast.stmt], loop: ast.stmt, setup: list[ast.stmt], body: list[ast.stmt]
) -> ast.Module:
    """Return the program with the loop replaced by the function; a setup from elsewhere is lifted to the module."""
    inner = [Ends().visit(copy.deepcopy(s)) for s in body]
    inner.append(end_of_step(body[-1]))
    names = carried(body)
    arguments = ast.arguments([], [ast.arg(n) for n in names], None, [], [], None, [])
    step = ast.FunctionDef(STEP, arguments, inner, [], None, None)
    ast.copy_location(step, loop)
    step.end_lineno, step.end_col_offset = body[-1].end_lineno, body[-1].end_col_offset
    for argument in arguments.args:
        ast.copy_location(argument, loop)
    rest: list[ast.stmt] = []
    for statement in tree.body:
        if statement is loop:
            rest.append(step)
        elif holder is not tree.body and getattr(statement, "body", None) is holder:
            rest += [*setup, step]
        else:
            rest.append(statement)
    return ast.fix_missing_locations(ast.Module(rest, tree.type_ignores))
