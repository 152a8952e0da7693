"""What each unit is meant to be: matched by value first; places in memory and the loop's rhythm fill the gaps."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np

from bptt.checking.tracing.bank import RANK, Bank, Match, Role
from bptt.checking.tracing.forced import Event, Run, Supply
from bptt.checking.tracing.series import Series
from bptt.checking.tracing.stepping import Unit
from bptt.dims import Array

CLOSE = 1e-7
EXACT = 1e-13


def accumulates(unit: Unit) -> bool:
    """Tell whether a unit adds to what its target held."""
    if unit.op in ("+=", "-="):
        return True
    return unit.op == "=" and unit.recursive and unit.target in summands(unit.expression)


def summands(node: ast.expr) -> set[str]:
    """Return the terms of a sum, as written."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        return summands(node.left) | summands(node.right)
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("add"):
        return {text for argument in node.args for text in summands(argument)}
    return {ast.unparse(node)}


def arrived(unit: Unit, event: Event, delta: bool) -> Array | None:
    """Return what an event computed: what it added, or what it left."""
    value: Array | None = event.value
    if value is None or not delta:
        return value
    if event.before is None or event.before.size == 0:
        return value
    try:
        return np.asarray(value - event.before)
    except ValueError:
        return None


HANDED_BACK = ("adjoint", "share", "part")


def match_unit(
    unit: Unit, events: list[Event], bank: Bank, scale: float, working: float, scales: tuple[float, ...]
) -> tuple[Role | None, bool]:
    """Return the best role by value, and whether it holds at every instance.

    ``scale`` is the multiple of the true gradients that the program works with until its last lines, ``working`` that
    of what it hands back from line to line; ``scales`` are other multiples that it may work with for a while
    (m, 1/m, -1).
    """
    best: tuple[Role | None, bool] = (None, False)
    for sign in dict.fromkeys((scale, 1.0, working)):
        for delta in (True, False) if accumulates(unit) else (False,):
            values = [arrived(unit, event, delta) for event in events]
            role, whole = _best(unit, [bank.look(None if v is None else v / sign) for v in values], values, bank)
            if role is None or ((sign != scale) != (role.series.kind in ("value", "slope")) and scale != 1):
                continue
            if sign not in (1.0, scale) and role.series.kind not in HANDED_BACK:
                continue
            role.delta, role.sign = delta, sign
            if whole:
                return role, True
            if best[0] is None or (
                unit.op == "="
                and best[0].delta
                and role.series.kind == "adjoint"
                and _began_with_nothing(events, best[0])
            ):
                best = role, False
    if best[0] is None:
        delta = accumulates(unit)
        values = [arrived(unit, event, delta) for event in events]
        role, whole = _best(unit, [bank.look_scaled(v, scales) for v in values], values, bank)
        if role is not None and whole and role.series.kind in HANDED_BACK:
            role.delta = delta
            return role, True
    return best


def _began_with_nothing(events: list[Event], role: Role) -> bool:
    """Tell whether a part is added to zeros where it was recognised: the sum is as likely what was meant."""
    return role.series.kind == "adjoint" and (events[0].before is None or not events[0].before.any())


Key = tuple[int, tuple[int, ...], float]


def _best(unit: Unit, matches: list[list[Match]], values: list[Array | None], bank: Bank) -> tuple[Role | None, bool]:
    found: dict[Key, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    zeros = {k for k, value in enumerate(values) if value is not None and value.size and not value.any()}
    for k, here in enumerate(matches):
        for match in here:
            found[(match.series, match.axes, match.scale)][k].add(match.time)
    if not found:
        return None, False
    size = len(values)

    def order(key: Key) -> tuple[Any, ...]:
        series = bank.series[key[0]]
        hits = len(found[key])
        times = _times(series, found[key], size)
        agreeing = sum(times.get(k) in ts for k, ts in found[key].items())
        plain = key[1] == tuple(range(len(key[1])))
        long = len(series.items) >= size
        return (-agreeing - (0.5 if long else 0), RANK[series.kind], not plain, -hits, name_distance(unit, series), key)

    best = min(found, key=order)
    series = bank.series[best[0]]
    times = _times(series, found[best], size)
    role = Role(series, best[1], times, sign=best[2])
    whole = all(k in zeros or times.get(k) in found[best].get(k, ()) for k in range(size))
    for k in zeros:
        item = role.item(k)
        if item is not None and item.any():
            whole = False
    return role, whole


def _times(series: Series, hits: dict[int, set[int]], size: int) -> dict[int, int]:
    if series.in_order and len(series.items) == size:
        return {k: k for k in range(size)}
    return fit_times(hits, size, len(series.items))


def fit_times(hits: dict[int, set[int]], size: int, steps: int) -> dict[int, int]:
    """Return the step of each instance: one apart, backwards (or forwards) in time, as most hits agree."""
    votes: Counter[tuple[int, int]] = Counter()
    for k, times in hits.items():
        for time in times:
            votes[(-1, time + k)] += 1
            votes[(1, time - k)] += 1
    if not votes:
        return {}

    def likely(item: tuple[tuple[int, int], int]) -> tuple[int, int, int]:
        (direction, start), count = item
        return count, sum(0 <= start + direction * k < steps for k in range(size)), -direction

    (direction, start), count = max(votes.items(), key=likely)
    if count < len(hits) and count <= 1:
        return {k: min(times) for k, times in hits.items()}
    return {k: start + direction * k for k in range(size)}


def name_distance(unit: Unit, series: Series) -> int:
    """Rank by names only where the numbers leave a choice: 0 if the unit seems to be named after the quantity."""
    bare = bare_name(unit.target)
    return 0 if bare and (bare == bare_name(series.parameter) or bare in words(series.name)) else 1


def bare_name(name: str) -> str:
    """Return a name without what marks it as a gradient: ``self.cache['dW_aa']`` -> ``waa``."""
    inner = name.split("'")[-2] if name.count("'") >= 2 else name.split(".")[-1].split("[")[0]
    low = inner.lower().replace("_", "")
    for mark in ("grad", "delta", "d"):
        if low.startswith(mark) and len(low) > len(mark):
            return low[len(mark) :]
        if mark == "grad" and low.endswith(mark) and len(low) > len(mark):
            return low[: -len(mark)]
    return low


def words(text: str) -> set[str]:
    """Return the bare words of a piece of code."""
    letters = "".join(c.lower() if c.isalnum() or c == "_" else " " for c in text)
    return {word.replace("_", "") for word in letters.split()}


def sinks(units: list[Unit], run: Run, delivered: dict[str, Any], turning: set[str]) -> tuple[dict[int, str], set[int]]:
    """Return the units that write into one delivered gradient, and those that write into several in turn.

    A unit writes into a gradient if its target shares memory with it, or is the same object.  ``turning`` are the
    names that a ``for`` sets: what goes into one of them goes into another array each time.
    """
    result: dict[int, str] = {}
    mixed: set[int] = set()
    for unit in units:
        events = run.events.get(unit.number)
        if not events:
            continue
        found = {name for event in events for name in [_owner(event.live, delivered)] if name}
        if not found and accumulates(unit):
            found = _handed_out_as_copy(unit, events, delivered)
        shapes = {event.value.shape for event in events if event.value is not None}
        if len(found) > 1 or (len(shapes) > 1 and (unit.target in turning or "[" in unit.target)):
            mixed.add(unit.number)
        elif found and (
            accumulates(unit)
            or (not is_start(unit) and _does_something(unit, events) and all(_owner(e.live, delivered) for e in events))
        ):
            result[unit.number] = found.pop()
    return result, mixed


def _handed_out_as_copy(unit: Unit, events: list[Event], delivered: dict[str, Any]) -> set[str]:
    """Return the gradient that a sum's last value equals; where it raises, the one that it is named after."""
    last = events[-1].value
    if last is not None and last.any():
        return {n for n, g in delivered.items() if isinstance(g, np.ndarray) and np.array_equal(g, last)}
    if all(event.error is not None for event in events):
        return {n for n in delivered if bare_name(n) == bare_name(unit.target)}
    return set()


def _does_something(unit: Unit, events: list[Event]) -> bool:
    """Tell whether a unit outside of every loop gives more than zeros (``dW = 0 * W`` only sets it up)."""
    return bool(unit.loops) or any(e.error is not None or (e.value is not None and e.value.any()) for e in events)


def is_start(unit: Unit) -> bool:
    """Tell whether a unit only sets a variable up: zeros, an empty list, a constant."""
    text = unit.text.split("=", 1)[-1]
    return any(mark in text for mark in ("zeros", "empty", "full(")) or not any(c.isalpha() for c in text)


def slice_of(live: Any, whole: Any) -> tuple[int, int] | None:
    """Return the axis and the index of a slice of an array that a view is; None if it is no such slice."""
    if not isinstance(live, np.ndarray) or not isinstance(whole, np.ndarray) or live.size >= whole.size:
        return None
    for axis in range(whole.ndim):
        for k in range(whole.shape[axis]):
            part = np.moveaxis(whole, axis, 0)[k]
            begins = part.size == live.size and part.__array_interface__["data"] == live.__array_interface__["data"]
            if begins and part.strides == live.strides:
                return axis, k
    return None


def _owner(live: Any, delivered: dict[str, Any]) -> str | None:
    if not isinstance(live, np.ndarray):
        return None
    for name, gradient in delivered.items():
        if isinstance(gradient, np.ndarray) and np.shares_memory(live, gradient):
            return name
    return None


def supply(unit: Unit, role: Role) -> Supply:
    """Return what hands the true value to a unit; what holds it already is left as it is: whose it is may matter."""

    def true_value(event: Event) -> Any:
        item = role.item(event.instance)
        if item is None:
            return None
        base = event.before if role.delta else None
        like = event.value if event.value is not None else event.before
        if like is not None and like.size == item.size:
            item = item.reshape(like.shape)
        if base is not None:
            item = base + item if base.size == item.size or base.size == 1 else item
        return None if event.value is not None and same(event.value, item, EXACT) else item

    return true_value


def judge(unit: Unit, role: Role, events: Iterable[Event]) -> list[int]:
    """Return the instances at which a unit, given true values, does not compute what its role says."""
    wrong = []
    for event in events:
        item = role.item(event.instance)
        if item is None:
            continue
        value = arrived(unit, event, role.delta)
        if event.error is not None or value is None:
            wrong.append(event.instance)
            continue
        if not same(value, item):
            wrong.append(event.instance)
    return wrong


def same(value: Array, item: Array, tolerance: float = CLOSE) -> bool:
    """Tell whether two arrays hold the same numbers in the same order, whatever their axes."""
    if value.size != item.size:
        return False
    scale = max(float(np.abs(item).max(initial=0.0)), 1e-300)
    with np.errstate(all="ignore"):
        gap = float(np.abs(value.reshape(-1) - item.reshape(-1)).max(initial=0.0))
    return bool(gap <= tolerance * scale or (gap < 1e-14 and scale < 1e-12))
