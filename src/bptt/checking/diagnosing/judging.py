"""Name the wrong units: assign roles, force the truth, and judge every unit with true values above it."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bptt.checking.diagnosing.above import look_above
from bptt.checking.diagnosing.guess import carries, guess
from bptt.checking.diagnosing.roles import accumulates, is_start, judge, match_unit, sinks, slice_of, supply
from bptt.checking.diagnosing.verdict import same_shape
from bptt.checking.program import Program, Sizes
from bptt.checking.tracing import forced
from bptt.checking.tracing.bank import Bank, Role
from bptt.checking.tracing.forced import Event, Run
from bptt.checking.tracing.graph import find_graph
from bptt.checking.tracing.numeric import (
    RIGHT,
    Theirs,
    fresh,
    quiet,
    relative_error,
    reseed,
    restore,
    seeded_generators,
    snapshot,
)
from bptt.checking.tracing.slopes import slopes
from bptt.checking.tracing.stepping import Unit, stepped_tree
from bptt.checking.tracing.truth import Series, Truth
from bptt.dims import Array

ROUNDS = 6


@dataclass
class Judged:
    """A unit that does not compute what it is meant to."""

    unit: Unit
    role: Role
    wrong: list[int]
    """Instances."""
    events: list[Event]


@dataclass
class Judgement:
    """All wrong units, and how far they explain the wrong gradients."""

    wrong: list[Judged]
    sufficient: bool
    """Whether the gradients become right when only these units are given the true value."""
    roles: dict[int, Role] = field(default_factory=dict)


class Judging:
    """The forced runs of one program."""

    def __init__(self, program: Program, truth: Truth, sizes: Sizes, seed: int) -> None:
        self.program, self.truth, self.sizes, self.seed = program, truth, sizes, seed
        tree, self.units = stepped_tree(program.tree)
        self.stepped = tree
        with quiet():
            reseed(seed)
            self.module = program.load(tree)
        self.bank = Bank([*truth.series, *slopes(truth)])
        self.roles: dict[int, Role] = {}
        self.fixed: set[int] = set()
        self.guessed: set[int] = set()
        self.tried: dict[Any, Run] = {}
        self.runs = 0

    # -- running ---------------------------------------------------------------------------------------------------
    def run(
        self, roles: Mapping[int, Role], capture: Callable[[int], bool] | None = None
    ) -> tuple[Run, dict[str, Any], Exception | None]:
        """Run their gradients with some units given the truth."""
        self.runs += 1
        run = Run({n: supply(self.units[n], role) for n, role in roles.items()}, capture)
        delivered: dict[str, Any] = {}
        error: Exception | None = None
        with quiet():
            reseed(self.seed)
            with seeded_generators(self.seed):
                case = self.program.build(self.module, self.sizes, self.seed)
            kept = snapshot(case.parameters)
            with forced.recording(run):
                try:
                    delivered = dict(case.gradients())
                except Exception as raised:  # outside every unit: a loop's header, the adapter
                    error = raised
            restore(case.parameters, kept)
        return run, delivered, error

    def plain_run(self, tree: ast.Module) -> dict[str, Any]:
        """Run a program as it is, at the first sizes; return what it delivers."""
        with quiet():
            _, case = fresh(self.program, tree, self.sizes, self.seed)
            return {name: np.array(value) for name, value in dict(case.gradients()).items()}

    def right_gradients(self, delivered: Mapping[str, Any]) -> dict[str, bool]:
        """Tell which delivered gradients are right."""
        true = self.truth.parameters
        overall = max((float(np.abs(g).max(initial=0)) for g in true.values()), default=0.0)
        result = {}
        for name, gradient in true.items():
            theirs = delivered.get(name)
            if theirs is None:
                continue
            theirs = np.asarray(theirs)
            result[name] = bool(
                theirs.dtype.kind in "fiu"
                and same_shape(theirs.shape, gradient.shape)
                and relative_error(theirs.reshape(gradient.shape), gradient, overall) <= RIGHT
            )
        return result

    # -- roles -----------------------------------------------------------------------------------------------------
    def assign(self) -> None:
        """Assign roles until nothing changes."""
        run, delivered, _ = self.run({})
        self.natural = run
        self.delivered = delivered
        self.turning = turning = {
            n.id
            for f in ast.walk(self.program.tree)
            if isinstance(f, ast.For)
            for n in ast.walk(f.target)
            if isinstance(n, ast.Name)
        }
        self.sink_names, self.mixed = sinks(self.units, run, delivered, turning)
        self.graph = find_graph(self, self.stepped)
        self._find_scale()
        for _ in range(ROUNDS):
            changed = self._match(run)
            self._sink_roles(run)
            self._term_roles(run)
            self._overwritten()
            if not changed:
                break
            run, _, _ = self.run(self.roles)
        self.last = run

    def _match(self, run: Run) -> bool:
        changed = False
        for unit in self.units:
            events = run.events.get(unit.number, [])
            if not events or unit.number in self.fixed | self.mixed or unit.op == "call":
                continue
            if is_start(unit):
                continue
            role, whole = match_unit(unit, events, self.bank, self.scale, self.scales)
            if role is None:
                continue
            if not whole and (role.series.kind == "value" or len(role.series.items) < len(events) / 2):
                continue
            old = self.roles.get(unit.number)
            if old is None or (whole and old.series is not role.series):
                self.roles[unit.number] = role
                changed = True
            if whole:
                self.fixed.add(unit.number)
        return changed

    def _sink_roles(self, run: Run) -> None:
        """Give a unit that writes into a delivered gradient its role from there."""
        for number, name in self.sink_names.items():
            held = self.roles.get(number)
            if held is not None and held.series.parameter == name:
                self.complete(held, run.events.get(number, []))
                continue
            unit, events = self.units[number], run.events.get(number, [])
            if not events:
                continue
            role = self._slice_role(name, events) or self._whole_role(unit, name, events)
            if role is not None:
                self.roles[number] = role

    def _term_roles(self, run: Run) -> None:
        """Give a unit that is a summand of a delivered gradient its role from there."""
        if self.graph is None:
            return
        owners: dict[int, set[str]] = defaultdict(set)
        for name, terms in self.graph.terms.items():
            for term in terms:
                owners[term.unit].add(name)
        for name, terms in self.graph.terms.items():
            for number in sorted({t.unit for t in terms}):
                held = self.roles.get(number)
                both = "/".join(sorted(owners[number]))
                factor, update = next((t.factor, t.update) for t in terms if t.unit == number)
                events = run.events.get(number, [])
                if self.units[number].target in self.turning:
                    continue
                if not events or (number in self.sink_names and factor == 1):
                    continue
                if held is not None and held.series.parameter == both and abs(held.sign * factor - 1) < 1e-12:
                    continue
                every = {t.instance for n in owners[number] for t in self.graph.terms[n] if t.unit == number}
                if not update and every != {e.instance for e in self.natural.events[number]}:
                    continue  # a value that goes round the loop, and only at the end into the gradient (da0)
                like = next((e.value for e in events if e.value is not None), None)
                if like is None or name not in self.truth.parameters:
                    continue
                series = self._contribution(both, len(events))
                if series is None or update != accumulates(self.units[number]) or like.ndim not in (0, series.ndim):
                    continue
                role = Role(series, tuple(range(series.ndim)), {}, update, 1 / factor, evidence="sink")
                self.complete(role, events)
                self.roles[number] = role
                self.fixed.add(number)

    @property
    def scales(self) -> tuple[float, ...]:
        """Multiples of the true gradients that a program may work with on the way."""
        m, T, y = float(self.sizes.m), float(self.sizes.T_x), float(self.sizes.n_y)
        base = (m, T, m * T, y, m * y, T * y, m * T * y, T - 1, m * (T - 1), 2.0)
        return (-1.0, *(f for b in base for f in (b, 1 / b, -b, -1 / b)))

    def _find_scale(self) -> None:
        """Their gradients may be built as a multiple of the true ones and rescaled at the end: by 1/m, by -1 (ascent)."""
        self.scale = 1.0
        if self.graph is not None:
            factors = Counter(round(t.factor, 12) for terms in self.graph.terms.values() for t in terms)
            if factors:
                factor, count = factors.most_common(1)[0]
                if factor != 1 and count >= 0.75 * sum(factors.values()):
                    self.scale = 1 / factor

    def _overwritten(self) -> None:
        """Find the unit that sets a gradient to one step's part, where the parts are to be summed."""
        right = self.right_gradients(self.delivered)
        for name, gradient in self.delivered.items():
            if right.get(name, True) or not isinstance(gradient, np.ndarray):
                continue
            found = [m for m in self.bank.look(gradient) if self.bank.series[m.series].kind == "contribution"]
            series = next(
                (self.bank.series[m.series] for m in found if self.bank.series[m.series].parameter == name), None
            )
            if series is None or len(series.items) < 2:
                continue
            for unit in reversed(self.units):
                events = self.natural.events.get(unit.number, [])
                if (
                    len(events) == len(series.items)
                    and unit.op == "="
                    and unit.loops
                    and not unit.recursive
                    and _last_is(events, gradient)
                ):
                    role = Role(series, tuple(range(series.ndim)), {}, delta=True, evidence="sink")
                    self.complete(role, events)
                    if events[-1].before is not None:
                        self.roles[unit.number] = role
                        self.fixed.add(unit.number)
                        break

    def _whole_role(self, unit: Unit, name: str, events: list[Event]) -> Role | None:
        if np.size(events[-1].live) != self.truth.parameters[name].size:
            return None
        series = self._contribution(name, len(events)) if accumulates(unit) else self._total(name)
        if series is None:
            return None
        axes = tuple(range(series.ndim))
        role = Role(series, axes, {}, delta=accumulates(unit), evidence="sink")
        self.complete(role, events)
        return role

    def _slice_role(self, name: str, events: list[Event]) -> Role | None:
        """Return the role of a unit that fills a gradient slice by slice: each slice's truth is known by its place."""
        places = [slice_of(event.live, self.delivered.get(name)) for event in events]
        known = [place for place in places if place is not None]
        true = self.truth.parameters[name]
        if len(known) < len(places) or not known or len({axis for axis, _ in known}) != 1:
            return None
        if np.shape(self.delivered[name]) != true.shape:
            return None
        axis = known[0][0]
        items: list[Array | None] = [np.take(true, k, axis) for k in range(true.shape[axis])]
        series = Series("gradient", f"a slice of d{name}", items, parameter=name)
        times = {event.instance: k for event, (_, k) in zip(events, known, strict=True)}
        return Role(series, tuple(range(true.ndim - 1)), times, evidence="sink")

    def _total(self, name: str) -> Series | None:
        return next((s for s in self.bank.series if s.kind == "gradient" and s.parameter == name), None)

    def _contribution(self, name: str, instances: int) -> Series | None:
        options = [s for s in self.bank.series if s.kind == "contribution" and s.parameter == name]
        if not options:
            return None
        if instances == 1 and all(len(s.items) > 1 for s in options) and name in self.truth.parameters:
            return self._total(name)
        return min(options, key=lambda s: (s.node != -1, abs(len(s.items) - instances)))

    def complete(self, role: Role, events: list[Event]) -> None:
        """Give every instance its step, by the rhythm of the loop that it stands in."""
        for event in events:
            if event.instance not in role.times:
                step = self._step_of(event, role)
                if step is not None:
                    role.times[event.instance] = step

    def _step_of(self, event: Event, role: Role) -> int | None:
        length = len(role.series.items)
        if length == 1:
            return 0
        loops = self.units[event.unit].loops
        for loop in reversed(loops):
            votes = self._votes.get(loop)
            if votes and loop in event.loops:
                direction, start = votes
                return start + direction * event.loops[loop]
        return length - 1 - event.instance

    def out_of_step(self, unit: Unit, role: Role) -> bool:
        """Tell whether a unit's steps are not those of the loop that it stands in, or its scale that of the others."""
        if role.sign not in (1.0, self.scale):
            return True
        votes = self._votes
        for loop in unit.loops[-1:]:
            if loop in votes and len(role.series.items) > 1:
                direction, start = votes[loop]
                for event in self.natural.events.get(unit.number, ()):
                    time = role.times.get(event.instance)
                    if time is not None and loop in event.loops and time != start + direction * event.loops[loop]:
                        return True
        return False

    @property
    def _votes(self) -> dict[int, tuple[int, int]]:
        """For each loop: which step its iterations are at, as the matched units say."""
        counts: dict[int, Counter[tuple[int, int]]] = defaultdict(Counter)
        for number, role in self.roles.items():
            if len(role.series.items) < 2 or role.series.kind == "value":
                continue
            for event in self.natural.events.get(number, ()):
                time = role.times.get(event.instance)
                for loop in self.units[number].loops[-1:]:
                    if time is not None and loop in event.loops:
                        counts[loop][(-1, time + event.loops[loop])] += 1
                        counts[loop][(1, time - event.loops[loop])] += 1
        return {loop: max(c.items(), key=lambda item: (item[1], -item[0][0]))[0] for loop, c in counts.items()}

    def carried(self, unit: Unit) -> bool:
        """Tell whether a unit's value goes on into the next iteration: into a unit that runs before it."""
        if self.graph is None:
            return carries(self, unit)
        order = {e.unit: place for place, e in reversed(list(enumerate(self.natural.order)))}
        group = {unit.number} | {u for u, v in self.graph.aliases.items() if v == unit.number}
        readers = [n for n, sources in self.graph.sources.items() if sources & group]
        return any(order.get(n, 0) < order.get(unit.number, 0) for n in readers) or carries(self, unit)

    @property
    def backward_units(self) -> set[int]:
        """The units that are no part of the forward pass, as far as their values tell."""
        known = {n for n, role in self.roles.items() if role.series.kind != "value"}
        return known | set(self.sink_names)

    # -- judging ---------------------------------------------------------------------------------------------------
    def judge(self) -> Judgement:
        """Force every role, list the units that computed something else, and look above them for the cause."""
        wrong = self.wrong_units()
        for _ in range(2 * ROUNDS):
            if not look_above(self, wrong) and not guess(self, wrong):
                break
            self._match_again()
            wrong = self.wrong_units()
        wrong = self._needed(wrong)
        named = {j.unit.number for j in wrong}
        wrong = [j for j in self.wrong_units(capture=named.__contains__) if j.unit.number in named]
        return Judgement(wrong, self.explains(wrong), dict(self.roles))

    def _match_again(self) -> None:
        """With one more unit forced, others may show what they are."""
        for number, role in list(self.roles.items()):
            if role.sign not in (1.0, self.scale) and role.evidence == "value":
                del self.roles[number]
                self.fixed.discard(number)
        run, _, _ = self.run(self.roles)
        self._match(run)

    def wrong_units(
        self, extra: Mapping[int, Role] | None = None, capture: Callable[[int], bool] | None = None
    ) -> list[Judged]:
        """Run with every role forced; return the units that, given true values, compute something else."""
        roles = {**self.roles, **(extra or {})}
        run, _, _ = self.run(roles, capture)
        self.last = run
        wrong = []
        for number, role in roles.items():
            events = run.events.get(number, [])
            bad = judge(self.units[number], role, events)
            if bad:
                wrong.append(Judged(self.units[number], role, bad, events))
        first = {id(event): place for place, event in enumerate(run.order)}
        return sorted(wrong, key=lambda j: min(first[id(j.events[k])] for k in j.wrong))

    def explains(self, wrong: list[Judged]) -> bool:
        """Tell whether forcing only these units makes every gradient right."""
        _, delivered, error = self.run({j.unit.number: j.role for j in wrong})
        right = self.right_gradients(delivered)
        return error is None and bool(right) and all(right.values())

    def _needed(self, wrong: list[Judged]) -> list[Judged]:
        """Drop every unit that need not be mended for the gradients to be right."""
        if not self.explains(wrong):
            return wrong
        kept = list(wrong)
        for judged in wrong:
            fewer = [j for j in kept if j is not judged]
            if judged.role.evidence == "guess" and judged.events[0].error is None and self.explains(fewer):
                kept = fewer
        return kept


def _last_is(events: list[Event], gradient: Array) -> bool:
    value = events[-1].value
    return value is not None and value.shape == gradient.shape and bool(np.array_equal(value, gradient))


def their_result(delivered: dict[str, Any], error: Exception | None) -> Theirs:
    """Pack a run's result as the rows want it."""
    return Theirs({k: np.array(v) for k, v in delivered.items()}, error)


def shown(array: Array) -> str:
    """Return a shape for a message."""
    return str(array.shape)
