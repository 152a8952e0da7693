"""Where a reading is tried: the program, its module, and what all stages of the search share."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cached_property
from types import ModuleType
from typing import Any

import numpy as np

from bptt.checking.loading.callsites import Evidence, call_sites
from bptt.checking.loading.explore import Log
from bptt.checking.loading.facts import Facts, Function, label
from bptt.checking.loading.namespace import Namespace
from bptt.checking.loading.options import Option
from bptt.checking.loading.plan import Call, Parameter, Plan
from bptt.checking.loading.planned import PlannedCase
from bptt.checking.program import Sizes

PROBE = Sizes(n_x=3, n_a=5, n_y=7, m=2, T_x=4)
OTHER = Sizes(n_x=4, n_a=6, n_y=9, m=3, T_x=5)  # a reading must run at a second set of sizes
FORWARD_TRIES, FORWARD_KEPT, COST_TRIES, BACKWARD_TRIES = 250, 5, 50, 24
MARGIN = 1.2  # a reading that agrees is taken before more plausible ones only within this much
SLACK = 2.2  # readings less plausible than the best that runs by this much are not tried
AGREES = 1e-4  # of the directional slope


@dataclass
class Bench:
    """A program on the bench: what is known of it, and what has been tried in vain."""

    facts: Facts
    namespace: Namespace
    module: ModuleType
    source: ast.Module  # the program, its run included
    log: Log = field(default_factory=Log)
    known_slopes: dict[Any, Any] = field(default_factory=dict)
    parameters_seen: tuple[Parameter, ...] = ()
    least: float = np.inf  # the penalty of the most plausible reading whose cost runs

    @cached_property
    def evidence(self) -> Evidence:
        """What the program's own calls say."""
        return Evidence(call_sites(self.facts))

    def execute(self, module: ModuleType, constants: dict[str, Any]) -> None:
        """Run the module's constants again with other sizes."""
        body = [s for s in self.facts.run if not isinstance(s, ast.Import | ast.ImportFrom)]
        self.namespace.execute(body, module.__dict__, constants)

    def case(self, plan: Plan, **kwargs: Any) -> PlannedCase:
        """Return the case of a plan at the probe's sizes."""
        return PlannedCase(plan, self.module, PROBE, 0, self.execute, **kwargs)

    def case_elsewhere(self, plan: Plan) -> PlannedCase:
        """Return the case of a plan at other sizes, where what fits the probe's by chance does not."""
        return PlannedCase(plan, self.module, OTHER, 0, self.execute)


def call_of(function: Function, owner: str | None, choice: tuple[Option, ...]) -> Call:
    """Return the call of a function under a choice of its arguments, by position up to the first left to its default."""
    arguments = [(n, o.source) for n, o in zip(function.arguments, choice, strict=True)]
    prefix = 0
    for _, source in arguments:  # up to the first that is left to its default, by position
        if source is None:
            break
        prefix += 1
    positional = len(function.node.args.posonlyargs) + len(function.node.args.args)
    given = tuple((n, s) for n, s in arguments if s is not None)
    return Call(
        function.name,
        function.owner is not None and owner is not None,
        given,
        tuple(function.labels),
        min(prefix, positional),
    )


def labels_of(function: Function) -> tuple[str, ...]:
    """Return the names of what a function returns, through a variable that holds a tuple or list of them."""
    labels = tuple(function.labels)
    displays = {
        ast.unparse(n.targets[0]): n.value.elts for n in ast.walk(function.node)
        if isinstance(n, ast.Assign) and isinstance(n.value, ast.Tuple | ast.List) and n.value.elts
    }  # fmt: skip
    if len(labels) == 1 and labels[0] in displays:
        return tuple(label(item) for item in displays[labels[0]])
    joined = {name: [label(e) for e in elements] for name, elements in displays.items() if name in labels}
    return tuple(",".join(joined[n]) if "*" not in joined.get(n, "*") else n for n in labels)


def last_name(parameter: Parameter) -> str:
    """Return the name that tells what a parameter is: the innermost that is no mere box."""
    for _, name in reversed(parameter.paths[0] if parameter.paths else ()):
        if isinstance(name, str) and name not in ("value", "v", "data", "val"):
            return name
    return parameter.name
