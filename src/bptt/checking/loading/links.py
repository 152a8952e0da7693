"""Which gradient belongs to which parameter, as the text itself says it: ``dW = np.zeros_like(W)``, ``W -= lr * dW``.

Names in any language and of any style are linked by what is done with them; no name is read for its meaning.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

LIKE = re.compile(r"(zeros|empty|ones|full)_like$")
PRODUCT = re.compile(r"@|\bdot\(|outer\(|einsum\(|matmul\(|\bsum\(|\.T\b|tensordot\(")
MAKES = re.compile(r"(zeros|empty)$")


def end_of(node: ast.expr) -> str:
    """Return the innermost name of an expression: ``W`` of ``self.W``, ``Wx`` of ``p["Wx"]``; "" for none."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            return end_of(value) if name in ("data", "value", "v", "val", "T", "w") and end_of(value) else name
        case ast.Subscript(value=value, slice=ast.Constant(value=str(key))):
            return key
        case ast.Starred(value=value):
            return end_of(value)
    return ""


def zeros_of(nodes: Iterable[ast.AST]) -> dict[str, str]:
    """Return, for each name that begins as zeros in the shape of another, that other name."""
    found: dict[str, str] = {}
    for target, value in assignments(nodes):
        name, source = end_of(target), shaped_like(value)
        if name and source and name != source:
            found.setdefault(name, source)
    return found


def shaped_like(value: ast.expr) -> str:
    """Return the name in whose shape an expression makes zeros: ``np.zeros_like(W)``, ``0 * W``."""
    match value:
        case ast.Call(func=function, args=[first, *_]) if LIKE.search(ast.unparse(function)):
            return end_of(first)
        case ast.Call(func=function, args=[ast.Attribute(value=of, attr="shape"), *_]) if MAKES.search(
            ast.unparse(function)
        ):
            return end_of(of)
        case (
            ast.BinOp(op=ast.Mult(), left=ast.Constant(value=0 | 0.0), right=of)
            | ast.BinOp(op=ast.Mult(), right=ast.Constant(value=0 | 0.0), left=of)
        ):
            return end_of(of)
    return ""


def assignments(nodes: Iterable[ast.AST]) -> Iterable[tuple[ast.expr, ast.expr]]:
    """Yield target and value of every assignment, element by element where tuples and list displays are unpacked."""
    for node in nodes:
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            yield node.target, node.value
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            if not isinstance(target, ast.Tuple | ast.List):
                yield target, node.value
                continue
            values = _elements(node.value)
            if values is not None and len(values) == len(target.elts):
                yield from zip(target.elts, values, strict=True)


def _elements(value: ast.expr) -> list[ast.expr] | None:
    """Return the elements of a display, or of what runs through one: ``[0 * q for q in (U, W)]``."""
    if isinstance(value, ast.Tuple | ast.List):
        return value.elts
    if isinstance(value, ast.ListComp | ast.GeneratorExp) and len(value.generators) == 1:
        run = value.generators[0]
        if isinstance(run.iter, ast.Tuple | ast.List) and isinstance(run.target, ast.Name):
            return [_Put(run.target.id, item).visit(_copy(value.elt)) for item in run.iter.elts]
    if isinstance(value, ast.Call) and ast.unparse(value.func) in ("map", "list", "tuple") and value.args:
        if ast.unparse(value.func) != "map":
            return _elements(value.args[0])
        if len(value.args) == 2 and isinstance(value.args[1], ast.Tuple | ast.List):
            return [ast.Call(value.args[0], [item], []) for item in value.args[1].elts]
    return None


def _copy(node: ast.expr) -> ast.expr:
    return ast.parse(ast.unparse(node), mode="eval").body


class _Put(ast.NodeTransformer):
    """Puts an expression where a name stands."""

    def __init__(self, name: str, value: ast.expr) -> None:
        self.name, self.value = name, value

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.value if node.id == self.name else node


def moved_by(nodes: Iterable[ast.AST]) -> dict[str, set[str]]:
    """Return, for each name that is moved, the names in what it is moved by: ``W -= lr * dW``, also through ``zip``."""
    nodes = list(nodes)
    found: dict[str, set[str]] = {}
    for node in nodes:
        moved = moved_in(node)
        if moved is not None:
            found.setdefault(moved[0], set()).update(moved[1])
    for node in nodes:  # W += v, where v is a velocity
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add) and end_of(node.value) in found:
            found.setdefault(end_of(node.target), set()).add(end_of(node.value))
    for loop in nodes:
        if (
            not isinstance(loop, ast.For)
            or not isinstance(loop.target, ast.Tuple)
            or not isinstance(loop.iter, ast.Call)
        ):
            continue
        if ast.unparse(loop.iter.func) != "zip" or len(loop.iter.args) != len(loop.target.elts):
            continue
        lists = [_elements(a) for a in loop.iter.args]
        names = [end_of(e) for e in loop.target.elts]
        for inner in ast.walk(loop):
            moved = moved_in(inner)
            if moved is None or moved[0] not in names:
                continue
            mine = lists[names.index(moved[0])]
            for other, items in zip(names, lists, strict=True):
                if other in moved[1] and mine and items and len(mine) == len(items):
                    for a, b in zip(mine, items, strict=True):
                        found.setdefault(end_of(a), set()).add(end_of(b))
    return found


def moved_in(node: ast.AST) -> tuple[str, set[str]] | None:
    """Return what one statement moves and the names it is moved by; None for any other statement."""
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add | ast.Sub):
        target: ast.expr = node.target
        by = node.value
    elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.value, ast.BinOp):
        target, by = node.targets[0], node.value.right
        kept = ast.unparse(target) in [ast.unparse(f) for f in _factors(node.value.left)]
        if not isinstance(node.value.op, ast.Add | ast.Sub) or not kept:
            return None
    else:
        return None
    if PRODUCT.search(ast.unparse(by)) or (isinstance(by, ast.Name | ast.Attribute | ast.Subscript) and _adds(node)):
        return None  # that is how a gradient is added up
    name = end_of(target)
    names = {end_of(n) for n in ast.walk(by) if isinstance(n, ast.Name | ast.Attribute | ast.Subscript)}
    return (name, names - {"", "self", name}) if name else None


def _factors(node: ast.expr) -> list[ast.expr]:
    """Return the factors of a product: of ``momentum * m``, what is left of a velocity."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return [*_factors(node.left), *_factors(node.right)]
    return [node]


def _adds(node: ast.AST) -> bool:
    match node:
        case ast.AugAssign(op=operation) | ast.Assign(value=ast.BinOp(op=operation)):
            return isinstance(operation, ast.Add)
    return False


def gradients_by_use(functions: Iterable[ast.AST], parameters: Iterable[str]) -> dict[str, str]:
    """Return, for each name that is the gradient of a parameter by its use, that parameter.

    Parameters
    ----------
    functions : iterable of ast.AST
        What computes the gradients and what moves the weights.
    parameters : iterable of str
        The innermost names of the parameters.
    """
    known = set(parameters)
    nodes = [node for f in functions for node in ast.walk(f)]
    found = {name: of for name, of in zeros_of(nodes).items() if of in known and name not in known}
    moved = moved_by(nodes)
    for name, by in moved.items():
        for other in by:
            if name in known and other not in known:
                last = moved.get(other, set()) - known - {name}
                if last and found.get(other) == name:
                    del found[other]  # a velocity: the gradient moves it
                for one in last or {other}:
                    found.setdefault(one, name)
    return found


def run_together(tree: ast.AST) -> list[list[str]]:
    """Return the lists of names through which the text runs: ``for q in (U, W, b)``, ``zip([W, b], [dW, db])``."""
    found = []
    for node in ast.walk(tree):
        sources: list[ast.expr] = []
        if isinstance(node, ast.For | ast.comprehension):
            sources = [node.iter]
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("zip", "map"):
            sources = list(node.args)
        for source in sources:
            if isinstance(source, ast.Tuple | ast.List) and all(isinstance(e, ast.Name) for e in source.elts):
                found.append([end_of(e) for e in source.elts])
    return found
