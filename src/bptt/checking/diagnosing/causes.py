"""Why a statement that raised is wrong: what its proven repair has that it lacks, as a learner would ask.

A statement with several faults at once shows only the exception of the first; the repair tells the others apart.
"""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator

from bptt.checking.diagnosing.labels import Label
from bptt.checking.report import Finding

MATRIX = {"dot", "matmul"}
SUMS = {"sum", "mean"}


def causes(old: ast.stmt, new: ast.stmt, from_the_start: bool) -> list[Label]:
    """Return the kinds of mistake between a statement and its repair.

    Parameters
    ----------
    old, new : ast.stmt
    from_the_start : bool
        Whether the statement runs at step 0, where an index ``t - 1`` means the last step.
    """
    return [
        *_order(old, new),
        *_elementwise(old, new),
        *_softmax(old, new),
        *_steps(old, new, from_the_start),
        *_sum(old, new),
    ]


def counted(tree: ast.Module, count: int, functions: tuple[str, ...], raises: bool) -> str:
    """Say how many statements are wrong, of how many in their function, and how it shows."""
    total, where = 0, ""
    if len(functions) == 1:
        name = functions[0].split(".")[-1]
        function = next((n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == name), None)
        if function is not None:
            kinds = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Return)
            total, where = sum(isinstance(n, kinds) for n in ast.walk(function)), f" of {name}"
    some = f"{count} of {total} statements" if total >= count > 0 else f"{count} statement{'s' if count > 1 else ''}"
    shows = "; as it is, it raises an exception" if raises else ""
    return f"{some}{where} {'are' if count > 1 else 'is'} wrong{shows}"


def with_shared_steps(findings: list[Finding]) -> list[Finding]:
    """Name a wrong step also in the statements whose repair needs that array no more.

    Where one repair shows that ``A[:, :, t]`` is the state of another step, it is so in the whole loop.
    """
    pairs = [_both(finding) for finding in findings]
    moved: dict[tuple[str, str], str] = {}
    for before, after in pairs:
        for base, texts in before.items():
            gone = [t for t in texts if t not in after.get(base, ())]
            come = [t for t in after.get(base, ()) if t not in texts]
            if gone and come:
                moved[base, gone[0]] = come[0]
    result = []
    for finding, (before, after) in zip(findings, pairs, strict=True):
        for base, texts in before.items():
            for text in texts:
                if after and base not in after and (base, text) in moved:
                    cause = f"`{base}[{text}]` belongs to another step: here it is `{base}[{moved[base, text]}]`"
                    codes = tuple(dict.fromkeys((*finding.codes, "T2")))
                    finding = dataclasses.replace(finding, codes=codes, message=f"{finding.message}\n{cause}")
        result.append(finding)
    return result


def _both(finding: Finding) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return what a statement and its repair read at an index."""
    if finding.fix is None or finding.got is None or finding.got.error is None:
        return {}, {}
    try:
        return _indices(ast.parse(finding.statement)), _indices(ast.parse(finding.fix.replacement))
    except SyntaxError:  # the head of a loop, a part of a statement
        return {}, {}


def _order(old: ast.stmt, new: ast.stmt) -> Iterator[Label]:
    """Say it where a transposed weight must stand first, since it acts on what comes from above."""
    for left, right in _products(new):
        if not (isinstance(left, ast.Attribute) and left.attr == "T"):
            continue
        weight = ast.unparse(left)
        if weight in ast.unparse(old) and all(ast.unparse(first) != weight for first, _ in _outermost(old)):
            yield Label("M1", f"`{weight}` must act on `{_short(right)}`, so it stands first in the product")
            return


def _elementwise(old: ast.stmt, new: ast.stmt) -> Iterator[Label]:
    """Say it where an activation's derivative was not multiplied element by element."""
    for node in ast.walk(new):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            for side in (node.left, node.right):
                called = _function(side)
                if called and called in ast.unparse(old) and not _multiplied(old, called):
                    text = "an activation acts on each element, so its derivative multiplies with `*`, not with np.dot"
                    yield Label("M1", f"`{called}`: {text}")
                    return


def _softmax(old: ast.stmt, new: ast.stmt) -> Iterator[Label]:
    before, after = ast.unparse(old), ast.unparse(new)
    if "softmax_backward" not in before or "softmax_backward" in after:
        return
    text = "softmax_backward is the diagonal s(1 - s) alone: it leaves out how each class moves the others"
    difference = next(
        (n for n in ast.walk(new) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Sub) and _plain(n)), None
    )
    if difference is not None:
        text += f"; together with the cross-entropy the whole derivative is `{ast.unparse(difference)}`"
    yield Label("S1", text)


def _steps(old: ast.stmt, new: ast.stmt, from_the_start: bool) -> Iterator[Label]:
    """Say it where an array that both read is read at another step."""
    before, after = _indices(old), _indices(new)
    for base, texts in before.items():
        gone = [t for t in texts if t not in after.get(base, ())]
        come = [t for t in after.get(base, ()) if t not in texts]
        if not gone or not come:
            continue
        yield Label("T2", f"`{base}[{gone[0]}]` belongs to another step: `{base}[{come[0]}]` is meant")
        if from_the_start and "- 1" in gone[0]:
            yield Label("T1", "at t = 0 that index is -1, which is no error in NumPy: it is the last step")


def _sum(old: ast.stmt, new: ast.stmt) -> Iterator[Label]:
    if _calls(new, SUMS) > _calls(old, SUMS):
        yield Label(
            "M3", "the sum over the examples is missing: what forward adds to every example, backward sums over them"
        )


def _products(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    for child in ast.walk(node):
        if isinstance(child, ast.BinOp) and isinstance(child.op, ast.MatMult):
            yield child.left, child.right
        elif isinstance(child, ast.Call) and len(child.args) == 2 and ast.unparse(child.func).split(".")[-1] in MATRIX:
            yield child.args[0], child.args[1]


def _outermost(node: ast.AST) -> list[tuple[ast.expr, ast.expr]]:
    return list(_products(node))[:1]  # ast.walk goes from the outside in


def _function(node: ast.expr) -> str:
    return ast.unparse(node.func) if isinstance(node, ast.Call) and not _is_matrix(node) else ""


def _is_matrix(node: ast.Call) -> bool:
    return ast.unparse(node.func).split(".")[-1] in MATRIX


def _multiplied(node: ast.AST, called: str) -> bool:
    return any(
        isinstance(child, ast.BinOp)
        and isinstance(child.op, ast.Mult)
        and called in (_function(child.left), _function(child.right))
        for child in ast.walk(node)
    )


def _plain(node: ast.BinOp) -> bool:
    return all(isinstance(side, ast.Name | ast.Attribute | ast.Subscript) for side in (node.left, node.right))


def _indices(node: ast.AST) -> dict[str, list[str]]:
    """Return, for each array that is read at an index, its indices as written."""
    found: dict[str, list[str]] = {}
    for child in ast.walk(node):
        if isinstance(child, ast.Subscript) and not isinstance(child.slice, ast.Constant):
            texts = found.setdefault(ast.unparse(child.value), [])
            index = ast.unparse(child.slice).strip("()")
            if index not in texts:
                texts.append(index)
    return found


def _calls(node: ast.AST, names: set[str]) -> int:
    return sum(isinstance(c, ast.Call) and ast.unparse(c.func).split(".")[-1] in names for c in ast.walk(node))


def _short(node: ast.expr) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 60 else text[:57] + "..."
