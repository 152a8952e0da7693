"""The search for the reading of a program that runs: candidates in order of plausibility, judged by running."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from bptt.checking.loading import paths as places
from bptt.checking.loading import roles_by_name as roles
from bptt.checking.loading.attempts import Attempt
from bptt.checking.loading.bench import AGREES, BACKWARD_TRIES, MARGIN, call_of, last_name
from bptt.checking.loading.binding import Context
from bptt.checking.loading.callsites import told_by_calls
from bptt.checking.loading.deliveries import Deliveries
from bptt.checking.loading.gradients_found import Delivery
from bptt.checking.loading.namespace import BUDGET, Exhausted, within_budget
from bptt.checking.loading.options import Option, best_first, twice_the_same, with_choice
from bptt.checking.loading.parameters_found import reachable
from bptt.checking.loading.plan import Cost, Parameter, Plan
from bptt.checking.loading.planned import PlannedCase
from bptt.checking.loading.script import STEP
from bptt.checking.loading.standard_costs import standard_costs
from bptt.checking.loading.units import Unit
from bptt.checking.loading.ways import ways
from bptt.checking.tracing.quiet import quiet


class Search(Deliveries):
    """Finds the plan of one unit."""

    def attempts(self, unit: Unit, *, rehearsed: bool = False) -> Iterator[Attempt]:
        """Yield what ran, from every reading of a unit that is plausible enough, or from the program's own run."""
        through = False  # whether what was found first runs with a cost of theirs
        idle = False  # whether each script that ran left weights idle: its data may need the sizes that it has
        for base, context, gates in self.rehearsed(unit) if rehearsed else self.bases(unit):
            unit = replace(unit, costs=base.rehearsal.costs) if base.rehearsal is not None else unit
            if self.log.full or ((self.least < 4.0 or through) and not rehearsed and not idle):
                return
            idle = False
            self.parameters_seen = self.parameters_seen or base.parameters
            for forward, outputs in self.forwards(unit, base, context, gates):
                if forward.penalty > self.least + MARGIN or self.log.full or idle:
                    continue
                shown = False  # whether a cost of theirs works: then none of ours is tried
                for costed in self.costs(unit, forward, context, outputs):
                    shown = shown or costed.cost is not None
                    ran = tried = 0
                    for attempt in self.backwards(
                        unit, costed, context, [] if shown and costed.cost is None else outputs, outputs
                    ):
                        if attempt.ran or attempt.error:
                            self.least = min(self.least, attempt.plan.penalty)
                        yield attempt
                        ours = attempt.plan.cost is not None and attempt.plan.cost.kind == "standard"
                        through = through or (attempt.runs_through and not ours)
                        idle = attempt.idle_script
                        ran, tried = ran + (attempt.ran and not ours), tried + 1
                        if (
                            idle
                            or tried >= 40
                            or ran >= 4
                            or self.log.full
                            or attempt.plan.penalty > self.least + MARGIN
                        ):
                            break

    def backwards(
        self, unit: Unit, plan: Plan, context: Context, compared: list[Any], outputs: list[Any]
    ) -> Iterator[Attempt]:
        """Yield what the backward does under each binding of its arguments; a standard cost compares ``compared``."""
        function = unit.backward or unit.forward
        script = function.name == STEP
        delivery = Delivery(() if script else self.labels(function), local=script, links=self.links(unit, plan))
        names = [last_name(p) for p in plan.parameters]
        told = [
            x
            for x in delivery.labels
            if "grad" in x.lower() or roles.gradient_of(x, names) or x in dict(delivery.links)
        ]
        moves = function.updates_weights or (plan.rehearsal is not None and plan.rehearsal.fused)
        fused = moves and not told
        if unit.backward is None:
            choices: Iterator[tuple[Option, ...]] = iter([()])
        else:
            called = next(
                (c for c in unit.costs if plan.cost and plan.cost.call and c.name == plan.cost.call.function), None
            )
            options: list[list[Option]] = []
            for n in function.arguments:
                own = self.choices(n, function, context, plan, stage="backward", outputs=outputs)
                seen = plan.rehearsal is not None and plan.rehearsal.source(function, n) is not None
                if not seen:  # the run says more than the text
                    own = told_by_calls(n, own, function, unit.forward, plan, self.evidence, called)
                target = any(n in c.arguments for c in unit.costs if c not in (unit.forward, function))
                if target:  # compared with a prediction, by a cost: no gradient, however it is called
                    own = [o for o in own if o.source is None or o.source.kind != "upstream"] or own
                options.append(own)
            choices = best_first(options, BACKWARD_TRIES)
        for choice in choices:
            if twice_the_same(choice):
                continue
            bound = with_choice(plan, choice)
            if unit.backward is not None:
                call = replace(call_of(function, unit.owner, choice), way_back=unit.way_back)
                bound = replace(bound, backward=call, forward_first=unit.forward_first, after=self.resets(unit))
            for way in ways(delivery, function, self.facts) if fused else (delivery,):
                for final in self.with_cost(unit, replace(bound, delivery=way), compared):
                    attempt = self.judge(final)
                    if attempt is not None and attempt.error:
                        yield from self.after_cost(unit, final)
                    if attempt is not None:
                        yield attempt

    def after_cost(self, unit: Unit, plan: Plan) -> Iterator[Attempt]:
        """Yield what a backward does that needs their cost to have been called on the same object."""
        call = plan.cost.call if plan.cost is not None else None
        if call is None or not call.method or plan.backward is None:
            return
        cost = next((c for c in unit.costs if c.name == call.function), None)
        runs_forward = cost is not None and unit.forward.name in self.facts.reached(cost)
        later = replace(plan, after=(*plan.after, call), forward_first=plan.forward_first and not runs_forward)
        attempt = self.judge(later)
        if attempt is not None and attempt.ran:
            yield attempt

    def with_cost(self, unit: Unit, plan: Plan, outputs: list[Any]) -> Iterator[Plan]:
        """Yield the plan with its cost, where that was left to the backward."""
        takes_upstream = bool(upstreams(plan))
        if plan.cost is not None:
            if not takes_upstream:
                yield plan
            return
        if takes_upstream:
            yield replace(plan, cost=Cost("upstream"))
            return
        labels = plan.delivery.labels if plan.delivery else ()
        returned = [
            i for i, name in enumerate(labels) if re.search(r"loss|cost|error|^err|^j$|obj|^nll|^mse", name, re.I)
        ]
        for i in returned:
            path: places.Path = (("item", i),) if len(labels) > 1 else ()
            yield replace(plan, cost=Cost("backward", path=path))
        if returned:
            return
        text = self.facts.text
        targets = [plan] if "Y" in plan.layouts else []
        for base in targets:
            likely = [o for o in outputs if o[1].kind in ("result", "self") and _predicts(o[2], o[1].kind)]
            likely.sort(key=lambda o: not (o[0] and roles.matches(o[0][-1], roles.PREDICTION)))
            for names, source, _ in likely[:3]:
                mismatch = 0.0 if names and roles.matches(names[-1], roles.PREDICTION) else 1.0
                for i, cost in enumerate(standard_costs(text)):
                    where = "result" if source.kind == "result" else "self"
                    found = Cost("standard", None, (), cost, cost.title, (where, source.path))
                    yield replace(base, cost=found, penalty=base.penalty + 2.0 + mismatch + 0.04 * i)

    def judge(self, plan: Plan) -> Attempt | None:
        """Run cost and gradients of a plan, and compare each gradient along one direction."""
        reading = (
            tuple(sorted(plan.layouts.items())),
            plan.forward,
            plan.cost,
            plan.constructor,
            upstreams(plan),
            plan.parameters,
            tuple(sorted(plan.constants.items())),
            plan.rehearsal and (plan.rehearsal.level, plan.rehearsal.skip),
        )
        key = repr(reading)
        if key not in self.known_slopes:
            doubt = self.cost_works(plan)
            if doubt is None:
                self.known_slopes[key] = None
            else:
                with quiet():
                    try:
                        self.case_elsewhere(plan).cost()
                        self.known_slopes[key] = (self.slopes(self.case(plan)), doubt)
                    except Exception:
                        self.known_slopes[key] = None
        if self.known_slopes[key] is None:
            return None
        (slopes, kept), doubt = self.known_slopes[key]
        plan = replace(
            plan, parameters=kept, penalty=plan.penalty + doubt * (plan.cost is not None and plan.cost.kind != "call")
        )
        attempt = Attempt(plan)
        with quiet():
            case = self.case(plan)
            attempt.unused = tuple(name for name, (s, _) in slopes.items() if s == 0.0)
            if not slopes or len(attempt.unused) == len(slopes):
                return None
            left = [BUDGET]
            try:
                gradients = within_budget(case.gradients, left)
            except (Exception, Exhausted, SystemExit) as error:
                attempt.error, attempt.lines = f"{type(error).__name__}: {error}", BUDGET - left[0]
                attempt.plan = replace(plan, parameters=tuple(p for p in plan.parameters if p.likely))
                attempt.leave(self.unspoken(plan, attempt.unused))
                return attempt
        attempt.ran = True
        fused = plan.delivery is not None and plan.delivery.fused  # then whatever stands still has moved by zero
        heard = {n for n, g in gradients.items() if not fused or g.any()}
        plan = replace(plan, parameters=tuple(p for p in plan.parameters if p.likely or p.name in heard))
        gradients = {p.name: gradients[p.name] for p in plan.parameters if p.name in gradients}
        slopes = {p.name: slopes[p.name] for p in plan.parameters if p.name in slopes}
        attempt.plan = plan
        attempt.leave([n for n in attempt.unused if n not in gradients])
        same, opposite = set[str](), set[str]()
        for name, (slope, direction) in slopes.items():
            got = gradients.get(name)
            if got is None:
                continue
            attempt.delivered += 1
            if got.shape == direction.shape and slope != 0:
                along = float(np.sum(got * direction))
                near = AGREES * max(abs(slope), 1e-8)
                if abs(along - slope) <= near:
                    same.add(name)
                elif abs(along + slope) <= near:
                    opposite.add(name)
                elif along == 0 or any(_spreads(g, got) for other, g in gradients.items() if other != name):
                    attempt.amiss.add(name)
        told = (plan.delivery is not None and plan.delivery.fused) or (plan.sign < 0 and not self.ascends)
        attempt.agreed = same
        attempt.amiss |= opposite
        if len(opposite) > max(1, attempt.right) and self.climbs and not told:
            attempt.agreed = opposite
            attempt.plan = replace(attempt.plan, sign=-attempt.plan.sign)
        return attempt

    def unspoken(self, plan: Plan, names: Collection[str]) -> list[str]:
        """Return the parameters of which the backward pass speaks nowhere, nor of a gradient of theirs."""
        if not names:
            return []
        backward = [f for f in self.facts.functions.values() if plan.backward and f.name == plan.backward.function]
        text = "\n".join(f.text for f in reachable(self.facts, backward))
        words = set(re.findall(r"[^\W\d]\w*", text))
        keys = {p.name: last_name(p) for p in plan.parameters}
        return [n for n in names if backward and not any(roles.gradient_of(word, [keys[n]]) for word in words)]

    @property
    def climbs(self) -> bool:
        """Whether the program adds its gradients to the weights, or speaks of a likelihood."""
        return self.ascends or re.search(roles.GAIN, self.facts.text, re.I) is not None

    @property
    def ascends(self) -> bool:
        """Whether the program adds its gradients to the weights."""
        rate = rf"(self\.)?({roles.RATE}|step)\b"
        return re.search(rf"\+= *\(?{rate}|\+ *{rate} *\*|\+= .*\* *{rate}", self.facts.text, re.I) is not None

    def slopes(self, case: PlannedCase) -> tuple[dict[str, tuple[float, Any]], tuple[Parameter, ...]]:
        """Return the cost's slope along one random direction for each parameter that it depends on."""
        slopes: dict[str, tuple[float, Any]] = {}
        kept = []
        for parameter in case.plan.parameters:
            if parameter.idle:
                kept.append(parameter)
                continue
            rng = np.random.default_rng(5)
            value = case.parameters[parameter.name]
            direction = rng.normal(size=value.shape)
            before = value.copy()
            ends = []
            step = 1e-5 * min(1.0, 6 / float(np.linalg.norm(direction)))
            for h in (step, -step):
                value[...] = before + h * direction
                ends.append(float(np.real(np.asarray(case.cost()).reshape(()).item())))
            value[...] = before
            slope = (ends[0] - ends[1]) / (2 * step)
            linked = case.plan.delivery is not None and last_name(parameter) in dict(case.plan.delivery.links).values()
            if slope == 0.0 and parameter.home == "argument" and not (roles.is_weight(parameter.name) or linked):
                kept.append(replace(parameter, idle=True))
            elif slope != 0.0 or linked or roles.is_weight(last_name(parameter)) or roles.is_bias(last_name(parameter)):
                slopes[parameter.name] = (slope, direction)
                kept.append(parameter)
        return slopes, tuple(kept)


def _spreads(value: Any, over: Any) -> bool:
    """Tell whether an array is nothing but another one, spread over its axes."""
    try:
        return bool(np.allclose(np.broadcast_to(value, over.shape), over, rtol=1e-12, atol=0))
    except ValueError:
        return False


def upstreams(plan: Plan) -> tuple[Any, ...]:
    """Return the outputs of the forward whose gradients the backward is given from outside."""
    return tuple(s.path for _, s in plan.backward.arguments if s.kind == "upstream") if plan.backward else ()


def _predicts(value: Any, kind: str) -> bool:
    items = value if isinstance(value, list | tuple) else list(value.values()) if isinstance(value, dict) else [value]
    numbers = np.ndarray if kind == "self" and items == [value] else np.ndarray | float  # a rate predicts nothing
    return bool(items) and all(isinstance(v, numbers) and not isinstance(v, bool) for v in items)
