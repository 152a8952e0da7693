"""Assign roles: find out which true quantity each unit is meant to compute, at which step."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict

import numpy as np

from bptt.checking.diagnosing.rhythm import Rhythm
from bptt.checking.diagnosing.roles import HANDED_BACK, accumulates, bare_name, is_start, match_unit, sinks, slice_of
from bptt.checking.tracing.bank import Bank, Role
from bptt.checking.tracing.forced import Event, Run
from bptt.checking.tracing.graph import find_graph
from bptt.checking.tracing.pairs import pair_series
from bptt.checking.tracing.series import Series
from bptt.checking.tracing.stepping import Unit
from bptt.dims import Array

ROUNDS = 6
NUMBERS = 8
"""So many turns a step, at least, of a sum that is written number by number."""


class Assigning(Rhythm):
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
        self.number_by_number = self._number_by_number()
        if self.number_by_number:
            self.last = run
            return
        self.graph = find_graph(self, self.stepped)
        self._find_scale()
        for _ in range(ROUNDS):
            changed = self._match(run)
            self._sink_roles(run)
            self._term_roles(run)
            self._overwritten()
            if not changed and not self._find_working():
                break
            run, _, _ = self.run(self.roles)
        self.last = run
        self.factor = self._wrong_factor()

    def _number_by_number(self) -> bool:
        """Tell whether the sums are written number by number, in loops over units: no number tells what it is of."""
        units = [u for u in self.units if accumulates(u) and "[" in u.target]
        sums = [self.natural.events[u.number] for u in units if u.number in self.natural.events]
        single = [events for events in sums if all(e.value is not None and e.value.ndim == 0 for e in events)]
        return 2 * len(single) > len(sums) and max(map(len, single), default=0) > NUMBERS * self.sizes.T_x

    def _match(self, run: Run) -> bool:
        changed = False
        for unit in self.units:
            events = run.events.get(unit.number, [])
            if not events or unit.number in self.fixed | self.mixed or unit.op == "call":
                continue
            if is_start(unit):
                continue
            role, whole = match_unit(unit, events, self.bank, self.scale, self.working, self.scales)
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
                series = self.contribution(both, len(events))
                if series is not None and series.kind == "gradient" and len({t.unit for t in terms}) > 1:
                    continue  # a part is not the whole: what the first turn of the loop is given
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
        self.scale = self.working = 1.0
        if self.graph is not None:
            factors = Counter(round(t.factor, 12) for terms in self.graph.terms.values() for t in terms)
            if factors:
                factor, count = factors.most_common(1)[0]
                if factor != 1 and count >= 0.75 * sum(factors.values()):
                    self.scale = self.working = 1 / factor

    def sign_of(self, series: Series) -> float:
        """Return the multiple of a quantity that the program works with."""
        if series.kind in ("value", "slope"):
            return 1.0
        return self.working if series.kind in HANDED_BACK else self.scale

    def _find_working(self) -> bool:
        """Find the multiple of the true quantities that is handed back, where only the weights' sums are divided."""
        signs = Counter(
            role.sign
            for number, role in self.roles.items()
            if number in self.fixed and role.series.kind in HANDED_BACK and self.scale == self.working
        )
        best = max(signs, key=lambda sign: signs[sign], default=self.working)
        summed = any(self.roles[n].series.kind in ("contribution", "gradient") for n in self.fixed)
        if best == self.working or not summed or (self.working == 1 and signs[1.0]):
            return False  # where no sum comes out right, the factor is a fault
        self.working = best
        return True

    def _wrong_factor(self) -> float | None:
        """Return the multiple that is handed back where no gradient comes out right: nothing takes it back."""
        if any(self.right_gradients(self.delivered).values()):
            return None
        known = [role for role in self.roles.values() if role.evidence == "value"]
        back = [role.sign for role in known if role.series.kind in HANDED_BACK]
        odd = Counter(sign for sign in back if sign not in (1.0, self.scale, self.working))
        best = max(odd, key=lambda sign: odd[sign], default=None)
        if best is None or odd[best] <= back.count(1.0):
            return None
        true = self.truth.times(best).parameters
        delivered = {n: g for n, g in self.delivered.items() if n in true and np.shape(g) == true[n].shape}
        off = [np.allclose(g, true[n], rtol=1e-9, atol=1e-12) for n, g in delivered.items() if true[n].any()]
        return best if odd[best] > 1 or any(off) else None

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
        size = self.truth.parameters[name].size
        fits = np.size(events[-1].live) == size
        if not (fits or self._sets(unit, name) or self._grows(unit, name, events, size)):
            return None
        series = self.contribution(name, len(events)) if accumulates(unit) else self._total(name)
        if series is None:
            return None
        axes = tuple(range(series.ndim))
        role = Role(series, axes, {}, delta=accumulates(unit), evidence="sink")
        self.complete(role, events)
        return role

    def _sets(self, unit: Unit, name: str) -> bool:
        """Tell whether a unit sets a delivered gradient, by itself and as the last to do so: whatever its shape."""
        last = max((n for n, of in self.sink_names.items() if of == name), key=self._end)
        return unit.number == last and unit.op == "=" and not unit.loops and not accumulates(unit)

    def _grows(self, unit: Unit, name: str, events: list[Event], size: int) -> bool:
        """Tell whether a unit is the only one to add to a gradient, which begins in its shape and does not keep it."""
        alone = [n for n, of in self.sink_names.items() if of == name] == [unit.number]
        return alone and accumulates(unit) and events[0].before is not None and events[0].before.size == size

    def _end(self, number: int) -> int:
        return max((place for place, event in enumerate(self.natural.order) if event.unit == number), default=-1)

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
        parts = self.contribution(name, len(events)) if accumulates(unit) and len(set(known)) == 1 else None
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

    def contribution(self, name: str, instances: int) -> Series | None:
        """Return the parts of a parameter's gradient, of so many executions; the whole where there is one only."""
        options = [s for s in self.bank.series if s.kind == "contribution" and s.parameter == name]
        if not options:
            return None
        if instances == 1 and all(len(s.items) > 1 for s in options) and name in self.truth.parameters:
            return self._total(name)
        return min(options, key=lambda s: (s.node != -1, abs(len(s.items) - instances)))


def _last_is(events: list[Event], gradient: Array) -> bool:
    value = events[-1].value
    return value is not None and value.shape == gradient.shape and bool(np.array_equal(value, gradient))
