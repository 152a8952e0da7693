"""Where two statements differ: the smallest pairs of expressions, and what a sum has more in one than in the other."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

Pair = tuple[ast.AST, ast.AST]
PRODUCTS = ("dot", "matmul", "outer", "multiply", "inner", "tensordot")
OPERATORS: dict[str, type[ast.operator]] = {
    "multiply": ast.Mult,
    "add": ast.Add,
    "subtract": ast.Sub,
    "divide": ast.Div,
}


def value_of(node: ast.stmt) -> ast.expr | None:
    """Return what a statement assigns or adds, with np.multiply(a, b) as a * b and the like."""
    value = getattr(node, "value", None)
    if not isinstance(value, ast.expr):
        return None
    return _Operators().visit(ast.parse(ast.unparse(value), mode="eval")).body  # type: ignore[no-any-return]


class _Operators(ast.NodeTransformer):
    """Write np.multiply(a, b) as a * b and the like, so that spellings are not taken for differences."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if name in OPERATORS and len(node.args) == 2 and not node.keywords:
            return ast.BinOp(node.args[0], OPERATORS[name](), node.args[1])
        return node


def differing(old: ast.AST, new: ast.AST, above: tuple[ast.AST, ...]) -> Iterator[tuple[Pair, tuple[ast.AST, ...]]]:
    """Yield the smallest pairs of subexpressions that differ, each with what stands above it in theirs."""
    if ast.dump(old) == ast.dump(new):
        return
    chain = any(addends_changed(old, new)) or any(factors_changed(old, new))  # as a whole, however it is grouped
    if not chain and not exchanged(old, new) and type(old) is type(new) and _head(old) == _head(new):
        olds, news = list(ast.iter_child_nodes(old)), list(ast.iter_child_nodes(new))
        if len(olds) == len(news) and not isinstance(old, ast.Slice):
            for a, b in zip(olds, news, strict=True):
                yield from differing(a, b, (*above, old))
            return
    yield (old, new), above


def exchanged(old: ast.AST, new: ast.AST) -> bool:
    """Tell whether a product or a difference has its operands in the other order."""
    theirs, right = operands_of(old), operands_of(new)
    if not theirs or not right or _head(old) != _head(new) or type(old) is not type(new):
        return False
    return [ast.dump(n) for n in theirs] == [ast.dump(n) for n in reversed(right)]


def operands_of(node: ast.AST) -> list[ast.expr]:
    """Return the operands of a product, a difference or a quotient, whose order counts; empty for none."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult | ast.Sub | ast.Div):
        return [node.left, node.right]
    if isinstance(node, ast.Call) and len(node.args) == 2 and ast.unparse(node.func).split(".")[-1] in PRODUCTS:
        return list(node.args)
    return []


def _head(node: ast.AST) -> object:
    if isinstance(node, ast.BinOp):
        return type(node.op)
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Call):
        return node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
    return None


def addends_changed(old: ast.AST, new: ast.AST) -> tuple[str, str]:
    """Return what a sum lacks, and what it has too much, where that is all that differs; else empty texts."""
    theirs, right = Counter(addends(old)), Counter(addends(new))
    lacking, too_much = right - theirs, theirs - right
    if sum(right.values()) > 1 and not too_much:
        return " + ".join(lacking.elements()), ""
    if sum(theirs.values()) > 1 and not lacking:
        return "", " + ".join(too_much.elements())
    return "", ""


def addends(node: ast.AST) -> list[str]:
    """Return the parts of a sum."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return addends(node.left) + addends(node.right)
    return [ast.unparse(node)]


def factors(node: ast.AST) -> list[ast.expr]:
    """Return the factors of an elementwise product; what is divided by is none."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return factors(node.left) + factors(node.right)
    return [node] if isinstance(node, ast.expr) else []


def factors_changed(old: ast.AST, new: ast.AST) -> tuple[list[ast.expr], list[ast.expr]]:
    """Return the factors that a product lacks, and those that it has too many, where that is all that differs."""
    theirs, right = factors(old), factors(new)
    lacking = _without(right, theirs)
    too_many = _without(theirs, right)
    if len(right) > len(lacking) and not too_many:
        return lacking, []
    if len(theirs) > len(too_many) and not lacking:
        return [], too_many
    return [], []


def _without(nodes: list[ast.expr], others: list[ast.expr]) -> list[ast.expr]:
    count = Counter(ast.dump(other) for other in others)
    left = []
    for node in nodes:
        if count[ast.dump(node)]:
            count[ast.dump(node)] -= 1
        else:
            left.append(node)
    return left
