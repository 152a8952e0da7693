"""A cost that a program only shows: what its training loop prints or puts into a list becomes a function."""

from __future__ import annotations

import ast
import builtins
import copy
import re
from collections.abc import Iterator

from bptt.checking.loading.facts import Facts, facts_of
from bptt.checking.loading.scores import BACKWARD, FORWARD, cost_score, forward_score
from bptt.checking.loading.training_loops import SHOWS

NAME = "printed_loss"
NAMED = re.compile(r"loss|cost|err|nll|mse|entropy|objective|^[jeJEL]$", re.IGNORECASE)
MEASURES = re.compile(r"log\(|\*\* ?2|square\(|power\(")
FEW = 4
"""Variables of a shown cost at most: predictions, targets, a count."""


def with_printed_cost(tree: ast.Module) -> ast.Module:
    """Return the program with the cost that it only shows as a function ``printed_loss``; as it is if there is none."""
    facts = facts_of(tree)
    if any(cost_score(f, facts) >= 2.0 for f in facts.functions.values()):
        return tree
    for holder, owner in _holders(tree, facts):
        for expression in _shown(holder):
            names = _free(expression, holder, tree)
            if names and len(names) <= FEW:
                return _with_function(tree, owner, expression, names)
    return tree


def _holders(tree: ast.Module, facts: Facts) -> Iterator[tuple[ast.FunctionDef, str]]:
    """Yield the functions that call a forward pass and are no pass themselves, with their classes."""
    forward = {f.name for f in facts.functions.values() if forward_score(f, facts) > 1.0}
    for function in facts.functions.values():
        passes = re.search(FORWARD, function.name, re.I) or re.search(BACKWARD, function.name, re.I)
        if passes is None and function.calls & forward:
            yield function.node, function.owner or ""


def _shown(holder: ast.FunctionDef) -> Iterator[ast.expr]:
    for node in ast.walk(holder):
        found: list[ast.expr] = []
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in SHOWS:
            found = list(node.args)
        elif isinstance(node, ast.Assign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if len(targets) == 1 and isinstance(targets[0], ast.Name) and NAMED.search(targets[0].id):
                found = [node.value]
        for expression in found:
            if isinstance(expression, ast.BinOp | ast.Call | ast.UnaryOp) and MEASURES.search(ast.unparse(expression)):
                yield expression


def _free(expression: ast.expr, holder: ast.FunctionDef, tree: ast.Module) -> list[str]:
    """Return the variables that an expression reads, in the order of the text; what the module holds is none."""
    own = {n.id for n in ast.walk(expression) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    made = {a.arg for a in holder.args.args} | {
        n.id for n in ast.walk(holder) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    known = (
        {s.name for s in tree.body if isinstance(s, ast.FunctionDef | ast.ClassDef)} | set(vars(builtins)) | {"self"}
    )
    read = [n for n in ast.walk(expression) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
    read.sort(key=lambda n: (n.lineno, n.col_offset))
    return list(dict.fromkeys(n.id for n in read if n.id in made - own - known))


def _with_function(tree: ast.Module, owner: str, expression: ast.expr, names: list[str]) -> ast.Module:
    made = copy.deepcopy(tree)
    arguments = [ast.arg(name) for name in (["self"] if owner else []) + names]
    value = copy.deepcopy(expression)
    function = ast.FunctionDef(
        NAME, ast.arguments([], arguments, None, [], [], None, []), [ast.Return(value)], [], None, None
    )
    for part in ast.walk(function):
        if not hasattr(part, "lineno"):
            ast.copy_location(part, expression)
    where = next((s for s in made.body if isinstance(s, ast.ClassDef) and s.name == owner), made)
    where.body.append(function)
    return ast.fix_missing_locations(made)
