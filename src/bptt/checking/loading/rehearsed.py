"""What a rehearsal says of a unit: where each argument comes from, what the weights are, and all of it at any sizes."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

import numpy as np

from bptt.checking.loading import paths as places
from bptt.checking.loading import roles_by_name as roles
from bptt.checking.loading.binding import LIMIT
from bptt.checking.loading.facts import Facts, Function
from bptt.checking.loading.knobs import LEVELS, Knob, knobs_of, turned
from bptt.checking.loading.made_up import Files, kinds_of_files
from bptt.checking.loading.namespace import Namespace
from bptt.checking.loading.parameters_found import held_by_object, reachable
from bptt.checking.loading.paths import Path
from bptt.checking.loading.plan import Parameter, Source
from bptt.checking.loading.rehearsal import Moment, Recorder, Recording, State, copied, places_in, record
from bptt.checking.loading.units import Unit
from bptt.checking.program import Sizes

RUNS = 24  # how many runs are tried until one comes to its gradients
LARGEST = 4000  # numbers in all parameters
OURS = f"{roles.RATE}|{LIMIT}|{roles.TRUNCATION}"  # numbers that are set, whatever the run passes


@dataclass
class Rehearsal:
    """The run of a program around one forward and backward pass, which can be repeated at other sizes."""

    namespace: Namespace
    tree: ast.Module
    facts: Facts
    unit: Unit
    knobs: list[Knob]
    level: int = 0
    files: Files = field(default_factory=Files)
    sources: dict[tuple[str, str], Source] = field(default_factory=dict)
    costs: tuple[Function, ...] = ()
    lost: bool = False  # something is passed that nobody knows how to make again
    fused: bool = False  # the backward pass moves the weights itself
    usual: tuple[Sizes, int] | None = None  # at these sizes it runs
    kept: dict[tuple[Sizes, int], tuple[ModuleType, State]] = field(default_factory=dict)

    def record(self, sizes: Sizes, seed: int, disturb: Sequence[Path] = ()) -> Recording | None:
        """Run the program at some sizes."""
        unit = self.unit
        functions = [f for f in self.facts.functions.values() if f.owner in (None, unit.forward.owner, unit.owner)]
        read = {n for f in reachable(self.facts, functions) for n in f.reads}
        passes = tuple(f.qualified for f in (unit.forward, unit.backward) if f is not None)
        start = unit.forward if unit.forward_first or unit.backward is None else unit.backward
        recorder = Recorder({f.qualified for f in functions}, passes, start.qualified, read, disturb)
        files = replace(self.files, seed=seed)
        return record(self.namespace, turned(self.tree, self.knobs, self.level, sizes), recorder, seed, files)

    def state(self, sizes: Sizes, seed: int) -> tuple[ModuleType, State]:
        """Return what the first call could read at some sizes, and the arguments that later calls got from elsewhere."""
        if (sizes, seed) not in self.kept:
            recording = self.record(sizes, seed)
            if recording is None and self.usual is not None and (sizes, seed) != self.usual:
                self.kept[sizes, seed] = self.state(*self.usual)
            elif recording is None:
                raise ValueError("the program's own run does not come to its gradients")
            else:
                self.kept[sizes, seed] = (recording.module, self._whole(recording))
        return self.kept[sizes, seed]

    def _whole(self, recording: Recording) -> State:
        state = dict(recording.start.copied or {})
        more: dict[str, Any] = {}
        for (name, argument), source in self.sources.items():
            moment = next((m for m in recording.later if m.function == name), None)
            if source.kind == "seen" and source.path[0] == ("item", "more") and moment is not None:
                more[f"{name}.{argument}"] = copied(moment.live["given"][argument])
        return {**state, "more": more}

    @property
    def takes_upstream(self) -> bool:
        """Whether the run hands the backward pass the gradient of what the forward gave."""
        return any(source.kind == "upstream" for source in self.sources.values())

    def source(self, function: Function, argument: str) -> Source | None:
        """Return where an argument comes from; None where the run does not say."""
        return self.sources.get((function.qualified, argument))


def rehearsed(
    namespace: Namespace, tree: ast.Module, facts: Facts, unit: Unit, sizes: Sizes
) -> tuple[Rehearsal, tuple[Parameter, ...]] | None:
    """Return the rehearsal of a unit with its parameters; None where the program has no run that leads to it."""
    rehearsal = Rehearsal(namespace, tree, facts, unit, knobs_of(tree, facts))
    recording = _first(rehearsal, kinds_of_files(tree), sizes)
    if recording is None:
        return None
    parameters = _parameters(recording, unit)
    if not parameters or sum(np.size(_read(recording.start.copied, p)) for p in parameters) > LARGEST:
        return None
    rehearsal.usual = (sizes, 0)
    again = rehearsal.record(sizes, 0, [_path(p) for p in parameters])
    rehearsal.costs = _costs(recording, again, rehearsal)
    for function in (unit.forward, unit.backward, *rehearsal.costs):
        if function is not None:
            rehearsal.sources |= _sources(function, recording, again, rehearsal)
    last = recording.of(unit.backward or unit.forward)
    left = last.left if last is not None else None
    rehearsal.fused = left is not None and any(_moved(p, recording.start.copied or {}, left) for p in parameters)
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
    begun: tuple[Recording, int, Files] | None = None
    tried = 0
    for kind in files:
        for level in range(len(LEVELS)) if rehearsal.knobs else (len(LEVELS) - 1,):
            tried += 1
            if tried > RUNS:
                break
            rehearsal.level, rehearsal.files = level, kind
            recording = rehearsal.record(sizes, 0)
            if recording is None:
                continue
            goal = recording.of(rehearsal.unit.backward or rehearsal.unit.forward)
            if goal is not None and goal.ended:
                return recording
            begun = begun or (recording, level, kind)
    if begun is not None:
        rehearsal.level, rehearsal.files = begun[1], begun[2]
        return begun[0]
    return None


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
    out: dict[tuple[str, str], Source] = {}
    for name, value in moment.live["given"].items():
        source = _source(name, value, recording.start, made, function)
        if source is None and other is not None and _alike(value, other.live["given"].get(name)):
            source = Source("seen", None, (("item", "more"), ("item", f"{function.qualified}.{name}")))
        elif source is None and not isinstance(value, int | float):  # it comes from what the forward gave
            source = _upstream(value, recording.of(rehearsal.unit.forward)) if function is rehearsal.unit.backward else None
            rehearsal.lost = rehearsal.lost or (source is None and function is rehearsal.unit.backward)
        if source is not None:
            out[function.qualified, name] = source
    return out


def _source(
    name: str, value: Any, start: Moment, made: list[tuple[str, dict[int, Path]]], function: Function
) -> Source | None:
    if value is None or isinstance(value, bool | int | float | str):
        if roles.matches(name, OURS) and isinstance(value, int | float):
            return None
        return Source("const", value)
    for kind, found in made:
        if id(value) in found:
            return Source(kind, None, found[id(value)])  # type: ignore[arg-type]
    if id(value) in start.places:
        return Source("seen", None, start.places[id(value)])
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
    if isinstance(value, np.ndarray):
        return isinstance(other, np.ndarray) and value.shape == other.shape and np.array_equal(value, other)
    mine, theirs = list(places.walk(value)), list(places.walk(other))
    return len(mine) == len(theirs) and all(
        p == q and np.array_equal(v, w) for (p, v), (q, w) in zip(mine, theirs, strict=True)
    )


def _parameters(recording: Recording, unit: Unit) -> tuple[Parameter, ...]:
    """Return the arrays that the run moves, or those named like weights where it moves none; never what a forward moves."""
    state, live = recording.start.copied or {}, recording.start.live
    forward = recording.of(unit.forward)
    passed = forward.left if forward is not None and unit.backward is not None else None
    candidates: list[Parameter] = []
    taken: set[int] = set()
    for home, root in (("self", "self"), ("given", "given"), ("global", "globals")):
        for found in held_by_object(state[root]) if state[root] is not None else []:
            value = places.read(state[root], found.paths[0])
            if id(value) in taken:
                continue
            taken.add(id(value))
            paths = found.paths
            if home == "global":
                paths = tuple((("attr", p[0][1]), *p[1:]) for p in paths)
            name = found.name if any(c.isalpha() for c in found.name) else _fields(state[root], found.paths[0])
            candidates.append(Parameter(name, home, paths))  # type: ignore[arg-type]
    moved = [p for p in candidates if _moved(p, state, live) or (_is_weight(p) and _moved(p, state, recording.second))]
    weights = [p for p in candidates if _is_weight(p)]
    if passed is not None:
        candidates = [p for p in candidates if not _moved(p, state, passed)]
    chosen = [p for p in moved if not _is_other(p) and p in candidates] or weights
    beside = {_path(p)[:-1] for p in chosen if len(_path(p)) > 2 or _path(p)[0] == ("item", "self")}
    return tuple(p for p in candidates if p in chosen or (p in weights and _path(p)[:-1] in beside))


def _fields(root: Any, path: Path) -> str:
    """Return a name for what stands in tuples and lists only: ``P.Wx`` in a named tuple, ``weights[0][1]``."""
    holder = places.read(root, path[:-1])
    last = path[-1][1]
    return str(holder._fields[last]) if hasattr(holder, "_fields") else places.spell(path[1:], str(path[0][1]))


def _path(parameter: Parameter) -> Path:
    """Return the place of a parameter in the state."""
    first, *rest = parameter.paths[0]
    if parameter.home == "global":
        return (("item", "globals"), ("item", first[1]), *rest)
    return (("item", parameter.home), first, *rest)


def _read(state: Any, parameter: Parameter) -> Any:
    return places.read(state, _path(parameter))


def _moved(parameter: Parameter, state: State, live: State) -> bool:
    try:
        now = _read(live, parameter)
    except (KeyError, IndexError, AttributeError, TypeError):
        return False
    return np.shape(now) == np.shape(_read(state, parameter)) and not np.array_equal(now, _read(state, parameter))


def _is_weight(parameter: Parameter) -> bool:
    name = next((str(n) for _, n in reversed(parameter.paths[0]) if isinstance(n, str)), "")
    boxed = parameter.home == "given" and roles.matches(str(parameter.paths[0][0][1]), roles.PARAMETERS)
    return boxed or roles.is_weight(name) or roles.is_bias(name)


def _is_other(parameter: Parameter) -> bool:
    """Tell inputs, targets and states, which a run moves as well."""
    if len(parameter.paths[0]) > 1 and parameter.home != "self":
        return False
    name = str(parameter.paths[0][-1][1])
    return not _is_weight(parameter) and any(
        roles.matches(name, pattern) for pattern in (roles.INPUT, roles.TARGET, roles.STATE0, roles.CELL0)
    )
