"""Where the parameters of a program live: its globals, its objects, what its initialisers make, its arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from bptt.checking.loading import paths as places
from bptt.checking.loading import roles_by_name as roles
from bptt.checking.loading.argument_arrays import gates_in
from bptt.checking.loading.bench import call_of
from bptt.checking.loading.binding import Context, options_for
from bptt.checking.loading.examples import examples_of
from bptt.checking.loading.explore import explore
from bptt.checking.loading.facts import Function
from bptt.checking.loading.holders import Holders, is_data
from bptt.checking.loading.makers import bindings, dataclass_of, made_name
from bptt.checking.loading.options import Option, with_choice
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
from bptt.checking.loading.units import Unit
from bptt.checking.loading.unrun import cost_derivatives, loss_layer
from bptt.checking.loading.world import World

SCORES: tuple[tuple[str, ...], ...] = (
    ("m", "T_x", "n_y"), ("T_x", "m", "n_y"), ("m", "n_y"), ("n_y", "m"), ("T_x", "n_y"), ("n_y", "1"), ("1", "n_y"),
    ("n_y",),
)  # fmt: skip
"""What a loss layer by itself may take."""


class Homes(Holders):
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
        if unit.backward is not None and (unit.forward.node, unit.backward.node) in cost_derivatives(self.facts.tree):
            layer = unit.forward.arguments[0]
        if layer is not None:
            context.loose = [layer]
            for shape in [unit.outputs] if unit.outputs else SCORES:
                yield replace(empty, parameters=(Parameter(layer, "argument", (), shape),)), context, 1
            return
        context.each, context.target = unit.each, unit.target
        for function in (*functions, *unit.costs):
            for name, value in examples_of(function, self.evidence, self.facts, self.module).items():
                context.shown[function.qualified, name] = value
        context.cell = context.cell and not unit.each
        if unit.owner:
            for plan in self.objects(unit, empty, context):
                weights = plan.parameters or plan.attributes
                yield from [(plan, context, 1)] if weights else self.passed(unit, plan, context)
            return
        held = held_by_module(self.module, reachable(self.facts, functions))
        held = [p for p in held if not self.is_state(p, unit, held) and not is_data(p, self.module, set())]
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
        yield from self.passed(unit, plan, context)

    def passed(self, unit: Unit, plan: Plan, context: Context) -> Iterator[tuple[Plan, Context, int]]:
        """Yield plans whose parameters are arguments of the forward, besides those that are held already."""
        held = plan.parameters
        text = "\n".join(f.text for f in reachable(self.facts, [f for f in (unit.forward, unit.backward) if f]))
        yield from self.made(unit, plan, context)
        loose = loose_arguments(unit.forward, self.facts.tree)
        box = box_argument(unit.forward, reachable(self.facts, [unit.forward]))
        keys, kind = box_keys(reachable(self.facts, [unit.forward]), box) if box else ([], "dict")
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
        beside = [f for f in self.facts.methods(unit.owner).values() if f.static] if unit.owner else []
        for function in (*self.facts.plain().values(), *beside):
            if function in (unit.forward, unit.backward) or not is_initialiser(function):
                continue
            options = [options_for(n, function, context, plan, stage="constructor") for n in function.arguments]

            def run(choice: tuple[Option, ...], function: Function = function) -> Any:
                made = replace(with_choice(plan, choice), maker=call_of(function, unit.owner, choice))
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

    def global_states(self, unit: Unit, functions: list[Function]) -> list[tuple[str, places.Path]]:
        """Return the global arrays that hold an initial state."""
        out: list[tuple[str, places.Path]] = []
        held = held_by_module(self.module, reachable(self.facts, functions))
        for parameter in held:
            if self.is_state(parameter, unit, held) and len(parameter.paths[0]) == 1:
                out.append(("global", parameter.paths[0]))
        return out
