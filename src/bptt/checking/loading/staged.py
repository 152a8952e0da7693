"""The plan that the program's own run shows: who is called with what, on which object, with which weights."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from bptt.checking.loading import roles_by_name as roles
from bptt.checking.loading.bench import PROBE, Bench
from bptt.checking.loading.binding import LIMIT, Context, options_for
from bptt.checking.loading.constants import numbers_of
from bptt.checking.loading.facts import Function
from bptt.checking.loading.knobs import Knobs
from bptt.checking.loading.options import Option
from bptt.checking.loading.parameters_found import reachable
from bptt.checking.loading.plan import Call, Plan, Source
from bptt.checking.loading.planned import PlannedCase
from bptt.checking.loading.rehearsed import rehearsed
from bptt.checking.loading.training_loops import marked
from bptt.checking.loading.units import Unit
from bptt.checking.tracing.quiet import quiet


class Staged(Bench):
    """Reads a unit off the program's own run."""

    @cached_property
    def knobs(self) -> Knobs:
        """The program with sizes that can be replaced, and with the loop marked of which one pass is read."""
        step = self.namespace.step
        return Knobs(self.source if step is None else marked(self.source, step), self.facts)

    def rehearsed(self, unit: Unit) -> Iterator[tuple[Plan, Context, int]]:
        """Yield the plan that the program's own run shows, where it has one."""
        functions = [f for f in (unit.forward, unit.backward) if f is not None]
        constants = {n: c for n, c in self.constants(functions).items() if c.kind == "const"}
        call = Call(unit.forward.name, unit.owner is not None, ())
        for rehearsal, parameters in rehearsed(self.namespace, self.knobs, self.facts, unit, PROBE):
            own = rehearsal.state(PROBE, 0)[1]["self"]
            plan = Plan(
                {}, parameters, call, constants=constants, owner=unit.owner, rehearsal=rehearsal,
                attributes=numbers_to_set(own, self.facts.text) if own is not None else {},
            )  # fmt: skip
            yield plan, Context(self.facts, ["n_x"], ["n_y"], self.facts.speaks_of_batch), 1

    def choices(self, name: str, function: Function, context: Context, plan: Plan, **stage: Any) -> list[Option]:
        """Return what an argument may be: what the program's own run passes, or else all that its name allows."""
        told = plan.rehearsal.source(function, name) if plan.rehearsal is not None else None
        return [Option(0.0, told)] if told is not None else options_for(name, function, context, plan, **stage)

    def constants(self, functions: list[Function]) -> dict[str, Source]:
        """Return the module-level sizes and rates, to be replaced by ours."""
        out = numbers_of(self.facts.run, self.module, reachable(self.facts, functions))
        if out:
            try:
                with quiet():
                    failed = dict(self.namespace.failed)
                    case = PlannedCase(
                        Plan({}, (), Call("", False, ()), constants=out), self.module, PROBE, 0, self.execute
                    )
                    case.prepare_module()
                    if set(self.namespace.failed) - set(failed):
                        return {}
            except Exception:
                return {}
        return out


def numbers_to_set(thing: Any, text: str) -> dict[str, Source]:
    """Return the attributes of an object that are set whatever it holds: rates to 1, limits beyond reach."""
    numbers = [n for n, v in vars(thing).items() if isinstance(v, float | int) and not isinstance(v, bool)]
    rates = {n: Source("const", 1.0) for n in numbers if roles.is_rate(n, text)}
    return rates | {n: Source("const", 1e6) for n in numbers if roles.matches(n, LIMIT)}
