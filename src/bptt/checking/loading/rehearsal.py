"""The program's own run, as far as its first gradients: what it passes to its functions, and what it passes on."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import FrameType, FunctionType, ModuleType
from typing import Any

import numpy as np

from bptt.checking.loading import paths as places
from bptt.checking.loading.copies import copied, is_data
from bptt.checking.loading.facts import Function
from bptt.checking.loading.made_up import Files
from bptt.checking.loading.namespace import PROGRAM, Exhausted, Namespace
from bptt.checking.loading.paths import Path
from bptt.checking.loading.script import STEP
from bptt.checking.tracing.quiet import quiet

LINES = 120_000  # of their Python that one run may take
CALLS = 600  # how many calls are remembered
DEEP, LONG = 6, 200  # how far a value is looked through for what it holds

State = dict[str, Any]
"""What a call could read when it began: ``self``, ``given`` (its arguments), ``globals``."""


class Finished(BaseException):
    """The run has shown what was wanted."""


@dataclass
class Moment:
    """One call of a function, as the run makes it."""

    function: str
    live: State
    inside: tuple[str, ...] = ()  # the functions that it was called from
    copied: State | None = None
    left: State | None = None  # what has become of the state when it ended
    places: dict[int, Path] = field(default_factory=dict)
    result: Any = None
    raised: bool = False
    ended: bool = False  # it has returned, and not raised


@dataclass
class Recording:
    """The calls of one run, in their order; ``start.live`` is by then what has become of the first state.

    ``second`` is the state when the run came to its start again, if it did.
    """

    module: ModuleType
    moments: list[Moment]
    start: Moment
    second: State
    around: tuple[Moment, ...] = ()

    @property
    def later(self) -> list[Moment]:
        """The calls from the start on, and those in which it started: a cost that runs the forward itself."""
        first = next(i for i, m in enumerate(self.moments) if m is self.start)
        return [*self.around, *self.moments[first:]]

    def of(self, function: Function) -> Moment | None:
        """Return the first call of a function from the start on."""
        return next((m for m in self.later if m.function == function.qualified), None)


class Recorder:
    """Watches a run: remembers the calls of some functions, and stops it at the second start."""

    def __init__(
        self,
        wanted: set[str],
        passes: tuple[str, ...],
        start: str,
        read: set[str],
        disturb: Sequence[Path],
        skip: int = 0,
    ) -> None:
        self.wanted, self.passes, self.starts, self.read, self.disturb = wanted, passes, {start}, read, disturb
        self.skip, self.skips = skip, skip > 0  # so many starts go by first
        self.handed: set[str] = set()  # what a pass through a marked loop takes of the function that it stands in
        self.moments: list[Moment] = []
        self.open: list[tuple[FrameType, Moment]] = []
        self.start: Moment | None = None
        self.around: tuple[Moment, ...] = ()  # the calls that were open when it started
        self.begun: list[tuple[Moment, tuple[Moment, ...]]] = []  # every start so far, with those
        self.second: State = {}
        self.reached = False
        self.lines = LINES
        self.exhausted = False

    def watch(self, frame: FrameType, event: str, argument: Any) -> Callable[..., Any] | None:
        """Follow the calls of the program's own functions."""
        if frame.f_code.co_filename != PROGRAM:
            return None
        own = self.open[-1][1] if self.open and self.open[-1][0] is frame else None
        if event == "line":
            self.lines -= 1
            if self.lines < 0:
                self.exhausted = True
                raise Exhausted
            if own is not None:
                own.raised = False
        elif event == "call" and frame.f_code.co_qualname in self.wanted:
            if len(self.moments) < CALLS or frame.f_code.co_qualname in self.starts:
                self._enter(frame)
        elif event == "exception" and own is not None:
            own.raised = True
        elif event == "return" and own is not None:
            self.open.pop()
            own.result, own.ended = argument, not own.raised
            if own.function in self.passes and self.start is not None and own.left is None:
                own.left = copied(self.start.live | {"globals": self._globals(frame)})
        return self.watch

    def _enter(self, frame: FrameType) -> None:
        name = frame.f_code.co_qualname
        inside = tuple(m.function for _, m in self.open)
        first = name in self.starts and not self.starts & set(inside)
        if first and self.skip:
            self.skip, first = self.skip - 1, False
        moment = Moment(name, self._state(frame), inside)
        if first and self.reached:
            self.second = moment.live
            raise Finished
        if first:
            self._starts(moment)
        if name == self.passes[-1] and (self.start is not None or not self.skips):
            if not self.reached:
                self._goes_back_from(moment)
            self.reached = True
        self.moments.append(moment)
        self.open.append((frame, moment))

    def marks(self, end: bool) -> None:
        """Note that a pass through the marked loop begins, or ends."""
        if end or self.reached:
            self.reached = self.reached or self.start is not None
            if not end:
                self.second = self._at(sys._getframe(1))
                raise Finished
            return
        moment = Moment(STEP, self._at(sys._getframe(1)), ended=True)
        self._starts(moment)
        self.moments = [moment]

    def _at(self, frame: FrameType) -> State:
        given = {n: v for n, v in frame.f_locals.items() if n in self.handed}
        return {"self": None, "given": given, "globals": self._globals(frame)}

    def _starts(self, moment: Moment) -> None:
        moment.copied = copied(moment.live)
        moment.places = places_in(moment.live)
        self.start = moment
        self.around = tuple(m for _, m in self.open)
        self.begun.append((moment, self.around))
        for path in self.disturb:
            _shift(places.read(moment.live, path))

    def _goes_back_from(self, backward: Moment) -> None:
        """Take the start whose result the backward pass is given, where several went before it."""
        given = places_in(backward.live["given"]) if len(self.begun) > 1 else {}
        for moment, around in self.begun:
            if moment.ended and id(moment.result) in given:
                self.start, self.around = moment, around

    def _state(self, frame: FrameType) -> State:
        code = frame.f_code
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        given = {n: frame.f_locals[n] for n in names}
        method = "." in code.co_qualname and names[:1] and names[0] in ("self", "cls")
        own = given.pop(names[0]) if method else None
        return {"self": own, "given": given, "globals": self._globals(frame)}

    def _globals(self, frame: FrameType) -> dict[str, Any]:
        return {n: v for n, v in frame.f_globals.items() if n in self.read and is_data(v)}


def _shift(value: Any) -> None:
    if isinstance(value, np.ndarray):
        value += 0.01 * np.cos(np.arange(value.size)).reshape(value.shape)


def record(namespace: Namespace, tree: ast.Module, recorder: Recorder, seed: int, files: Files) -> Recording | None:
    """Run a program until its first gradients are there, and return what was seen; None where it does not come to it.

    Parameters
    ----------
    namespace : Namespace
    tree : ast.Module
        The program; its sizes may have been replaced.
    recorder : Recorder
    seed : int
        Of what it draws.
    files : Files
        What stands in for its files.
    """
    module = namespace.fresh()
    before = sys.gettrace()
    try:
        with quiet():
            namespace.run(module, tree, recorder.watch, recorder.marks, seed, files)
    except (Finished, Exhausted):
        pass
    finally:
        sys.settrace(before)
    if recorder.start is None or not recorder.reached:
        return None
    return Recording(module, recorder.moments, recorder.start, recorder.second, recorder.around)


def places_in(root: Any, path: Path = (), depth: int = DEEP, found: dict[int, Path] | None = None) -> dict[int, Path]:
    """Return where each object stands that a value holds, by its identity: arrays, lists, dicts, objects."""
    found = {} if found is None else found
    if depth == 0 or root is None or isinstance(root, int | float | str | bytes | type | ModuleType | np.generic):
        return found
    if id(root) in found:
        return found
    if path:
        found[id(root)] = path
    for step, item in _items(root):
        places_in(item, (*path, step), depth - 1, found)
    return found


def _items(root: Any) -> Iterator[tuple[tuple[str, Any], Any]]:
    if isinstance(root, dict):
        yield from ((("item", k), v) for k, v in list(root.items())[:LONG])
    elif isinstance(root, list | tuple):
        yield from ((("item", i), v) for i, v in enumerate(root[:LONG]))
    elif hasattr(root, "__dict__") and not isinstance(root, np.ndarray | FunctionType):
        yield from ((("attr", k), v) for k, v in list(vars(root).items())[:LONG])
