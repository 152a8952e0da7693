"""Read the kind of mistake off a repair: what the right statement has that theirs lacks, and the reverse.

Each rule looks at one pair of expressions, theirs and the right one, and says what the difference means; what the
parts are worth while the statement runs tells a size from an index, and a state from a slope.
"""

from __future__ import annotations

import ast

from bptt.checking.diagnosing.differences_in_text import differing, value_of
from bptt.checking.diagnosing.edit_rules import label_of, neighbours, short
from bptt.checking.diagnosing.meanings import Meanings
from bptt.checking.diagnosing.mistakes import Label
from bptt.checking.repairing.ranges import is_zero
from bptt.checking.tracing.stepping import Unit


def labels_of_edit(unit: Unit, replacement: str, known: Meanings | None = None) -> list[Label]:
    """Return the kinds of mistake that the difference of two statements shows.

    Parameters
    ----------
    unit : Unit
    replacement : str
        The whole right statement.
    known : Meanings, optional
        What the parts are worth.
    """
    try:
        new = ast.parse(replacement).body[0]
    except SyntaxError:
        return []
    old = unit.statement
    labels = [*_operator(old, new), *_target(old, new)]
    theirs, right = value_of(old), value_of(new)
    if theirs is None or right is None:
        return labels
    if is_zero(theirs) and not is_zero(right):
        labels.append(_zeros(unit, right, known))
    elif (steps := _other_steps(theirs, right)) is not None:
        labels.append(steps)
    else:
        for pair, above in differing(theirs, right, ()):
            labels += label_of(pair, above, known)
    return list({label.code: label for label in reversed(labels)}.values())[::-1]


def _operator(old: ast.stmt, new: ast.stmt) -> list[Label]:
    """Tell ``=`` from ``+=``, and ``+=`` from ``-=``."""
    signs = [type(n.op) if isinstance(n, ast.AugAssign) else None for n in (old, new)]
    if signs[0] is signs[1]:
        return []
    if signs[0] is None and signs[1] in (ast.Add, ast.Sub):
        return [Label("W1", "the parts of all steps are summed up: `+=`, not `=`, which keeps only the last one")]
    if signs[1] is None and signs[0] in (ast.Add, ast.Sub):
        return [Label("W1", "it is set anew at every step: `=`, not `+=`")]
    return [Label("L1", "its sign is wrong")] if set(signs) <= {ast.Add, ast.Sub} else []


def _target(old: ast.stmt, new: ast.stmt) -> list[Label]:
    before, after = _targets(old), _targets(new)
    if before == after:
        return []
    if before.endswith("[:]"):
        return [Label("R4", f"every step is given what belongs to one: `{after}` is meant")]
    pairs = [pair for a, b in zip(_target_nodes(old), _target_nodes(new), strict=False) for pair in differing(a, b, ())]
    code = "T2" if pairs and all(neighbours(*pair) for pair, _ in pairs) else "W1"
    return [Label(code, f"it goes into `{before}`, where `{after}` is meant")]


def _target_nodes(node: ast.AST) -> list[ast.AST]:
    targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
    return [target for target in targets if target is not None]


def _targets(node: ast.AST) -> str:
    return ", ".join(ast.unparse(target) for target in _target_nodes(node))


def _zeros(unit: Unit, right: ast.expr, known: Meanings | None) -> Label:
    if known is not None and known.is_filled(unit):
        said = f"`{unit.target}` is zero wherever it is not written: at every other place it is `{short(right)}`"
        return Label("S1" if "prob" in short(right) or known.sums_to_one(right) else "W1", said)
    if known is not None and (known.role_kind == "value" or "value" in known.kinds(right)):
        return Label("T1", f"zeros are no state of this network: before the first step it is `{short(right)}`")
    return Label("R1", f"it is set to zeros here, so that nothing goes on from it: `{short(right)}` does")


def _other_steps(old: ast.expr, new: ast.expr) -> Label | None:
    """Tell whether all that differs is a range of steps that is handed to a function."""
    if not isinstance(old, ast.Call) or not isinstance(new, ast.Call) or len(old.args) != len(new.args):
        return None
    pairs = [(a, b) for a, b in zip(old.args, new.args, strict=True) if ast.dump(a) != ast.dump(b)]
    if len(pairs) != 1 or "range(" not in ast.unparse(pairs[0][0]):
        return None
    theirs, right = map(ast.unparse, pairs[0])
    return Label("T3", f"it is to go through the steps of `{right}`, and not through those of `{theirs}`")
