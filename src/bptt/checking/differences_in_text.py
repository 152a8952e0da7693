"""Read the kind of mistake off a proven repair: what the right statement has that theirs lacks, and the reverse."""

from __future__ import annotations

import ast
from collections import Counter

from bptt.checking.labels import Label
from bptt.checking.stepping import Unit

PRODUCTS = {"dot", "matmul"}
SUMS = {"sum", "mean"}


def labels_of_edit(unit: Unit, replacement: str) -> list[Label]:
    """Return the kinds of mistake that the difference of two statements shows."""
    try:
        new = ast.parse(replacement).body[0]
    except SyntaxError:
        return []
    old = unit.statement
    labels: list[Label] = []
    before, after = _products(old), _products(new)
    if before["matrix"] > after["matrix"] and after["elementwise"] > before["elementwise"]:
        labels.append(Label("M1", "a matrix product stands where an elementwise one is meant"))
    elif before["matrix"] < after["matrix"] and after["elementwise"] < before["elementwise"]:
        labels.append(Label("M1", "an elementwise product stands where a matrix product is meant"))
    old_index, new_index = _indices(old), _indices(new)
    if old_index != new_index and _names(old) >= _names(new) - {"T"} and (old_index - new_index) and (new_index - old_index):
        gone = ", ".join(sorted((old_index - new_index).elements()))
        here = ", ".join(sorted((new_index - old_index).elements()))
        labels.append(Label("T2", f"the index `{gone}` is of another step than `{here}`"))
    if "softmax_backward" in _names(old) and "softmax_backward" not in _names(new):
        labels.append(Label("S1", "softmax_backward is the diagonal s(1 - s) alone: it leaves out how each class moves the others"))
    if _calls(new, SUMS) > _calls(old, SUMS):
        labels.append(Label("M3", "the sum over the examples is missing"))
    if isinstance(old, ast.Assign | ast.AugAssign) and isinstance(new, ast.Assign | ast.AugAssign) and type(old) is not type(new):
        labels.append(Label("U1", "the parts of all steps are summed: `+=`, not `=`"))
    transposes = _transposes(new) - _transposes(old)
    if not labels and transposes:
        labels.append(Label("M1", "a transpose is missing or too many"))
    if not labels and _names(old) != _names(new) and len(_names(new) - _names(old)) == 1 == len(_names(old) - _names(new)):
        labels.append(Label("W1", f"`{next(iter(_names(old) - _names(new)))}` stands where `{next(iter(_names(new) - _names(old)))}` is meant"))
    return labels


def _products(node: ast.AST) -> Counter[str]:
    count: Counter[str] = Counter()
    for child in ast.walk(node):
        if isinstance(child, ast.BinOp) and isinstance(child.op, ast.MatMult):
            count["matrix"] += 1
        elif isinstance(child, ast.BinOp) and isinstance(child.op, ast.Mult | ast.Sub):
            count["elementwise"] += 1
        elif isinstance(child, ast.Call) and isinstance(child.func, ast.Attribute) and child.func.attr in PRODUCTS:
            count["matrix"] += 1
    return count


def _indices(node: ast.AST) -> Counter[str]:
    found: Counter[str] = Counter()
    for child in ast.walk(node):
        if isinstance(child, ast.Subscript) and not isinstance(child.slice, ast.Constant):
            found[ast.unparse(child)] += 1
    return found


def _names(node: ast.AST) -> set[str]:
    names = {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}
    names |= {child.attr for child in ast.walk(node) if isinstance(child, ast.Attribute)}
    return names | {str(child.value) for child in ast.walk(node) if isinstance(child, ast.Constant) and isinstance(child.value, str)}


def _calls(node: ast.AST, names: set[str]) -> int:
    return sum(isinstance(c, ast.Call) and isinstance(c.func, ast.Attribute) and c.func.attr in names for c in ast.walk(node))


def _transposes(node: ast.AST) -> int:
    return sum(isinstance(c, ast.Attribute) and c.attr == "T" for c in ast.walk(node))
