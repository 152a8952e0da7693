"""The object that holds a program's weights: how it is made, what lies on it, which of its arrays are parameters."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from bptt.checking.loading import paths as places
from bptt.checking.loading import roles_by_name as roles
from bptt.checking.loading.bench import call_of, last_name
from bptt.checking.loading.binding import COUNTS, Context, data_options, options_for
from bptt.checking.loading.explore import explore
from bptt.checking.loading.facts import Function
from bptt.checking.loading.links import end_of, moved_by
from bptt.checking.loading.namespace import Exhausted, within_budget
from bptt.checking.loading.options import Option, best_first, with_choice
from bptt.checking.loading.parameters_found import held_by_object
from bptt.checking.loading.plan import Call, Parameter, Plan, Source
from bptt.checking.loading.shown import SHOWN, missing_attributes
from bptt.checking.loading.staged import Staged, numbers_to_set
from bptt.checking.loading.starters import appended_to, handed_on, starting_methods
from bptt.checking.loading.units import Unit
from bptt.checking.tracing.quiet import quiet

WAKING, WOKEN = 40, 4  # first calls of a forward that are tried, and those that are kept


class Holders(Staged):
    """Makes the object that holds the parameters."""

    def objects(self, unit: Unit, empty: Plan, context: Context) -> Iterator[Plan]:
        """Yield plans whose constructor runs, with the parameters that the object holds."""
        if unit.owner == SHOWN:
            yield from self.shown(unit, empty, context)
            return
        init = self.facts.methods(unit.owner or "").get("__init__")
        names = init.arguments if init else []
        options = [options_for(n, init, context, empty, stage="constructor") for n in names] if init else []
        starters = tuple(
            call_of(s, s.owner, tuple(options_for(n, s, context, empty, stage="constructor")[0] for n in s.arguments))
            for s in starting_methods(self.facts, unit.owner or "", [unit.forward, unit.backward, *unit.costs])
        )
        kept = 0
        several = 24 if any(o.role for choice in options for o in choice) else 3  # data's layout shows in the forward
        for choice in best_first(options, 60) if options else iter([()]):
            constructor = tuple((n, o.source) for n, o in zip(names, choice, strict=True) if o.source is not None)
            plan = replace(with_choice(empty, choice), constructor=constructor, starters=starters)
            try:
                with quiet():
                    case = self.case(plan)
                    thing = within_budget(partial(case.make_object, case.make_data()))
            except (Exception, Exhausted, SystemExit) as error:
                self.log.append(f"{unit.owner}(...) raises {type(error).__name__}: {error}")
                continue
            if not held_by_object(thing) and not unit.forward.static:
                woken = list(islice(self.woken(unit, plan, context), WOKEN))
                yield from woken
                kept += bool(woken)
                if woken and kept == several:
                    return
                if woken:
                    continue
            attributes = numbers_to_set(thing, self.facts.text)
            held = held_by_object(thing)
            data = {id(v) for v in case.make_data().values()}
            own = [p for p in held if not self.is_state(p, unit, held) and not is_data(p, thing, data)]
            sizes_here = sorted(
                {str(n) for p in own for n in np.shape(places.read(thing, p.paths[0]))} - {"3", "5", "7", "1"}
            )
            context.features += [s for s in sizes_here if s not in context.features]
            context.classes += [s for s in sizes_here if s not in context.classes]
            states = tuple(("self", p.paths[0]) for p in held if self.is_state(p, unit, held))
            setter = self.setter(unit)
            if setter is not None:
                kept += 1
                empty_hands = replace(plan, parameters=tuple(own), states=states, attributes=attributes)
                yield from self.with_setter(empty_hands, setter, context)
                if kept == several:
                    return
                continue
            yield replace(plan, parameters=tuple(own), states=states, attributes=attributes)
            kept += 1
            if kept == several:
                return

    def woken(self, unit: Unit, plan: Plan, context: Context) -> Iterator[Plan]:
        """Yield plans whose object makes its weights when its forward is first called: by then it knows its inputs."""
        forward = unit.forward
        options = [options_for(n, forward, context, plan, stage="forward") for n in forward.arguments]
        clears = tuple(
            Call(name, True, ()) for name, method in self.facts.methods(unit.owner or "").items()
            if re.match(r"_?(flush|reset|clear|zero)", name, re.I) and len(method.defaults) == len(method.arguments)
        )  # fmt: skip

        def run(choice: tuple[Option, ...]) -> Any:
            first = (call_of(forward, unit.owner, choice), *clears)
            awake = replace(with_choice(plan, choice), starters=(*plan.starters, *first))
            case = self.case(awake)
            return (awake, case.make_object(case.make_data()))

        for _, (awake, thing) in explore(forward, options, WAKING, run, self.log, [np.inf]):
            held = held_by_object(thing)
            own = [
                p
                for p in held
                if not self.is_state(p, unit, held) and (roles.is_weight(last_name(p)) or roles.is_bias(last_name(p)))
            ]
            if own:
                yield replace(awake, parameters=tuple(own), attributes=numbers_to_set(thing, self.facts.text))

    def shown(self, unit: Unit, empty: Plan, context: Context) -> Iterator[Plan]:
        """Yield plans for methods without their class: the attributes that they need are made from what they use."""
        methods = list(self.facts.methods(SHOWN).values())
        attributes, parameters, data, _ = missing_attributes([m.node for m in methods], self.facts.tree)
        plan = replace(empty, parameters=parameters)
        options = [self._placed_options(n, unit, context, plan) for n in data]
        for choice in islice(best_first(options, 200), 24) if options else iter([()]):
            placed = {n: o.source for n, o in zip(data, choice, strict=True) if o.source is not None}
            yield replace(with_choice(plan, choice), attributes={**attributes, **placed})

    def _placed_options(self, name: str, unit: Unit, context: Context, plan: Plan) -> list[Option]:
        """Return the layouts of an attribute that nobody sets, by its name and by the text of the forward."""
        for pattern, role in ((roles.INPUT, "X"), (roles.TARGET, "Y"), (roles.STATE0, "a0"), (roles.CELL0, "c0")):
            if roles.matches(name, pattern):
                return data_options(f"self.{name}", role, unit.forward, context, plan.layouts)
        return [Option(0.0, None)]

    def setter(self, unit: Unit) -> Function | None:
        """Return a method that lays inputs or targets on the object for a forward that takes no argument."""
        if unit.forward.arguments:
            return None
        for method in self.facts.methods(unit.owner or "").values():
            counts = [a for a in method.arguments if roles.matches(a, COUNTS)]
            works = {unit.forward.name} & method.calls
            likely = [
                a for a in method.arguments if not roles.matches(a, f"{COUNTS}|{roles.RATE}") and not roles.size_of(a)
            ]
            placed = [a for a in likely if re.search(rf"self\.[\w.\[\]'\"]+(, self\.\w+)* = .*\b{a}\b", method.text)]
            if placed and method.name != "__init__" and (counts or not works):
                return method
        return None

    def with_setter(self, plan: Plan, setter: Function, context: Context) -> Iterator[Plan]:
        """Yield the plan with its setter called first, which trains for no epoch if it is the training method."""
        options = [
            [Option(0.0, Source("const", 0))]
            if roles.matches(n, COUNTS)
            else options_for(n, setter, context, plan, stage="forward")
            for n in setter.arguments
        ]  # fmt: skip
        for choice in islice(best_first(options, 200), 24):
            yield replace(with_choice(plan, choice), before=(call_of(setter, setter.owner, choice),))

    def is_state(self, parameter: Parameter, unit: Unit, held: list[Parameter]) -> bool:
        """Tell a state that is kept from a parameter of such a name: a bias ``c``, whose gradient is ``dc``.

        A state is stored by the passes; a bias is only read by them, and its gradient is stored.
        """
        name = last_name(parameter)
        if appended_to(self.facts, parameter.paths[0]) or handed_on(self.facts, name):
            return True
        if not _is_state_name(name):
            return False
        *box, last = parameter.paths[0]
        beside = [p for p in held if [*p.paths[0][:-1]] == box and roles.is_weight(last_name(p))]
        if last[0] == "item" and len(beside) > 1:
            return False  # in the box of the weights: a state that is learnt
        if len(name) > 1:
            return True
        moved = moved_by(n for f in self.facts.functions.values() for n in ast.walk(f.node))
        if name in moved:
            return False
        functions = list(self.facts.methods(unit.owner).values()) if unit.owner else self.facts.functions.values()
        stored: set[str] = set()
        kinds = (ast.Attribute, ast.Subscript) if parameter.home == "self" else (ast.Name, ast.Attribute, ast.Subscript)
        for function in functions:
            if not function.name.startswith("__"):
                stored |= {
                    end_of(n) for n in ast.walk(function.node) if isinstance(n, kinds) and isinstance(n.ctx, ast.Store)
                }
        every = {end_of(n) for n in ast.walk(self.facts.tree) if isinstance(getattr(n, "ctx", None), ast.Store)}  # type: ignore[arg-type]
        return name in stored or not any(n != name and roles.gradient_of(n, [name]) == name for n in every)


def _is_state_name(name: str) -> bool:
    return bool(
        re.fullmatch(
            r"(h|a|s|c|hs|cs)(_?(prev|0|t|state|init|next|last))?|(prev_?|last_?|init_?|initial_?|hidden_?|cell_?)(h|s|c|a|state|hidden|states|out|output)(_prev|_0)?|states?|hprev|cprev|hidden",
            name,
        )
    )


def is_data(parameter: Parameter, thing: Any, data: set[int]) -> bool:
    """Tell inputs and targets that lie on an object from its weights."""
    value = places.read(thing, parameter.paths[0])
    name = last_name(parameter)
    if id(value) in data:
        return True
    return not roles.is_weight(name) and (roles.matches(name, roles.INPUT) or roles.matches(name, roles.TARGET))
