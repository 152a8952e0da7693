"""Read the kind of mistake off a proven repair: what the right statement has that theirs lacks, and the reverse."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator

from bptt.checking.diagnosing.mistakes import Label
from bptt.checking.repairing.ranges import is_zero
from bptt.checking.tracing.stepping import Unit

Pair = tuple[ast.AST, ast.AST]
MATRIX = {"dot", "matmul"}
SUMS = {"sum", "mean"}
SHORT = 80
"""The letters of two pieces of code that are shown beside each other, at most."""
SQUARE = re.compile(r"^\(?1(\.0)? - ")


def labels_of_edit(unit: Unit, replacement: str) -> list[Label]:
    """Return the kinds of mistake that the difference of two statements shows."""
    try:
        new = ast.parse(replacement).body[0]
    except SyntaxError:
        return []
    old = unit.statement
    labels: list[Label] = []
    if isinstance(old, ast.AugAssign) != isinstance(new, ast.AugAssign):
        labels.append(Label("U1", "the parts of all steps are summed up: `+=`, not `=`"))
    elif isinstance(old, ast.AugAssign) and isinstance(new, ast.AugAssign) and type(old.op) is not type(new.op):
        labels.append(Label("L1", "its sign is wrong"))
    before, after = _target(old), _target(new)
    if before != after and before.endswith("[:]"):
        labels.append(Label("R4", f"every step is given what belongs to one: `{after}` is meant"))
    elif before != after:
        labels.append(Label("T2", f"it goes into `{before}`, where `{after}` is meant"))
    theirs, right = _value(old), _value(new)
    if theirs is not None and right is not None and is_zero(theirs) and not is_zero(right):
        labels.append(Label("R1", f"it is set to zeros here, so that nothing goes on from it: `{_short(right)}` does"))
    elif theirs is not None and right is not None and (steps := _other_steps(theirs, right)):
        labels.append(steps)
    elif theirs is not None and right is not None and (changed := _addends_changed(theirs, right)):
        labels.append(changed)
    elif theirs is not None and right is not None:
        for pair, above in differing(theirs, right, ()):
            labels += _label(pair, above)
    return list({label.code: label for label in reversed(labels)}.values())[::-1]


OPERATORS: dict[str, type[ast.operator]] = {
    "multiply": ast.Mult,
    "add": ast.Add,
    "subtract": ast.Sub,
    "divide": ast.Div,
}


def _value(node: ast.stmt) -> ast.expr | None:
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


def _target(node: ast.AST) -> str:
    targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
    return ", ".join(ast.unparse(target) for target in targets if target is not None)


def _short(node: ast.AST) -> str:
    text = ast.unparse(node)
    return text if len(text) <= SHORT else text[: SHORT - 4] + " ..."


def _other_steps(old: ast.expr, new: ast.expr) -> Label | None:
    """Tell whether all that differs is a range of steps that is handed to a function."""
    if not isinstance(old, ast.Call) or not isinstance(new, ast.Call) or len(old.args) != len(new.args):
        return None
    pairs = [(a, b) for a, b in zip(old.args, new.args, strict=True) if ast.dump(a) != ast.dump(b)]
    if len(pairs) != 1 or "range(" not in ast.unparse(pairs[0][0]):
        return None
    theirs, right = map(ast.unparse, pairs[0])
    return Label("T3", f"it is to go through the steps of `{right}`, and not through those of `{theirs}`")


def _addends_changed(old: ast.AST, new: ast.AST) -> Label | None:
    """Tell which part of a sum is missing, or too many."""
    mine, theirs = _addends(old), _addends(new)
    if len(theirs) > 1 and not Counter(mine) - Counter(theirs):
        more = list((Counter(theirs) - Counter(mine)).elements())
        return Label("R1", f"the part `{' + '.join(more)}` is left out of the sum")
    if len(mine) > 1 and not Counter(theirs) - Counter(mine):
        more = list((Counter(mine) - Counter(theirs)).elements())
        return Label("W1", f"the part `{' + '.join(more)}` does not belong in the sum")
    return None


def _addends(node: ast.AST) -> list[str]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _addends(node.left) + _addends(node.right)
    return [ast.unparse(node)]


def differing(old: ast.AST, new: ast.AST, above: tuple[ast.AST, ...]) -> Iterator[tuple[Pair, tuple[ast.AST, ...]]]:
    """Yield the smallest pairs of subexpressions that differ, each with what stands above it in theirs."""
    if ast.dump(old) == ast.dump(new):
        return
    if _exchanged(old, new):
        yield (old, new), above
        return
    if type(old) is type(new) and _head(old) == _head(new) and not isinstance(old, ast.Slice):
        olds, news = list(ast.iter_child_nodes(old)), list(ast.iter_child_nodes(new))
        if len(olds) == len(news):
            for a, b in zip(olds, news, strict=True):
                yield from differing(a, b, (*above, old))
            return
    yield (old, new), above


def _exchanged(old: ast.AST, new: ast.AST) -> bool:
    """Tell whether a matrix product has its operands in the other order."""
    if not isinstance(old, ast.BinOp) or not isinstance(new, ast.BinOp):
        return False
    if not isinstance(old.op, ast.MatMult) or not isinstance(new.op, ast.MatMult):
        return False
    return (ast.dump(old.left), ast.dump(old.right)) == (ast.dump(new.right), ast.dump(new.left))


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
        return ast.unparse(node.func)
    return None


def _label(pair: Pair, above: tuple[ast.AST, ...]) -> list[Label]:
    old, new = pair
    before, after = ast.unparse(old), ast.unparse(new)
    found: list[Label] = []
    if _exchanged(old, new):
        return [Label("M1", f"the operands stand in the wrong order: `{after}` is meant, not `{before}`")]
    if isinstance(old, ast.IfExp):
        ways = [ast.unparse(old.body), ast.unparse(old.orelse)]
        if after in ways:
            other = next((way for way in ways if way != after), after)
            said = f"`{other}` is taken at a step where `{after}` is right as well: the first or the last one"
            return [Label("T1", said)]
        if isinstance(new, ast.BinOp) and isinstance(new.op, ast.Add) and sorted(_addends(new)) == sorted(ways):
            return [Label("R1", f"both parts belong in the sum: `{after}`, not one or the other")]
    if isinstance(old, ast.Call) and isinstance(new, ast.Call) and _sums(old) and _sums(old) == _sums(new):
        return [Label("M3", f"`{before}` sums over other axes than `{after}`, which is meant")]
    if isinstance(old, ast.Call) and ast.unparse(old.func).endswith(".pop"):
        return [Label("T2", f"the steps are taken from the wrong end of the list: `{after}`, not `{before}`")]
    if isinstance(old, ast.Slice) or any(isinstance(a, ast.Slice) for a in above):
        return [Label("M2", f"another part of the stacked array is meant: `{after}`, not `{before}`")]
    if _count(old, MATRIX) > _count(new, MATRIX) and _elementwise(new) >= _elementwise(old):
        found.append(Label("M1", "a matrix product stands where an elementwise one is meant"))
    elif _count(old, MATRIX) < _count(new, MATRIX) and _elementwise(old) > _elementwise(new):
        found.append(Label("M1", "an elementwise product stands where a matrix product is meant"))
    if "softmax_backward" in before and "softmax_backward" not in after:
        found.append(
            Label(
                "S1", "softmax_backward is the diagonal s(1 - s) alone: it leaves out how each class moves the others"
            )
        )
    if _sums(new) > _sums(old):
        found.append(Label("M3", "the sum over the examples is missing"))
    if any(isinstance(a, ast.Subscript) for a in above) or _same_but_indices(old, new):
        found.append(Label("T2", f"the index belongs to another step: `{before}` instead of `{after}`"))
    if found:
        return found
    if isinstance(old, ast.Call) and not isinstance(new, ast.Call) and "1 - " in after and len(old.args) == 1:
        return [
            Label(
                "A1",
                f"`{before}` takes the derivative of what went through the activation already: `{after}` is meant",
            )
        ]
    if _in_slope(above) or (SQUARE.match(before) and SQUARE.match(after)):
        return [
            Label(
                "A1",
                f"the derivative of the activation is taken at the wrong argument: `{before}` instead of `{after}`",
            )
        ]
    if (isinstance(old, ast.Attribute) and old.attr == "T" and ast.unparse(old.value) == after) or (
        isinstance(new, ast.Attribute) and new.attr == "T" and ast.unparse(new.value) == before
    ):
        return [
            Label(
                "R3" if "aa" in before.lower() or "hh" in before.lower() else "M1",
                f"`{after}` is meant, not `{before}`: a transpose is missing or too many",
            )
        ]
    if isinstance(new, ast.BinOp) and isinstance(new.op, ast.Mult) and before in after:
        rest = _without(new, before)
        if isinstance(rest, ast.Constant):
            return [Label("L1", f"the factor {ast.unparse(rest)} is missing")]
        return [Label("A2", f"the factor `{ast.unparse(rest) if rest is not None else after}` is missing")]
    if isinstance(new, ast.BinOp) and isinstance(new.op, ast.Add) and before in after:
        rest = _without(new, before)
        return [Label("R1", f"the part `{ast.unparse(rest) if rest is not None else after}` is left out of the sum")]
    if isinstance(old, ast.BinOp) and isinstance(old.op, ast.Mult | ast.Div) and after in before:
        rest = _without(old, after)
        if rest is None or isinstance(rest, ast.Constant | ast.Name | ast.Attribute):
            return [Label("L1", f"`{before}` carries a factor that does not belong here")]
        if ast.unparse(rest) == f"1 - {after}":
            said = f"s(1 - s) of `{after}` leaves out how each class moves the others: y_hat - y is both steps"
            return [Label("S1", said)]
        return [Label("X", f"the factor `{ast.unparse(rest)}` does not belong here: `{after}` alone is meant")]
    if isinstance(old, ast.Constant) and isinstance(new, ast.Constant):
        return [Label("L1", f"the constant is {before}, where {after} is right")]
    if isinstance(old, ast.Name | ast.Attribute | ast.Subscript) and isinstance(
        new, ast.Name | ast.Attribute | ast.Subscript
    ):
        return [Label("W1", f"`{before}` stands where `{after}` is meant")]
    if _transposes(old) != _transposes(new):
        return [Label("M1", "a transpose is missing or too many, or the operands stand in the wrong order")]
    if above and len(before) + len(after) <= SHORT:
        return [Label("X", f"`{before}` stands where `{after}` is meant")]
    return []


def _in_slope(above: tuple[ast.AST, ...]) -> bool:
    """Tell whether a part stands within 1 - x², or x (1 - x)."""
    return any(
        isinstance(a, ast.BinOp)
        and isinstance(a.op, ast.Sub)
        and isinstance(a.left, ast.Constant)
        and a.left.value in (1, 1.0)
        for a in above
    )


def _same_but_indices(old: ast.AST, new: ast.AST) -> bool:
    if not (isinstance(old, ast.Subscript) and isinstance(new, ast.Subscript)):
        return False
    return ast.unparse(old.value) == ast.unparse(new.value) and not isinstance(new.slice, ast.Constant)


def _without(whole: ast.BinOp, part: str) -> ast.AST | None:
    if ast.unparse(whole.left) == part:
        return whole.right
    if ast.unparse(whole.right) == part:
        return whole.left
    return None


def _count(node: ast.AST, names: set[str]) -> int:
    total = 0
    for child in ast.walk(node):
        if (isinstance(child, ast.BinOp) and isinstance(child.op, ast.MatMult)) or (
            isinstance(child, ast.Call) and isinstance(child.func, ast.Attribute) and child.func.attr in names
        ):
            total += 1
    return total


def _elementwise(node: ast.AST) -> int:
    return sum(isinstance(c, ast.BinOp) and isinstance(c.op, ast.Mult) for c in ast.walk(node))


def _sums(node: ast.AST) -> int:
    return sum(
        isinstance(c, ast.Call) and isinstance(c.func, ast.Attribute) and c.func.attr in SUMS for c in ast.walk(node)
    )


def _transposes(node: ast.AST) -> int:
    return sum(isinstance(c, ast.Attribute) and c.attr == "T" for c in ast.walk(node))
