"""A statement that is not there: what goes back to the step before is never set in the loop, or never returned."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bptt.checking.repairing import patch
from bptt.checking.repairing.leaves import enclosing
from bptt.checking.repairing.nodes import PLACES
from bptt.checking.repairing.repair import repair_statement
from bptt.checking.repairing.samples import Budget, Candidate, Sample
from bptt.checking.tracing.bank import Role
from bptt.checking.tracing.forced import frozen
from bptt.checking.tracing.quiet import quiet
from bptt.checking.tracing.stepping import Unit

if TYPE_CHECKING:
    from bptt.checking.diagnosing.judging import Judged, Judging

Loop = ast.For | ast.While


@dataclass
class Missing:
    """An update that a loop lacks, or the ``return`` that a function called in it lacks."""

    name: str
    loop: Loop
    function: ast.FunctionDef | None = None

    @property
    def last(self) -> ast.stmt:
        """The statement that it follows: one of its like, ``da_next = cell["da_prev"]``, or else the last."""
        body = (self.loop if self.function is None else self.function).body
        made = {ast.unparse(s.targets[0]) for s in body if isinstance(s, ast.Assign) and isinstance(s.value, ast.Call)}
        like = [s for s in body if self.function is None and _takes_an_item(s, made)]
        return like[-1] if like else body[-1]

    def text(self, expression: str) -> str:
        """Return the statement that is missing."""
        return f"return {expression}" if self.function is not None else f"{self.name} = {expression}"

    def holds(self, unit: Unit) -> bool:
        """Tell whether a unit stands where the statement is missing."""
        if self.function is not None:
            return self.function.lineno <= unit.line <= (self.function.end_lineno or unit.line)
        return self.loop.lineno in unit.loops[-1:]


def _takes_an_item(node: ast.stmt, made: set[str]) -> bool:
    """Tell whether a statement takes one of the values that a call has made, and no more."""
    value = node.value if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) else None
    return (
        isinstance(value, ast.Subscript) and isinstance(value.slice, ast.Constant) and ast.unparse(value.value) in made
    )


def missing_update(judging: Judging, judged: Judged) -> Missing | None:
    """Return the update that a wrong sum lacks: it reads a variable that stays zero through the whole loop."""
    unit = judged.unit
    if judged.role.series.kind != "adjoint":
        return None
    tree = judging.program.tree
    for read in sorted(unit.reads):
        for name, loop in _bindings(tree, unit.function.split(".")[-1], unit.line, read):
            if not _starts_at_zero(judging, name):
                continue
            stores = _stores(loop, name)
            if not stores:
                return Missing(name, loop)
            function = enclosing(tree, unit.statement)
            if len(stores) == 1 and function is not None and _returning_nothing(function, stores[0]):
                return Missing(name, loop, function)
    return None


def _returning_nothing(function: ast.FunctionDef, store: ast.stmt) -> bool:
    """Tell whether a statement keeps what a function returns, and the function returns nothing."""
    call = store.value if isinstance(store, ast.Assign) else None
    if not isinstance(call, ast.Call) or ast.unparse(call.func).split(".")[-1] != function.name:
        return False
    return not any(isinstance(n, ast.Return | ast.Yield) for n in ast.walk(function))


def _bindings(tree: ast.Module, function: str, line: int, name: str) -> list[tuple[str, Loop]]:
    """Return the loops that a name's value goes round: its own, or those that hand it to the function."""
    inside = [n for n in ast.walk(tree) if isinstance(n, Loop) and n.lineno <= line <= (n.end_lineno or line)]
    if inside:
        return [(name, max(inside, key=lambda n: n.lineno))]
    found = []
    for define in ast.walk(tree):
        if isinstance(define, ast.FunctionDef) and define.name == function:
            parameters = [a.arg for a in define.args.args if a.arg != "self"]
            if name not in parameters:
                continue
            place = parameters.index(name)
            for loop in [n for n in ast.walk(tree) if isinstance(n, Loop)]:
                for call in [n for n in ast.walk(loop) if isinstance(n, ast.Call)]:
                    called = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
                    if called == function and place < len(call.args) and isinstance(call.args[place], ast.Name):
                        found.append((ast.unparse(call.args[place]), loop))
    return found


def _starts_at_zero(judging: Judging, name: str) -> bool:
    if any(unit.target != name and unit.target.split("[")[0] == name for unit in judging.units):
        return False  # it is filled slice by slice
    return any(
        unit.target == name
        and not unit.loops
        and any(e.value is not None and not e.value.any() for e in judging.natural.events.get(unit.number, ()))
        for unit in judging.units
    )


def _stores(loop: Loop, name: str) -> list[ast.stmt]:
    """Return the statements of a loop that set a variable, and not only add to it."""
    return [
        node
        for node in ast.walk(loop)
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and any(ast.unparse(n) == name for n in ast.walk(node) if _is_stored(n))
        and name not in _summands(node.value)
    ]


def _summands(value: ast.expr | None) -> list[str]:
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
        return [*_summands(value.left), *_summands(value.right)]
    return [] if value is None else [ast.unparse(value)]


def _is_stored(node: ast.AST) -> bool:
    return isinstance(node, PLACES) and isinstance(node.ctx, ast.Store)


def carry_role(judging: Judging, judged: Judged) -> Role | None:
    """Return what the missing update should set: what the next step hands back to the same state."""
    shares = [s for s in judging.bank.series if s.kind == "share" and s.future is not None]
    shape = judged.role.series.shape
    options = [s for s in shares if s.future == judged.role.series.node] or [s for s in shares if s.shape == shape]
    if not options:
        return None
    series = max(options, key=lambda s: len(s.consumers))
    axes = judged.role.axes
    return Role(series, axes, sign=judged.role.sign)


def insertions(
    judging: Judging, judged: Judged, missing: Missing, seconds: float
) -> list[tuple[int, Candidate | None, patch.Change]]:
    """Return statements that set the variable rightly at the end of the loop's body."""
    role = carry_role(judging, judged)
    inside = [u for u in judging.units if missing.holds(u) and u.target and not u.nameless]
    inside = [u for u in inside if judging.natural.events.get(u.number)]
    if role is None or not inside:
        return []
    last = inside[-1]
    names = {u.number for u in inside}
    run, _, _ = judging.run(judging.roles, names.__contains__)
    events = run.events.get(last.number, [])
    for event in events:
        event_role = role
        judging.complete(event_role, [event])
    shared = judging.space()
    samples = []
    for event in events:
        item = role.item(event.instance)
        if item is None or event.names is None:
            continue
        env: dict[str, Any] = {**shared, **event.names}
        if last.target.isidentifier() and event.live is not None:
            env[last.target] = frozen(event.live)
        env.setdefault(missing.name, item * 0)
        samples.append(Sample(env, env.get(missing.name), item))
    code = judging.program.code
    handed = _held_somewhere(samples)
    if handed:
        text = missing.text(handed)
        return [(judged.unit.number, Candidate(text, "insert", 0.0), patch.insert_after(code, missing.last, text))]
    longer = f"{code}\n{missing.name} = {missing.name}\n"
    with quiet():
        found = repair_statement(ast.parse(longer).body[-1], samples, code=longer, budget=Budget(seconds=seconds))
    return [
        (
            judged.unit.number,
            Candidate(text, "insert", c.cost, c.preconditions),
            patch.insert_after(code, missing.last, text),
        )
        for c in found[:6]
        for text in [missing.text(c.replacement.removeprefix(f"{missing.name} = "))]
    ]


def _held_somewhere(samples: list[Sample]) -> str:
    """Return an expression that already holds the wanted value: a name, or an item of a dict or a tuple."""
    if not samples:
        return ""
    paths: list[str] = []
    for name, value in samples[0].env.items():
        if isinstance(value, np.ndarray):
            paths.append(name)
        elif isinstance(value, dict):
            paths += [f"{name}[{key!r}]" for key, item in value.items() if isinstance(item, np.ndarray)]
        elif isinstance(value, list | tuple):
            paths += [f"{name}[{place}]" for place, item in enumerate(value) if isinstance(item, np.ndarray)]
    for path in paths:
        if all(_is(path, sample) for sample in samples):
            return path
    return ""


def _is(path: str, sample: Sample) -> bool:
    try:
        value = eval(path, dict(sample.env))
    except Exception:  # a name that is not there yet
        return False
    return np.shape(value) == np.shape(sample.target) and bool(np.allclose(value, sample.target, rtol=1e-9, atol=0))
