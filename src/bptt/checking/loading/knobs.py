"""The numbers of a program's own run that are sizes, and the program with other numbers in their places."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bptt.checking.loading import roles_by_name as roles
from bptt.checking.loading.binding import COUNTS, LIMIT, SWITCH
from bptt.checking.loading.facts import Facts, Function
from bptt.checking.program import Sizes

SMALL = 8  # numbers up to it stay as they are where nothing says that they are sizes
LIKE = "like"  # no size of its own: it follows a size of the same value
LEVELS: tuple[tuple[frozenset[str], bool], ...] = (
    (frozenset({"n_x", "n_a", "n_y", "V", "m", "T_x"}), True),
    (frozenset({"n_a", "m", "T_x"}), True),
    (frozenset({"n_a"}), True),
    (frozenset({"n_a", "m", "T_x"}), False),
    (frozenset({"n_a"}), False),
    (frozenset(), False),
    (frozenset({"n_x", "n_a", "n_y", "V", "m", "T_x", LIKE}), True),
)
"""Which sizes are replaced, and whether large numbers that nothing is known of are made small; the most comes first.

In the last one, which is tried only where the program as it is takes long, the large numbers in ``np.arange(60)`` and
``np.zeros((60, 16))`` are made small as well.
"""
PLAIN, SMALLEST = len(LEVELS) - 2, len(LEVELS) - 1

Place = tuple[int, int]


@dataclass(frozen=True)
class Knob:
    """One number in the text, and the size that its name says it is ("" for none, ``LIKE``: it follows another)."""

    place: Place
    value: int
    size: str


def knobs_of(tree: ast.Module, facts: Facts) -> list[Knob]:
    """Return the whole numbers of a program that may be sizes: assigned, passed, defaults of arguments and options."""
    found: dict[Place, Knob] = {}
    for name, node in _named_numbers(tree, facts):
        if not (isinstance(node, ast.Constant) and type(node.value) is int and node.value > 1):
            continue
        if roles.matches(name, f"{COUNTS}|{LIMIT}|{SWITCH}|{roles.RATE}|{roles.TRUNCATION}") or "seed" in name.lower():
            continue
        size = LIKE if name == LIKE else roles.size_of(name) or ""
        place = (node.lineno, node.col_offset)
        if place not in found or (size and not found[place].size):
            found[place] = Knob(place, node.value, size)
    return list(found.values())


def _named_numbers(tree: ast.Module, facts: Facts) -> Iterator[tuple[str, ast.expr]]:
    """Yield expressions with the names that they are given, "" where there is none."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)) if len(names) == len(values):
                yield from ((_end(n), v) for n, v in zip(names, values, strict=True))
            case ast.Assign(value=ast.List(elts=values) | ast.Tuple(elts=values)):
                yield from (("", v) for v in values)
            case ast.Assign(targets=targets, value=value):
                yield _end(targets[0]), value
            case ast.AnnAssign(target=target, value=value) if value is not None:
                yield _end(target), value
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant) and isinstance(key.value, str):
                        yield key.value, value
            case ast.FunctionDef():
                yield from Function(node).defaults.items()
            case ast.Call():
                yield from _passed(node, facts)


def _passed(call: ast.Call, facts: Facts) -> Iterator[tuple[str, ast.expr]]:
    name = ast.unparse(call.func)
    options = [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    for keyword in call.keywords:
        if name.endswith("add_argument") and keyword.arg == "default" and options:
            yield options[-1].lstrip("-").replace("-", "_"), keyword.value
        elif keyword.arg in ("size", "shape") and isinstance(keyword.value, ast.Tuple):
            yield from ((LIKE, inner) for inner in keyword.value.elts)
        elif keyword.arg:
            yield keyword.arg, keyword.value
    owner, _, method = name.rpartition(".")  # Weights(...), Weights.random(...), weights(...)
    called = facts.methods(name).get("__init__") if name in facts.classes else facts.plain().get(name)
    called = facts.methods(owner).get(method) if owner in facts.classes else called
    if called is not None:
        for wanted, argument in zip(called.arguments, call.args, strict=False):
            yield wanted, argument
            if isinstance(argument, ast.Tuple | ast.List):
                yield from (("", v) for v in argument.elts)
    elif re.search(r"random\.|(randn?|linspace|arange|normal|uniform|zeros|ones|eye|randint)$", name):
        for argument in call.args:
            for inner in argument.elts if isinstance(argument, ast.Tuple) else [argument]:
                yield LIKE, inner


def _end(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


class Knobs:
    """A program whose sizes can be replaced; each version of it is made once."""

    def __init__(self, tree: ast.Module, facts: Facts) -> None:
        self.tree, self.knobs = tree, knobs_of(tree, facts)
        self._made: dict[tuple[int, Sizes], ast.Module] = {}

    def turned(self, level: int, sizes: Sizes) -> ast.Module:
        """Return the program with its sizes replaced by others.

        Parameters
        ----------
        level : int
            Which of :data:`LEVELS`.
        sizes : Sizes
            The sizes to put in.
        """
        if level == PLAIN:
            return self.tree
        if (level, sizes) not in self._made:
            self._made[level, sizes] = self._turned(level, sizes)
        return self._made[level, sizes]

    def _turned(self, level: int, sizes: Sizes) -> ast.Module:
        chosen, _ = LEVELS[level]
        values = {**sizes.as_dict(), "V": sizes.n_y}
        known = {k.value: values[k.size] for k in self.knobs if k.size in chosen and k.size != LIKE}
        sizes_of: dict[int, list[str]] = {}
        for knob in self.knobs:
            if knob.size in chosen and knob.size != LIKE and knob.value > SMALL:
                sizes_of.setdefault(knob.value, []).append(knob.size)
        # numbers of one value belong together: what one layer gives, the next one takes
        shared = {v: "n_a" if "n_a" in names else names[0] for v, names in sizes_of.items()}
        put: dict[Place, int] = {}
        for knob in self.knobs:
            if knob.size in chosen and knob.size != LIKE:
                put[knob.place] = values[shared.get(knob.value, knob.size)]
            elif not knob.size and knob.value > SMALL and LEVELS[level][1]:
                put[knob.place] = known.setdefault(knob.value, _small(knob.value, known))
            elif knob.size == LIKE and knob.value in known:
                put[knob.place] = known[knob.value]
            elif knob.size in chosen and knob.value > SMALL:
                put[knob.place] = known.setdefault(knob.value, _small(knob.value, known))
        made = copy.deepcopy(self.tree)
        for node in ast.walk(made):
            if isinstance(node, ast.Constant) and type(node.value) is int:
                node.value = put.get((node.lineno, node.col_offset), node.value)
        return made


def _small(value: int, known: Mapping[int, int]) -> int:
    """Return a small number for a large one; two that differ by one, as steps and inputs do, still do so."""
    if value - 1 in known:
        return known[value - 1] + 1
    return known[value + 1] - 1 if value + 1 in known else 4 + len(known) % 4
