"""One run of a plan: fresh data, a fresh object, the live parameters in place."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from bptt.checking.loading import paths as places
from bptt.checking.loading.layouts import size_value
from bptt.checking.loading.plan import Call, Source
from bptt.checking.loading.script import STEP

if TYPE_CHECKING:
    from bptt.checking.loading.planned import PlannedCase


class World:
    """One run of a plan: fresh data, a fresh object, the live parameters in place."""

    def __init__(self, case: PlannedCase) -> None:
        self.case = case
        self.plan = case.plan
        self.data = case.make_data()
        self.object: Any = None
        self.result: Any = None
        self.made: Any = None
        self.named: Any = None  # the named tuple that it is a list of here, so that its items can be replaced
        self.kept: dict[str, Any] = {}
        self.costed: Any = None  # what the cost function returned
        self.carried: dict[str, Any] = {}  # what one pass of a script hands to the next
        self.partial = False  # whether their function raised half-way or returned nothing
        case.prepare_module()
        self.seen: dict[str, Any] = {}  # what the program's own run passes
        if case.plan.rehearsal is not None:
            self.seen = case.rehearse()
            self.object = self.seen["self"]
        elif case.plan.owner:
            self.object = case.make_object(self.data)
        if case.plan.maker:
            self.made = self.call(case.plan.maker)
            if isinstance(self.made, np.ndarray):
                self.made = [self.made]
            elif isinstance(self.made, tuple):
                self.named = type(self.made) if hasattr(self.made, "_fields") else None
                self.made = list(self.made)
        for call in case.plan.before:
            self.call(call)
        self.place()

    def place(self) -> None:
        """Put the live parameters and random states where this run reads them."""
        case = self.case
        for parameter in case.plan.parameters:
            if parameter.home == "made" and (parameter.name in case.parameters or parameter.name in case.idle):
                for path in parameter.paths:
                    places.write(self.made, path, case.wrap(case.array(parameter.name)))
        roots = {"self": self.object, "given": self.seen.get("given"), "global": case.module if self.seen else None}
        for parameter in case.plan.parameters:
            root = roots.get(parameter.home)
            for path in parameter.paths if root is not None else ():
                places.write(root, path, case.wrap(case.array(parameter.name)))
        for where, path in case.plan.states:
            if where == "self":
                places.write(self.object, path, case.state(places.read(self.object, path), path))

    def value(self, source: Source) -> Any:
        """Return the value of an argument."""
        case = self.case
        match source.kind:
            case "data":
                role = str(source.value)
                return [self.data[role[1:-1]]] if role.startswith("[") else self.data[role]
            case "size":
                return size_value(source.value, case.sizes)
            case "const":
                return source.value
            case "global":
                if source.value in self.carried:
                    return self.carried[source.value]
                return copy.deepcopy(vars(case.module)[source.value])
            case "cost":
                if self.costed is None and self.plan.cost is not None and self.plan.cost.call is not None:
                    self.costed = self.call(self.plan.cost.call)
                return places.read(self.costed, source.path)
            case "instance":
                made, arguments = source.value
                return getattr(case.module, made)(**{name: self.value(inner) for name, inner in arguments})
            case "object":
                return self.object
            case "made":
                return self.named(*self.made) if self.named and not source.path else places.read(self.made, source.path)
            case "sizes":
                return [size_value(s, case.sizes) for s in source.value]
            case "rng":
                return np.random.default_rng(case.seed)
            case "empty":
                return type(source.value)()
            case "table":
                return case.table(*source.value)
            case "param":
                return case.wrap(case.array(source.value))
            case "params":
                return case.boxed()
            case "self":
                return places.read(self.object, source.path)
            case "result":
                return places.read(self.result, source.path)
            case "seen":
                return places.read(self.seen, source.path)
            case "zeros":
                return like(places.read(self.result, source.path), lambda shape: np.zeros(shape))
            case "upstream":
                return case.upstream(places.read(self.result, source.path), source.path)

    def call(self, call: Call) -> Any:
        """Make one of their calls."""
        owner = self.object if call.method else self.case.module
        if owner is None:  # a static method
            owner = getattr(self.case.module, self.plan.owner or "")
        function = places.read(self.result, call.way_back) if call.way_back else getattr(owner, call.function)
        values = [(name, self.value(source)) for name, source in call.arguments]
        if call.each:
            results = [function(step) for step in values[0][1]]
            return results[-1] if results else None
        positional = [v for _, v in values[: call.prefix]]
        if call.function == STEP:  # changed, it may be handed more of what the script holds
            names = function.__code__.co_varnames[: function.__code__.co_argcount]
            held, given = vars(self.case.module), {name for name, _ in values}
            values += [(name, held[name]) for name in names if name not in given and name in held]
        return function(*positional, **dict(values[call.prefix :]))


def like(value: Any, make: Callable[[tuple[int, ...]], Any]) -> Any:
    """Return something of the same build as a value, through lists and dicts, whose arrays are made anew."""
    if isinstance(value, list | tuple):
        return [like(item, make) for item in value]
    if isinstance(value, dict):
        return {key: like(item, make) for key, item in value.items()}
    return make(np.shape(value))
