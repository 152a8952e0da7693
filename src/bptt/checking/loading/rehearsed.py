"""What a rehearsal says of a unit: where each argument comes from, what the weights are, and all of it at any sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

import numpy as np

from bptt.checking.loading import paths as places
from bptt.checking.loading import roles_by_name as roles
from bptt.checking.loading.bench import last_name
from bptt.checking.loading.binding import LIMIT
from bptt.checking.loading.copies import copied
from bptt.checking.loading.facts import Facts, Function
from bptt.checking.loading.knobs import PLAIN as AS_IT_IS
from bptt.checking.loading.knobs import SMALLEST, Knobs
from bptt.checking.loading.made_up import Files, kinds_of_files
from bptt.checking.loading.namespace import Namespace
from bptt.checking.loading.paths import Path
from bptt.checking.loading.plan import Parameter, Source
from bptt.checking.loading.rehearsal import Moment, Recorder, Recording, State, places_in, record
from bptt.checking.loading.script import STEP
from bptt.checking.loading.starters import handed_on
from bptt.checking.loading.starts import begin_anywhere, come_again, end_unevenly
from bptt.checking.loading.units import Unit
from bptt.checking.loading.weights_moved import moved, place_of, standing, weights_of
from bptt.checking.program import Sizes

LARGEST = 4000  # numbers in all parameters
PLAIN = bool | int | float | str | None
LATER = 3  # so many later passes are looked at where the first leaves a gradient at zero, as one step does
OURS = f"{LIMIT}|{roles.TRUNCATION}"  # numbers that are set, whatever the run passes


@dataclass
class Rehearsal:
    """The run of a program around one forward and backward pass, which can be repeated at other sizes."""

    namespace: Namespace
    knobs: Knobs
    facts: Facts
    unit: Unit
    level: int = 0
    skip: int = 0  # so many passes go by before the one that is looked at
    files: Files = field(default_factory=Files)
    sources: dict[tuple[str, str], Source] = field(default_factory=dict)
    costs: tuple[Function, ...] = ()
    endless: bool = False  # the run goes on and on, and never comes to its gradients
    lost: bool = False  # something is passed that nobody knows how to make again
    fused: bool = False  # the backward pass moves the weights itself
    usual: tuple[Sizes, int] | None = None  # at these sizes it runs
    kept: dict[tuple[Sizes, int], tuple[ModuleType, State]] = field(default_factory=dict)

    def record(self, sizes: Sizes, seed: int, disturb: Sequence[Path] = ()) -> Recording | None:
        """Run the program at some sizes."""
        unit = self.unit
        functions = self.facts.functions.values()
        read = {n for f in functions for n in f.reads_outside}
        passes = tuple(f.qualified for f in (unit.forward, unit.backward) if f is not None)
        start = unit.forward if unit.forward_first or unit.backward is None else unit.backward
        recorder = Recorder(
            {*(f.qualified for f in functions), *passes}, passes, start.qualified, read, disturb, self.skip
        )
        if self.namespace.step is not None:
            recorder = Recorder(set(), passes, STEP, {n for f in functions for n in f.reads}, disturb)
            recorder.handed = set(unit.forward.arguments)
        files = replace(self.files, seed=seed)
        found = record(self.namespace, self.knobs.turned(self.level, sizes), recorder, seed, files)
        self.endless = found is None and recorder.exhausted
        return found

    def state(self, sizes: Sizes, seed: int) -> tuple[ModuleType, State]:
        """Return what the first call could read at some sizes, and what later calls were given from elsewhere."""
        if (sizes, seed) not in self.kept:
            recording = self.record(sizes, seed)
            if recording is None and self.usual is not None and (sizes, seed) != self.usual:
                self.kept[sizes, seed] = self.state(*self.usual)
            elif recording is None:
                raise ValueError("the program's own run does not come to its gradients")
            else:
                self.kept[sizes, seed] = (recording.module, self._whole(recording, seed))
        return self.kept[sizes, seed]

    def _whole(self, recording: Recording, seed: int) -> State:
        state = dict(recording.start.copied or {})
        more: dict[str, Any] = {}
        for (name, argument), source in self.sources.items():
            moment = next((m for m in recording.later if m.function == name), None)
            if source.kind == "seen" and source.path[0] == ("item", "more") and moment is not None:
                more[f"{name}.{argument}"] = copied(moment.live["given"][argument])
        begin_anywhere(state, more, seed)
        end_unevenly(state)
        come_again(state)
        return {**state, "more": more}

    @property
    def takes_upstream(self) -> bool:
        """Whether the run hands the backward pass the gradient of what the forward gave."""
        return any(source.kind == "upstream" for source in self.sources.values())

    def source(self, function: Function, argument: str) -> Source | None:
        """Return where an argument comes from; None where the run does not say.

        What the run has not passed by then, or only after it had moved the weights, is what others take under the
        same name.
        """
        if (function.qualified, argument) in self.sources:
            return self.sources[function.qualified, argument]
        return next((s for (_, other), s in self.sources.items() if other == argument and s.kind == "seen"), None)


def rehearsed(
    namespace: Namespace, knobs: Knobs, facts: Facts, unit: Unit, sizes: Sizes
) -> Iterator[tuple[Rehearsal, tuple[Parameter, ...]]]:
    """Yield the rehearsals of a unit with their parameters: at our sizes, and as the program has them.

    Nothing is yielded where the program has no run that leads to its gradients.
    """
    rehearsal = Rehearsal(namespace, knobs, facts, unit)
    first = _first(rehearsal, kinds_of_files(knobs.tree), sizes)
    if first is None:
        return
    plain = replace(rehearsal, level=AS_IT_IS, sources={}, kept={})
    later = (replace(rehearsal, skip=skip, sources={}, kept={}) for skip in range(1, LATER + 1))
    for one, recording in ((rehearsal, first), (plain, None), *((other, None) for other in later)):
        if recording is None and (rehearsal.level != one.level or one.skip):
            recording = one.record(sizes, 0)
        found = _read_off(one, recording, sizes) if recording is not None else None
        if found is not None:
            yield found


def smaller(rehearsal: Rehearsal, sizes: Sizes) -> tuple[Rehearsal, tuple[Parameter, ...]] | None:
    """Return a rehearsal with every large number made small; None where the run does not come to its gradients so."""
    one = replace(rehearsal, level=SMALLEST, sources={}, kept={})
    recording = one.record(sizes, 0)
    return None if recording is None else _read_off(one, recording, sizes)


def _read_off(
    rehearsal: Rehearsal, recording: Recording, sizes: Sizes
) -> tuple[Rehearsal, tuple[Parameter, ...]] | None:
    """Return a rehearsal that knows its sources, and the parameters; None where something is not to be made again."""
    unit = rehearsal.unit
    parameters = tuple(p for p in weights_of(recording, unit) if not handed_on(rehearsal.facts, last_name(p)))
    if not parameters or sum(np.size(standing(recording.start.copied, p)) for p in parameters) > LARGEST:
        return None
    rehearsal.usual = (sizes, 0)
    again = rehearsal.record(sizes, 0, [place_of(p) for p in parameters])
    rehearsal.costs = _costs(recording, again, rehearsal)
    for function in (unit.forward, unit.backward, *rehearsal.costs):
        if function is not None:
            rehearsal.sources |= _sources(function, recording, again, rehearsal)
    last = recording.of(unit.backward or unit.forward)
    left = last.left if last is not None else None
    rehearsal.fused = left is not None and any(moved(p, recording.start.copied or {}, left) for p in parameters)
    return None if rehearsal.lost else (rehearsal, parameters)


def _costs(recording: Recording, again: Recording | None, rehearsal: Rehearsal) -> tuple[Function, ...]:
    """Return the functions that give one number which changes with the weights, those named like costs first."""
    unit = rehearsal.unit
    found: dict[str, None] = {}
    passes = {f.qualified for f in (unit.forward, unit.backward) if f is not None}
    for moment, other in zip(recording.later, again.later if again is not None else (), strict=False):
        inside = {unit.forward.qualified} & set(moment.inside)
        if moment.function == other.function and moment.function not in passes and not inside:
            first, second = moment.result, other.result
            if _number(first) and _number(second) and float(np.sum(first)) != float(np.sum(second)):
                found.setdefault(moment.function)
    seen = tuple(rehearsal.facts.functions[n] for n in found)
    named = tuple(c for c in unit.costs if c not in seen)
    return (*(c for c in seen if c in unit.costs), *(c for c in seen if c not in unit.costs), *named)


def _number(value: Any) -> bool:
    return (isinstance(value, float | np.floating) or (isinstance(value, np.ndarray) and value.dtype.kind == "f")) and (
        np.size(value) == 1
    )


def _first(rehearsal: Rehearsal, files: list[Files], sizes: Sizes) -> Recording | None:
    """Return the first run whose backward pass ends, or else the first that comes to it; its setting is kept."""
    begun: list[tuple[Recording, int, Files]] = []

    def ends(level: int, kind: Files) -> Recording | None:
        rehearsal.level, rehearsal.files = level, kind
        recording = rehearsal.record(sizes, 0)
        if recording is None:
            return None
        goal = recording.of(rehearsal.unit.backward or rehearsal.unit.forward)
        if goal is None or not goal.ended:
            begun.append((recording, level, kind))
            return None
        return recording

    for kind in files:
        found = ends(0, kind)
        if found is None and not rehearsal.endless and rehearsal.knobs.knobs:
            as_it_is = ends(AS_IT_IS, kind)
            others = (ends(level, kind) for level in range(1, AS_IT_IS)) if as_it_is is not None else iter(())
            found = next((r for r in others if r is not None), None) or as_it_is
            rehearsal.level = AS_IT_IS if found is as_it_is else rehearsal.level
        if found is not None or rehearsal.endless:
            return found
    if not begun:
        return None
    recording, rehearsal.level, rehearsal.files = begun[0]
    return recording


def _sources(
    function: Function, recording: Recording, again: Recording | None, rehearsal: Rehearsal
) -> dict[tuple[str, str], Source]:
    """Return where the arguments of one function come from: the state, a result, or elsewhere."""
    moment = recording.of(function)
    other = again.of(function) if again is not None else None
    if moment is None:
        return {}
    made: list[tuple[str, dict[int, Path]]] = []
    for kind, functions in (("result", (rehearsal.unit.forward,)), ("cost", rehearsal.costs)):
        for before in functions:
            call = recording.of(before)
            if call is not None and call is not moment and call.ended:
                found = places_in(call.result)
                found.setdefault(id(call.result), ())
                made.append((kind, found))
    unbound = set(function.arguments) - set(moment.live["given"]) if moment.function == STEP else set()
    out = {(STEP, name): Source("const", None) for name in unbound}
    text = rehearsal.facts.text_around(function)
    for name, value in moment.live["given"].items():
        source = _source(name, value, recording.start, made, function)
        number = isinstance(value, int | float)
        ours = roles.is_rate(name, text) or roles.matches(name, OURS)
        if number and not isinstance(value, bool) and ours:
            continue
        if source is None and other is not None and _alike(value, other.live["given"].get(name)):
            source = Source("seen", None, (("item", "more"), ("item", f"{function.qualified}.{name}")))
        elif source is None and not number:  # it comes from what the forward gave
            backward = function is rehearsal.unit.backward
            source = _upstream(value, recording.of(rehearsal.unit.forward)) if backward else None
            rehearsal.lost = rehearsal.lost or (source is None and backward)
        if source is not None:
            out[function.qualified, name] = source
    return out


def _source(
    name: str, value: Any, start: Moment, made: list[tuple[str, dict[int, Path]]], function: Function
) -> Source | None:
    if function.qualified == start.function and isinstance(value, PLAIN):
        return Source("seen", None, (("item", "given"), ("item", name)))
    if value is None or isinstance(value, bool | str):
        return Source("const", value)
    if id(value) in start.places:
        return Source("seen", None, start.places[id(value)])
    for kind, found in made:
        if id(value) in found:
            return Source(kind, None, found[id(value)])  # type: ignore[arg-type]
    return None


def _upstream(value: Any, forward: Moment | None) -> Source | None:
    """Return the output of the forward whose gradient a value of the same build must be."""
    results = list(_with_parts(forward.result)) if forward is not None else []
    same = [path for path, part in results if _build(part) == _build(value) and _build(value) is not None]
    return Source("upstream", None, same[0]) if same else None


def _with_parts(result: Any) -> list[tuple[Path, Any]]:
    parts: list[tuple[Path, Any]] = [((), result)]
    if isinstance(result, tuple | list):
        parts += [((("item", i),), part) for i, part in enumerate(result)]
    return parts


def _build(value: Any) -> Any:
    """Return the build of a value, through lists: shapes of arrays of floats; None for anything else."""
    if isinstance(value, np.ndarray):
        return value.shape if value.dtype.kind == "f" else None
    if isinstance(value, list | tuple) and value:
        inner = [_build(v) for v in value]
        return None if None in inner else ("list", *inner)
    return None


def _alike(value: Any, other: Any) -> bool:
    """Tell whether a value is the same although the weights are others."""
    if isinstance(value, PLAIN):
        return bool(value == other)
    if isinstance(value, np.ndarray):
        return isinstance(other, np.ndarray) and value.shape == other.shape and np.array_equal(value, other)
    mine, theirs = list(places.walk(value)), list(places.walk(other))
    return len(mine) == len(theirs) and all(
        p == q and np.array_equal(v, w) for (p, v), (q, w) in zip(mine, theirs, strict=True)
    )
