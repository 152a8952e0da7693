"""The body of a training loop, wherever it stands, as one function: forward, cost and backward as they are run.

Nothing moves: the statements keep their lines and columns, so that a finding still names the person's own line.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass

from bptt.checking.loading.scores import BACKWARD, TRAIN
from bptt.checking.loading.script import STEP, Ends, activates, carried, does_both, end_of_step, is_time, taken

MARK = "__bptt_step__"
SHOWS = ("print", "append", "write")  # what a program shows a number with, or keeps it
SHOWN = "shown_"  # the numbers that a step only shows go by such names
LEARNS = re.compile(rf"(?!.*(numeric|check|zero_?grad|clip|step))({BACKWARD}|grads?$|{TRAIN}|learn|loss)", re.I)


@dataclass(frozen=True)
class Where:
    """A loop: the function that it stands in ("" for the run), and which of its loops it is."""

    holder: str
    number: int


def training_loops(tree: ast.Module) -> list[Where]:
    """Return the loops whose body is one step of the training, the likeliest first."""
    found: list[tuple[float, Where]] = []
    for name, body in _holders(tree):
        for number, loop in enumerate(_loops(body)):
            if is_time(loop) or not _trains(loop.body):
                continue
            inner = [s for s in _loops(loop.body) if not is_time(s) and _trains(s.body)]
            rest = [s for s in loop.body if not any(n in inner for n in ast.walk(s))]
            if inner and not activates(rest):
                continue  # the step is further inside
            written = does_both(loop.body)
            found.append((2.0 * written + bool(not name) + 0.1 * number, Where(name, number)))
    return [where for _, where in sorted(found, key=lambda f: -f[0])]


def _holders(tree: ast.Module) -> Iterator[tuple[str, list[ast.stmt]]]:
    """Yield the statement lists in which a loop may stand, with the qualified names of their functions."""
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef):
            yield statement.name, statement.body
        elif isinstance(statement, ast.ClassDef):
            yield from (
                (f"{statement.name}.{f.name}", f.body) for f in statement.body if isinstance(f, ast.FunctionDef)
            )
    yield "", tree.body


def _loops(body: list[ast.stmt]) -> list[ast.For | ast.While]:
    """Return the loops of a statement list, those inside others included, in the order of the text."""
    out: list[ast.For | ast.While] = []
    for statement in body:
        if isinstance(statement, ast.For | ast.While):
            out.append(statement)
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            continue
        for part in ("body", "orelse", "finalbody"):
            out += _loops(getattr(statement, part, []))
    return out


def _trains(body: list[ast.stmt]) -> bool:
    """Tell whether statements hold both passes, written out or called."""
    if does_both(body):
        return True
    called = [
        n.func.id if isinstance(n.func, ast.Name) else n.func.attr
        for s in body
        for n in ast.walk(s)
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Name | ast.Attribute)
    ]
    return any(LEARNS.search(name) for name in called)


def marked(tree: ast.Module, where: Where) -> ast.Module:
    """Return a copy of a program that tells when a pass through a loop begins and when it ends."""
    made = copy.deepcopy(tree)
    loop = _find(made, where)
    if loop is not None:
        calls = [ast.Expr(ast.Call(ast.Name(MARK, ast.Load()), [ast.Constant(end)], [])) for end in (False, True)]
        first, last = (ast.fix_missing_locations(ast.copy_location(call, loop)) for call in calls)
        loop.body = [first, *loop.body, last]
    return made


def _find(tree: ast.Module, where: Where) -> ast.For | ast.While | None:
    for name, body in _holders(tree):
        if name == where.holder:
            loops = _loops(body)
            return loops[where.number] if where.number < len(loops) else None
    return None


def line_of(tree: ast.Module, where: Where) -> int | None:
    """Return the line of a loop."""
    loop = _find(tree, where)
    return None if loop is None else loop.lineno


def as_step(tree: ast.Module, where: Where) -> ast.Module:
    """Return the program with the body of a loop as the function ``training_step``, in the loop's place.

    Its arguments are what it takes of the function around the loop, or, in the run, what one pass hands to the next.
    """
    if any(isinstance(s, ast.FunctionDef) and s.name == STEP for s in tree.body):
        return tree
    made = copy.deepcopy(tree)
    loop = _find(made, where)
    if loop is None:
        return tree
    names = _arguments(made, loop, where)
    body = [Ends().visit(s) for s in loop.body]
    arguments = ast.arguments([], [ast.arg(n) for n in names], None, [], [], None, [])
    step = ast.FunctionDef(STEP, arguments, [*_with_shown(body), end_of_step(loop.body[-1])], [], None, None)
    ast.copy_location(step, loop)
    step.end_lineno, step.end_col_offset = loop.body[-1].end_lineno, loop.body[-1].end_col_offset
    loop.body = [ast.copy_location(ast.Pass(), loop)]
    if where.holder:  # it is not run, and each line stands in one function only
        owners: list[ast.Module | ast.ClassDef] = [made, *(s for s in made.body if isinstance(s, ast.ClassDef))]
        for owner in owners:
            around = [s for s in owner.body if isinstance(s, ast.FunctionDef) and loop in ast.walk(s)]
            owner.body = [s for s in owner.body if s not in around] or [ast.copy_location(ast.Pass(), loop)]
    made.body.append(step)
    return ast.fix_missing_locations(made)


def _arguments(tree: ast.Module, loop: ast.For | ast.While, where: Where) -> list[str]:
    targets = {n.id for n in ast.walk(loop.target) if isinstance(n, ast.Name)} if isinstance(loop, ast.For) else set()
    if not where.holder:
        known = {*carried(loop.body), *targets}
    else:
        holder = next(f for f in _functions(tree) if loop in ast.walk(f))
        a = holder.args
        known = {x.arg for x in (*a.posonlyargs, *a.args, *a.kwonlyargs, a.vararg, a.kwarg) if x is not None}
        known |= {n.id for n in ast.walk(holder) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        known |= {n.name for n in ast.walk(holder) if isinstance(n, ast.FunctionDef) and n is not holder}
        known -= {n for g in ast.walk(holder) if isinstance(g, ast.Global) for n in g.names}
    return [n for n in taken(loop.body) if n in known]


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef):
            yield statement
        elif isinstance(statement, ast.ClassDef):
            yield from (f for f in statement.body if isinstance(f, ast.FunctionDef))


def _with_shown(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return statements with the numbers that they only show or collect kept under names of their own.

    Each is kept where it is calculated, before the weights are moved; one that an inner loop shows, at the end.
    """
    out: list[ast.stmt] = []
    late: list[ast.stmt] = []
    for statement in body:
        loops = isinstance(statement, ast.For | ast.While)
        kept = [_kept(e, len(out) + len(late) + i) for i, e in enumerate(_expressions(statement))]
        late += kept if loops else []
        out += [*([] if loops else kept), statement]
    return [*out, *late]


def _expressions(statement: ast.stmt) -> list[ast.expr]:
    """Return the calculations in a statement that are only shown or put into a list."""
    found: list[ast.expr] = []
    for node in ast.walk(statement):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in SHOWS:
            for expression in node.args:
                plain = ast.copy_location(_WithoutFloat().visit(copy.deepcopy(expression)), expression)
                if isinstance(plain, ast.BinOp | ast.Call) and not re.search(r"format|str\(|%", ast.unparse(plain)):
                    found.append(plain)
    return found


def _kept(expression: ast.expr, number: int) -> ast.stmt:
    """Return a statement that keeps a number, if it can be calculated."""
    kept = ast.Assign([ast.Name(f"{SHOWN}{number}", ast.Store())], expression)
    tried = ast.Try([kept], [ast.ExceptHandler(None, None, [ast.Pass()])], [], [])
    for part in ast.walk(tried):
        if not hasattr(part, "lineno"):
            ast.copy_location(part, expression)
    return tried


class _WithoutFloat(ast.NodeTransformer):
    """Takes ``float(x)`` for x: the number is the same, and what it is made of can still be seen."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Return the argument of a conversion."""
        self.generic_visit(node)
        return node.args[0] if ast.unparse(node.func) in ("float", "np.float64", "round") and node.args else node
