"""What an initialiser of theirs makes, and which arguments of the forward take it."""

from __future__ import annotations

import ast
from typing import Any

from bptt.checking.loading import paths as places
from bptt.checking.loading import roles_by_name as roles
from bptt.checking.loading.bench import labels_of
from bptt.checking.loading.facts import Facts, Function
from bptt.checking.loading.instances import class_of
from bptt.checking.loading.parameters_found import box_argument, box_keys, loose_arguments
from bptt.checking.loading.plan import Parameter


def bindings(forward: Function, maker: Function, thing: Any, readers: list[Function]) -> dict[str, places.Path]:
    """Return which arguments of the forward take what an initialiser makes: all of it, or an element by its name."""
    if isinstance(thing, list) and len(maker.returns) and isinstance(maker.returns[-1], ast.Tuple):
        labels = labels_of(maker)
        ends: dict[str, places.Path] = {n: (("item", i),) for i, n in enumerate(labels) if n in forward.arguments}
        if ends:
            return ends
        loose = loose_arguments(forward)
        if len(loose) == len(thing):
            return {n: (("item", i),) for i, n in enumerate(loose)}
        inside = [n for n in forward.arguments if roles.matches(n, roles.PARAMETERS)]
        return {inside[0]: ()} if inside else {}
    if isinstance(thing, list) and len(thing) == 1:  # one array
        alone = [n for n in (*labels_of(maker), *loose_arguments(forward)) if n in forward.arguments]
        return {alone[0]: (("item", 0),)} if alone else {}
    holder = box_argument(forward, readers)
    if holder is None:
        return {}
    keys, kind = box_keys(readers, holder)
    return {holder: ()} if kind != "dict" or not keys or (isinstance(thing, dict) and set(keys) & set(thing)) else {}


def made_name(parameter: Parameter, ends: dict[str, places.Path], unpacked: list[str]) -> str:
    """Return a name for what an initialiser made: its key, or the name under which a tuple's element is returned."""
    for name, path in ends.items():
        if parameter.paths[0][:1] == path:
            rest = places.spell(parameter.paths[0][1:])
            return name + (f".{rest}" if rest else "")
    (kind, place), *more = parameter.paths[0]
    if kind == "item" and isinstance(place, int) and not more and place < len(unpacked):
        return unpacked[place]
    return parameter.name


def dataclass_of(name: str, function: Function, facts: Facts) -> tuple[str, list[str]]:
    """Return the dataclass whose object an argument is, and its fields in order; nothing where it is none."""
    made = class_of(name, function, facts)
    node = facts.classes.get(made or "")
    if made is None or node is None or "dataclass" not in " ".join(ast.unparse(d) for d in node.decorator_list):
        return "", []
    fields = [s for s in node.body if isinstance(s, ast.AnnAssign) and s.value is None]
    return made, [s.target.id for s in fields if isinstance(s.target, ast.Name)]
