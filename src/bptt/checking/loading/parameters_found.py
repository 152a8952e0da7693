"""What the parameters of a program are: arguments, items of a dict, attributes of an object, globals."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from types import ModuleType
from typing import Any, Literal

import numpy as np

from bptt.checking.loading import paths as places
from bptt.checking.loading import roles_by_name as roles
from bptt.checking.loading.facts import Facts, Function
from bptt.checking.loading.gradients_found import MARK, path_label
from bptt.checking.loading.links import moved_by, run_together, zeros_of
from bptt.checking.loading.plan import Parameter

MEMORY = re.compile(
    r"^(m|v|s|r|mem|vel|velocity|momentum|cache|adagrad|rms|sq|prev|old|last|best|delta|m_|v_|mem_|eg|ex)_?d?(?=[WwUVbB])|(_m|_v|_mem|_cache|_momentum|_velocity|_prev|_old|_adagrad|_rms)$"
)
OTHER = re.compile(
    r"(lr|learning_?rate|eta|alpha|rate|loss(es)?|cost|history|smooth_?loss|reg|lambda_?|decay|eps(ilon)?|mask|one_?hot|beta\d?|gamma|clip\w*|mean|std)$",
    re.I,
)


def reachable(facts: Facts, functions: Iterable[Function]) -> list[Function]:
    """Return functions and all that they call in the file."""
    names: set[str] = set()
    start = list(functions)
    for function in start:
        names |= facts.reached(function)
    more = [f for f in facts.functions.values() if f.name in names and f not in start]
    return start + more


def is_initialiser(function: Function) -> bool:
    """Tell whether a function makes random weights and gives them back."""
    if (
        not function.returns
        or function.makes_gradients
        or re.search(r"train|fit|main|sample|data|batch|forward|backward|entrena", function.name, re.I)
    ):
        return False
    return re.search(r"rand|normal|uniform|\brng\b", function.text) is not None and not re.search(
        r"tanh\(|exp\(", function.text
    )


def held_by_object(thing: Any) -> list[Parameter]:
    """Return the arrays of an object that may be parameters; aliases of one array are one parameter."""
    found: dict[int, Parameter] = {}
    taken: set[str] = set()
    leaves = [(p, v) for p, v in places.walk(thing) if _may_be_weight(p, v)]
    plain = {places.spell(p) for p, _ in leaves}
    beside = _zeros_beside(leaves)
    for path, value in leaves:
        if path in beside:
            continue
        last = next((str(n) for _, n in reversed(path) if isinstance(n, str)), "")
        if is_accumulator(last, path, plain):
            continue
        if isinstance(value, np.ndarray) and id(value) in found:
            old = found[id(value)]
            found[id(value)] = Parameter(old.name, "self", (*old.paths, path))
            continue
        name = path_label(path)
        while name in taken:
            name = places.spell(path) if places.spell(path) not in taken else name + "_"
        taken.add(name)
        found[id(value) if isinstance(value, np.ndarray) else hash(path)] = Parameter(name, "self", (path,))
    return list(found.values())


def _zeros_beside(leaves: list[tuple[places.Path, Any]]) -> set[places.Path]:
    """Return the arrays of zeros that stand beside others under their names and one more syllable: ``wi_diff``, ``gWi``.

    In any language: what is added to the name is the same for all that bear it.
    """
    by_holder: dict[places.Path, dict[str, Any]] = {}
    for path, value in leaves:
        if path and isinstance(path[-1][1], str) and isinstance(value, np.ndarray):
            by_holder.setdefault(path[:-1], {})[path[-1][1]] = (path, value)
    found: set[places.Path] = set()
    for held in by_holder.values():
        families: dict[tuple[str, bool], list[str]] = {}
        for name, (_, value) in held.items():
            for stem, (_, other) in held.items():
                if len(name) > len(stem) and value.shape == other.shape and not value.any():
                    if name.startswith(stem):
                        families.setdefault((name[len(stem) :], True), []).append(name)
                    if name.endswith(stem):
                        families.setdefault((name[: -len(stem)], False), []).append(name)
        for (added, behind), names in families.items():
            bearers = [n for n in held if (n.endswith(added) if behind else n.startswith(added))]
            if len(names) > 1 and set(bearers) == set(names):
                found |= {held[n][0] for n in names}
        found |= _families_of_zeros(held)
    return found | _boxes_of_zeros(by_holder)


def _families_of_zeros(held: dict[str, Any]) -> set[places.Path]:
    """Return the arrays of zeros that go by another first letter than weights do: ``gi, gc, go`` beside ``wi, wc, wo``."""
    found: set[places.Path] = set()
    for length in (1, 2, 3):
        families: dict[str, dict[str, Any]] = {}
        for name, (path, value) in held.items():
            if len(name) > length:
                families.setdefault(name[:length], {})[name[length:]] = (path, value)
        shapes = {first: {n: v.shape for n, (_, v) in of.items()} for first, of in families.items() if len(of) > 1}
        for first, mine in shapes.items():
            empty = not any(v.any() for _, v in families[first].values())
            if not empty or all(roles.is_bias(first + n) for n in mine):
                continue
            if any(
                mine == other and first != of and any(v.any() for _, v in families[of].values())
                for of, other in shapes.items()
            ):
                found |= {path for path, _ in families[first].values()}
    return found


def _boxes_of_zeros(boxes: dict[places.Path, dict[str, Any]]) -> set[places.Path]:
    """Return the arrays in boxes of zeros that stand beside a box of the same build: ``m`` and ``v`` beside ``p``."""
    found: set[places.Path] = set()
    for place, held in boxes.items():
        if not place or len(held) < 2 or any(value.any() for _, value in held.values()):
            continue
        beside = (other for where, other in boxes.items() if where != place and where[:-1] == place[:-1])
        for other in beside:
            alike = all(n in other and other[n][1].shape == v.shape for n, (_, v) in held.items())
            if alike and any(value.any() for _, value in other.values()):
                found |= {path for path, _ in held.values()}
    return found


def _may_be_weight(path: places.Path, value: Any) -> bool:
    last = next((str(n) for _, n in reversed(path) if isinstance(n, str)), "")
    if isinstance(value, np.ndarray):
        return value.dtype.kind == "f" and value.size > 0 and not OTHER.fullmatch(last)
    return isinstance(value, float) and roles.is_weight(last) and not OTHER.fullmatch(last)


def is_accumulator(last: str, path: places.Path, plain: set[str]) -> bool:
    """Tell a gradient or an optimiser's memory from a parameter, by its name beside the others'."""
    if re.search(
        r"grad|^delta|_updates?$|_deltas?$|moment|veloc|^cache|_sum$|dparams|deriv|^d[WUVb]_?|^d_[WUVb]", last
    ):
        return True
    if MEMORY.search(last) and _stands_beside(MEMORY.sub("", last), plain):
        return True
    if any(
        isinstance(n, str)
        and re.fullmatch(r"d?_?grads?|gradients|d_?params|cache|memory|optimi[sz]er|adam|velocit\w*|moment\w*", n)
        for _, n in path[:-1]
    ):
        return True
    holder = places.spell(path[:-1])
    if last not in ("v", "value", "val", "data", "w") and any(
        f"{holder}.{n}" in plain for n in ("v", "value", "val", "data")
    ):
        return True  # beside a value: its gradient, its momentum
    stripped = MARK.sub("", last)
    return stripped != last and _stands_beside(stripped, plain)


def _stands_beside(name: str, plain: set[str]) -> bool:
    return any(p.split(".")[-1] == name or p.endswith(f"'{name}']") for p in plain)


def held_by_module(module: ModuleType, functions: list[Function]) -> list[Parameter]:
    """Return the global arrays that functions read, alone or in dicts and lists."""
    read: dict[str, None] = {}
    for function in functions:
        bound = set(function.arguments)
        for name in sorted(function.reads):
            if name.isidentifier() and name not in bound:
                read.setdefault(name)
    found = []
    plain = set(read)
    for name in read:
        value = vars(module).get(name)
        if isinstance(value, ModuleType | type) or callable(value) or name.startswith("__"):
            continue
        for path, leaf in places.walk(value):
            whole = (("item", name), *path)
            if not _may_be_weight(whole, leaf) or is_accumulator(name, whole, plain):
                continue
            full: places.Path = (("attr", name), *path)
            found.append(Parameter(path_label(whole) if path else name, "global", (full,)))
    return found


def script_parameters(module: ModuleType, step: Function) -> list[Parameter]:
    """Return the global arrays of a script that are weights by their name, or for which a gradient is named."""
    stored = [n.id for n in ast.walk(step.node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    moved = {n for n in moved_by(ast.walk(step.node)) if isinstance(vars(module).get(n), np.ndarray)}
    linked = set(zeros_of(ast.walk(step.node)).values())
    beside = _zeros_beside([((("attr", n),), v) for n, v in vars(module).items() if isinstance(v, np.ndarray)])
    out = []
    for name in sorted(step.reads | set(step.arguments)):
        value = vars(module).get(name)
        if (("attr", name),) in beside:
            continue
        if not (isinstance(value, np.ndarray) and value.dtype.kind == "f") or is_accumulator(
            name, (), set(vars(module))
        ):
            continue
        named = any(roles.gradient_of(other, [name]) == name and other != name for other in stored)
        if not roles.is_weight(name) and (roles.matches(name, roles.INPUT) or roles.matches(name, roles.TARGET)):
            continue
        if len(moved & linked) > 1 and name not in moved | linked and not named:
            continue  # weights are what is moved
        if named or name in moved & linked or roles.is_weight(name) or roles.is_bias(name):
            path: places.Path = (("attr", name),)
            out.append(Parameter(name, "global", (path,)))
    return out


def loose_arguments(function: Function, tree: ast.AST | None = None) -> list[str]:
    """Return the arguments that are parameters, one by one: Wx, Wh, b; also by the lists that they are in with others."""
    names = []
    together = [] if tree is None else run_together(tree)
    for name in function.arguments:
        if not (roles.is_weight(name) or roles.is_bias(name)) or name in function.defaults:
            continue
        if (roles.size_of(name) and len(name) > 1) or re.search(rf"\b{name}\[['\"]", function.text):
            continue
        if (
            roles.matches(name, roles.PARAMETERS)
            and re.search(rf"= {name}\b(?!\.)|\b{name}\[\d", function.text)
            and len(name) > 1
        ):
            continue
        names.append(name)
    for others in together:
        if len(set(others) & set(names)) >= max(3, len(others) / 2):
            names = [n for n in function.arguments if n in names or n in others]
    return names


def box_argument(function: Function, readers: list[Function]) -> str | None:
    """Return the argument that holds the parameters in a dict, tuple or list: the one with the most weights in it."""
    counts = {}
    for name in function.arguments:
        keys, _ = box_keys(readers if roles.matches(name, roles.PARAMETERS) else [function], name)
        named = sum(roles.is_weight(k) or roles.is_bias(k) or bool(re.search("in|out|rec|hid|state", k)) for k in keys)
        counts[name] = named + 0.5 * roles.matches(name, roles.PARAMETERS) - 2 * roles.matches(name, roles.CACHE)
    best = max(counts, key=lambda n: counts[n], default=None)
    return best if best is not None and counts[best] > 0 else None


def box_keys(functions: list[Function], box: str) -> tuple[list[str], Literal["dict", "tuple"]]:
    """Return the keys by which functions read a box, or the names into which they unpack it."""
    keys: dict[str, None] = {}
    unpacked: dict[str, None] = {}
    for function in functions:
        for node in ast.walk(function.node):
            if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and ast.unparse(node.value) == box:
                key = node.slice.value if isinstance(node.slice, ast.Constant) else None
                if isinstance(key, str):
                    keys.setdefault(key)
            if (
                isinstance(node, ast.Assign)
                and ast.unparse(node.value) == box
                and isinstance(node.targets[0], ast.Tuple)
            ):
                for e in node.targets[0].elts:
                    unpacked.setdefault(ast.unparse(e))
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.targets[0], ast.Tuple)
                and isinstance(node.value, ast.ListComp | ast.GeneratorExp)
            ):
                inner = re.findall(r"'(\w+)'", ast.unparse(node.value))
                if box in ast.unparse(node.value):
                    for key in inner:
                        keys.setdefault(key)
    return (list(keys), "dict") if keys else (list(unpacked), "tuple")


def own_sizes(module: ModuleType, held: list[Parameter]) -> list[str]:
    """Return the sizes of the parameters that a module holds."""
    return sorted({str(n) for p in held for n in np.shape(places.read(module, p.paths[0])) if n != 1})
