"""The forward pass and the cost under each binding of their arguments: which of them run."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from bptt.checking.loading import paths as places
from bptt.checking.loading import roles_by_name as roles
from bptt.checking.loading.argument_arrays import bias_rank, lazy_arrays, symbolic
from bptt.checking.loading.bench import COST_TRIES, FORWARD_KEPT, FORWARD_TRIES, PROBE, SLACK, call_of, labels_of
from bptt.checking.loading.binding import Context
from bptt.checking.loading.callsites import told_by_calls
from bptt.checking.loading.explore import explore
from bptt.checking.loading.facts import Function
from bptt.checking.loading.homes import Homes
from bptt.checking.loading.lazy import Suspicion, probe
from bptt.checking.loading.namespace import Exhausted, within_budget
from bptt.checking.loading.options import Option, twice_the_same, with_choice
from bptt.checking.loading.outputs import result_outputs
from bptt.checking.loading.parameters_found import reachable
from bptt.checking.loading.plan import Cost, Parameter, Plan, Source
from bptt.checking.loading.training_loops import SHOWN
from bptt.checking.loading.units import Unit
from bptt.checking.tracing.quiet import quiet

COST_LIKE = r"loss|cost|error|err|^j$|^l$|^e$|obj|nll|mse|posterior|likelihood"


class Passes(Homes):
    """Finds the readings whose forward and cost run."""

    def forwards(self, unit: Unit, base: Plan, context: Context, gates: int) -> Iterator[tuple[Plan, list[Any]]]:
        """Yield plans whose forward runs, without doubtful broadcasts first, and what it gave."""
        function = unit.forward
        options = [self.choices(n, function, context, base, stage="forward") for n in function.arguments]
        lazy_names = [p.name for p in base.parameters if p.home == "argument" and not p.shape]
        readers = reachable(self.facts, [function])
        found: dict[Any, tuple[float, Plan, list[Any]]] = {}
        name, line = _cost_variable(function) if unit.backward is None else ("", 0)
        told: dict[str, Any] = {"cost_name": name, "cost_line": line}
        if unit.backward is None and function.updates_weights:
            told["forward_first"] = False  # a cost of theirs is asked for before it has moved them

        rank = 2

        def run(choice: tuple[Option, ...]) -> Any:
            if twice_the_same(choice):
                return None
            call = replace(call_of(function, unit.owner, choice), each=unit.each)
            plan = replace(with_choice(base, choice), forward=call, **told)
            key = tuple((r, x.axes, x.kind == "ids") for r, x in sorted(plan.layouts.items()))
            if key in found:
                return None
            suspicion = Suspicion()
            lazy = lazy_arrays(lazy_names, readers, PROBE, gates, rank=rank) if lazy_names else None
            case = self.case(plan, probe=lambda v: probe(v, suspicion), lazy=lazy)
            world = case.run_forward()
            if not _finite(world.result) or not _has_numbers(world):
                return None
            return key, plan, world, suspicion, lazy

        usual = bias_rank(readers)
        for bias_axes in (usual, 3 - usual) if lazy_names else (usual,):
            rank = bias_axes
            limit = [np.inf]
            for _, (key, plan, world, suspicion, lazy) in explore(
                function, options, FORWARD_TRIES, run, self.log, limit
            ):
                if lazy:
                    plan = replace(plan, parameters=tuple(_settled(p, lazy) for p in plan.parameters))
                own = {p.paths[0][0][1] for p in plan.parameters if p.home == "self"}
                outputs = result_outputs(function.labels, _plain(world.result), world.object, own)
                penalty = plan.penalty + 3.0 * bool(suspicion.count) + 0.3 * world.partial + _clash(plan)
                found[key] = (penalty, replace(plan, penalty=penalty), outputs)
                limit[0] = min(limit[0], penalty + SLACK - base.penalty)
                if sum(p <= min(x[0] for x in found.values()) + SLACK for p, *_ in found.values()) >= FORWARD_KEPT + 2:
                    break
            if found and min(x[0] for x in found.values()) < base.penalty + 2.0:
                break
        for _, plan, outputs in sorted(found.values(), key=lambda x: x[0])[:FORWARD_KEPT]:
            yield plan, outputs

    def costs(self, unit: Unit, plan: Plan, context: Context, outputs: list[Any]) -> Iterator[Plan]:
        """Yield the plan with each cost of theirs that works; then without one, where that can still lead somewhere."""
        shown = False
        arguments = unit.backward.arguments if unit.backward else []
        upstream = any(roles.matches(a, roles.UPSTREAM) or re.match(r"d[A-Za-z_]|grad", a) for a in arguments)
        upstream = upstream or (plan.rehearsal is not None and plan.rehearsal.takes_upstream)
        for option in self.cost_options(unit, plan, context, outputs):
            if option.cost is None:
                if upstream or not shown:
                    yield option
            elif option.cost.kind == "call" or self.cost_works(option) is not None:
                shown = True
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
        total = set(suspicion.uneven)
        if total and plan.cost is not None and plan.cost.kind != "backward":
            suspicion.uneven.clear()
            case.run_forward()
            total -= suspicion.uneven  # biases of theirs, in the forward
        plain = self.case(plan)
        again = np.asarray(plain.cost())
        for value in plain.parameters.values():
            value[...] = value + 0.01 * np.cos(np.arange(value.size)).reshape(value.shape)  # a softmax sees no shift
        if plain.parameters and np.asarray(plain.cost()).tolist() == again.tolist():
            return None  # it depends on no parameter
        if first.size != 1 or first.dtype.kind != "f" or not np.isfinite(first).all() or first.item() != again.item():
            return None
        return 2.0 * bool(total) if plan.cost is not None and plan.cost.kind != "backward" else 0.0

    def cost_options(self, unit: Unit, plan: Plan, context: Context, outputs: list[Any]) -> Iterator[Plan]:
        """Yield the plan with every cost that may be meant."""
        scalars = [o for o in outputs if _is_scalar(o[2]) and o[1].kind in ("result", "self")]
        called = [o for o in scalars if re.search(COST_LIKE, o[0][-1] if o[0] else "loss", re.I)]
        unnamed = [o for o in scalars if o[1].kind == "result"] if not called and not plan.cost_name else []
        unnamed.sort(key=lambda o: not (o[0] and o[0][-1].startswith(SHOWN)))
        unnamed = unnamed[: 1 if plan.rehearsal is None else 4]
        shown = any(c not in (unit.forward, unit.backward) and c.owner == unit.owner for c in unit.costs)
        if unnamed and not shown:  # a number in the result, whatever its name, is a cost where no function is one
            called, unnamed = unnamed, []
        for _, source, _ in called:
            kind = "result" if source.kind == "result" else "self"
            yield replace(plan, cost=Cost(kind, path=source.path))  # type: ignore[arg-type]
        returned = plan.cost_name in {o[0][-1] for o in called if o[0]} and not any(o[1].kind == "self" for o in called)
        if plan.cost_name and not returned:
            yield replace(plan, cost=Cost("local"))
        for function in unit.costs:
            if function in (unit.forward, unit.backward):
                continue
            options = [
                told_by_calls(
                    n, self.choices(n, function, context, plan, stage="cost", outputs=outputs), function, unit.forward,
                    plan, self.evidence,
                )
                for n in function.arguments
            ]  # fmt: skip
            options = (
                [_with_nested(o) for o in options] if unit.forward.name in self.facts.reached(function) else options
            )
            worked: list[tuple[float, int, Plan]] = []

            def run(choice: tuple[Option, ...], function: Function = function) -> Plan | None:
                if twice_the_same(choice):
                    return None
                chosen = with_choice(plan, choice)
                labels = labels_of(function)
                named = [i for i, x in enumerate(labels) if re.search(COST_LIKE, x, re.I)] or [0]
                for path in ((("item", named[0]),),) if len(labels) > 1 else ((),):
                    sign = -1 if roles.is_gain(function.name) else 1
                    candidate = replace(
                        chosen, sign=sign, cost=Cost("call", call_of(function, function.owner, choice), path=path)
                    )
                    doubt = self.doubt_of_cost(candidate)
                    if doubt is not None:
                        self.case_elsewhere(candidate).cost()
                        return replace(candidate, penalty=chosen.penalty + doubt)
                return None

            limit = [np.inf]
            for _, candidate in explore(function, options, COST_TRIES, run, self.log, limit):
                worked.append((candidate.penalty, len(worked), candidate))
                limit[0] = min(limit[0], candidate.penalty - plan.penalty + 0.8)
            unnamed = [] if worked else unnamed
            for _, _, candidate in sorted(worked, key=lambda x: x[:2])[:2]:
                yield candidate
        for _, source, _ in unnamed:
            yield replace(plan, cost=Cost("result", path=source.path))
        yield replace(plan, cost=None)  # left to the backward: returned with the gradients, upstream, or a standard one


def _settled(parameter: Parameter, lazy: dict[str, Any]) -> Parameter:
    if parameter.name not in lazy:
        return parameter
    held = lazy[parameter.name]
    return replace(parameter, shape=symbolic(np.shape(held if isinstance(held, np.ndarray) else held.settle()), PROBE))


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray) and type(value) is not np.ndarray:
        return value.view(np.ndarray)
    if isinstance(value, tuple | list):
        return type(value)(_plain(v) for v in value) if not hasattr(value, "_fields") else value
    return {k: _plain(v) for k, v in value.items()} if type(value) is dict else value


def _finite(value: Any) -> bool:
    return all(np.all(np.isfinite(v)) for _, v in places.walk(value))


def _has_numbers(world: Any) -> bool:
    return world.result is not None or world.object is not None or bool(world.seen)  # globals take what it computes


def _is_scalar(value: Any) -> bool:
    return isinstance(value, float | np.floating) or (
        isinstance(value, np.ndarray) and value.size == 1 and value.dtype.kind == "f"
    )


def _with_nested(options: list[Option]) -> list[Option]:
    """Add, to data that is settled, the same in a list of one example."""
    more = [
        Option(o.penalty + 0.4, Source("data", f"[{o.role}]"), o.role, o.layout) for o in options if o.role in ("X", "Y")
    ]  # fmt: skip
    return [*options, *more]


def _clash(plan: Plan) -> float:
    """Return what speaks against layouts together: a batch in one and none in the other, steps before examples in one."""
    inputs = plan.layouts.get("X")
    if inputs is None:
        return 0.0
    states = [plan.layouts[r] for r in ("a0", "c0") if r in plan.layouts]
    targets = plan.layouts.get("Y")
    turned = targets is not None and _order(targets.axes) != _order(inputs.axes) and {"m", "T_x"} <= set(targets.axes)
    ids = targets is not None and targets.kind == "ids"
    alone = ids and "m" in inputs.axes and not any("m" in a for a in targets.axes)  # type: ignore[union-attr]
    return 1.5 * sum(("m" in s.axes) != ("m" in inputs.axes) for s in states) + 1.0 * turned + 1.5 * alone


def _order(axes: tuple[str, ...]) -> list[str]:
    return [a for a in axes if a in ("m", "T_x")]


def _cost_variable(function: Function) -> tuple[str, int]:
    """Return the local variable that holds the cost, and the last line that changes it; nothing where there is none."""
    found: dict[str, int] = {}
    for node in ast.walk(function.node):
        if not isinstance(node, ast.Assign | ast.AugAssign) or re.search(r"^len\(|\.shape\b", ast.unparse(node.value)):
            continue  # `L = len(x)` is a length
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            for part in target.elts if isinstance(target, ast.Tuple) else [target]:
                if isinstance(part, ast.Name) and roles.COST_NAME.fullmatch(part.id):
                    found[part.id] = max(found.get(part.id, 0), node.end_lineno or node.lineno)
    returned = [n for n in function.labels if n in found]
    name = (
        returned[0]
        if returned
        else max(found, key=lambda n: ("loss" in n.lower() or "cost" in n.lower(), found[n]), default="")
    )
    return name, found.get(name, 0)
