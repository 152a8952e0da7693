"""What a reading takes from the program in words, why its cost may be doubted, and what is missing where none runs."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from bptt.checking.loading.made_up import kinds_of_files
from bptt.checking.loading.plan import Plan
from bptt.checking.loading.printed import NAME as PRINTED
from bptt.checking.loading.protocol import cannot_check
from bptt.checking.loading.training_loops import SHOWN

if TYPE_CHECKING:
    from bptt.checking.loading.namespace import Namespace
    from bptt.checking.loading.readings import Search
    from bptt.checking.loading.units import Unit


def run_sentences(plan: Plan, tree: ast.Module) -> list[str]:
    """Return what a reading takes from the program's own run, in words, and which line shows its cost."""
    if plan.cost is not None and plan.cost.call is not None and plan.cost.call.function == PRINTED:
        line = next(n.lineno for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == PRINTED)
        return [f"The cost is taken to be what line {line} shows."]
    if plan.rehearsal is None:
        return []
    said = ["What its functions are given is what the program's own run gives them, up to its first gradients."]
    if len(kinds_of_files(tree)) > 1:
        columns = plan.rehearsal.files.columns
        held = f"numbers in {columns} column{'s' * (columns > 1)}" if columns else "a short text"
        said.append(f"The files that it reads are not there: {held}, made up, stand in for them.")
    shown = _shown(plan, tree)
    if shown is not None:
        said.append(f"The cost is taken to be the number that line {shown.lineno} shows: {ast.unparse(shown)}.")
    return said


def doubt(plan: Plan, tree: ast.Module) -> str:
    """Return why a cost may not be that of the weights that the gradients are of; "" where nothing says so.

    What a training loop calculates only to show it may be calculated after the weights were moved; one that is given
    what a later call of the run was given may be of other examples.
    """
    cost = plan.cost.call if plan.cost is not None and plan.backward is None else None
    if cost is not None and any(s.kind == "seen" and s.path[0] == ("item", "more") for _, s in cost.arguments):
        return (
            f"the only cost found is {cost.function}, and no gradient is that of it as the program's own run calls it: "
            "it may be of other examples than what the backward pass was given."
        )
    shown = _shown(plan, tree)
    if shown is None or not any(isinstance(n, ast.Call) for n in ast.walk(shown)):
        return ""
    return (
        f"the only cost found is the number that line {shown.lineno} shows, {ast.unparse(shown)}, and no gradient is "
        "that of it: it may be calculated after the weights were moved."
    )


def _shown(plan: Plan, tree: ast.Module) -> ast.expr | None:
    name = plan.cost.path[-1][1] if plan.cost is not None and plan.cost.path else ""
    if not isinstance(name, str) or not name.startswith(SHOWN):
        return None
    return next(n.value for n in ast.walk(tree) if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == name)


def what_is_missing(search: Search, namespace: Namespace, file: str, units: list[Unit], name: str | None) -> str:
    """Return the message of a program that cannot be read: what was found, what is missing, the adapter to fill in."""
    facts = search.facts
    known = [f.qualified for f in facts.functions.values() if not f.name.startswith("__")]
    if not units:
        what = f"{name} names no forward and backward pass" if name else "no forward and backward pass were found"
        shown = f"; its functions are {', '.join(known[:12])}" if known else " and it defines no function"
        found = [f"{n} could not be executed at module level ({why})" for n, why in list(namespace.failed.items())[:3]]
        return cannot_check(file, f"{what}{shown}.", found=found)
    unit = units[0]
    found = [f"forward: {unit.forward.qualified}({', '.join(unit.forward.arguments)})"]
    if unit.backward:
        found.append(f"backward: {unit.backward.qualified}({', '.join(unit.backward.arguments)})")
    reasons = list(dict.fromkeys(search.log[-40:]))[-2:]
    if namespace.raised:
        reasons.append(f"its own run ends before its first gradients with {namespace.raised}")
    unknown = [f"`{n}` is used and not defined" for n in namespace.unknown if any(f"'{n}'" in r for r in search.log)]
    wrong = "no reading of their arguments, parameters and cost runs"
    if unknown:
        wrong += f"; {', '.join(unknown)}"
    calls = [f"module.{found[0].split(': ')[1]}", f"module.{found[-1].split(': ')[1]}"]
    keys = [p.name for p in search.parameters_seen][:8] or ["W_aa"]
    return cannot_check(
        file, wrong + ".", found=[*found, *(f"it was tried, and {r}" for r in reasons)],
        forward=calls[0], backward=calls[1], parameters=keys,
    )  # fmt: skip
