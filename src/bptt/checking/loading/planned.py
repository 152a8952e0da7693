"""A plan, run: their objects and calls at given sizes, and ``bptt_case`` of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

import numpy as np

from bptt.checking.loading import paths as places
from bptt.checking.loading.copies import copied
from bptt.checking.loading.defaults import objects_of, rebind, set_rates_to_one
from bptt.checking.loading.frames import locals_at, with_locals
from bptt.checking.loading.layouts import size_value
from bptt.checking.loading.lazy import marked
from bptt.checking.loading.paths import Path
from bptt.checking.loading.plan import APPLIED, Call, Plan, Source
from bptt.checking.loading.values import as_number, random_weights, weighted
from bptt.checking.loading.world import World, like
from bptt.checking.program import Sizes
from bptt.dims import Array


@dataclass
class PlannedCase:
    """``bptt_case`` of a plan."""

    plan: Plan
    module: ModuleType
    given: Sizes
    seed: int
    execute: Callable[[ModuleType, dict[str, Any]], None]
    probe: Callable[[Any], Any] | None = None
    lazy: dict[str, Any] | None = None
    parameters: dict[str, Array] = field(init=False)
    idle: dict[str, Array] = field(init=False)
    targets: dict[str, Array] = field(init=False, default_factory=dict)
    """Live as well, where they are no ids, so that a proof can disturb them."""
    sizes: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        """Make the parameters: their shapes, our random values."""
        self.sizes = {**self.given.as_dict(), "V": getattr(self.given, self.plan.vocabulary), "1": 1}
        self.parameters, self.idle, self.targets = {}, {}, {}
        layout = self.plan.layouts.get("Y")
        if layout is not None and layout.kind != "ids" and layout.axes:
            plain = replace(layout, box="array", nested=0)
            self.targets["Y"] = np.asarray(plain.make(self.sizes, self._rng("Y")))
        rng = np.random.default_rng([self.seed, 1])
        self.prepare_module()
        own = any(p.home == "self" for p in self.plan.parameters)
        seen = self.rehearse() if self.plan.rehearsal is not None else {}
        fresh = seen["self"] if seen else self.make_object(self.make_data()) if self.plan.owner and own else None
        made = World(self).made if self.plan.maker else None
        made_here = {p.name for p in self.plan.parameters if p.home == "made"}  # the file's own run may hold them too
        for parameter in (p for p in self.plan.parameters if p.home != "global" or p.name not in made_here):
            if self.lazy and parameter.name in self.lazy:
                self.parameters[parameter.name] = self.lazy[parameter.name]
                continue
            if parameter.home == "data":
                self.parameters[parameter.name] = np.asarray(
                    self.plan.layouts[parameter.role].make(self.sizes, self._rng(parameter.role)), dtype=float
                )
                continue
            if parameter.shape is not None:
                shape = tuple(size_value(s, self.sizes) for s in parameter.shape)
            else:
                root = {"self": fresh, "made": made, "given": seen.get("given")}.get(parameter.home, self.module)
                shape = np.shape(places.read(root, parameter.paths[0]))
            (self.idle if parameter.idle else self.parameters)[parameter.name] = random_weights(shape, rng)

    def array(self, name: str) -> Array:
        """Return a parameter, live, or one that is only taken along."""
        return self.parameters[name] if name in self.parameters else self.idle[name]

    def wrap(self, value: Any) -> Any:
        """Return a value as their code gets it: itself, or a probe of it while plans are tried."""
        return self.probe(value) if self.probe is not None else value

    def _rng(self, role: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, 2, sum(map(ord, role))])

    def make_data(self) -> dict[str, Any]:
        """Return fresh inputs, targets and states: the same values every time."""
        data = {}
        own = {p.role: p.name for p in self.plan.parameters if p.home == "data"}
        for role in sorted(self.plan.layouts):
            layout = self.plan.layouts[role]
            live = self.parameters.get(own[role]) if role in own else self.targets.get(role)
            made = layout.make(self.sizes, self._rng(role)) if live is None else layout.pack(live.copy())
            data[role] = marked(self.wrap(made)) if role == "Y" else self.wrap(made)
        return data

    def prepare_module(self) -> None:
        """Give the module its constants at these sizes, and seed what their code draws."""
        np.random.seed(self.seed)
        constants = {name: self._constant(source) for name, source in self.plan.constants.items()}
        if self.module.__dict__.get(APPLIED, {}) != constants:
            before = objects_of(self.module)
            self.execute(self.module, constants)
            rebind(self.module, before)
            self.module.__dict__[APPLIED] = constants
        if self.plan.delivery is not None and self.plan.delivery.fused:
            set_rates_to_one(self.module)
        for parameter in self.plan.parameters:
            if parameter.home == "global" and (parameter.name in self.parameters or parameter.name in self.idle):
                places.write(self.module, parameter.paths[0], self.wrap(self.array(parameter.name)))
        for where, path in self.plan.states:
            if where == "global":
                places.write(self.module, path, self.state(places.read(self.module, path), path))

    def _constant(self, source: Source) -> Any:
        return size_value(source.value, self.sizes) if source.kind == "size" else source.value

    def state(self, held: Any, path: Path) -> Any:
        """Return random values for a state of theirs."""
        rng = np.random.default_rng([self.seed, 3, sum(map(ord, places.spell(path)))])
        return self.wrap(0.5 * rng.normal(size=np.shape(held)))

    def make_object(self, data: dict[str, Any]) -> Any:
        """Call their constructor."""
        np.random.seed(self.seed)
        owner = getattr(self.module, self.plan.owner or "")
        shell = object.__new__(World)
        shell.case, shell.data, shell.plan = self, data, self.plan
        arguments = {name: shell.value(source) for name, source in self.plan.constructor}
        made = owner(**arguments)
        shell.object = made
        for call in self.plan.starters:
            shell.call(call)
        for name, source in self.plan.attributes.items():
            setattr(made, name, shell.value(source))
        return made

    def rehearse(self) -> dict[str, Any]:
        """Return a copy of what the program's own run passes, with its globals in the module."""
        assert self.plan.rehearsal is not None
        origin, state = self.plan.rehearsal.state(self.given, self.seed)
        seen: dict[str, Any] = copied(state, self.module, origin)
        vars(self.module).update(seen["globals"])
        for name, source in self.plan.constants.items():
            vars(self.module)[name] = self._constant(source)
        for name, source in self.plan.attributes.items():
            setattr(seen["self"], name, source.value)
        return seen

    def table(self, kind: str, *words: str) -> Any:
        """Return a table between characters and ids; some words of theirs are among them."""
        letters = [*words, *(chr(ord("a") + i) for i in range(self.sizes["V"]))][: self.sizes["V"]]
        return (
            dict(enumerate(letters))
            if kind == "ids"
            else {c: i for i, c in enumerate(letters)}
            if kind == "chars"
            else letters
        )

    def boxed(self) -> Any:
        """Return the parameters in the box that their functions take."""
        held = {p.name: self.wrap(self.array(p.name)) for p in self.plan.parameters if p.home == "argument"}
        if self.plan.box_class:
            return getattr(self.module, self.plan.box_class)(**held)
        if self.plan.box == "dict":
            return held
        return tuple(held.values()) if self.plan.box == "tuple" else list(held.values())

    def upstream(self, output: Any, path: Path) -> Any:
        """Return the fixed random gradient that arrives at an output."""
        rng = np.random.default_rng([self.seed, 4, sum(map(ord, places.spell(path)))])
        return like(output, lambda shape: self.wrap(rng.normal(size=shape)))

    def run_forward(self) -> World:
        """Run their forward in a fresh world.

        Where one function does both passes and its backward half raises or forgets to return, the cost that it had
        computed by then is read from its frame.
        """
        plan, world = self.plan, World(self)
        kept: dict[str, Any] = {}
        if plan.backward is not None or not plan.cost_name:
            world.result = world.call(plan.forward)
            return world
        local = plan.cost is not None and plan.cost.kind == "local"
        saved = self._saved()
        try:
            world.result = None if local else world.call(plan.forward)
            if world.result is None:  # its variables are needed: watching them takes time
                self._restore(saved)
                world = World(self)
                world.result, kept = with_locals(lambda: world.call(plan.forward), plan.forward.function)
        except Exception as error:
            found = locals_at(error, plan.forward.function, plan.cost_line)
            if found is None:
                raise
            kept = found
            world.result = None
        if world.result is None:
            world.result = [kept.get(name) for name in self.plan.forward.labels]
            world.partial = True
        world.kept = kept
        return world

    def cost(self) -> Any:
        """Run their own forward and cost."""
        state = np.random.get_state()
        try:
            return self._cost()
        finally:
            np.random.set_state(state)

    def _cost(self) -> Any:
        return self._their_cost() if self.plan.sign > 0 else -self._their_cost()

    def _their_cost(self) -> Any:
        plan, cost = self.plan, self.plan.cost
        if cost is None:
            return 0.0
        if cost.kind == "backward":
            saved = self._saved()
            world, result = self.run_backward()
            self._restore(saved)
            return as_number(places.read(world.object if cost.title == "self" else result, cost.path))
        if cost.kind == "call" and cost.call is not None and not plan.forward_first and not _uses_result(cost.call):
            world = World(self)
            return as_number(world.call(cost.call))
        saved = self._saved()
        world = self.run_forward()
        value: Any
        if cost.kind == "call" and cost.call is not None:
            value = world.call(cost.call)
            value = places.read(value, cost.path) if cost.path else value
        elif cost.kind == "local":
            value = world.kept[plan.cost_name]
        elif cost.kind in ("result", "self"):
            value = places.read(world.result if cost.kind == "result" else world.object, cost.path)
        elif cost.kind == "upstream":
            value = self.weigh(world)
        elif cost.function is not None:
            root = world.result if cost.prediction[0] == "result" else world.object
            value = cost.function(places.read(root, cost.prediction[1]), world.data["Y"])
        self._restore(saved)
        return as_number(value)

    def weigh(self, world: World) -> Any:
        """Return sum(R * output) over the outputs whose gradient the backward takes."""
        total: Any = 0.0
        assert self.plan.backward is not None
        for _, source in self.plan.backward.arguments:
            if source.kind == "upstream":
                output = places.read(world.result, source.path)
                weights = self.upstream(output, source.path)
                total = total + weighted(weights, output)
        return total

    def _saved(self) -> dict[str, Array]:
        return {name: np.array(value) for name, value in self.parameters.items() if isinstance(value, np.ndarray)}

    def _restore(self, saved: dict[str, Array]) -> None:
        for name, value in saved.items():
            if not np.array_equal(self.parameters[name], value):
                self.parameters[name][...] = value

    def run_backward(self) -> tuple[World, Any]:
        """Run their forward and backward in a fresh world; return it, and what the backward returned."""
        plan = self.plan
        saved = self._saved() if plan.again else {}
        if plan.backward is None:
            world = World(self)
            world.result, inside = self._with_variables(world, plan.forward)
            if plan.again:
                world.result = self._second(world, saved)
            return world, world.result if inside is None else inside
        world = self.run_forward() if plan.forward_first else World(self)
        for call in plan.after:
            world.call(call)
        result, inside = self._with_variables(world, plan.backward)
        if inside is not None:
            return world, inside
        return world, self._second(world, saved) if plan.again else result

    def _with_variables(self, world: World, call: Call) -> tuple[Any, dict[str, Any] | None]:
        """Make a call; return its result, and its variables if the gradients stand in them."""
        frame = self.plan.delivery.frame if self.plan.delivery is not None else ""
        return with_locals(lambda: world.call(call), frame) if frame else (world.call(call), None)

    def _second(self, world: World, saved: dict[str, Array]) -> Any:
        """Run the pass once more in the same world, from the same weights, and return what it returned."""
        plan = self.plan
        self._restore(saved)
        if isinstance(world.result, dict):
            world.carried = dict(world.result)
        for parameter in plan.parameters:
            if parameter.home == "global" and parameter.name in self.parameters:
                places.write(self.module, parameter.paths[0], self.parameters[parameter.name])
        world.result = world.call(plan.forward)
        for call in plan.after:
            world.call(call)
        return world.call(plan.backward) if plan.backward else world.result

    def gradients(self) -> dict[str, Array]:
        """Run their own forward and backward, and read the gradients where they deliver them."""
        state = np.random.get_state()
        saved = self._saved()
        try:
            world, result = self.run_backward()
            assert self.plan.delivery is not None
            return self.plan.delivery.collect(self, world, result, saved)
        finally:
            self._restore(saved)
            np.random.set_state(state)


def _uses_result(call: Call) -> bool:
    return any(source.kind in ("result", "self") for _, source in call.arguments)
