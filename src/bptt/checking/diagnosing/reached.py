"""Which backward functions of a program the check has reached: what never ran is not proven."""

from __future__ import annotations

import ast
import re
import sys
from types import FrameType
from typing import Any

from bptt.checking.program import Program, Sizes
from bptt.checking.tracing.quiet import quiet

NAMED = re.compile(r"back_?(ward|prop)|bptt|bwd", re.IGNORECASE)
PRODUCTS = {"dot", "matmul", "einsum", "outer", "tensordot"}
SIZES = Sizes(n_x=3, n_a=5, n_y=7, m=2, T_x=4)


def unreached(program: Program, seed: int = 0) -> tuple[tuple[str, int], ...]:
    """Return the functions that look like a part of a backward pass and never ran while the gradients were computed.

    Parameters
    ----------
    program : Program
    seed : int

    Returns
    -------
    tuple of (str, int)
        Qualified name and line; in the order of the text.
    """
    candidates = _backward_functions(program.tree)
    if not candidates:
        return ()
    ran: set[tuple[str, int]] = set()

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            ran.add((frame.f_code.co_name, frame.f_code.co_firstlineno))

    with quiet():
        case = program.build(program.load(program.tree), SIZES, seed)
        before = sys.getprofile()
        sys.setprofile(watch)
        try:
            case.gradients()
        finally:
            sys.setprofile(before)
    return tuple(
        (name, program.origins[node.lineno - 1].line)
        for name, node in candidates
        if (node.name, min([node.lineno, *(d.lineno for d in node.decorator_list)])) not in ran
    )


def _backward_functions(tree: ast.Module) -> list[tuple[str, ast.FunctionDef]]:
    """Return the functions with a backward name and a matrix product; a mere activation's derivative has none."""
    found = []
    owners: list[ast.Module | ast.ClassDef] = [tree, *(n for n in tree.body if isinstance(n, ast.ClassDef))]
    for owner in owners:
        prefix = f"{owner.name}." if isinstance(owner, ast.ClassDef) else ""
        for node in owner.body:
            if isinstance(node, ast.FunctionDef) and NAMED.search(node.name) and _multiplies(node):
                found.append((prefix + node.name, node))
    return found


def _multiplies(function: ast.FunctionDef) -> bool:
    for node in ast.walk(function):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            return True
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in PRODUCTS:
            return True
    return False
