"""What the difference of two expressions means, theirs and the right one: one rule for each kind of mistake."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

from bptt.checking.diagnosing.differences_in_text import (
    addends,
    addends_changed,
    exchanged,
    factors_changed,
)
from bptt.checking.diagnosing.meanings import Meanings
from bptt.checking.diagnosing.mistakes import Label

MATRIX = {"dot", "matmul"}
SUMS = {"sum", "mean"}
SHORT = 80
"""The letters of two pieces of code that are shown beside each other, at most."""
SQUARE = re.compile(r"^\(?1(\.0)? - ")
SIZE = re.compile(r"\.shape\[-?\d+\]$|\.size$|^len\([^()]*\)$")
READ = ast.Name | ast.Attribute | ast.Subscript

Above = tuple[ast.AST, ...]
Rule = Callable[[ast.AST, ast.AST, Above, Meanings | None], Label | None]


def _order(old: ast.AST, new: ast.AST, above: Above, known: Meanings | None) -> Label | None:
    if not exchanged(old, new):
        return None
    if isinstance(old, ast.BinOp) and isinstance(old.op, ast.Sub):
        return Label("L1", f"its sign is wrong: `{short(new)}` is meant, not `{short(old)}`")
    return Label("M1", f"the operands stand in the wrong order: `{short(new)}` is meant, not `{short(old)}`")


def _sign(old: ast.AST, new: ast.AST, above: Above, known: Meanings | None) -> Label | None:
    for one, other in ((old, new), (new, old)):
        if isinstance(one, ast.UnaryOp) and isinstance(one.op, ast.USub) and ast.dump(one.operand) == ast.dump(other):
            return Label("L1", f"its sign is wrong: `{short(new)}` is meant")
    if isinstance(old, ast.BinOp) and isinstance(new, ast.BinOp) and {type(old.op), type(new.op)} == {ast.Add, ast.Sub}:
        same = ast.dump(old.left) == ast.dump(new.left) and ast.dump(old.right) == ast.dump(new.right)
        return Label("L1", f"the sign of `{short(new.right)}` is wrong") if same else None
    return None


def _choice(old: ast.AST, new: ast.AST, above: Above, known: Meanings | None) -> Label | None:
    if isinstance(old, ast.IfExp):
        ways = [ast.unparse(old.body), ast.unparse(old.orelse)]
        after = ast.unparse(new)
        if after in ways:
            taken = next((way for way in ways if way != after), after)
            return Label("T1", f"`{taken}` is taken at a step where `{after}` is right as well: the first or the last")
        if isinstance(new, ast.BinOp) and isinstance(new.op, ast.Add) and sorted(addends(new)) == sorted(ways):
            return Label("R1", f"both parts belong in the sum: `{after}`, not one or the other")
    if isinstance(new, ast.IfExp) and ast.dump(old) in (ast.dump(new.body), ast.dump(new.orelse)):
        other = new.orelse if ast.dump(old) == ast.dump(new.body) else new.body
        said = f"at the first step there is no `{short(old)}` yet: the state before it is `{short(other)}`"
        return Label("T1", said)
    return None


def _sum_axes(old: ast.AST, new: ast.AST, above: Above, known: Meanings | None) -> Label | None:
    if isinstance(old, ast.Call) and isinstance(new, ast.Call) and _sums(old) and _sums(old) == _sums(new):
        return Label("M3", f"`{ast.unparse(old)}` sums over other axes than `{ast.unparse(new)}`, which is meant")
    return None


def _taken_from_the_end(old: ast.AST, new: ast.AST, above: Above, known: Meanings | None) -> Label | None:
    if isinstance(old, ast.Call) and ast.unparse(old.func).endswith(".pop"):
        after, before = ast.unparse(new), ast.unparse(old)
        return Label("T2", f"the steps are taken from the wrong end of the list: `{after}`, not `{before}`")
    return None


def _slices(old: ast.AST, new: ast.AST, above: Above, known: Meanings | None) -> Label | None:
    cut = isinstance(new, ast.Subscript) and any(isinstance(n, ast.Slice) for n in ast.walk(new.slice))
    if cut and ast.dump(new.value) == ast.dump(old):  # type: ignore[attr-defined]
        return Label("M2", f"it has a part for everything that was stacked: `{short(new)}` is the part meant here")
    if isinstance(old, ast.Slice) or any(isinstance(a, ast.Slice) for a in above):
        before, after = ast.unparse(old), ast.unparse(new)
        return Label("M2", f"another part of the stacked array is meant: `{after}`, not `{before}`")
    return None


def _products(old: ast.AST, new: ast.AST, above: Above, known: Meanings | None) -> Label | None:
    if _count(old, MATRIX) > _count(new, MATRIX):
        if any(isinstance(n, ast.Call) and ast.unparse(n.func).endswith("outer") for n in ast.walk(new)):
            return Label("M1", f"the inner product stands where the outer one is meant, `{short(new)}`")
        if _elementwise(new) > _elementwise(old):
            return Label("M1", "a matrix product stands where an elementwise one is meant")
    if _count(old, MATRIX) < _count(new, MATRIX) and _elementwise(old) > _elementwise(new):
        return Label("M1", "an elementwise product stands where a matrix product is meant")
    return None


def _softmax(old: ast.AST, new: ast.AST, above: Above, known: Meanings | None) -> Label | None:
    after = ast.unparse(new)
    if re.search(r"diag\(.* - np\.outer\(", after) and "outer(" not in ast.unparse(old):
        return Label("S1", f"each softmax output depends on every input: the Jacobian is `{short(new)}`, no diagonal")
    if "softmax_backward" in ast.unparse(old) and "softmax_backward" not in ast.unparse(new):
        return Label(
            "S1", "softmax_backward is the diagonal s(1 - s) alone: it leaves out how each class moves the others"
        )
    return None


def _not_summed(old: ast.AST, new: ast.AST, above: Above, known: Meanings | None) -> Label | None:
    if _sums(new) <= _sums(old):
        return None
    if isinstance(new, ast.BinOp) and isinstance(new.op, ast.Sub) and ast.dump(new.left) == ast.dump(old):
        return Label("A2", f"what comes back through the mean is missing: `- {ast.unparse(new.right)}`")
    return Label("M3", "the sum over the examples is missing")


def _numbers(old: ast.AST, new: ast.AST, above: Above, known: Meanings | None) -> Label | None:
    """Tell one number from another: a size that is divided by, a constant factor."""
    indexed = _index_around(old, above) is not None
    if any(isinstance(node, ast.keyword) and node.arg == "axis" for node in above):
        return Label("M3", f"it goes over axis {ast.unparse(old)}, where axis {ast.unparse(new)} is meant")
    if isinstance(old, ast.Constant) and isinstance(new, ast.Constant) and not indexed:
        return Label("L1", f"the constant is {ast.unparse(old)}, where {ast.unparse(new)} is right")
    counts = all(SIZE.search(ast.unparse(node)) for node in (old, new))
    if indexed or not (counts or (known is not None and known.is_number(old) and known.is_number(new))):
        return None
    by = "divided by" if any(isinstance(a, ast.BinOp) and isinstance(a.op, ast.Div) for a in above) else "scaled with"
    return Label("L1", f"it is {by} `{short(old)}`, where the cost has `{short(new)}`")


def _indices(old: ast.AST, new: ast.AST, above: Above, known: Meanings | None) -> Label | None:
    before, after = ast.unparse(old), ast.unparse(new)
    inner = _index_around(old, above)
    if inner is None and not _same_but_indices(old, new):
        if known is not None and isinstance(old, READ) and isinstance(new, READ) and known.other_step(old, new):
            return Label("T2", f"`{before}` belongs to another step: here it is `{after}`")
        return None
    if isinstance(old, ast.Constant) and isinstance(old.value, str):
        code = "K" if known is not None and known.raised else "W1"
        return Label(code, f"the key is `{after}`, and not `{before}`")
    if inner is None or neighbours(old, new) or (known is not None and known.is_step(inner.slice)):
        return Label("T2", f"the index belongs to another step: `{before}` instead of `{after}`")
    return Label("W1", f"it is taken at `{before}`, where `{after}` is meant")


def _slope(old: ast.AST, new: ast.AST, above: Above, known: Meanings | None) -> Label | None:
    before, after = short(old), short(new)
    if isinstance(old, ast.Call) and not isinstance(new, ast.Call) and "1 - " in after and len(old.args) == 1:
        said = f"`{before}` takes the derivative of what went through the activation already: `{after}` is meant"
        return Label("A1", said)
    within = any(
        isinstance(a, ast.BinOp)
        and isinstance(a.op, ast.Sub)
        and isinstance(a.left, ast.Constant)
        and a.left.value in (1, 1.0)
        for a in above
    )
    if within or (SQUARE.match(before) and SQUARE.match(after)):
        said = f"the derivative of the activation is taken at the wrong argument: `{before}` instead of `{after}`"
        return Label("A1", said)
    if known is not None and known.is_slope(new) and not known.is_slope(old):
        return Label("A1", f"the derivative of the activation is `{after}`, and not `{before}`")
    return None


def _transposed(old: ast.AST, new: ast.AST, above: Above, known: Meanings | None) -> Label | None:
    before, after = ast.unparse(old), ast.unparse(new)
    if (isinstance(old, ast.Attribute) and old.attr == "T" and ast.unparse(old.value) == after) or (
        isinstance(new, ast.Attribute) and new.attr == "T" and ast.unparse(new.value) == before
    ):
        values = known.values(old) if known is not None else []
        square = any(len(set(getattr(v, "shape", ()))) == 1 and getattr(v, "ndim", 0) == 2 for v in values)
        fits = ": the weights are square, so the shapes fit all the same" if square else ""
        return Label("R3" if square else "M1", f"`{after}` is meant, not `{before}`{fits}")
    return None


def _factors(old: ast.AST, new: ast.AST, above: Above, known: Meanings | None) -> Label | None:
    """Tell which factor of a product is missing, or too many."""
    lacking, too_many = factors_changed(old, new)
    which = lacking or too_many
    shown = short(which[0]) if len(which) == 1 else " * ".join(_parenthesised(f) for f in which)
    numbers = all(isinstance(f, ast.Constant) or (known is not None and known.is_number(f)) for f in lacking + too_many)
    if lacking:
        if numbers:
            return Label("L1", f"the factor {shown} is missing")
        slope = known is not None and all(known.is_slope(f) for f in lacking)
        return Label("A2", f"the factor `{shown}`{', the derivative of the activation,' if slope else ''} is missing")
    if too_many:
        if numbers:
            return Label("L1", f"it carries the factor `{shown}`, which does not belong here")
        rest = short(new)
        if isinstance(new, ast.BinOp) and isinstance(new.op, ast.Sub) and "1 - " in shown:
            said = f"`{rest}` is the whole derivative by what goes into the last activation already, with this cost"
            return Label("L2", f"{said}: the factor `{shown}` belongs to another cost, as the squared error")
        if shown == f"1 - {rest}":
            return Label(
                "S1", f"s(1 - s) of `{rest}` leaves out how each class moves the others: y_hat - y is both steps"
            )
        return Label("X", f"the factor `{shown}` does not belong here: `{rest}` alone is meant")
    if isinstance(old, ast.BinOp) and isinstance(old.op, ast.Div) and ast.dump(old.left) == ast.dump(new):
        return Label("L1", f"nothing is to be divided by `{short(old.right)}` here")
    if isinstance(new, ast.BinOp) and isinstance(new.op, ast.Div) and ast.dump(new.left) == ast.dump(old):
        return Label("L1", f"the cost is divided by `{short(new.right)}`, and so is its gradient")
    return None


def _addends(old: ast.AST, new: ast.AST, above: Above, known: Meanings | None) -> Label | None:
    """Tell which part of a sum is missing, or too many."""
    lacking, too_much = addends_changed(old, new) if _index_around(old, above) is None else ("", "")
    if lacking:
        part = ast.parse(lacking, mode="eval").body
        if known is not None and "part" in known.kinds(part) and not known.comes_later(part):
            return Label("R2", f"the part `{_cut(lacking)}`, which comes from the output of this step, is left out")
        return Label("R1", f"the part `{_cut(lacking)}` is left out of the sum")
    if too_much:
        part = ast.parse(too_much, mode="eval").body
        if known is not None and known.kinds(part) & {"share", "part"} and not known.comes_later(part):
            said = f"the part `{_cut(too_much)}` comes from the output, and the cost does not look at the output here"
            return Label("R4", said)
        return Label("W1", f"the part `{_cut(too_much)}` does not belong in the sum")
    return None


def _variables(old: ast.AST, new: ast.AST, above: Above, known: Meanings | None) -> Label | None:
    before, after = short(old), short(new)
    if known is not None and known.is_zero(old) and not known.is_zero(new) and known.role_kind == "value":
        return Label("T1", f"`{before}` is zero, and no state of this network: before the first step it is `{after}`")
    if isinstance(old, READ) and isinstance(new, READ):
        return Label("W1", f"`{before}` stands where `{after}` is meant")
    for one, other, said in ((old, new, "one less `{}` is meant"), (new, old, "`{}` itself is meant")):
        if _complement(other, one):
            return Label("W1", f"{said.format(ast.unparse(one))}: `{after}`, not `{before}`")
    return None


RULES: tuple[Rule, ...] = (
    _order, _sign, _choice, _sum_axes, _taken_from_the_end, _slices, _addends, _products, _softmax, _not_summed,
    _numbers, _transposed, _indices, _slope, _factors, _variables,
)  # fmt: skip


def label_of(pair: tuple[ast.AST, ast.AST], above: tuple[ast.AST, ...], known: Meanings | None) -> list[Label]:
    """Return what the first rule that fits says."""
    old, new = pair
    for rule in RULES:
        label = rule(old, new, above, known)
        if label is not None:
            return [label]
    before, after = ast.unparse(old), ast.unparse(new)
    if _transposes(old) != _transposes(new):
        return [Label("M1", "a transpose is missing or too many, or the operands stand in the wrong order")]
    if above and len(before) + len(after) <= SHORT:
        return [Label("X", f"`{before}` stands where `{after}` is meant")]
    return []


def _complement(node: ast.AST, of: ast.AST) -> bool:
    one = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) and isinstance(node.left, ast.Constant)
    return one and ast.dump(node.right) == ast.dump(of)  # type: ignore[attr-defined]


def neighbours(old: ast.AST, new: ast.AST) -> bool:
    """Tell whether two indices read the same variables: t and t - 1, and not t and k."""
    names = [{n.id for n in ast.walk(node) if isinstance(n, ast.Name)} for node in (old, new)]
    return names[0] == names[1] or not (names[0] and names[1])


def _index_around(node: ast.AST, above: Above) -> ast.Subscript | None:
    """Return the innermost access to an item in whose index an expression stands."""
    holders = (a for a in reversed(above) if isinstance(a, ast.Subscript))
    return next((a for a in holders if any(n is node for n in ast.walk(a.slice))), None)


def _same_but_indices(old: ast.AST, new: ast.AST) -> bool:
    if not (isinstance(old, ast.Subscript) and isinstance(new, ast.Subscript)):
        return False
    return ast.unparse(old.value) == ast.unparse(new.value) and not isinstance(new.slice, ast.Constant)


def _parenthesised(node: ast.AST) -> str:
    text = ast.unparse(node)
    return f"({text})" if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub) else text


def short(node: ast.AST) -> str:
    """Return the text of an expression, cut where it is long."""
    return _cut(ast.unparse(node))


def _cut(text: str) -> str:
    return text if len(text) <= SHORT else text[: SHORT - 4] + " ..."


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
