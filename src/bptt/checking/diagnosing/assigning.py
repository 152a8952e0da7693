"""Assign roles: find out which true quantity each unit is meant to compute, at which step."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict

import numpy as np

from bptt.checking.diagnosing.forced_runs import ForcedRuns
from bptt.checking.diagnosing.roles import accumulates, bare_name, is_start, match_unit, sinks, slice_of
from bptt.checking.tracing.bank import Bank, Role
from bptt.checking.tracing.forced import Event, Run
from bptt.checking.tracing.graph import find_graph
from bptt.checking.tracing.pairs import pair_series
from bptt.checking.tracing.series import Series
from bptt.checking.tracing.stepping import Unit
from bptt.dims import Array

ROUNDS = 6


class Assigning(ForcedRuns):
    """The roles of one program's units."""

    def assign(self) -> None:
        """Assign roles until nothing changes."""
        run, delivered, _ = self.run({})
        while self.callers.join(self.sizes.T_x):
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
        steps = self.sizes.T_x
        if any(len(events) == steps * (steps + 1) // 2 for events in run.events.values()):
            self.bank = Bank([*self.bank.given, *pair_series(self.truth, steps)])
        self.sink_names, self.mixed = sinks(self.units, run, delivered, turning)
        if any(event.error is not None for event in run.order):
            self.sink_names |= self._sinks_by_name(run)
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
            role = self._slice_role(unit, name, events) or self._whole_role(unit, name, events)
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

    def _sinks_by_name(self, run: Run) -> dict[int, str]:
        """Return the sums that are named after a weight, where the run broke before it came to the end."""
        known = set(self.sink_names.values())
        named = {bare_name(name): name for name in self.truth.parameters if name not in known}
        found = {}
        for unit in self.units:
            name = named.get(bare_name(unit.target)) if accumulates(unit) else None
            held = [e.before for e in run.events.get(unit.number, ()) if e.before is not None]
            if name is not None and held and held[0].size == self.truth.parameters[name].size:
                found[unit.number] = name
        return found

    @property
    def scales(self) -> tuple[float, ...]:
        """Multiples of the true gradients that a program may work with on the way."""
        m, T, y = float(self.sizes.m), float(self.sizes.T_x), float(self.sizes.n_y)
        base = (m, T, m * T, y, m * y, T * y, m * T * y, T - 1, m * (T - 1), 2.0)
        return (-1.0, *(f for b in base if b for f in (b, 1 / b, -b, -1 / b)))

    def _find_scale(self) -> None:
        """Find the multiple of the true gradients that theirs are, before they are rescaled: by 1/m, by -1 (ascent)."""
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

    def _slice_role(self, unit: Unit, name: str, events: list[Event]) -> Role | None:
        """Return the role of a unit that fills a gradient slice by slice: each slice's truth is known by its place.

        A unit that adds to one and the same slice, step by step, is meant to add that slice of each step's part.
        """
        places = [slice_of(event.live, self.delivered.get(name)) for event in events]
        known = [place for place in places if place is not None]
        true = self.truth.parameters[name]
        if len(known) < len(places) or not known or len({axis for axis, _ in known}) != 1:
            return None
        if np.shape(self.delivered[name]) != true.shape:
            return None
        axis = known[0][0]
        parts = self._contribution(name, len(events)) if accumulates(unit) and len(set(known)) == 1 else None
        if parts is not None and len(parts.items) == len(events):
            slices: list[Array | None] = [None if i is None else np.take(i, known[0][1], axis) for i in parts.items]
            series = Series(
                "contribution", f"a slice of {parts.name}", slices, parts.node, name, in_order=parts.in_order
            )
            role = Role(series, tuple(range(true.ndim - 1)), delta=True, evidence="sink")
            self.complete(role, events)
            return role
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
        if role.series.in_order:
            return event.instance
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
        known = tuple((number, id(role)) for number, role in self.roles.items())
        if known != self._counted[0]:
            self._counted = known, self._count_votes()
        return self._counted[1]

    def _count_votes(self) -> dict[int, tuple[int, int]]:
        counts: dict[int, Counter[tuple[int, int]]] = defaultdict(Counter)
        turns: Counter[int] = Counter()
        for number, role in self.roles.items():
            if len(role.series.items) < 2 or role.series.kind == "value":
                continue
            for event in self.natural.events.get(number, ()):
                time = role.times.get(event.instance)
                for loop in self.units[number].loops[-1:]:
                    if time is not None and loop in event.loops:
                        turns[loop] += 1
                        counts[loop][(-1, time + event.loops[loop])] += 1
                        counts[loop][(1, time - event.loops[loop])] += 1
        best = {loop: max(c.items(), key=lambda item: (item[1], -item[0][0])) for loop, c in counts.items()}
        # A loop over the weights, or over the layers, is no loop over the steps.
        return {loop: rhythm for loop, (rhythm, count) in best.items() if 2 * count >= turns[loop]}


def _last_is(events: list[Event], gradient: Array) -> bool:
    value = events[-1].value
    return value is not None and value.shape == gradient.shape and bool(np.array_equal(value, gradient))
