"""Parameters that are only arguments: arrays whose shapes their names and their first products tell."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from bptt.checking.loading import roles_by_name as roles
from bptt.checking.loading.facts import Function
from bptt.checking.loading.lazy import LazyArray
from bptt.checking.loading.values import random_weights
from bptt.checking.program import Sizes


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
    indexed = any(re.search(rf"\b{name}\[", text) for name in names)
    if not indexed and not re.search(r"dot\(|@|matmul|einsum|outer\(", text):  # nothing but products of numbers
        return {name: random_weights((), rng) for name in names}
    last = (
        {next((n for n in reversed(names) if roles.is_bias(n) == b), "") for b in (False, True)} if gates < 0 else set()
    )
    gates = abs(gates)
    gated = {n[-1:].lower() for n in names if len(n) <= 3} >= {"f", "i"}  # then Wo is the output gate's
    for name in names:
        named = roles.matches(name, f"{roles.STATE0}|{roles.CELL0}") and not roles.is_weight(name) and len(name) > 1
        if named and not _stands_as_weight(name, text, in_rows):
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
            products = rf"@ {name}\b|\b{name} @|dot\({name}\b|dot\([^()]*, {name}\)|\b{name}\.dot"
            looked_up = re.search(rf"\b{name}\[\w+(, :)?\]", text) and not re.search(products, text)
            if looked_up:  # a row for each id
                default = (values["n_x"], gives)
        bias = roles.is_bias(name) or (name == "c" and "b" in names)
        out[name] = LazyArray(gives, default, bias, lambda shape: random_weights(shape, rng), rank)
    return out


def _stands_as_weight(name: str, text: str, in_rows: bool) -> bool:
    """Tell whether an item of that name stands in products where weights do: on the right of rows, else on the left."""
    item = rf"[\w.]+\[['\"]{name}['\"]\]"
    side = rf"@ {item}|dot\([^()]*, {item}\)|\.dot\({item}\)" if in_rows else rf"{item} @|dot\({item},|{item}\.dot\("
    return re.search(side, text) is not None


def gates_in(text: str) -> list[int]:
    """Return how many gates may be stacked in one matrix, the likeliest first: ``3*H:`` speaks of four."""
    multiples = [k for k in (4, 3, 2) if re.search(rf"(?<!\*)\b{k} ?\* ?\w|split\([^)]*\b{k}\b", text)]
    return [*dict.fromkeys(k for m in multiples for k in (min(m + 1, 4), m)), 1]


def _state_shape(sizes: Sizes, in_rows: bool, rank: int, text: str) -> tuple[int, ...]:
    batch = re.search(r"batch|axis=|keepdims|\bN\b|\bm\b", text) is not None
    if not batch:
        return (sizes.n_a,) if rank == 1 else (1, sizes.n_a) if in_rows else (sizes.n_a, 1)
    return (sizes.m, sizes.n_a) if in_rows else (sizes.n_a, sizes.m)


def _ends_by_use(name: str, text: str, to: str, of: str) -> tuple[str, str]:
    """Return what a weight of one letter gives and takes: U and W change places from author to author."""
    item = r"(?:\[[^\]]*\])*"
    operand = (
        rf"(?:\b{name}(?:\.T)? @ |dot\({name}, |\b{name}\.dot\()(\w+)|\b(\w+){item} @ {name}\b"
        rf"|\b(\w+){item}\.dot\({name}\)|dot\((\w+){item}, {name}\)"
    )
    taken = [next(g for g in m if g) for m in re.findall(operand, text)]
    if taken and re.match(r"x|inp|u|emb|v$|seq|data", taken[0], re.I):
        return "n_a", "n_x"
    if taken and re.match(r"h|s|a|state|prev|c", taken[0], re.I):
        return ("n_a" if to == "n_a" else to), "n_a"
    return to, of


def symbolic(shape: tuple[int, ...], sizes: Sizes) -> tuple[str, ...]:
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
