"""A checkpoint: all that a training needs to go on as if it had never stopped, as tensors and metadata."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from bptt.dims import Array, check_finite
from bptt.errors import FileError, ValueRangeError, message
from bptt.training.batches import as_json
from bptt.training.loop import Loop

COUNTERS = ("step", "best_step", "stale", "cost_steps")


def pack(loop: Loop) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return the state of a training.

    Returns
    -------
    tensors : dict
        The parameters under their names, ``best.*``, ``optimizer.*``, and ``carried`` and ``order`` where there are.
    about : dict
        ``generator``: the generator's state; ``training``: counters and the place in the data.
    """
    tensors = dict(loop.parameters.views)
    tensors |= {f"best.{name}": array for name, array in loop.best.views.items()}
    tensors |= {f"optimizer.{name}": array for name, array in loop.optimizer.state.items()}
    order = loop.batches.order()
    if order is not None:
        tensors["order"] = order
    if loop.carried is not None:
        tensors["carried"] = loop.carried
    progress = {
        **{name: getattr(loop, name) for name in COUNTERS},
        "best_cost": loop.best_cost if math.isfinite(loop.best_cost) else None,
        "cost_sum": loop.cost_sum,
        "cursor": loop.batches.cursor(),
    }
    return tensors, {
        "generator": loop.generator.bit_generator.state,
        "training": progress,
    }


def unpack(loop: Loop, tensors: Mapping[str, Array], about: Mapping[str, Any], where: str = "resume") -> None:
    """Put a training into the state of a checkpoint.

    Raises
    ------
    FileError
        If the checkpoint lacks a part, or a part of it is damaged.
    """
    progress, generator = _part(about, "training", where), _part(about, "generator", where)
    targets = {name: (f"best.{name}", view) for name, view in loop.best.views.items()}
    states = {f"optimizer.{name}": array for name, array in loop.optimizer.state.items()}
    wanted = {**loop.parameters.views, **dict(targets.values()), **states}
    for name, target in wanted.items():
        array = _part(tensors, name, where)
        if array.shape != target.shape or array.dtype != target.dtype:
            raise FileError(
                message(
                    where,
                    f"the checkpoint's {name} is {array.dtype} {array.shape}; {target.dtype} {target.shape} is wanted.",
                )
            )
        check_finite(where, {name: array})
    try:
        loop.generator.bit_generator.state = generator
        loop.batches.seek(as_json(progress["cursor"], where), tensors.get("order"))
        counters = {name: _counter(progress[name]) for name in COUNTERS}
        best_cost, cost_sum = progress["best_cost"], float(progress["cost_sum"])
        loop.best_cost = math.inf if best_cost is None else float(best_cost)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        if isinstance(error, ValueRangeError):
            raise
        raise FileError(message(where, f"the checkpoint's training state is damaged ({error}).")) from error
    carried = tensors.get("carried")
    if carried is not None:
        n_a, dtype = len(loop.parameters.views["W_aa"]), loop.parameters.values.dtype
        if carried.shape != (n_a, loop.batches.m) or carried.dtype != dtype:
            raise FileError(message(where, f"the checkpoint's carried state is {carried.dtype} {carried.shape}."))
        check_finite(where, {"carried": carried})
    for name, target in wanted.items():
        target[...] = tensors[name]
    for name, value in counters.items():
        setattr(loop, name, value)
    loop.cost_sum = cost_sum
    loop.carried = carried


def _part(parts: Mapping[str, Any], name: str, where: str) -> Any:
    if name not in parts:
        raise FileError(
            message(where, f"the file has no {name!r}: it is a model, but no checkpoint that training can go on from.")
        )
    return parts[name]


def _counter(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is no count")
    return value
