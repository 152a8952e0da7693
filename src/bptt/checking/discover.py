"""Find forward, cost, backward and parameters in a program, and make ``bptt_case`` of them."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType

from bptt.checking.discover_state import SelfCase, forward_lints, plan_self, wrap_lints
from bptt.checking.namespace import Namespace
from bptt.checking.program import Case, Sizes
from bptt.checking.protocol import cannot_check
from bptt.errors import CannotCheckError


@dataclass(frozen=True)
class Found:
    """What discovery gives to the loader."""

    load: Callable[[ast.Module], ModuleType]
    build: Callable[[ModuleType, Sizes, int], Case]
    assumed: tuple[str, ...] = ()
    notes: tuple[tuple[str, int | None, str], ...] = ()
    names: dict[str, str] = field(default_factory=dict)


def discover(tree: ast.Module, namespace: Namespace, file: str, name: str | None = None) -> Found:
    """Find the parts of a program."""
    methods = [s for s in tree.body if isinstance(s, ast.FunctionDef) and s.args.args and s.args.args[0].arg == "self"]
    if methods:
        forward = next((f.name for f in methods if "forw" in f.name.lower()), "")
        backward = next((f.name for f in methods if "back" in f.name.lower() or "bptt" in f.name.lower()), "")
        plan = plan_self(methods, forward, backward)
        if not isinstance(plan, str):
            lines = {f.name: f for f in methods}
            return Found(
                namespace.load,
                lambda module, sizes, seed: SelfCase(module, plan, sizes, seed),
                (
                    "The class is not shown: `self` is made from what the methods use of it, with random values.",
                    "The cost is not shown: it is taken to be the cross-entropy -sum(Y * log(Y_pred)) over the steps that "
                    "the forward writes.",
                ),
                (*forward_lints(lines[forward]), *wrap_lints(lines[backward])),
                {forward: "forward", backward: "backward"},
            )
    raise CannotCheckError(cannot_check(file, "no forward and backward pass were found."))
