"""The operands of a wrong statement's product, in the person's own characters and with named dimensions."""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING, Any

import numpy as np

from bptt.checking.diagnosing.verdict import named_dims
from bptt.checking.report import Operand

if TYPE_CHECKING:
    from bptt.checking.diagnosing.judging import Judged, Judging

PRODUCTS = ("dot", "matmul", "multiply", "outer", "einsum")


def operands(judging: Judging, judged: Judged) -> tuple[Operand, ...]:
    """Return both operands of the product that the statement stands on, as they were when it went wrong.

    That is the innermost one that does not fit where the statement raises, and else the outermost one; a sum where
    there is no product.
    """
    event = judged.events[judged.wrong[0]]
    if event.names is None:
        return ()
    space = {**vars(builtins), **vars(judging.module), **event.names}
    nodes = [node for node in ast.walk(judged.unit.expression) if pair_of(node) is not None]
    if event.error is not None:
        nodes = [node for node in reversed(nodes) if _fails(node, space)]
    else:
        nodes.sort(key=_is_sum)  # stable: products first, each kind from the outside in
    for node in nodes:
        found = [_operand(judging, side, space) for side in pair_of(node) or ()]
        if all(found):
            return tuple(one for one in found if one is not None)
    return ()


def pair_of(node: ast.AST) -> tuple[ast.expr, ...] | None:
    """Return the operands of a product, a quotient or a sum, or None."""
    if isinstance(node, ast.BinOp) and not isinstance(node.op, ast.Pow):
        return node.left, node.right
    if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in PRODUCTS:
        sides = tuple(side for side in node.args if not isinstance(side, ast.Constant))
        return sides if len(sides) == 2 else None
    return None


def _is_sum(node: ast.AST) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)


def _operand(judging: Judging, side: ast.expr, space: dict[str, Any]) -> Operand | None:
    value = _value(side, space)
    text = ast.get_source_segment(judging.program.code, side)
    if text is None or "\n" in text or not isinstance(value, np.ndarray) or value.ndim == 0:
        return None
    return Operand(text, named_dims(value.shape, judging.sizes))


def _fails(node: ast.AST, space: dict[str, Any]) -> bool:
    return isinstance(node, ast.expr) and _value(node, space) is None


def _value(node: ast.expr, space: dict[str, Any]) -> Any:
    """Evaluate a part of the statement; None where it raises, which is what is being looked for."""
    try:
        plain = ast.parse(ast.unparse(node), mode="eval")  # without the marks of the instrumented tree
        with np.errstate(all="ignore"):
            return eval(compile(plain, "<operand>", "eval"), space)
    except Exception:
        return None
