"""Edits of an index: a step earlier or later, another variable, the state before the first step, einsum's letters."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import numpy as np

from bptt.checking.repairing.leaves import enclosing
from bptt.checking.repairing.nodes import text_of
from bptt.checking.repairing.patch import Change, replace
from bptt.checking.repairing.ranges import ranges


def moved_indices(
    node: ast.stmt, names: Mapping[str, Any], code: str, tree: ast.Module
) -> Iterator[tuple[float, Change]]:
    """Yield the changes that move one index by a step or count it by another variable, where no term is made of it.

    That is in its target and within a comprehension.
    """
    around = enclosing(tree, node)
    read = None if around is None else {n.id for n in ast.walk(around) if isinstance(n, ast.Name)}
    steps = [
        n
        for n, v in names.items()
        if isinstance(v, int | np.integer) and not isinstance(v, bool) and (read is None or n in read)
    ]
    loops = [n for n in ast.walk(node) if isinstance(n, ast.comprehension)]
    counted = [n.id for loop in loops for n in ast.walk(loop.target) if isinstance(n, ast.Name)]
    own = [ast.unparse(x) for t in getattr(node, "targets", [getattr(node, "target", None)]) if t for x in ast.walk(t)]
    for holder in ast.walk(node):
        if not isinstance(holder, ast.Subscript):
            continue
        inside = any(isinstance(n, ast.Name) and n.id in counted for n in ast.walk(holder.slice))
        if not inside and ast.unparse(holder) not in own:
            continue
        if isinstance(holder.ctx, ast.Store) and isinstance(holder.value, ast.Name):
            own_array: Any = names.get(holder.value.id)
            for name, value in names.items():
                alike = isinstance(value, np.ndarray) and isinstance(own_array, np.ndarray) and name != holder.value.id
                if alike and np.shape(value) == np.shape(own_array) and holder.value.id[:2] == name[:2]:
                    yield 1.1, replace(code, holder.value, name)
        if isinstance(holder.ctx, ast.Store) and ast.unparse(holder.slice) == ":":
            for end in ("-1", "0"):  # a cost of one step alone
                yield 1.0, replace(code, holder.slice, end)
        for index in ast.walk(holder.slice):
            if (
                isinstance(index, ast.BinOp)
                and isinstance(index.left, ast.Name)
                and isinstance(index.op, ast.Add | ast.Sub)
            ):
                other = "+" if isinstance(index.op, ast.Sub) else "-"
                texts = [index.left.id, f"{index.left.id} {other} {text_of(code, index.right)}"]
            elif isinstance(index, ast.Name) and index.id in (*steps, *counted):
                texts = [f"{index.id} - 1", f"{index.id} + 1", *(n for n in steps if n != index.id and len(n) < 16)]
            elif isinstance(index, ast.Name) and (numbers := _whole_numbers(names.get(index.id))) is not None:
                texts = [n for n, v in names.items() if n != index.id and _whole_numbers(v) == numbers]
            else:
                continue
            for text in texts:
                yield 1.0, replace(code, index, text)


def _whole_numbers(value: Any) -> int | None:
    """Return how many whole numbers a list or an array of indices holds; None for anything else."""
    try:
        array = np.asarray(value) if isinstance(value, list | tuple | np.ndarray) else None
    except ValueError:  # ragged
        return None
    return array.size if array is not None and array.ndim and array.dtype.kind in "iu" else None


def first_steps(
    node: ast.stmt, names: Mapping[str, Any], code: str, tree: ast.Module
) -> Iterator[tuple[float, Change]]:
    """Yield the changes that read ``a[t - 1]`` only after the first step, and the initial state at it."""
    function = enclosing(tree, node)
    for holder in ast.walk(getattr(node, "value", node)):
        if not (isinstance(holder, ast.Subscript) and isinstance(holder.ctx, ast.Load)):
            continue
        parts = holder.slice.elts if isinstance(holder.slice, ast.Tuple) else [holder.slice]
        back = [
            p for p in parts if isinstance(p, ast.BinOp) and isinstance(p.op, ast.Sub) and ast.unparse(p.right) == "1"
        ]
        if len(back) != 1 or not isinstance(back[0].left, ast.Name):
            continue
        text, step = text_of(code, holder), back[0].left.id
        shape = _shape_of(holder, names)
        states = [f"np.zeros_like({text})"] if "np" in names else []
        for other in ast.walk(function) if function is not None else ():
            if isinstance(other, ast.Name | ast.Attribute) and isinstance(other.ctx, ast.Load):
                states += [ast.unparse(other)] if shape is not None and _shape_of(other, names) == shape else []
        held = getattr(names.get("self"), "__dict__", {})
        states += [
            f"self.{name}"
            for name, value in held.items()
            if shape is not None and getattr(value, "shape", None) == shape
        ]
        for k, state in enumerate(dict.fromkeys(states)):
            yield 1.3 + 0.1 * min(k, 5), replace(code, holder, f"({text} if {step} > 0 else {state})")


def subscripts(node: ast.stmt, code: str) -> Iterator[tuple[float, Change]]:
    """Yield other letters in what an ``einsum`` sums by.

    Two of them exchanged where an operand or the result was turned, one for another, and one more or less in the
    result: an axis too many was summed, or one too few.
    """
    for call in ast.walk(node):
        first = call.args[0] if isinstance(call, ast.Call) and call.args else None
        if not isinstance(first, ast.Constant) or not isinstance(first.value, str) or "->" not in first.value:
            continue
        if not ast.unparse(call.func).endswith("einsum"):  # type: ignore[attr-defined]
            continue
        groups = re.split(r"(,|->)", first.value.replace(" ", ""))
        quote, known, last = text_of(code, first)[-1], sorted({c for c in first.value if c.isalpha()}), len(groups) - 1
        for k, letters in enumerate(groups):
            others = list(_exchanged(letters)) if letters.isalpha() or k == last else []
            if k == last:
                others += [letters[:i] + letters[i + 1 :] for i in range(len(letters))]
                others += [letters[:i] + c + letters[i:] for i in range(len(letters) + 1) for c in known]
            if letters.isalpha():
                others += [letters[:i] + c + letters[i + 1 :] for i in range(len(letters)) for c in known]
            for other in dict.fromkeys(others):
                if other != letters and len(set(other)) == len(other):
                    text = "".join([*groups[:k], other, *groups[k + 1 :]])
                    yield 1.0, replace(code, first, f"{quote}{text}{quote}")


def _exchanged(letters: str) -> Iterator[str]:
    for i, j in combinations(range(len(letters)), 2):
        turned = list(letters)
        turned[i], turned[j] = turned[j], turned[i]
        yield "".join(turned)


def _shape_of(node: ast.expr, names: Mapping[str, Any]) -> tuple[int, ...] | None:
    try:
        value = eval(compile(ast.Expression(node), "<theirs>", "eval"), dict(names))
    except Exception:  # it is not known here
        return None
    return value.shape if isinstance(value, np.ndarray) else None


def restated(code: str, node: ast.stmt, *changes: Change) -> str:
    """Return a statement's text with changes within it, each on one line."""
    lines = text_of(code, node).split("\n")
    for change in sorted(changes, key=lambda one: (one.line, one.column), reverse=True):
        row = change.line - node.lineno
        shift = node.col_offset if row == 0 else 0
        line = lines[row]
        lines[row] = line[: change.column - shift] + change.text + line[change.end_column - shift :]
    return "\n".join(lines)


def other_ends(node: ast.stmt, names: Mapping[str, Any], code: str) -> Iterator[tuple[float, Change]]:
    """Yield the changes that take a list from its other end: ``pop()`` for ``pop(0)``, ``xs[::-1]`` for ``xs``."""
    turned = {ast.unparse(n.value) for n in ast.walk(node) if isinstance(n, ast.Subscript) and _turns(n.slice)}
    for inner in ast.walk(getattr(node, "value", node)):
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute) and inner.func.attr == "pop":
            first = [ast.unparse(a) for a in inner.args] == ["0"]
            if first or not inner.args:
                yield 1.0, replace(code, inner, f"{text_of(code, inner.func)}({'' if first else '0'})")
        elif isinstance(inner, ast.Subscript) and _turns(inner.slice):
            yield 1.1, replace(code, inner, text_of(code, inner.value))
        elif isinstance(inner, ast.Call) and (whole := _rolled(inner)) is not None:
            for cut in ("[:-1]", "[1:]"):
                yield 1.2, replace(code, inner, text_of(code, whole) + cut)
        elif (
            isinstance(inner, ast.Call)
            and isinstance(inner.func, ast.Attribute)
            and inner.func.attr == "append"
            and len(inner.args) == 1
        ):
            yield (
                1.3,
                replace(code, inner, f"{text_of(code, inner.func.value)}.insert(0, {text_of(code, inner.args[0])})"),
            )
        elif isinstance(inner, ast.Name) and isinstance(names.get(inner.id), list) and inner.id not in turned:
            yield 1.3, replace(code, inner, f"{inner.id}[::-1]")
        elif isinstance(inner, ast.Call) and turned:
            for argument in (a for a in inner.args if isinstance(a, ast.BinOp | ast.Name | ast.Call)):
                text = text_of(code, argument)
                yield (
                    1.3,
                    replace(code, argument, f"{text}[::-1]" if isinstance(argument, ast.Name) else f"({text})[::-1]"),
                )


def _rolled(node: ast.Call) -> ast.expr | None:
    """Return ``x`` of ``np.roll(x[1:], 1)``, in which the last comes round to the first place."""
    if ast.unparse(node.func).split(".")[-1] != "roll" or not node.args:
        return None
    cut = node.args[0]
    return cut.value if isinstance(cut, ast.Subscript) and ast.unparse(cut.slice) in ("1:", ":-1") else None


def handed_ranges(node: ast.stmt, code: str) -> Iterator[tuple[float, Change]]:
    """Yield other ranges of steps that a call is given: the other direction, a step more or less."""
    for call in ast.walk(getattr(node, "value", node)):
        for argument in call.args if isinstance(call, ast.Call) else ():
            base = argument
            if isinstance(base, ast.Call) and ast.unparse(base.func) == "reversed" and base.args:
                base = base.args[0]
            if isinstance(base, ast.Call) and ast.unparse(base.func) in ("range", "np.arange", "xrange"):
                for text, _ in ranges(code, argument):
                    yield 1.0, replace(code, argument, text)


def _turns(index: ast.expr) -> bool:
    return isinstance(index, ast.Slice) and ast.unparse(index).strip() == "::-1"
