"""Where the parameters of a program live: its globals, its objects, what its initialisers make, its arguments."""

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
from bptt.checking.loading.argument_arrays import gates_in
from bptt.checking.loading.bench import call_of, last_name
from bptt.checking.loading.binding import COUNTS, Context, data_options, options_for
from bptt.checking.loading.examples import examples_of
from bptt.checking.loading.explore import explore
from bptt.checking.loading.facts import Function
from bptt.checking.loading.links import end_of, moved_by
from bptt.checking.loading.makers import bindings, dataclass_of, made_name
from bptt.checking.loading.namespace import Exhausted, within_budget
from bptt.checking.loading.options import Option, best_first, with_choice
from bptt.checking.loading.parameters_found import (
    box_argument,
    box_keys,
    held_by_module,
    held_by_object,
    is_initialiser,
    loose_arguments,
    own_sizes,
    reachable,
    script_parameters,
)
from bptt.checking.loading.plan import Call, Parameter, Plan, Source
from bptt.checking.loading.script import STEP
from bptt.checking.loading.shown import SHOWN, missing_attributes
from bptt.checking.loading.staged import Staged, numbers_to_set
from bptt.checking.loading.starters import appended_to, starting_methods
from bptt.checking.loading.units import Unit
from bptt.checking.loading.unrun import loss_layer
from bptt.checking.loading.world import World
from bptt.checking.tracing.quiet import quiet

SCORES: tuple[tuple[str, ...], ...] = (
    ("m", "T_x", "n_y"), ("T_x", "m", "n_y"), ("m", "n_y"), ("n_y", "m"), ("T_x", "n_y"), ("n_y", "1"), ("1", "n_y"),
    ("n_y",),
)  # fmt: skip
"""What a loss layer by itself may take."""


class Homes(Staged):
    """Finds the parameters, and makes the object that holds them."""

    def bases(self, unit: Unit) -> Iterator[tuple[Plan, Context, int]]:
        """Yield plans with the object made and the parameters found."""
        functions = [unit.forward] + ([unit.backward] if unit.backward else [])
        every = self.constants(functions)
        rates = {n: c for n, c in every.items() if c.kind == "const"}
        inner = {n: c for n, c in every.items() if c.kind == "const" or c.value not in ("n_x", "n_y")}
        hidden = {n: c for n, c in every.items() if c.kind == "const" or c.value == "n_a"}
        for constants in dict.fromkeys(tuple(sorted(c.items())) for c in (every, inner, hidden, rates)):
            yield from self._bases(unit, functions, dict(constants))

    def _bases(
        self, unit: Unit, functions: list[Function], constants: dict[str, Source]
    ) -> Iterator[tuple[Plan, Context, int]]:
        batch = self.facts.speaks_of_batch
        empty = Plan({}, (), Call(unit.forward.name, unit.owner is not None, ()), constants=constants, owner=unit.owner)
        text = self.facts.text
        vocabulary = re.search(r"vocab|char_to_ix|one_?hot|num_chars|n_chars|len\(chars\)", text) is not None
        context = Context(self.facts, ["V", "n_x"] if vocabulary else ["n_x", "V"], ["n_y", "n_x"], batch)
        context.cell = re.search(r"\bfor\b|while", unit.forward.text) is None and not re.search(
            r"forward|backward", " ".join(self.facts.reached(unit.forward))
        )
        layer = loss_layer(unit.forward.node) if unit.backward is None and unit.owner is None else None
        if layer is not None:
            context.loose = [layer]
            for shape in SCORES:
                yield replace(empty, parameters=(Parameter(layer, "argument", (), shape),)), context, 1
            return
        context.each = unit.each
        for function in (*functions, *unit.costs):
            for name, value in examples_of(function, self.evidence, self.facts, self.module).items():
                context.shown[function.qualified, name] = value
        context.cell = context.cell and not unit.each
        if unit.owner:
            for plan in self.objects(unit, empty, context):
                yield plan, context, 1
            return
        held = held_by_module(self.module, reachable(self.facts, functions))
        held = [p for p in held if not self.is_state(p, unit, held) and not _is_data(p, self.module, set())]
        if unit.forward.name == STEP:
            held = script_parameters(self.module, unit.forward)
            context.loose = [p.name for p in held if p.name in unit.forward.arguments]
            context.handed = [n for n in unit.forward.arguments if n in vars(self.module) and n not in context.loose]
            yield replace(empty, parameters=tuple(held), states=tuple(self.global_states(unit, functions))), context, 1
            return
        if held:
            context.features += own_sizes(self.module, held)
            context.classes += own_sizes(self.module, held)
        plan = replace(empty, parameters=tuple(held), states=tuple(self.global_states(unit, functions)))
        yield from self.made(unit, plan, context)
        loose = loose_arguments(unit.forward, self.facts.tree)
        box = box_argument(unit.forward, reachable(self.facts, [unit.forward]))
        keys, kind = box_keys(reachable(self.facts, functions[:1]), box) if box else ([], "dict")
        box_class, fields = dataclass_of(box or "", unit.forward, self.facts) if not keys else ("", [])
        keys = keys or fields
        if loose and not (held and len(loose) < 2) and not (keys and len(loose) < 2):
            context.loose = loose
            arguments = tuple(Parameter(n, "argument", (), ()) for n in loose)
            for gates in (*gates_in(text), -1):
                yield replace(plan, parameters=(*held, *arguments)), context, gates
        elif keys:
            context.box = box
            weights = [
                k for k in keys if (not roles.matches(k, roles.RATE) and not roles.size_of(k)) or roles.is_weight(k)
            ]
            arguments = tuple(Parameter(n, "argument", (), ()) for n in weights)
            for gates in (*gates_in(text), -1):
                yield replace(plan, parameters=(*held, *arguments), box=kind, box_class=box_class), context, gates
        if held or not (loose or box):
            yield plan, context, 1

    def made(self, unit: Unit, plan: Plan, context: Context) -> Iterator[tuple[Plan, Context, int]]:
        """Yield plans whose parameters an initialiser of theirs makes: a dict, a tuple, a list of layers."""
        for function in self.facts.plain().values():
            if function in (unit.forward, unit.backward) or not is_initialiser(function):
                continue
            options = [options_for(n, function, context, plan, stage="constructor") for n in function.arguments]

            def run(choice: tuple[Option, ...], function: Function = function) -> Any:
                made = replace(with_choice(plan, choice), maker=call_of(function, None, choice))
                world = World(self.case(made))
                return (made, world.made, world.named) if places.arrays(world.made) else None

            for _, (made, thing, named) in explore(function, options, 40, run, self.log, [np.inf]):
                bound = bindings(unit.forward, function, thing, reachable(self.facts, [unit.forward]))
                if not bound:
                    continue
                ends = {name: path for name, path in bound.items() if path}
                sizes = sorted({str(n) for _, v in places.arrays(thing) for n in v.shape} - {"3", "5", "7", "1", "0"})
                context.features += [n for n in (*sizes, "n_a") if n not in context.features]
                context.classes += [n for n in (*sizes, "n_a") if n not in context.classes]
                held = [p for p in held_by_object(thing) if not ends or p.paths[0][:1] in ends.values()]
                readers = reachable(self.facts, [unit.forward])
                labels, kind = box_keys(readers, next(iter(bound)))
                unpacked = labels if kind == "tuple" and isinstance(thing, list) and len(labels) == len(thing) else []
                unpacked = list(named._fields) if named else unpacked
                held = [replace(p, home="made", name=made_name(p, ends, unpacked)) for p in held]
                known = replace(context, made=bound, loose=[], box=None)
                yield replace(made, parameters=(*plan.parameters, *held), penalty=plan.penalty), known, 1
                break

    def is_state(self, parameter: Parameter, unit: Unit, held: list[Parameter]) -> bool:
        """Tell a state that is kept from a parameter of such a name: a bias ``c``, whose gradient is ``dc``.

        A state is stored by the passes; a bias is only read by them, and its gradient is stored.
        """
        name = last_name(parameter)
        if appended_to(self.facts, parameter.paths[0]):
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
        for function in functions:
            if not function.name.startswith("__"):
                stored |= {end_of(n) for n in ast.walk(function.node) if isinstance(getattr(n, "ctx", None), ast.Store)}  # type: ignore[arg-type]
        return name in stored or not any(n != name and roles.gradient_of(n, [name]) == name for n in stored)

    def global_states(self, unit: Unit, functions: list[Function]) -> list[tuple[str, places.Path]]:
        """Return the global arrays that hold an initial state."""
        out: list[tuple[str, places.Path]] = []
        held = held_by_module(self.module, reachable(self.facts, functions))
        for parameter in held:
            if self.is_state(parameter, unit, held) and len(parameter.paths[0]) == 1:
                out.append(("global", parameter.paths[0]))
        return out

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
            attributes = numbers_to_set(thing, self.facts.text)
            held = held_by_object(thing)
            data = {id(v) for v in case.make_data().values()}
            own = [p for p in held if not self.is_state(p, unit, held) and not _is_data(p, thing, data)]
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
            [Option(0.0, Source("const", 0))] if roles.matches(n, COUNTS) else options_for(n, setter, context, plan, stage="forward")
            for n in setter.arguments
        ]  # fmt: skip
        for choice in islice(best_first(options, 200), 24):
            yield replace(with_choice(plan, choice), before=(call_of(setter, setter.owner, choice),))


def _is_state_name(name: str) -> bool:
    return bool(
        re.fullmatch(
            r"(h|a|s|c|hs|cs)(_?(prev|0|t|state|init|next|last))?|(prev_?|last_?|init_?|initial_?|hidden_?|cell_?)(h|s|c|a|state|hidden|states|out|output)(_prev|_0)?|states?|hprev|cprev|hidden",
            name,
        )
    )


def _is_data(parameter: Parameter, thing: Any, data: set[int]) -> bool:
    value = places.read(thing, parameter.paths[0])
    name = last_name(parameter)
    if id(value) in data:
        return True
    return not roles.is_weight(name) and (roles.matches(name, roles.INPUT) or roles.matches(name, roles.TARGET))
