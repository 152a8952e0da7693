"""Forced execution: every unit of a program is recorded, and may be handed the true value instead of its own.

So each line is judged with true values above it: one fault does not make the lines under it look wrong, and an
exception does not hide what comes after it.
"""

from __future__ import annotations

import contextlib
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bptt.checking.tracing.callers import Callers, theirs
from bptt.checking.tracing.hooks import MARK
from bptt.checking.tracing.step_nodes import HERE
from bptt.dims import Array

Supply = Callable[["Event"], Any]
"""What a unit is to hold after an event: the true value, or None to leave its own."""


@dataclass
class Event:
    """One execution of a unit."""

    unit: int
    instance: int
    before: Any = None
    value: Any = None
    """A copy of what the unit computed; None where it raised, or computed no numbers."""
    live: Any = None
    """The object itself."""
    error: Exception | None = None
    loops: dict[int, int] = field(default_factory=dict)
    """Loop line -> iteration, from 0, over the whole run."""
    names: dict[str, Any] | None = None
    updates: bool = False
    """Whether the statement works on what its target holds; its array is then written in place."""


class Enough(BaseException):
    """What was to be seen in a run was seen; no ``except Exception`` of theirs takes it for an error."""


class Run:
    """One execution of their gradients; ``enough`` is asked after each event whether it may end there."""

    def __init__(
        self,
        callers: Callers | None = None,
        supplies: Mapping[int, Supply] | None = None,
        capture: Callable[[int], bool] | None = None,
        enough: Callable[[Event], bool] | None = None,
    ) -> None:
        self.callers = callers
        self.supplies = dict(supplies or {})
        self.capture = capture
        self.enough = enough
        self.ended = False
        self.events: dict[int, list[Event]] = {}
        self.order: list[Event] = []
        self._ticks: dict[int, int] = {}

    def begin(
        self, units: tuple[int, ...], names: dict[str, Any], old: Callable[[], Any] | None = None, updates: bool = False
    ) -> None:
        for unit in units:
            event = Event(unit, len(self.events.get(unit, ())), loops=dict(self._ticks))
            if self.capture is not None and self.capture(unit):
                event.names = frozen(_own(names))
            if old is not None:
                with contextlib.suppress(Exception):
                    held = old()
                    event.before = numbers(held)
                    if updates:
                        event.live, event.updates = held, True
            self.events.setdefault(unit, []).append(event)
            self.order.append(event)

    def done(self, units: tuple[int, ...], values: tuple[Any, ...]) -> None:
        for unit, value in zip(units, values, strict=True):
            event = self.events[unit][-1]
            event.live = value
            event.value = numbers(value)
            self._seen(event)

    def failed(self, units: tuple[int, ...], error: Exception) -> None:
        for unit in units:
            if unit not in self.events:
                self.begin((unit,), {})
            event = self.events[unit][-1]
            event.error = error
            self._seen(event)

    def _seen(self, event: Event) -> None:
        if self.enough is not None and self.enough(event):
            self.ended = True
            raise Enough

    def tick(self, loop: int) -> None:
        self._ticks[loop] = self._ticks.get(loop, -1) + 1


run: Run | None = None


@contextlib.contextmanager
def recording(new: Run) -> Iterator[Run]:
    """Let a run receive the events."""
    global run
    before, run = run, new
    try:
        yield new
    finally:
        run = before


def enter(*arguments: Any) -> int:
    """At the start of a function; return the number of the chain of calls that led to it."""
    return 0 if run is None or run.callers is None else run.callers.enter(theirs(sys._getframe(1)), arguments)


def turn(here: int, line: int, fixed: bool, *targets: Any) -> int:
    """At the start of a turn of a loop; return the number that what is done in it goes by."""
    return here if run is None or run.callers is None else run.callers.turn(here, line, fixed, targets)


def leave() -> None:
    """At the end of a function."""
    if run is not None and run.callers is not None:
        run.callers.leave()


def begin(
    units: tuple[int, ...],
    names: dict[str, Any],
    here: int,
    old: Callable[[], Any] | None = None,
    updates: bool = False,
) -> None:
    """Before a statement; ``old`` reads what its target holds now, where it is an update."""
    if run is not None:
        run.begin(_numbers(units, here), names, old, updates)


def done(units: tuple[int, ...], values: tuple[Any, ...], here: int) -> None:
    """After a statement that did not raise."""
    if run is not None:
        run.done(_numbers(units, here), values)


def failed(here: int, *units: int, error: Exception) -> None:
    """After a statement that raised: remember it and go on."""
    if run is None:
        raise error
    run.failed(_numbers(units, here), error)


def _numbers(units: tuple[int, ...], here: int) -> tuple[int, ...]:
    """Return the numbers of units in a chain of calls."""
    if run is None or run.callers is None or here == 0:
        return units
    return tuple(run.callers.number(unit, here) for unit in units)


def _own(names: dict[str, Any]) -> dict[str, Any]:
    """Leave out the name that is ours."""
    return {name: value for name, value in names.items() if not name.startswith(HERE)}


def tick(loop: int) -> None:
    """At the start of a loop's body."""
    if run is not None:
        run.tick(loop)


def forces(unit: int, here: int) -> bool:
    """Tell whether the unit's latest value is to be replaced."""
    if run is None:
        return False
    (number,) = _numbers((unit,), here)
    if number not in run.supplies:
        return False
    event = run.events[number][-1]
    value = run.supplies[number](event)
    if value is None:
        return False
    if isinstance(event.live, list):
        event.live = [np.array(part) for part in value]
    else:
        event.live = _placed(event.live if event.updates else None, value)
    return True


def forced(unit: int, here: int) -> Any:
    """Return the true value for a unit."""
    assert run is not None
    return run.events[_numbers((unit,), here)[0]][-1].live


def nameless(unit: int, compute: Callable[[], Any], names: dict[str, Any], here: int) -> Any:
    """Evaluate an expression that has no name."""
    if run is None:
        return compute()
    (number,) = _numbers((unit,), here)
    run.begin((number,), names)
    event = run.events[number][-1]
    try:
        value = compute()
        run.done((number,), (value,))
    except Exception as error:
        run.failed((number,), error)
        if not forces(unit, here):
            raise
        return event.live
    return event.live if forces(unit, here) else value


for _hook in (enter, turn, leave, begin, done, failed, tick, forces, forced, nameless):
    setattr(_hook, MARK, True)


def _placed(live: Any, value: Any) -> Any:
    """Write the true value into an array that is updated, so that every alias of it sees it; else make a new one."""
    if (
        isinstance(live, np.ndarray)
        and live.shape == np.shape(value)
        and live.dtype.kind == "f"
        and live.flags.writeable
    ):
        live[...] = value
        return live
    return np.array(value) if np.shape(value) else float(value)


def numbers(value: Any) -> Array | None:
    """Return a copy of a real array or number, of a list of arrays as one array; None for anything else."""
    if type(value) is list and value and isinstance(value[0], np.ndarray):
        parts = [numbers(part) for part in value]
        alike = all(part is not None and part.shape == value[0].shape for part in parts)
        return np.stack(parts) if alike else None  # type: ignore[arg-type]
    if isinstance(value, np.ndarray):
        return np.array(value, dtype=float) if value.dtype.kind in "fiu" else None
    if isinstance(value, float | np.floating):
        return np.array(float(value))
    return None


def frozen(value: Any, depth: int = 4, seen: dict[int, Any] | None = None) -> Any:
    """Return a copy of names, containers and the attributes of their objects, with arrays as they are now."""
    seen = {} if seen is None else seen
    if isinstance(value, np.ndarray):
        return value.copy()
    if depth == 0 or id(value) in seen:
        return seen.get(id(value), value)
    if isinstance(value, dict):
        seen[id(value)] = result = type(value)() if type(value) is dict else {}
        for key, item in value.items():
            result[key] = frozen(item, depth - 1, seen)
        return result
    if isinstance(value, list | tuple) and type(value) in (list, tuple):
        return type(value)(frozen(item, depth - 1, seen) for item in value)
    attributes = getattr(value, "__dict__", None)
    if (
        isinstance(attributes, dict)
        and not isinstance(value, type)
        and not callable(value)
        and not hasattr(value, "__file__")
    ):
        try:
            kind: Any = type(value)
            twin: Any = kind.__new__(kind)
        except Exception:  # a class that wants arguments: its attributes are what is needed
            twin = types.SimpleNamespace()
        seen[id(value)] = twin
        twin.__dict__.update({k: frozen(v, depth - 1, seen) for k, v in attributes.items()})
        return twin
    return value
