"""The nodes of the syntax tree that hand each result to the hooks."""

from __future__ import annotations

import ast

from bptt.checking.tracing.trees import copied

HOOKS = "__bptt_steps__"
HERE = "_bptt_here"
"""The local variable that holds the number of the chain of calls."""


def located(statement: ast.stmt, node: ast.stmt) -> ast.stmt:
    """Give a new statement the place of an old one; what is new in it takes its place from it in the end."""
    return statement if hasattr(statement, "lineno") else ast.copy_location(statement, node)


def statement_of(text: str) -> ast.stmt:
    """Return a statement without a place, which it then takes over from another."""
    statement = ast.parse(text).body[0]
    for child in ast.walk(statement):
        for name in ("lineno", "col_offset", "end_lineno", "end_col_offset"):
            if hasattr(child, name):
                delattr(child, name)
    return statement


def hook(name: str) -> ast.expr:
    """Name one of the hooks."""
    return ast.Attribute(ast.Name(HOOKS, ast.Load()), name, ast.Load())


def here() -> ast.expr:
    """Read the number of the chain of calls."""
    return ast.Name(HERE, ast.Load())


def entered(function: ast.FunctionDef, body: list[ast.stmt]) -> list[ast.stmt]:
    """Return a function's body between the hooks that tell who calls it."""
    enter = ast.parse(f"{HERE} = {HOOKS}.enter({', '.join(arguments_of(function))})").body[0]
    leave = ast.parse(f"{HOOKS}.leave()").body[0]
    steps = [enter, ast.Try(body, [], [], [leave])]
    return [located(step, function) for step in steps]


def looking_out(around: set[str], function: ast.FunctionDef) -> list[ast.stmt]:
    """Let a nested function see what the one around it holds, as a fix may need it: naming it is enough."""
    names = sorted(around - variables(function))
    return [located(ast.parse(f"lambda: ({', '.join(names)},)").body[0], function)] if names else []


def arguments_of(function: ast.FunctionDef) -> list[str]:
    """Return the names of a function's arguments, those with stars included."""
    given = function.args
    return [a.arg for a in (*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg) if a]


def variables(function: ast.FunctionDef) -> set[str]:
    """Return the arguments of a function and the names that it assigns, without those of functions inside it."""
    names = set(arguments_of(function))
    inside: list[ast.AST] = list(function.body)
    while inside:
        node = inside.pop()
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif not isinstance(node, ast.Lambda | ast.comprehension):
            names |= {node.id} if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else set()
            inside += ast.iter_child_nodes(node)
    return names


def turned(loop: ast.For, tick: ast.stmt, names: list[str], depth: int) -> list[ast.stmt]:
    """Return a loop with the hooks that tell what each turn is about: the weights of another layer, another gate."""
    held = f"{HERE}_{depth}"
    turn = ast.parse(f"{HERE} = {HOOKS}.turn({held}, {loop.lineno}, {_is_fixed(loop)}, {', '.join(names)})").body[0]
    loop.body[:0] = [tick, turn]
    steps = [ast.parse(f"{held} = {HERE}").body[0], loop, ast.parse(f"{HERE} = {held}").body[0]]
    return [located(step, loop) for step in steps]


def _is_fixed(loop: ast.For) -> bool:
    """Tell whether a loop's turns are counted in the text: over the gates, one by one."""
    calls = [n for n in ast.walk(loop.iter) if isinstance(n, ast.Call)]
    counted = any(ast.unparse(c.func) == "range" and all(isinstance(a, ast.Constant) for a in c.args) for c in calls)
    return counted or any(isinstance(n, ast.Tuple | ast.List) and len(n.elts) > 1 for n in ast.walk(loop.iter))


def keeps_values(node: ast.Assign) -> bool:
    """Tell whether a statement only puts values together under one name, as for the backward pass."""
    named = [n for n in ast.walk(node.value) if isinstance(n, ast.Name | ast.Attribute)]
    return (
        isinstance(node.targets[-1], ast.Name)
        and isinstance(node.value, ast.Tuple | ast.List | ast.Dict)
        and len(named) > 1
    )


def locals_call() -> ast.expr:
    """Call ``locals()``."""
    return ast.Call(ast.Name("locals", ast.Load()), [], [])


def as_load(target: ast.expr) -> ast.expr:
    """Return a target as it is read."""
    load = copied(target)
    if hasattr(load, "ctx"):
        load.ctx = ast.Load()
    return load


def as_store(target: ast.expr) -> ast.expr:
    """Return a target as it is written; one that cannot be written goes nowhere."""
    store = copied(target)
    if isinstance(store, ast.Name | ast.Attribute | ast.Subscript):
        store.ctx = ast.Store()
        return store
    return ast.Name("_bptt_nowhere", ast.Store())


def is_read(node: ast.AST) -> bool:
    """Tell whether a node reads a name, an attribute or an item."""
    return isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Load)


def is_plain_function(value: ast.expr) -> bool:
    """Tell whether a value is no calculation."""
    return isinstance(value, ast.Lambda | ast.Constant)


def is_preamble(statement: ast.stmt) -> bool:
    """Tell whether a statement must stay at the top of a file."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return True
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
