"""How a backward pass names what it gives: by its own labels, by those of its callers, by what the text links."""

from __future__ import annotations

import re

from bptt.checking.loading import roles_by_name as roles
from bptt.checking.loading.bench import labels_of, last_name
from bptt.checking.loading.facts import Function
from bptt.checking.loading.links import gradients_by_use
from bptt.checking.loading.parameters_found import reachable
from bptt.checking.loading.passes import Passes
from bptt.checking.loading.plan import Call, Plan
from bptt.checking.loading.units import Unit


class Deliveries(Passes):
    """Names the gradients that a backward pass gives."""

    def labels(self, function: Function) -> tuple[str, ...]:
        """Return the names of what a function returns, those of its callers where it gives none itself."""
        labels = list(labels_of(function))
        for called in self.evidence.orders(function):  # by the place, and not by the name, is what callers go by
            if sorted(called) == sorted(labels) and called != labels:
                return tuple(called)
        for part, weights in self.evidence.zipped(function, self.facts.tree):
            of = {roles.gradient_of(label, weights): label for label in labels[part]}
            if set(of) == set(weights) and len(weights) == len(labels[part]):
                labels[part] = [of[weight] for weight in weights]
        for name, path in self.evidence.aliases(function).items():
            place = path[0][1] if len(path) == 1 and path[0][0] == "item" else None
            if isinstance(place, int) and place < len(labels) and labels[place] == "*" and name.isidentifier():
                labels[place] = name
        return tuple(labels)

    def resets(self, unit: Unit) -> tuple[Call, ...]:
        """Return the calls that set an object's gradients to zero, where the backward does not do so itself."""
        methods = self.facts.methods(unit.owner) if unit.owner else {}
        reached = self.facts.reached(unit.backward) | self.facts.reached(unit.forward) if unit.backward else set()
        return tuple(
            Call(name, True, ()) for name, method in methods.items()
            if re.search(r"(zero|reset|clear)\w*(grad|diff|delta|deriv)", name, re.I) and name not in reached
            and len(method.defaults) == len(method.arguments)
        )  # fmt: skip

    def links(self, unit: Unit, plan: Plan) -> tuple[tuple[str, str], ...]:
        """Return which names the text links to parameters as their gradients."""
        functions = reachable(self.facts, [f for f in (unit.backward, unit.forward) if f])
        names = [last_name(p) for p in plan.parameters]
        found = gradients_by_use([f.node for f in functions], names)
        labels = labels_of(unit.backward or unit.forward)
        elsewhere = gradients_by_use([self.facts.tree], names)
        text = "\n".join(f.text for f in functions)
        for name, of in elsewhere.items():  # self.gi of `self.wi -= rate * self.gi`, in another method
            if f"self.{name}" in text and re.search(rf"self\.{name}(\[[^\]]*\])* [-+*/]?= ", text):
                found.setdefault(name, of)
        for alias, path in self.evidence.aliases(unit.backward or unit.forward).items():  # g1 of `loss, g1 = f(x)`
            place = path[0][1] if len(path) == 1 and path[0][0] == "item" else None
            if alias in elsewhere and isinstance(place, int) and place < len(labels):
                found.setdefault(labels[place], elsewhere[alias])
        return tuple(sorted(found.items()))
