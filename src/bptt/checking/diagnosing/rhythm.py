"""The rhythm of the loops: which step of time each turn is at, as the units say whose quantities are known."""

from __future__ import annotations

from collections import Counter, defaultdict

from bptt.checking.diagnosing.forced_runs import ForcedRuns
from bptt.checking.tracing.bank import Role
from bptt.checking.tracing.forced import Event, Run
from bptt.checking.tracing.stepping import Unit

Loop = int | tuple[str, int]
"""The line of a loop; or a function that is called in one, and the chain of calls."""


class Rhythm(ForcedRuns):
    """The steps of one program's units."""

    scale = 1.0
    """The multiple of the true gradients that the program works with until its last lines."""
    working = 1.0
    """That of what it hands back from line to line."""
    natural: Run
    """A run without any truth given."""

    @property
    def signs(self) -> tuple[float, float, float]:
        """The multiples of the true quantities that are in step with the others."""
        return 1.0, self.scale, self.working

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
        for loop, turn in reversed(self._turns(event)):
            votes = self._votes.get(loop)
            if votes:
                direction, start = votes
                return start + direction * turn
        return length - 1 - event.instance

    def _turns(self, event: Event) -> list[tuple[Loop, int]]:
        """Return the loops that an event stands in, outermost first, each with its turn.

        What stands in a function and in no loop of its own goes round with its calls.
        """
        unit = self.units[event.unit]
        if not unit.loops and unit.function:
            return [((unit.function, unit.context), event.instance)]
        return [(loop, event.loops[loop]) for loop in unit.loops if loop in event.loops]

    def out_of_step(self, unit: Unit, role: Role) -> bool:
        """Tell whether a unit's steps are not those of the loop that it stands in, or its scale that of the others."""
        if role.sign not in self.signs:
            return True
        for event in self.natural.events.get(unit.number, ()):
            time = role.times.get(event.instance)
            for loop, turn in self._turns(event)[-1:] if unit.loops and len(role.series.items) > 1 else ():
                votes = self._votes.get(loop)
                if votes is not None and time is not None and time != votes[1] + votes[0] * turn:
                    return True
        return False

    @property
    def _votes(self) -> dict[Loop, tuple[int, int]]:
        """For each loop: which step its iterations are at, as the matched units say."""
        known = tuple((number, id(role)) for number, role in self.roles.items())
        if known != self._counted[0]:
            self._counted = known, self._count_votes()
        return self._counted[1]

    def _count_votes(self) -> dict[Loop, tuple[int, int]]:
        counts: dict[Loop, Counter[tuple[int, int]]] = defaultdict(Counter)
        turns: Counter[Loop] = Counter()
        for number, role in self.roles.items():
            if len(role.series.items) < 2 or role.series.kind == "value":
                continue
            for event in self.natural.events.get(number, ()):
                time = role.times.get(event.instance)
                if time is None:
                    continue
                for loop, turn in self._turns(event)[-1:]:
                    turns[loop] += 1
                    counts[loop][(-1, time + turn)] += 1
                    counts[loop][(1, time - turn)] += 1
        best = {loop: max(c.items(), key=lambda item: (item[1], -item[0][0])) for loop, c in counts.items()}
        # A loop over the weights, or over the layers, is no loop over the steps.
        return {loop: rhythm for loop, (rhythm, count) in best.items() if 2 * count >= turns[loop]}
