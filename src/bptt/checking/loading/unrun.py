"""Which functions of a program look like a part of a backward pass, and which of them a run has gone through."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from bptt.checking.loading.facts import Function, label
from bptt.checking.loading.roles_by_name import COST_NAME
from bptt.checking.loading.scores import returns_cost_and_gradients

NAMED = re.compile(
    r"back_?(ward|prop)|(^|_)back(_|$)|bptt|bwd|bprop|^(?!.*(numer|check|clip|test|approx|desc|asc|norm|update|apply|zero)).*grad",
    re.IGNORECASE,
)
PRODUCTS = {"dot", "matmul", "einsum", "outer", "tensordot"}

COST_WORD = r"loss|cost|error|mse|bce|entropy|nll|objective"

Place = tuple[str, int]  # a function's name, and the line that it or its first decorator stands on


def backward_functions(tree: ast.Module) -> list[tuple[str, ast.FunctionDef]]:
    """Return the functions with a backward name and a matrix product, their own or of a function that they call.

    A mere activation's derivative has none. What returns its cost and gradients is one, whatever its name.
    """
    found = []
    every = [n for n in tree.body if isinstance(n, ast.FunctionDef) and NAMED.search(n.name)]
    products = {n.name for n in every if _multiplies(n)}
    calls = {n.name: Function(n).calls for n in every}
    for _ in calls:  # whoever calls one of them
        products |= {name for name, called in calls.items() if called & products}
    owners: list[ast.Module | ast.ClassDef] = [tree, *(n for n in tree.body if isinstance(n, ast.ClassDef))]
    for owner in owners:
        prefix = f"{owner.name}." if isinstance(owner, ast.ClassDef) else ""
        for node in owner.body:
            if isinstance(node, ast.FunctionDef) and (
                (NAMED.search(node.name) and (_multiplies(node) or (node in every and node.name in products)))
                or loss_layer(node) is not None
                or returns_cost_and_gradients(Function(node))
            ):
                found.append((prefix + node.name, node))
    return found


def outermost_first(tree: ast.Module) -> list[tuple[str, ast.FunctionDef]]:
    """Return the functions of :func:`backward_functions`, those last that others of them call."""
    found = backward_functions(tree)
    called = {name for _, node in found for name in Function(node).calls if name != node.name}
    return sorted(found, key=lambda f: f[1].name in called)


def loss_layer(function: ast.FunctionDef) -> str | None:
    """Return the argument of a loss layer whose gradient it returns beside the loss: ``return loss, dx``."""
    arguments = [a.arg for a in function.args.args]
    for node in ast.walk(function):
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) and len(node.value.elts) == 2:
            loss, gradient = (label(e) for e in node.value.elts)
            if COST_NAME.fullmatch(loss):
                of = [a for a in arguments if re.fullmatch(rf"(d_?|grad_){re.escape(a)}(_\w+)?", gradient)]
                return of[0] if of else None
    return None


def cost_derivatives(tree: ast.Module) -> list[tuple[ast.FunctionDef, ast.FunctionDef]]:
    """Return each cost with the function of the same arguments that gives its derivative by the first of them."""
    functions = {f.name: f for f in tree.body if isinstance(f, ast.FunctionDef) and len(f.args.args) == 2}
    costs = [f for f in functions.values() if re.search(COST_WORD, f.name, re.I) and not _is_derivative(f)]
    found = []
    for function in filter(_is_derivative, functions.values()):
        named = [a.arg for a in function.args.args]
        own = [c for c in costs if [a.arg for a in c.args.args] == named]
        of = [c for c in own if c.name in function.name] or own
        found += [(of[0], function)] if len(of) == 1 else []
    return found


def _is_derivative(function: ast.FunctionDef) -> bool:
    return re.search(r"grad|deriv|prime|back|^d_?(l|j|c|e|mse|bce|loss|cost)", function.name, re.I) is not None


def gradient_makers(tree: ast.Module) -> list[tuple[str, ast.FunctionDef]]:
    """Return the functions that work out the gradient by the output, and hand it to a backward pass."""
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    own, backward = {f.name for f in functions}, {f.name for f in functions if NAMED.search(f.name)}
    return [(f.name, f) for f in functions if f.name not in backward and _hands_gradient(f, backward, own)]


def _hands_gradient(function: ast.FunctionDef, backward: set[str], own: set[str]) -> bool:
    made: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and not Function(ast.FunctionDef("_", function.args, [node], [])).calls & own:
            made |= {t.value.id if isinstance(t, ast.Subscript) and isinstance(t.value, ast.Name) else ast.unparse(t)
                     for t in node.targets}  # fmt: skip
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in backward:
            names = {a.id for a in (*node.args, *(k.value for k in node.keywords)) if isinstance(a, ast.Name)}
            if any(re.fullmatch(r"(d|grad|delta)_?[A-Za-z]\w*|\w+_grad", name) for name in names & made):
                return True
    return False


def _multiplies(function: ast.FunctionDef) -> bool:
    for node in ast.walk(function):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            return True
        if isinstance(node, ast.Call) and (
            ast.unparse(node.func).split(".")[-1] in PRODUCTS or ast.unparse(node.func).endswith("add.at")
        ):
            return True
    text = ast.unparse(function)
    return "zeros_like(" in text and "] += " in text  # rows are added up, as of an embedding


def place_of(node: ast.FunctionDef) -> Place:
    """Return where the interpreter says that a function stands."""
    return node.name, min([node.lineno, *(d.lineno for d in node.decorator_list)])


def ran_during(run: Callable[[], Any]) -> set[Place]:
    """Run something, and return the functions that it went through; what it raises is let through."""
    ran: set[Place] = set()

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            ran.add((frame.f_code.co_name, frame.f_code.co_firstlineno))

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        run()
    finally:
        sys.setprofile(before)
    return ran
