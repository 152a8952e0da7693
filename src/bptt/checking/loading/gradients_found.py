"""Where a backward pass leaves its gradients, and which parameter each belongs to: by name, then by shape."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bptt.checking.loading import paths as places
from bptt.checking.loading.paths import Path
from bptt.dims import Array

if TYPE_CHECKING:
    from bptt.checking.loading.planned import PlannedCase
    from bptt.checking.loading.world import World

BOXES = re.compile(
    r"(params?|parameters?|weights|cache|caches|model|self|vars|variables|memory|state|net|theta|values?|val|data|(?-i:[vp]))$",
    re.I,
)
GRADIENT_BOXES = re.compile(
    r"(d_?params?|d_?parameters|grads?|gradients?|d_?weights|derivatives|deltas?|d|dtheta|g|updates?|derivs?|param_?grads?|d_?theta|d_?model|dict_?grads?)$",
    re.I,
)
MARK = re.compile(
    r"^(total_?|sum_?|acc(um)?_?|avg_?|mean_?)?(d_?[ljce]_?_?d_?|d[LJCE]?_?over_?d_?|gradients?_?(of_?)?|grads?_?|delta_?|nabla_?|del_?|deriv(ative)?_?|d_?|g_?)(?=\w)"
)
TAIL = re.compile(r"(_?(gradients?|grads?|deriv(ative)?|delta|diff|updates?|d|g|total|sum|acc))$")


@dataclass(frozen=True)
class Leaf:
    """One array that a backward pass left somewhere: its names, the outermost first, and whether it was returned."""

    names: tuple[Any, ...]
    value: Any
    returned: bool


def keys(names: tuple[Any, ...]) -> list[tuple[tuple[Any, ...], bool]]:
    """Return the parameter paths that a leaf's names may stand for, and whether something marks it as a gradient."""
    boxes = [n for n in names if isinstance(n, str) and GRADIENT_BOXES.fullmatch(n)]
    found = _keys(names, boxes)
    short = [n for n in boxes if len(n) == 1]
    return found + (_keys(names, [n for n in boxes if n not in short]) if short else [])  # a gate may be named `g`


def _keys(names: tuple[Any, ...], boxes: list[Any]) -> list[tuple[tuple[Any, ...], bool]]:
    marked = bool(boxes)
    kept = [n for n in names if n not in boxes and not (isinstance(n, str) and BOXES.fullmatch(n))]
    kept = kept or list(names[-1:])
    plain = tuple(_plain(n) for n in kept)
    found = [(plain, marked)] if plain else []
    for i, name in enumerate(kept):
        if isinstance(name, str):
            for stripped in (
                MARK.sub("", name, count=1),
                TAIL.sub("", name),
                TAIL.sub("", MARK.sub("", name, count=1)),
                re.sub(r"_?t$", "", MARK.sub("", name, count=1)),
            ):
                if stripped and stripped != name:
                    found.append(((*plain[:i], _plain(stripped), *plain[i + 1 :]), True))
    return found


def parameter_key(names: list[Any]) -> tuple[Any, ...]:
    """Return the path by which a parameter is compared: without boxes such as ``params`` and without ``value``."""
    kept = [n for n in names if not (isinstance(n, str) and BOXES.fullmatch(n))]
    return tuple(_plain(n) for n in (kept or names[-1:]))


def _plain(name: Any) -> Any:
    return re.sub(r"[^a-zA-Z0-9]", "", name).lower() if isinstance(name, str) else int(name)


@dataclass(frozen=True)
class Delivery:
    """How gradients reach the caller.

    ``labels`` are the names in the backward's return statement; ``skip`` are results that are no gradient (the
    cost, the last state); ``fused`` tells that the weights are moved at a rate of 1 instead.
    """

    labels: tuple[str, ...] = ()
    fused: bool = False
    frame: str = ""  # the function whose variables hold them, where it returns none
    local: bool = False  # the result is all the locals of a script's pass: only a gradient's name tells one
    links: tuple[tuple[str, str], ...] = ()  # gradient's name -> its parameter's, as the text links them

    def collect(self, case: PlannedCase, world: World, result: Any, before: dict[str, Array]) -> dict[str, Array]:
        """Return the gradients by parameter; a parameter whose gradient is nowhere is left out."""
        wanted = {p.name: parameter_key(_names(p)) for p in case.plan.parameters if not p.idle}
        if self.fused:
            return self._moved(case, world, result, before)
        own = {id(v) for v in case.parameters.values()}  # pairs of a weight and its gradient: the weight is no gradient
        leaves = [leaf for leaf in self._returned(result, returned=not self.local) if id(leaf.value) not in own]
        shapes = {n: np.shape(before[n]) for n in wanted}
        linked = self._linked(case)
        whole = {
            p.name: tuple(_plain(n) for _, n in p.paths[0]) for p in case.plan.parameters
            if p.paths and all(isinstance(n, str | int) for _, n in p.paths[0])
        }  # fmt: skip
        found = match(wanted, leaves, shapes, by_shape=not self.local, linked=linked, whole_names=whole)
        for name, value in self._parallel(case, world).items():
            found.setdefault(name, value)
        left = {n: k for n, k in wanted.items() if n not in found}
        if left:
            others = [
                Leaf(tuple(n for _, n in path), value, False)
                for path, value in places.walk(world.object) if not (isinstance(value, int) or id(value) in own)
            ]  # fmt: skip
            others += [
                Leaf((name,), value, False)
                for name, value in vars(case.module).items()
                if isinstance(value, np.ndarray) and id(value) not in own
            ]
            for name, value in vars(case.module).items():
                if isinstance(value, dict) and not name.startswith("__"):
                    others += [Leaf((name, k), v, False) for k, v in value.items() if isinstance(v, np.ndarray)]
                elif type(value).__module__ == case.module.__name__ or isinstance(value, list | tuple):
                    others += [
                        Leaf((name, *(n for _, n in path)), v, False)
                        for path, v in places.walk(value) if isinstance(v, np.ndarray) and id(v) not in own
                    ]  # fmt: skip
            others += self._returned(world.result, returned=False)
            for role, value in world.data.items():
                others += [Leaf((role, *(n for _, n in p)), v, False) for p, v in places.walk(value) if role == "grads"]
            found |= match(left, others, shapes, by_shape=False, linked=linked, whole_names=whole)
        return {name: np.array(found[name], dtype=float) for name in wanted if name in found}

    def leaves(self, result: Any) -> list[Leaf]:
        """Return the arrays that the backward returned, with their names."""
        return [leaf for leaf in self._returned(result) if leaf.names]

    def _parallel(self, case: PlannedCase, world: World) -> dict[str, Any]:
        """Return the gradients in the object's own list beside that of its parameters: ``self.params``, ``self.grads``."""
        held = vars(world.object) if hasattr(world.object, "__dict__") else {}
        lists = {n: v for n, v in held.items() if isinstance(v, list) and v and GRADIENT_BOXES.fullmatch(n)}
        found: dict[str, Any] = {}
        for parameter in case.plan.parameters:
            for path in parameter.paths if parameter.home == "self" else ():
                if len(path) == 2 and isinstance(path[1][1], int) and BOXES.fullmatch(str(path[0][1])):
                    beside = held.get(path[0][1])
                    for gradients in lists.values():
                        if isinstance(beside, list) and len(beside) == len(gradients):
                            found[parameter.name] = gradients[path[1][1]]
        return found

    def _linked(self, case: PlannedCase) -> dict[str, str]:
        """Return the parameter that each linked gradient's name belongs to, where the link names just one."""
        ends: dict[str, list[str]] = {}
        for parameter in case.plan.parameters:
            ends.setdefault(_end(parameter), []).append(parameter.name)
        return {name: ends[of][0] for name, of in self.links if len(ends.get(of, ())) == 1}

    def _returned(self, result: Any, returned: bool = True) -> list[Leaf]:
        out: list[Leaf] = []
        if hasattr(result, "_fields"):  # a named tuple, as its weights are
            result = result._asdict()
        named = returned and isinstance(result, tuple | list) and len(self.labels) == len(result)
        if isinstance(result, tuple | list) and (named or not all(isinstance(r, float | int) for r in result)):
            for i, item in enumerate(result):
                head: Any = self.labels[i] if named else i
                inside = head.split(",") if isinstance(head, str) else []
                if len(inside) > 1 and isinstance(item, tuple | list) and len(item) == len(inside):
                    out += [
                        Leaf((n, *(k for _, k in q)), v, returned)
                        for n, x in zip(inside, item, strict=True)
                        for q, v in places.walk(x)
                    ]
                    continue
                for path, value in places.walk(item):
                    inner = tuple(n for _, n in path)
                    out.append(Leaf(inner if head == "*" and inner else (head, *inner), value, returned))
        else:
            alone = self.labels if returned and len(self.labels) == 1 else ()
            for path, value in places.walk(result):
                out.append(Leaf(tuple(n for _, n in path) or alone or (0,), value, returned))
        return out

    def _moved(self, case: PlannedCase, world: World, result: Any, before: dict[str, Array]) -> dict[str, Array]:
        """Return before - after at a rate of 1."""
        found = {}
        returned = {leaf.names[-1]: leaf.value for leaf in self._returned(result)}
        for parameter in case.plan.parameters:
            name = parameter.name
            if parameter.idle or parameter.home == "data":
                continue
            if parameter.home == "argument":
                after: Any = case.parameters[name]
                if np.array_equal(after, before[name]) and name in returned and np.shape(returned[name]) == after.shape:
                    after = returned[name]
            else:
                roots = {"made": world.made, "self": world.object, "given": world.seen.get("given")}
                after = places.read(roots.get(parameter.home, case.module), parameter.paths[0])
            found[name] = before[name] - np.asarray(after)
        return found


def _names(parameter: Any) -> list[Any]:
    """Return the names on the way to a parameter; an element of a tuple goes by the name that it is unpacked into."""
    if not parameter.paths or (parameter.home == "made" and len(parameter.paths[0]) == 1):
        return [parameter.name]
    unpacked = isinstance(parameter.paths[0][-1][1], int) and str(parameter.name).isidentifier()
    if parameter.home == "given" and len(parameter.paths[0]) == 2 and unpacked:
        return [parameter.name]
    return [n for _, n in parameter.paths[0]]


def _end(parameter: Any) -> str:
    """Return the innermost name of a parameter that is no mere box."""
    names = [n for n in _names(parameter) if isinstance(n, str) and n not in ("value", "v", "data", "val")]
    return names[-1] if names else str(parameter.name)


def match(
    wanted: dict[str, tuple[Any, ...]],
    leaves: list[Leaf],
    shapes: dict[str, tuple[int, ...]],
    *,
    by_shape: bool,
    linked: dict[str, str] | None = None,
    whole_names: dict[str, tuple[Any, ...]] | None = None,
) -> dict[str, Any]:
    """Give each parameter its leaf: as the text links them, by the whole path, by the last name, then by shape."""
    found: dict[str, Any] = {}
    used: set[int] = set()
    for i, leaf in enumerate(leaves):
        of = next((linked[n] for n in leaf.names if isinstance(n, str) and n in linked), "") if linked else ""
        if of in wanted and of not in found and bool(np.shape(leaf.value)) == bool(shapes[of]):
            found[of] = leaf.value
            used.add(i)
    ends: dict[Any, list[str]] = {}
    for name, key in wanted.items():
        ends.setdefault(key[-1], []).append(name)
    for whole in (True, False):
        for exact_shape in (True, False):
            for name, key in wanted.items():
                if name in found:
                    continue
                for i, leaf in enumerate(leaves):
                    if i in used or (np.shape(leaf.value) != shapes[name]) == exact_shape:
                        continue
                    options = [k for k, marked in keys(leaf.names) if marked or leaf.returned]
                    fits = (
                        (key in options or (whole_names or {}).get(name) in options)
                        if whole
                        else len(ends[key[-1]]) == 1 and any(k[-1:] == key[-1:] for k in options)
                    )
                    if fits:
                        found[name] = leaf.value
                        used.add(i)
                        break
    if by_shape:
        left = [i for i in range(len(leaves)) if i not in used and np.ndim(leaves[i].value)]
        for name in [n for n in wanted if n not in found]:
            rivals = [n for n in wanted if n not in found and shapes[n] == shapes[name]]
            same = [i for i in left if np.shape(leaves[i].value) == shapes[name]]
            if same and len(rivals) == len(same) and not _spoken_for(leaves[same[0]], wanted):
                found[name] = leaves[same[0]].value
                left.remove(same[0])
    return found


def _spoken_for(leaf: Leaf, wanted: dict[str, tuple[Any, ...]]) -> bool:
    """Tell whether a leaf's name is that of something else than a weight's gradient: a state's or an input's."""
    name = str(leaf.names[-1]) if leaf.names else ""
    return (
        re.fullmatch(r"d?_?(h|a|x|c|s|z)(_?(0|prev|next|t|last))?(_?t)?|h_?prev|hprev|loss|cost", name, re.I)
        is not None
    )


def path_label(path: Path) -> str:
    """Return the name a parameter goes by: its path without the boxes it stands in."""
    kept = [
        (k, n)
        for k, n in path
        if not (isinstance(n, str) and re.fullmatch(r"params?|parameters|weights|value|v|p|w|theta|P", n))
    ]
    names = kept or list(path[-1:])
    return ".".join(str(n) for _, n in names)
