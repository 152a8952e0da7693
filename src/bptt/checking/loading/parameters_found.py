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
from bptt.checking.loading.lazy import LazyArray
from bptt.checking.loading.links import moved_by, run_together, zeros_of
from bptt.checking.loading.plan import Parameter
from bptt.checking.loading.planned import random_weights
from bptt.checking.program import Sizes

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
    return found


def _may_be_weight(path: places.Path, value: Any) -> bool:
    last = next((str(n) for _, n in reversed(path) if isinstance(n, str)), "")
    if isinstance(value, np.ndarray):
        return value.dtype.kind == "f" and value.size > 0 and not OTHER.fullmatch(last)
    return isinstance(value, float) and roles.is_weight(last) and not OTHER.fullmatch(last)


def is_accumulator(last: str, path: places.Path, plain: set[str]) -> bool:
    """Tell a gradient or an optimiser's memory from a parameter, by its name beside the others'."""
    if re.search(r"grad|^delta|_updates?$|_deltas?$|moment|veloc|^cache|_sum$|dparams|deriv|^d[WUVb]_?|^d_[WUVb]", last):
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
    out = []
    for name in sorted(step.reads | set(step.arguments)):
        value = vars(module).get(name)
        if not (isinstance(value, np.ndarray) and value.dtype.kind == "f") or is_accumulator(name, (), set(vars(module))):
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


def rows(functions: list[Function]) -> bool | None:
    """Tell whether weights stand on the right of products, as for inputs in rows; None where the text does not say."""
    weight = r"(?:\w+\.)?(?:\w+\[['\"])?(?:(?:W|U|V|w_|weights?)\w*|w\b)(?:['\"]\])?"
    text = "\n".join(f.text for f in functions)
    left = len(re.findall(rf"dot\({weight},|{weight}(\.T)? @|{weight}\.dot\(", text))
    right = len(
        re.findall(rf"dot\([^()]*(?:\([^()]*\))?[^()]*, {weight}\)|@ {weight}(?!\w*\.T)|\.dot\({weight}\)", text)
    )
    return right > left if right != left else None


def bias_rank(functions: list[Function]) -> int:
    """Return how many axes a bias has, by the way the text multiplies: one beside rows, two beside columns."""
    text = "\n".join(f.text for f in functions)
    return 1 if rows(functions) and not re.search(r"keepdims|\(1, (hidden|n_|H|self)", text) else 2


def lazy_arrays(
    names: list[str], functions: list[Function], sizes: Sizes, gates: int, seed: int = 0, rank: int = 2
) -> dict[str, Any]:
    """Return an array of unknown shape for each parameter; its name says what it gives, and its shape if need be.

    ``gates`` is how many gates are stacked in one matrix; -1 stands for one, with the last weight giving the output.
    """
    values = sizes.as_dict()
    in_rows = bool(rows(functions))
    text = "\n".join(f.text for f in functions)
    rng = np.random.default_rng(seed)
    out: dict[str, Any] = {}
    if not re.search(r"dot\(|@|matmul|einsum|outer\(", text):  # nothing but products of numbers
        return {name: random_weights((), rng) for name in names}
    last = (
        {next((n for n in reversed(names) if roles.is_bias(n) == b), "") for b in (False, True)} if gates < 0 else set()
    )
    gates = abs(gates)
    gated = {n[-1:].lower() for n in names if len(n) <= 3} >= {"f", "i"}  # then Wo is the output gate's
    for name in names:
        if roles.matches(name, f"{roles.STATE0}|{roles.CELL0}") and not roles.is_weight(name) and len(name) > 1:
            out[name] = random_weights(_state_shape(sizes, in_rows, rank, text), rng)  # a state that is learnt
            continue
        if gated and re.fullmatch(r"[WUVRb]_?[a-z]?_?o|b_?o", name):
            values = {**values, "n_y": values["n_a"]}
        else:
            values = sizes.as_dict()
        if name in last:  # the names do not tell which weight gives the output: the last one does
            values["n_a"] = values["n_y"]
        if roles.is_bias(name) or (name == "c" and "b" in names):
            end = roles.bias_end(name)
            gives = values[end] * (gates if end == "n_a" else 1)
            default: tuple[int, ...] = (gives,) if rank == 1 else (1, gives) if in_rows else (gives, 1)
        else:
            to, of = roles.weight_ends(name)
            if not roles.weight_letters(name) and len(name) == 1:
                to, of = _ends_by_use(name, text, to, of)
            gives = values[to] * (gates if to == "n_a" else 1)
            default = (values[of], gives) if in_rows else (gives, values[of])
        bias = roles.is_bias(name) or (name == "c" and "b" in names)
        out[name] = LazyArray(gives, default, bias, lambda shape: random_weights(shape, rng), rank)
    return out


def _state_shape(sizes: Sizes, in_rows: bool, rank: int, text: str) -> tuple[int, ...]:
    batch = re.search(r"batch|axis=|keepdims|\bN\b|\bm\b", text) is not None
    if not batch:
        return (sizes.n_a,) if rank == 1 else (1, sizes.n_a) if in_rows else (sizes.n_a, 1)
    return (sizes.m, sizes.n_a) if in_rows else (sizes.n_a, sizes.m)


def _ends_by_use(name: str, text: str, to: str, of: str) -> tuple[str, str]:
    """Return what a weight of one letter gives and takes: U and W change places from author to author."""
    operand = rf"(?:\b{name}(?:\.T)? @ |dot\({name}, |\b{name}\.dot\()(\w+)|\b(\w+)(?:\[[^\]]*\])* @ {name}\b|\b(\w+)(?:\[[^\]]*\])*\.dot\({name}\)|dot\((\w+)(?:\[[^\]]*\])*, {name}\)"
    taken = [next(g for g in m if g) for m in re.findall(operand, text)]
    if taken and re.match(r"x|inp|u|emb|v$|seq|data", taken[0], re.I):
        return "n_a", "n_x"
    if taken and re.match(r"h|s|a|state|prev|c", taken[0], re.I):
        return ("n_a" if to == "n_a" else to), "n_a"
    return to, of


def symbolic(shape: tuple[int, ...], sizes: Sizes, *, prefer: Iterable[str] = ()) -> tuple[str, ...]:
    """Return a shape at the probe's sizes as names: (5, 8) as ("n_a", "n_a + n_x"), (20,) as ("4*n_a",)."""
    values = sizes.as_dict()
    order = ["n_a", "n_x", "n_y", "m", "T_x"]
    table: dict[int, str] = {1: "1"}
    for name in order:
        table.setdefault(values[name], name)
    for k in (4, 3, 2):
        table.setdefault(k * values["n_a"], f"{k}*n_a")
    for a, b in (("n_a", "n_x"), ("n_a", "n_y"), ("n_x", "n_y"), ("n_a", "1"), ("n_x", "1")):
        table.setdefault(values[a] + ({**values, "1": 1})[b], f"{a} + {b}")
    table.setdefault(values["n_a"] + values["n_x"] + 1, "n_a + n_x + 1")
    for k in (4, 3, 2):
        table.setdefault(k * values["n_x"], f"{k}*n_x")
    return tuple(table.get(n, str(n)) for n in shape)
