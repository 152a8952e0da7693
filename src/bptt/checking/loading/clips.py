"""Clipping of gradients, set aside: a clip that acts would hide what is checked, so its bounds are moved far out."""

from __future__ import annotations

import ast
import copy
from collections.abc import Collection

FAR = 1e6


def without_clips(tree: ast.Module, program: ast.Module | None = None) -> tuple[ast.Module, tuple[int, ...]]:
    """Return the tree with the bounds of symmetric clips a million times wider, and the lines of those clips.

    ``np.clip(d, -5, 5, out=d)``, ``np.clip(d, -limit, limit)`` and ``d.clip(-1, 1)`` are such clips;
    ``np.clip(p, 1e-12, 1)``, which keeps a logarithm finite, is not, nor is the slope of Huber's cost,
    ``np.clip(p - y, -delta, delta)``.

    Parameters
    ----------
    tree : ast.Module
    program : ast.Module, optional
        The whole program, where the tree is a part of it.
    """
    clips = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _bounds(node)]
    kinks = _kinks(program or tree) if clips else ()
    lines = [node.lineno for node in clips if _bounds(node, kinks)]
    if not lines:
        return tree, ()
    changed = copy.deepcopy(tree)
    for node in ast.walk(changed):
        if isinstance(node, ast.Call):
            bounds = _bounds(node, kinks)
            for holder, place in bounds or ():
                inner = holder.args[place] if isinstance(place, int) else holder.keywords[int(place)].value
                wide = ast.BinOp(inner, ast.Mult(), ast.Constant(FAR))
                for part in ast.walk(wide):
                    ast.copy_location(part, inner)
                if isinstance(place, int):
                    holder.args[place] = wide
                else:
                    holder.keywords[int(place)].value = wide
    return changed, tuple(sorted(set(lines)))


def _kinks(program: ast.Module) -> set[str]:
    """Return what a program compares sizes with, as written: where a cost such as Huber's has its kink."""
    found: set[str] = set()
    for node in ast.walk(program):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            of_size = any(isinstance(n, ast.Call) and "abs" in ast.unparse(n.func) for s in sides for n in ast.walk(s))
            found |= {ast.unparse(s) for s in sides if of_size or isinstance(s, ast.Name | ast.Attribute)}
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("minimum", "where"):
            found |= {ast.unparse(a) for a in node.args if isinstance(a, ast.Name | ast.Attribute)}
    return found


def _bounds(call: ast.Call, kinks: Collection[str] = ()) -> list[tuple[ast.Call, int | str]] | None:
    """Return where the two bounds of a symmetric clip stand: positions, or keyword numbers as text; None elsewhere."""
    if "clip" not in getattr(call.func, "attr", getattr(call.func, "id", "")):
        return None
    if any(isinstance(a, ast.BinOp) and isinstance(a.op, ast.Sub) for a in call.args[:1]):
        return None  # a slope: of a difference
    places: list[int | str] = [i for i, a in enumerate(call.args) if not isinstance(a, ast.Starred)]
    places += [str(i) for i, k in enumerate(call.keywords) if k.arg in ("a_min", "a_max", "min", "max")]
    values = {p: call.args[p] if isinstance(p, int) else call.keywords[int(p)].value for p in places}
    for first, low in values.items():
        for second, high in values.items():
            mirrored = (
                isinstance(low, ast.UnaryOp)
                and isinstance(low.op, ast.USub)
                and ast.dump(low.operand) == ast.dump(high)
            )
            if first != second and mirrored and ast.unparse(high) not in kinks:
                return [(call, first), (call, second)]
    return None
