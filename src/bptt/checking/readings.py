"""The search for the reading of a program that runs: candidate plans in order of plausibility, judged by running them."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

import numpy as np

from bptt.checking import paths as places
from bptt.checking import roles_by_name as roles
from bptt.checking.binding import (
    LIMIT,
    Context,
    Option,
    best_first,
    data_options,
    options_for,
    result_outputs,
    uses,
    with_choice,
)
from bptt.checking.explore import explore
from bptt.checking.facts import Facts, Function
from bptt.checking.gradients_found import Delivery
from bptt.checking.lazy import Suspicion, probe
from bptt.checking.namespace import Exhausted, Namespace, within_budget
from bptt.checking.parameters_found import (
    box_argument,
    box_keys,
    held_by_module,
    held_by_object,
    is_initialiser,
    lazy_arrays,
    loose_arguments,
    reachable,
    script_parameters,
    symbolic,
)
from bptt.checking.plan import Call, Cost, Parameter, Plan, PlannedCase, Source, World
from bptt.checking.program import Sizes
from bptt.checking.quiet import quiet
from bptt.checking.script import STEP
from bptt.checking.standard_costs import standard_costs
from bptt.checking.units import Unit

PROBE = Sizes(n_x=3, n_a=5, n_y=7, m=2, T_x=4)
FORWARD_TRIES, FORWARD_KEPT, COST_TRIES, BACKWARD_TRIES = 250, 5, 50, 24
MARGIN = 1.2  # a reading that agrees is taken before more plausible ones only within this much
SLACK = 2.2  # readings less plausible than the best that runs by this much are not tried
AGREES = 1e-4  # of the directional slope
COST_NAME = re.compile(r"(total_?|sum_?|overall_?|seq_?|batch_?|train_?|mean_?|avg_?)?(loss(es)?|cost|error|err|J|L|E|nll|mse|ce)(_?(total|sum|val|value|t))?", re.I)


@dataclass
class Attempt:
    """A plan that has run: how far it came, and how much of its gradient agrees with its cost."""

    plan: Plan
    right: int = 0
    delivered: int = 0
    ran: bool = False
    error: str = ""
    unused: tuple[str, ...] = ()

    @property
    def plausibility(self) -> float:
        """Order among readings of a backward pass that may be wrong: agreement must not choose between them."""
        needed = sum(not p.idle for p in self.plan.parameters)
        return -self.plan.penalty + 0.6 * self.ran + 0.8 * self.right / max(needed, 1)

    @property
    def complete(self) -> bool:
        """Whether every parameter has a gradient and each agrees."""
        needed = sum(not p.idle and p.name not in self.unused for p in self.plan.parameters)
        return self.ran and self.right >= max(needed, 1)


@dataclass
class Search:
    """Finds the plan of one unit."""

    facts: Facts
    namespace: Namespace
    module: ModuleType
    log: list[str] = field(default_factory=list)
    known_slopes: dict[Any, Any] = field(default_factory=dict)
    least: float = np.inf  # the penalty of the most plausible reading whose cost runs

    def execute(self, module: ModuleType, constants: dict[str, Any]) -> None:
        """Run the module's constants again with other sizes."""
        body = [s for s in self.facts.run if not isinstance(s, ast.Import | ast.ImportFrom)]
        self.namespace.execute(body, module.__dict__, constants)

    def case(self, plan: Plan, **kwargs: Any) -> PlannedCase:
        """Return the case of a plan at the probe's sizes."""
        return PlannedCase(plan, self.module, PROBE, 0, self.execute, **kwargs)

    def attempts(self, unit: Unit) -> Iterator[Attempt]:
        """Yield what ran, from every reading of a unit that is plausible enough."""
        for base, context, gates in self.bases(unit):
            for forward, outputs in self.forwards(unit, base, context, gates):
                if forward.penalty > self.least + MARGIN:
                    continue
                shown = False  # whether a cost of theirs works: then none of ours is tried
                for costed in self.costs(unit, forward, context, outputs):
                    shown = shown or costed.cost is not None
                    ran = tried = 0
                    for attempt in self.backwards(unit, costed, context, [] if shown and costed.cost is None else outputs, outputs):
                        if attempt.ran or attempt.error:
                            self.least = min(self.least, attempt.plan.penalty)
                        yield attempt
                        ran, tried = ran + attempt.ran, tried + 1
                        if tried >= 14 or ran >= 4:
                            break

    def bases(self, unit: Unit) -> Iterator[tuple[Plan, Context, int]]:
        """Yield plans with the object made and the parameters found."""
        functions = [unit.forward] + ([unit.backward] if unit.backward else [])
        every = self.constants(functions)
        rates = {n: c for n, c in every.items() if c.kind == "const"}
        hidden = {n: c for n, c in every.items() if c.kind == "const" or c.value == "n_a"}
        for constants in dict.fromkeys(tuple(sorted(c.items())) for c in (every, hidden, rates)):
            yield from self._bases(unit, functions, dict(constants))

    def _bases(self, unit: Unit, functions: list[Function], constants: dict[str, Source]) -> Iterator[tuple[Plan, Context, int]]:
        batch = self.facts.speaks_of_batch
        empty = Plan({}, (), Call(unit.forward.name, unit.owner is not None, ()), constants=constants, owner=unit.owner)
        text = ast.unparse(self.facts.tree)
        vocabulary = re.search(r"vocab|char_to_ix|one_?hot|num_chars|n_chars|len\(chars\)", text) is not None
        context = Context(self.facts, ["V", "n_x"] if vocabulary else ["n_x", "V"], ["n_y", "n_x"], batch)
        context.cell = re.search(r"\bfor\b|while", unit.forward.text) is None and not re.search(r"forward|backward", " ".join(self.facts.reached(unit.forward)))
        if unit.owner:
            for plan in self.objects(unit, empty, context):
                yield plan, context, 1
            return
        held = held_by_module(self.module, reachable(self.facts, functions))
        held = [p for p in held if not _is_state_name(p.name) and not _is_data(p, self.module, set())]
        if unit.forward.name == STEP:
            held = script_parameters(self.module, unit.forward)
            context.loose = [p.name for p in held if p.name in unit.forward.arguments]
            yield replace(empty, parameters=tuple(held), states=tuple(self.global_states(functions))), context, 1
            return
        if held:
            context.features += _own_sizes(self.module, held)
            context.classes += _own_sizes(self.module, held)
        plan = replace(empty, parameters=tuple(held), states=tuple(self.global_states(functions)))
        yield from self.made(unit, plan, context)
        loose = loose_arguments(unit.forward)
        box = box_argument(unit.forward, reachable(self.facts, [unit.forward]))
        if loose and not (held and len(loose) < 2) and not (box and len(loose) < 2):
            context.loose = loose
            arguments = tuple(Parameter(n, "argument", (), ()) for n in loose)
            for gates in (*_gates(text), -1):
                yield replace(plan, parameters=(*held, *arguments)), context, gates
        elif box:
            keys, kind = box_keys(reachable(self.facts, functions[:1]), box)
            if keys:
                context.box = box
                weights = [k for k in keys if not roles.matches(k, roles.RATE) and not roles.size_of(k) or roles.is_weight(k)]
                arguments = tuple(Parameter(n, "argument", (), ()) for n in weights)
                for gates in (*_gates(text), -1):
                    yield replace(plan, parameters=(*held, *arguments), box=kind), context, gates
        if held or not (loose or box):
            yield plan, context, 1

    def made(self, unit: Unit, plan: Plan, context: Context) -> Iterator[tuple[Plan, Context, int]]:
        """Yield plans whose parameters an initialiser of theirs makes: a dict, a tuple, a list of layers."""
        for function in self.facts.plain().values():
            if function in (unit.forward, unit.backward) or not is_initialiser(function):
                continue
            options = [options_for(n, function, context, plan, stage="constructor") for n in function.arguments]

            def run(choice: tuple[Option, ...], function: Function = function) -> Any:
                made = replace(with_choice(plan, choice), maker=_call(function, None, choice))
                thing = World(self.case(made)).made
                return (made, thing) if places.arrays(thing) else None

            for _, (made, thing) in explore(function, options, 40, run, self.log, [np.inf]):
                bindings = _bindings(unit.forward, function, thing, reachable(self.facts, [unit.forward]))
                if not bindings:
                    continue
                ends = {name: path for name, path in bindings.items() if path}
                sizes = sorted({str(n) for _, v in places.arrays(thing) for n in v.shape} - {"3", "5", "7", "1", "0"})
                context.features += [n for n in (*sizes, "n_a") if n not in context.features]
                context.classes += [n for n in (*sizes, "n_a") if n not in context.classes]
                held = [p for p in held_by_object(thing) if not ends or p.paths[0][:1] in ends.values()]
                held = [replace(p, home="made", name=_made_name(p, ends)) for p in held]
                known = replace(context, made=bindings, loose=[], box=None)
                yield replace(made, parameters=(*plan.parameters, *held)), known, 1
                break

    def constants(self, functions: list[Function]) -> dict[str, Source]:
        """Return the module-level sizes and rates, to be replaced by ours."""
        out: dict[str, Source] = {}
        stored = {n.id for s in self.facts.run for n in ast.walk(s) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        for name in sorted(stored):
            value = vars(self.module).get(name)
            size = roles.size_of(name)
            if isinstance(value, int) and not isinstance(value, bool) and size:
                out[name] = Source("size", size)
            elif isinstance(value, float | int) and roles.matches(name, roles.RATE):
                out[name] = Source("const", 1.0)
            elif isinstance(value, float | int) and roles.matches(name, LIMIT):
                out[name] = Source("const", 1e6)
            elif isinstance(value, int) and roles.matches(name, roles.TRUNCATION):
                out[name] = Source("const", 10_000)
        if out:
            try:
                with quiet():
                    failed = dict(self.namespace.failed)
                    case = PlannedCase(Plan({}, (), Call("", False, ()), constants=out), self.module, PROBE, 0, self.execute)
                    case.prepare_module()
                    if set(self.namespace.failed) - set(failed):
                        return {}
            except Exception:
                return {}
        return out

    def global_states(self, functions: list[Function]) -> list[tuple[str, places.Path]]:
        """Return the global arrays that hold an initial state."""
        out: list[tuple[str, places.Path]] = []
        for parameter in held_by_module(self.module, reachable(self.facts, functions)):
            if _is_state_name(parameter.name) and len(parameter.paths[0]) == 1:
                out.append(("global", parameter.paths[0]))
        return out

    def objects(self, unit: Unit, empty: Plan, context: Context) -> Iterator[Plan]:
        """Yield plans whose constructor runs, with the parameters that the object holds."""
        init = self.facts.methods(unit.owner or "").get("__init__")
        names = init.arguments if init else []
        options = [options_for(n, init, context, empty, stage="constructor") for n in names] if init else []
        kept = 0
        for choice in best_first(options, 60) if options else iter([()]):
            constructor = tuple((n, o.source) for n, o in zip(names, choice, strict=True) if o.source is not None)
            plan = replace(with_choice(empty, choice), constructor=constructor)
            try:
                with quiet():
                    case = self.case(plan)
                    thing = within_budget(lambda case=case: case.make_object(case.make_data()))
            except (Exception, Exhausted, SystemExit) as error:
                self.log.append(f"{unit.owner}(...) raises {type(error).__name__}: {error}")
                continue
            attributes = {
                name: Source("const", 1.0 if roles.matches(name, roles.RATE) else 1e6) for name, value in vars(thing).items()
                if isinstance(value, float | int) and not isinstance(value, bool) and roles.matches(name, f"{roles.RATE}|{LIMIT}")
            }  # fmt: skip
            held = held_by_object(thing)
            data = {id(v) for v in case.make_data().values()}
            own = [p for p in held if not _is_state_name(_last(p)) and not _is_data(p, thing, data)]
            own_sizes = sorted({str(n) for p in own for n in np.shape(places.read(thing, p.paths[0]))} - {"3", "5", "7", "1"})
            context.features += [s for s in own_sizes if s not in context.features]
            context.classes += [s for s in own_sizes if s not in context.classes]
            states = tuple(("self", p.paths[0]) for p in held if _is_state_name(_last(p)))
            yield replace(plan, parameters=tuple(own), states=states, attributes=attributes)
            kept += 1
            if kept == 3:
                return

    def forwards(self, unit: Unit, base: Plan, context: Context, gates: int) -> Iterator[tuple[Plan, list[Any]]]:
        """Yield plans whose forward runs, without doubtful broadcasts first, and what it gave."""
        function = unit.forward
        options = [options_for(n, function, context, base, stage="forward") for n in function.arguments]
        lazy_names = [p.name for p in base.parameters if p.home == "argument"]
        readers = reachable(self.facts, [function])
        found: dict[Any, tuple[float, Plan, list[Any]]] = {}
        name, line = _cost_variable(function) if unit.backward is None else ("", 0)
        told: dict[str, Any] = {"cost_name": name, "cost_line": line}

        def run(choice: tuple[Option, ...]) -> Any:
            plan = replace(with_choice(base, choice), forward=_call(function, unit.owner, choice), **told)
            key = tuple((r, x.axes, x.kind == "ids") for r, x in sorted(plan.layouts.items()))
            if key in found:
                return None
            suspicion = Suspicion()
            lazy = lazy_arrays(lazy_names, readers, PROBE, gates) if lazy_names else None
            case = self.case(plan, probe=lambda v: probe(v, suspicion), lazy=lazy)
            world = case.run_forward()
            if not _finite(world.result) or not _has_numbers(world):
                return None
            return key, plan, world, suspicion, lazy

        limit = [np.inf]
        for _, (key, plan, world, suspicion, lazy) in explore(function, options, FORWARD_TRIES, run, self.log, limit):
            if lazy:
                plan = replace(plan, parameters=tuple(_settled(p, lazy) for p in plan.parameters))
            own = {p.paths[0][0][1] for p in plan.parameters if p.home == "self"}
            outputs = result_outputs(function.labels, _plain(world.result), world.object, own)
            penalty = plan.penalty + 3.0 * bool(suspicion.count) + 1.0 * world.partial
            found[key] = (penalty, replace(plan, penalty=penalty), outputs)
            limit[0] = min(limit[0], penalty + SLACK - base.penalty)
            if sum(p <= min(x[0] for x in found.values()) + SLACK for p, *_ in found.values()) >= FORWARD_KEPT + 2:
                break
        for _, plan, outputs in sorted(found.values(), key=lambda x: x[0])[:FORWARD_KEPT]:
            yield plan, outputs

    def costs(self, unit: Unit, plan: Plan, context: Context, outputs: list[Any]) -> Iterator[Plan]:
        """Yield the plan with each cost that gives one finite number, twice the same."""
        for option in self.cost_options(unit, plan, context, outputs):
            if option.cost is None or option.cost.kind in ("upstream", "standard", "call") or self.cost_works(option) is not None:
                yield option

    def cost_works(self, plan: Plan) -> float | None:
        """Return how doubtful a plan's cost is, where it is one finite number, twice the same; None elsewhere."""
        try:
            with quiet():
                return self.doubt_of_cost(plan)
        except (Exception, Exhausted, SystemExit) as error:
            self.log.append(f"the cost raises {type(error).__name__}: {error}")
            return None

    def doubt_of_cost(self, plan: Plan) -> float | None:
        """Do the work of :meth:`cost_works`; what their code raises goes through."""
        suspicion = Suspicion()
        case = self.case(plan, probe=lambda v: probe(v, suspicion))
        first = np.asarray(within_budget(case.cost) if sys.gettrace() is None else case.cost())
        total = suspicion.uneven
        if total and plan.cost is not None and plan.cost.kind != "backward":
            case.run_forward()
            total -= suspicion.uneven - total
        plain = self.case(plan)
        again = np.asarray(plain.cost())
        for value in plain.parameters.values():
            value[...] = value + 0.01
        if plain.parameters and np.asarray(plain.cost()).tolist() == again.tolist():
            return None  # it depends on no parameter
        if first.size != 1 or first.dtype.kind != "f" or not np.isfinite(first).all() or first.item() != again.item():
            return None
        return 2.0 * (total > 0) if plan.cost is not None and plan.cost.kind != "backward" else 0.0

    def cost_options(self, unit: Unit, plan: Plan, context: Context, outputs: list[Any]) -> Iterator[Plan]:
        """Yield the plan with every cost that may be meant."""
        for names, source, value in outputs:
            if _is_scalar(value) and source.kind in ("result", "self") and re.search(r"loss|cost|error|err|^j$|^l$|^e$|obj|nll|mse", names[-1] if names else "loss", re.I):
                kind = "result" if source.kind == "result" else "self"
                yield replace(plan, cost=Cost(kind, path=source.path))  # type: ignore[arg-type]
        if plan.cost_name:
            yield replace(plan, cost=Cost("local"))
        for function in unit.costs:
            if function in (unit.forward, unit.backward):
                continue
            options = [options_for(n, function, context, plan, stage="cost", outputs=outputs) for n in function.arguments]
            options = [_with_nested(o) for o in options] if unit.forward.name in self.facts.reached(function) else options
            worked: list[tuple[float, int, Plan]] = []

            def run(choice: tuple[Option, ...], function: Function = function) -> Plan | None:
                chosen = with_choice(plan, choice)
                for path in ((), (("item", 0),)):
                    sign = -1 if re.search(r"likelihood|log_?prob|reward", function.name, re.I) else 1
                    candidate = replace(chosen, sign=sign, cost=Cost("call", _call(function, function.owner, choice), path=path))
                    doubt = self.doubt_of_cost(candidate)
                    if doubt is not None:
                        return replace(candidate, penalty=chosen.penalty + doubt)
                return None

            limit = [np.inf]
            for _, candidate in explore(function, options, COST_TRIES, run, self.log, limit):
                worked.append((candidate.penalty, len(worked), candidate))
                limit[0] = min(limit[0], candidate.penalty - plan.penalty + 0.8)
            for _, _, candidate in sorted(worked, key=lambda x: x[:2])[:2]:
                yield candidate
        yield replace(plan, cost=None)  # left to the backward: returned with the gradients, upstream, or a standard one

    def backwards(self, unit: Unit, plan: Plan, context: Context, compared: list[Any], outputs: list[Any]) -> Iterator[Attempt]:
        """Yield what the backward does under each binding of its arguments; a standard cost compares ``compared``."""
        function = unit.backward or unit.forward
        script = function.name == STEP
        delivery = Delivery(() if script else _labels(function), local=script)
        fused = function.updates_weights and not any(re.match(r"d_?|grad", x) for x in delivery.labels)
        if unit.backward is None:
            choices: Iterator[tuple[Option, ...]] = iter([()])
        else:
            options = [options_for(n, function, context, plan, stage="backward", outputs=outputs) for n in function.arguments]
            choices = best_first(options, BACKWARD_TRIES)
        for choice in choices:
            bound = with_choice(plan, choice)
            if unit.backward is not None:
                bound = replace(bound, backward=_call(function, unit.owner, choice), forward_first=unit.forward_first)
            for way in (replace(delivery, fused=True), delivery) if fused else (delivery,):
                for final in self.with_cost(unit, replace(bound, delivery=way), compared):
                    attempt = self.judge(final)
                    if attempt is not None:
                        yield attempt

    def with_cost(self, unit: Unit, plan: Plan, outputs: list[Any]) -> Iterator[Plan]:
        """Yield the plan with its cost, where that was left to the backward."""
        takes_upstream = plan.backward is not None and any(s.kind == "upstream" for _, s in plan.backward.arguments)
        if plan.cost is not None:
            if not takes_upstream:
                yield plan
            return
        if takes_upstream:
            yield replace(plan, cost=Cost("upstream"))
            return
        for i, name in enumerate(plan.delivery.labels if plan.delivery else ()):
            if re.search(r"loss|cost|error|^j$|obj", name, re.I):
                path: places.Path = (("item", i),) if len(plan.delivery.labels) > 1 else ()  # type: ignore[union-attr]
                yield replace(plan, cost=Cost("backward", path=path))
        text = ast.unparse(self.facts.tree)
        targets = [plan] if "Y" in plan.layouts else []
        for base in targets:
            likely = [o for o in outputs if o[1].kind in ("result", "self") and _predicts(o[2])]
            likely.sort(key=lambda o: not (o[0] and roles.matches(o[0][-1], roles.PREDICTION)))
            for names, source, _ in likely[:3]:
                mismatch = 0.0 if names and roles.matches(names[-1], roles.PREDICTION) else 1.0
                for i, cost in enumerate(standard_costs(text)):
                    where = "result" if source.kind == "result" else "self"
                    found = Cost("standard", None, (), cost, cost.title, (where, source.path))
                    yield replace(base, cost=found, penalty=base.penalty + 2.0 + mismatch + 0.3 * i)

    def judge(self, plan: Plan) -> Attempt | None:
        """Run cost and gradients of a plan, and compare each gradient along one direction."""
        key = (tuple(sorted(plan.layouts.items())), plan.forward, plan.cost, plan.constructor, _upstreams(plan), plan.parameters)
        if key not in self.known_slopes:
            doubt = self.cost_works(plan)
            if doubt is None:
                self.known_slopes[key] = None
            else:
                with quiet():
                    try:
                        self.known_slopes[key] = (self.slopes(self.case(plan)), doubt)
                    except Exception:
                        self.known_slopes[key] = None
        if self.known_slopes[key] is None:
            return None
        (slopes, kept), doubt = self.known_slopes[key]
        plan = replace(plan, parameters=kept, penalty=plan.penalty + doubt * (plan.cost is not None and plan.cost.kind != "call"))
        attempt = Attempt(plan)
        with quiet():
            case = self.case(plan)
            attempt.unused = tuple(name for name, (s, _) in slopes.items() if s == 0.0)
            if not slopes or len(attempt.unused) == len(slopes):
                return None
            try:
                gradients = within_budget(case.gradients)
            except (Exception, Exhausted, SystemExit) as error:
                attempt.error = f"{type(error).__name__}: {error}"
                return attempt
        attempt.ran = True
        idle = [n for n in attempt.unused if n not in gradients]
        if idle:  # neither the cost nor the backward knows of it
            attempt.plan = replace(plan, parameters=tuple(replace(p, idle=p.name in idle) for p in plan.parameters))
            attempt.unused = tuple(n for n in attempt.unused if n not in idle)
        signs = []
        for name, (slope, direction) in slopes.items():
            got = gradients.get(name)
            if got is None:
                continue
            attempt.delivered += 1
            if got.shape == direction.shape and slope != 0:
                along = float(np.sum(got * direction))
                signs += [s for s in (1, -1) if abs(s * along - slope) <= AGREES * max(abs(slope), 1e-8)]
        attempt.right = signs.count(1)
        if signs.count(-1) > max(1, attempt.right) and self.climbs:
            attempt.right = signs.count(-1)
            attempt.plan = replace(attempt.plan, sign=-attempt.plan.sign)
        return attempt

    @property
    def climbs(self) -> bool:
        """Whether the program adds its gradients to the weights, or speaks of a likelihood."""
        text = ast.unparse(self.facts.tree)
        return re.search(rf"\+= *\(?(self\.)?({roles.RATE})\b|\+ *(self\.)?({roles.RATE}) *\*|\+= .*\* *(self\.)?({roles.RATE})\b|likelihood|log_?prob", text, re.I) is not None

    def slopes(self, case: PlannedCase) -> tuple[dict[str, tuple[float, Any]], tuple[Parameter, ...]]:
        """Return the cost's slope along one random direction for each parameter, without those it does not depend on."""
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
            for h in (1e-5, -1e-5):
                value[...] = before + h * direction
                ends.append(float(np.real(np.asarray(case.cost()).reshape(()).item())))
            value[...] = before
            slope = (ends[0] - ends[1]) / 2e-5
            if slope == 0.0 and parameter.home == "argument" and not roles.is_weight(parameter.name):
                kept.append(replace(parameter, idle=True))
            elif slope != 0.0 or roles.is_weight(_last(parameter)) or roles.is_bias(_last(parameter)):
                slopes[parameter.name] = (slope, direction)
                kept.append(parameter)
        return slopes, tuple(kept)


def _call(function: Function, owner: str | None, choice: tuple[Option, ...]) -> Call:
    arguments = [(n, o.source) for n, o in zip(function.arguments, choice, strict=True)]
    prefix = 0
    for _, source in arguments:  # up to the first that is left to its default, by position
        if source is None:
            break
        prefix += 1
    positional = len(function.node.args.posonlyargs) + len(function.node.args.args)
    given = tuple((n, s) for n, s in arguments if s is not None)
    return Call(function.name, function.owner is not None and owner is not None, given, tuple(function.labels), min(prefix, positional))


def _bindings(forward: Function, maker: Function, thing: Any, readers: list[Function]) -> dict[str, places.Path]:
    """Return which arguments of the forward take what an initialiser makes: all of it, or an element by its name."""
    if isinstance(thing, list) and len(maker.returns) and isinstance(maker.returns[-1], ast.Tuple):
        labels = _labels(maker)
        ends: dict[str, places.Path] = {n: (("item", i),) for i, n in enumerate(labels) if n in forward.arguments}
        if ends:
            return ends
        loose = loose_arguments(forward)
        if len(loose) == len(thing):
            return {n: (("item", i),) for i, n in enumerate(loose)}
        inside = [n for n in forward.arguments if roles.matches(n, roles.PARAMETERS)]
        return {inside[0]: ()} if inside else {}
    holder = box_argument(forward, readers)
    if holder is None:
        return {}
    keys, kind = box_keys(readers, holder)
    return {holder: ()} if kind != "dict" or not keys or isinstance(thing, dict) and set(keys) & set(thing) else {}


def _cost_variable(function: Function) -> tuple[str, int]:
    """Return the local variable that holds the cost, and the last line that changes it; nothing where there is none."""
    found: dict[str, int] = {}
    for node in ast.walk(function.node):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign) else []:
            for part in target.elts if isinstance(target, ast.Tuple) else [target]:
                if isinstance(part, ast.Name) and COST_NAME.fullmatch(part.id):
                    found[part.id] = max(found.get(part.id, 0), node.end_lineno or node.lineno)
    returned = [n for n in function.labels if n in found]
    name = returned[0] if returned else max(found, key=lambda n: found[n], default="")
    return name, found.get(name, 0)


def _made_name(parameter: Parameter, ends: dict[str, places.Path]) -> str:
    """Return a name for what an initialiser made: its key, or the name under which a tuple's element is returned."""
    for name, path in ends.items():
        if parameter.paths[0][:1] == path:
            rest = places.spell(parameter.paths[0][1:])
            return name + (f".{rest}" if rest else "")
    return parameter.name


def _upstreams(plan: Plan) -> tuple[Any, ...]:
    return tuple(s.path for _, s in plan.backward.arguments if s.kind == "upstream") if plan.backward else ()


def _labels(function: Function) -> tuple[str, ...]:
    """Return the names of what a function returns, through a variable that holds a tuple or list of them."""
    labels = function.labels
    if len(labels) == 1:
        for node in ast.walk(function.node):
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == labels[0] and isinstance(node.value, ast.Tuple | ast.List):
                from bptt.checking.facts import label

                return tuple(label(item) for item in node.value.elts) or tuple(labels)
    return tuple(labels)


def _gates(text: str) -> list[int]:
    """Return how many gates may be stacked in one matrix, the likeliest first: ``3*H:`` speaks of four."""
    multiples = [k for k in (4, 3, 2) if re.search(rf"(?<!\*)\b{k} ?\* ?\w|split\([^)]*\b{k}\b", text)]
    return [*dict.fromkeys(k for m in multiples for k in (min(m + 1, 4), m)), 1]


def _last(parameter: Parameter) -> str:
    for _, name in reversed(parameter.paths[0] if parameter.paths else ()):
        if isinstance(name, str) and name not in ("value", "v", "data", "val"):
            return name
    return parameter.name


def _is_state_name(name: str) -> bool:
    return bool(re.fullmatch(r"(h|a|s|c|hs|cs)(_?(prev|0|t|state|init|next|last))?|(prev_?|last_?|init_?|initial_?|hidden_?|cell_?)(h|s|c|a|state|hidden|states|out|output)(_prev|_0)?|states?|hprev|cprev|hidden", name))


def _is_data(parameter: Parameter, thing: Any, data: set[int]) -> bool:
    value = places.read(thing, parameter.paths[0])
    name = _last(parameter)
    if id(value) in data:
        return True
    return not roles.is_weight(name) and (roles.matches(name, roles.INPUT) or roles.matches(name, roles.TARGET))


def _own_sizes(module: ModuleType, held: list[Parameter]) -> list[str]:
    known = {3, 5, 7, 1}
    return sorted({str(n) for p in held for n in np.shape(places.read(module, p.paths[0])) if n not in known})


def _settled(parameter: Parameter, lazy: dict[str, Any]) -> Parameter:
    if parameter.name not in lazy:
        return parameter
    return replace(parameter, shape=symbolic(np.shape(lazy[parameter.name].settle()), PROBE))


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray) and type(value) is not np.ndarray:
        return value.view(np.ndarray)
    if isinstance(value, tuple | list):
        return type(value)(_plain(v) for v in value) if not hasattr(value, "_fields") else value
    return {k: _plain(v) for k, v in value.items()} if type(value) is dict else value


def _finite(value: Any) -> bool:
    return all(np.all(np.isfinite(v)) for _, v in places.walk(value))


def _has_numbers(world: Any) -> bool:
    return world.result is not None or world.object is not None


def _is_scalar(value: Any) -> bool:
    return isinstance(value, float | np.floating) or isinstance(value, np.ndarray) and value.size == 1 and value.dtype.kind == "f"


def _predicts(value: Any) -> bool:
    items = value if isinstance(value, list | tuple) else list(value.values()) if isinstance(value, dict) else [value]
    return bool(items) and all(isinstance(v, np.ndarray | float) and not isinstance(v, bool) for v in items)


def _with_nested(options: list[Option]) -> list[Option]:
    """Add, to data that is settled, the same in a list of one example."""
    more = [
        Option(o.penalty + 0.4, Source("data", f"[{o.role}]"), o.role, o.layout) for o in options if o.role in ("X", "Y")
    ]  # fmt: skip
    return [*options, *more]
