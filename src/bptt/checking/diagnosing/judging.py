"""Name the wrong units: force the truth, and judge every unit with true values above it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bptt.checking.diagnosing.above import look_above
from bptt.checking.diagnosing.assigning import ROUNDS, Assigning
from bptt.checking.diagnosing.by_edit import by_edit
from bptt.checking.diagnosing.guess import carries, guess
from bptt.checking.diagnosing.roles import HANDED_BACK, judge, match_unit
from bptt.checking.repairing.patch import Change
from bptt.checking.tracing.bank import Role
from bptt.checking.tracing.forced import Event
from bptt.checking.tracing.stepping import Unit


@dataclass
class Judged:
    """A unit that does not compute what it is meant to."""

    unit: Unit
    role: Role
    wrong: list[int]
    """Instances."""
    events: list[Event]
    alike: list[Judged] = field(default_factory=list)
    """The same statement in other chains of calls, right or wrong there."""


@dataclass
class Judgement:
    """All wrong units, and how far they explain the wrong gradients."""

    wrong: list[Judged]
    sufficient: bool
    """Whether the gradients become right when only these units are given the true value."""
    roles: dict[int, Role] = field(default_factory=dict)


class Judging(Assigning):
    """The judgement of one program's units."""

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

    def judge(self) -> Judgement:
        """Force every role, list the units that computed something else, and look above them for the cause."""
        if self.number_by_number:
            return Judgement([], False)
        wrong = self._known_better(self.wrong_units())
        for _ in range(2 * ROUNDS):
            if not look_above(self, wrong) and not guess(self, wrong) and not self._edit_shows(wrong):
                break
            self._match_again()
            wrong = self._known_better(self.wrong_units())
        wrong = self._needed(wrong)
        named, roots = {j.unit.number for j in wrong}, {j.unit.root for j in wrong}
        wrong = [j for j in self.wrong_units(capture=lambda n: self.units[n].root in roots) if j.unit.number in named]
        return Judgement(self._by_root(wrong), self.explains(wrong), dict(self.roles))

    def _known_better(self, wrong: list[Judged]) -> list[Judged]:
        """Return what is wrong when values speak again: with more that is true above it, a unit may be another one.

        What was known by its value, and is now another true quantity at every step, was taken for a part of it.
        """
        changed = False
        for judged in wrong:
            if judged.role.evidence != "value" or any(event.error is not None for event in judged.events):
                continue
            scales = (self.scale, self.working, self.scales)
            role, whole = match_unit(judged.unit, judged.events, self.bank, *scales)
            if role is not None and whole and role.series.kind in HANDED_BACK:
                self.roles[judged.unit.number], changed = role, True
        return self.wrong_units() if changed else wrong

    def _edit_shows(self, wrong: list[Judged]) -> bool:
        return not self.explains(wrong) and by_edit(self)

    def _by_root(self, wrong: list[Judged]) -> list[Judged]:
        """Judge a statement once, with its executions in all chains of calls."""
        first: dict[int, Judged] = {}
        for judged in wrong:
            first.setdefault(judged.unit.root, judged)
        for root, judged in first.items():
            judged.alike = [
                Judged(self.units[n], role, [], self.last.events[n])
                for n, role in self.roles.items()
                if self.units[n].root == root and n != judged.unit.number and self.last.events.get(n)
            ]
        return list(first.values())

    def _match_again(self) -> None:
        """With one more unit forced, others may show what they are."""
        for number, role in list(self.roles.items()):
            if role.sign not in self.signs and role.evidence == "value":
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

    def right_with(self, changes: Sequence[Change]) -> bool:
        """Tell whether every gradient is right, and none is lost, with changes of the text; a proof is more."""
        try:
            right = self.right_gradients(self.exchange.gradients(changes, self.sizes))
        except Exception:  # anybody's program
            return False
        return bool(right) and all(right.values()) and set(right) >= set(self.right_gradients(self.delivered))

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
