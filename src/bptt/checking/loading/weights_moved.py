"""The parameters of a program as its own run shows them: the arrays that it moves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from bptt.checking.loading import paths as places
from bptt.checking.loading import roles_by_name as roles
from bptt.checking.loading.parameters_found import box_keys, held_by_object
from bptt.checking.loading.paths import Path
from bptt.checking.loading.plan import Parameter
from bptt.checking.loading.rehearsal import Recording, State
from bptt.checking.loading.units import Unit


def weights_of(recording: Recording, unit: Unit) -> tuple[Parameter, ...]:
    """Return the arrays that the run moves and the forward does not, or those named like weights if there are none."""
    state, live = recording.start.copied or {}, recording.start.live
    forward = recording.of(unit.forward)
    passed = forward.left if forward is not None and unit.backward is not None else None
    candidates: list[Parameter] = []
    taken: set[int] = set()
    for home, root in (("self", "self"), ("given", "given"), ("global", "globals")):
        for held in held_by_object(state[root]) if state[root] is not None else []:
            value = places.read(state[root], held.paths[0])
            if id(value) in taken:
                continue
            taken.add(id(value))
            paths = held.paths
            if home == "global":
                paths = tuple((("attr", p[0][1]), *p[1:]) for p in paths)
            name = held.name if any(c.isalpha() for c in held.name) else _fields(state[root], held.paths[0])
            name = _unpacked(state[root], held.paths[0], unit) or name
            candidates.append(Parameter(name, home, paths))  # type: ignore[arg-type]
    found = [p for p in candidates if moved(p, state, live) or (_is_weight(p) and moved(p, state, recording.second))]
    weights = [p for p in candidates if _is_weight(p)]
    if passed is not None:
        candidates = [p for p in candidates if not moved(p, state, passed)]
    kept = [p for p in candidates if not _is_other(p) or (passed is not None and p.home == "self")]
    inside = [p for p in kept if len(place_of(p)) > 2]
    chosen = [p for p in found if p in kept] or weights or inside
    # One that is not moved, because its gradient is wrongly zero, must not be missed.
    beside = {_kind_of_place(p) for p in chosen if len(place_of(p)) > 2 or p.home == "self"}
    return tuple(
        p if p in chosen or p in weights else replace(p, likely=False)
        for p in candidates if p in chosen or p in weights or (p in kept and _kind_of_place(p) in beside)
    )  # fmt: skip


def _unpacked(root: Any, path: Path, unit: Unit) -> str:
    """Return the name under which the passes unpack an element of a tuple; nothing where they do not."""
    if len(path) != 2 or not isinstance(path[1][1], int):
        return ""
    labels, kind = box_keys([f for f in (unit.forward, unit.backward) if f is not None], str(path[0][1]))
    holder = places.read(root, path[:1])
    if kind != "tuple" or not isinstance(holder, tuple | list) or len(labels) != len(holder):
        return ""
    return labels[path[1][1]]


def _fields(root: Any, path: Path) -> str:
    """Return a name for what stands in tuples and lists only: ``P.Wx`` in a named tuple, ``weights[0][1]``."""
    holder = places.read(root, path[:-1])
    last = path[-1][1]
    return str(holder._fields[last]) if hasattr(holder, "_fields") else places.spell(path[1:], str(path[0][1]))


def place_of(parameter: Parameter) -> Path:
    """Return the place of a parameter in the state."""
    first, *rest = parameter.paths[0]
    if parameter.home == "global":
        return (("item", "globals"), ("item", first[1]), *rest)
    return (("item", parameter.home), first, *rest)


def _kind_of_place(parameter: Parameter) -> Path:
    """Return the place of what holds a parameter, the same for each of several layers."""
    return tuple((kind, "*" if isinstance(key, int) else key) for kind, key in place_of(parameter)[:-1])


def standing(state: Any, parameter: Parameter) -> Any:
    """Return what a state holds at a parameter's place."""
    return places.read(state, place_of(parameter))


def moved(parameter: Parameter, state: State, live: State) -> bool:
    """Tell whether a parameter has other values in a later state, of the same shape."""
    try:
        now = standing(live, parameter)
    except (KeyError, IndexError, AttributeError, TypeError):
        return False
    return np.shape(now) == np.shape(standing(state, parameter)) and not np.array_equal(now, standing(state, parameter))


def _is_weight(parameter: Parameter) -> bool:
    """Tell whether a place is named like a weight, or stands in something named like one."""
    names = [str(n).strip("_") for _, n in parameter.paths[0] if isinstance(n, str)]
    boxed = parameter.home == "given" and roles.matches(str(parameter.paths[0][0][1]), roles.PARAMETERS)
    return boxed or any(roles.is_weight(name) or roles.is_bias(name) for name in names[-2:])


def _is_other(parameter: Parameter) -> bool:
    """Tell inputs, targets and states, which a run moves as well."""
    if len(parameter.paths[0]) > 1 and parameter.home != "self":
        return False
    name = str(parameter.paths[0][-1][1])
    return not _is_weight(parameter) and any(
        roles.matches(name, pattern) for pattern in (roles.INPUT, roles.TARGET, roles.STATE0, roles.CELL0)
    )
