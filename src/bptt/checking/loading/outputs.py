"""What a forward pass gives, as arguments for the cost and the backward: by name, as cache, as prediction, as upstream."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from bptt.checking.loading import paths as places
from bptt.checking.loading import roles_by_name as roles
from bptt.checking.loading.facts import Function
from bptt.checking.loading.options import Option
from bptt.checking.loading.plan import Plan, Source


def places_only(value: Any) -> bool:
    """Tell a number or an empty thing from something that holds predictions: of one unit, a (1, 1) for each step."""
    values = [v for _, v in list(places.walk(value))[:20]]
    return not any(np.size(v) > 1 for v in values) and sum(np.ndim(v) > 0 for v in values) < 2


def outputs_for(
    name: str, function: Function, outputs: Sequence[tuple[tuple[str, ...], Source, Any]], stage: str, plan: Plan
) -> list[Option]:
    """Return the results of the forward that an argument may be: by its own name, as cache, prediction or upstream."""
    out: list[Option] = []
    cache = roles.matches(name, roles.CACHE)
    rivals = [a for a in function.arguments if a != name and roles.matches(a, roles.TARGET)]
    rival = bool(rivals) and function.arguments.index(name) < function.arguments.index(rivals[0])  # loss(ys, targets)
    prediction = roles.matches(name, roles.PREDICTION) or (rival and roles.matches(name, roles.TARGET))
    slope = stage == "backward" and (
        roles.matches(name, roles.UPSTREAM) or re.match(r"d[A-Z_]|d[a-z]{1,2}$|grad", name)
    )
    for names, source, value in outputs:
        own = names[-1] if names else ""
        if own and own.lower() == name.lower():
            out.append(Option(0.0, source))
        elif own and roles._plain(own).rstrip("s") == roles._plain(name).rstrip("s"):
            out.append(Option(0.2, source))
        elif cache and own and roles.matches(own, roles.CACHE):
            out.append(Option(0.3, source))
        elif slope:
            continue  # the gradient of something is no other value
        elif cache and isinstance(value, list | tuple | dict):
            out.append(Option(0.7 if source.path else 0.9, source))
        elif prediction and own and (roles.matches(own, roles.PREDICTION) or own.lower().startswith(("y", "p", "o"))):
            out.append(Option(0.4 if roles.matches(own, roles.PREDICTION) else 0.7, source))
        elif prediction and not places_only(value):
            out.append(Option(1.0, source))
        elif roles.matches(name, r"(h|a|s)s?(_?(states?|all|seq))?|hidden(_?states?)?|states") and not places_only(
            value
        ):
            out.append(Option(1.2, source))
        elif (
            not cache
            and not roles.matches(name, f"{roles.INPUT}|{roles.TARGET}|{roles.STATE0}|{roles.PARAMETERS}")
            and not places_only(value)
        ):
            out.append(Option(1.3, source))
    if stage == "backward" and (roles.matches(name, roles.UPSTREAM) or re.match(r"d[A-Za-z_]|grad", name)):
        out += _upstream(name, outputs)
        if re.search(r"next|future|prev", name, re.I):
            out += [
                Option(0.9, Source("zeros", None, s.path)) for _, s, v in outputs if s.kind == "result" and _array(v)
            ]
    return out


def _upstream(name: str, outputs: Sequence[tuple[tuple[str, ...], Source, Any]]) -> list[Option]:
    out = []
    plain = roles._plain(name)
    for i, (names, source, value) in enumerate(outputs):
        number = isinstance(value, float) and not (names and re.search("loss|cost", names[-1]))
        several = isinstance(value, list | tuple | dict) and _arrays_in(value)
        if source.kind != "result" or not (_array(value) or number or several):
            continue
        own = roles._plain(names[-1]) if names else ""
        stem = re.sub(r"^(dl?d?|grad|g)", "", plain)
        close = bool(own) and (stem == own or stem.rstrip("s") == own.rstrip("s"))
        kin = bool(own) and bool(stem) and (own.startswith(stem) or stem.startswith(own) or own[0] == stem[0])
        late = 0.1 * i + 0.4 * (not _array(value)) + 0.8 * roles.matches(own, roles.CACHE)
        whole = not source.path
        out.append(
            Option(
                (0.05 if close else 0.3 if kin else 0.6) + late + 0.3 * (whole and not _array(value)),
                Source("upstream", None, source.path),
            )
        )
        if _array(value):
            for axis, size in enumerate(np.shape(value)):
                if size in STEPS_AT_PROBE and np.ndim(value) > 1:
                    last = (*(slice(None),) * axis, -1)
                    out.append(Option(0.9 + late, Source("upstream", None, (*source.path, ("item", last)))))
    return out


STEPS_AT_PROBE = (4, 5)  # T_x and T_x + 1: a gradient may arrive at the last step only


def _array(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def _arrays_in(value: Any) -> bool:
    items = list(value.values()) if isinstance(value, dict) else list(value)
    return bool(items) and all(_array(v) for v in items) and len({np.shape(v) for v in items}) == 1


def result_outputs(
    labels: Sequence[str], result: Any, thing: Any, own: set[str]
) -> list[tuple[tuple[str, ...], Source, Any]]:
    """Return what a forward has returned, element by element and whole, and what it has left on the object."""
    out: list[tuple[tuple[str, ...], Source, Any]] = []
    if isinstance(result, tuple | list) and len(result) == len(labels) and len(labels) > 1:
        for i, (name, value) in enumerate(zip(labels, result, strict=True)):
            out.append(((name,), Source("result", None, (("item", i),)), value))
    elif isinstance(result, tuple):
        out += [((f"result{i}",), Source("result", None, (("item", i),)), v) for i, v in enumerate(result)]
    if result is not None:
        out.append(((labels[0],) if len(labels) == 1 else (), Source("result", None, ()), result))
    if isinstance(result, dict):
        out += [((str(k),), Source("result", None, (("item", k),)), v) for k, v in result.items() if isinstance(k, str)]
    for name, value in vars(thing).items() if hasattr(thing, "__dict__") else ():
        if name not in own:
            out.append(((name,), Source("self", None, (("attr", name),)), value))
    return out
