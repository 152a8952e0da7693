"""Absolute errors that a script adds up only to show them: the cost is then the half squared error, and it is said."""

from __future__ import annotations

import ast
import copy
import re

ABSOLUTE = {"np.abs", "abs", "np.absolute", "np.fabs", "numpy.abs"}


def squared(tree: ast.Module) -> tuple[ast.Module, tuple[int, ...]]:
    """Return the tree with ``error += np.abs(e)`` as ``error += 0.5 * e ** 2``, and the lines of such statements.

    Only where a loop adds up something named an error, and nothing in the program is the slope of an absolute value.
    """
    lines = [n.lineno for n in ast.walk(tree) if isinstance(n, ast.AugAssign) and _shows(n)]
    if not lines or re.search(r"\bsign\(", ast.unparse(tree)):
        return tree, ()
    changed = copy.deepcopy(tree)
    for node in ast.walk(changed):
        if isinstance(node, ast.AugAssign) and _shows(node):
            node.value = _Squares().visit(node.value)
    return ast.fix_missing_locations(changed), tuple(lines)


def _shows(node: ast.AugAssign) -> bool:
    return (
        isinstance(node.op, ast.Add)
        and isinstance(node.target, ast.Name)
        and re.search(r"err", node.target.id, re.I) is not None
        and any(isinstance(n, ast.Call) and ast.unparse(n.func) in ABSOLUTE for n in ast.walk(node.value))
    )


class _Squares(ast.NodeTransformer):
    """Puts half a square where an absolute value stands."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if ast.unparse(node.func) not in ABSOLUTE:
            return node
        square = ast.BinOp(node.args[0], ast.Pow(), ast.Constant(2))
        half = ast.BinOp(ast.Constant(0.5), ast.Mult(), square)
        for part in (square, square.right, half, half.left):
            ast.copy_location(part, node)
        return half
