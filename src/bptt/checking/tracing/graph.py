"""Which unit's value goes into which: found by tracing the backward pass itself, through calls, dicts and views."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from bptt.checking.tracing import forced, hooks
from bptt.checking.tracing.callers import Callers
from bptt.checking.tracing.forced import Event, Run
from bptt.checking.tracing.instrument import traced_tree
from bptt.checking.tracing.numeric import fresh, restore, snapshot
from bptt.checking.tracing.on_the_fly import instrumented
from bptt.checking.tracing.quiet import quiet
from bptt.checking.tracing.step_nodes import HOOKS
from bptt.checking.tracing.tape import Operation, Tape
from bptt.checking.tracing.trace import Trace

if TYPE_CHECKING:
    from bptt.checking.diagnosing.assigning import Assigning


@dataclass
class Term:
    """One summand of a delivered gradient."""

    unit: int
    instance: int
    factor: float
    update: bool
    """Whether it is what an update adds, and has no unit of its own."""


@dataclass
class Graph:
    """Direct sources of every unit, and the summands of every delivered gradient."""

    sources: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    terms: dict[str, list[Term]] = field(default_factory=dict)
    aliases: dict[int, int] = field(default_factory=dict)
    """A unit that only hands on another's value -> that unit."""
    moved: set[int] = field(default_factory=set)
    """Units that hold others' numbers in another arrangement: a slice, ``np.where``."""


class TracedRun(Run):
    """A run that also remembers the ids of what every unit computed."""

    def __init__(self, tape: Tape, callers: Callers) -> None:
        super().__init__(callers)
        self.tape = tape
        self.ids: dict[int, Any] = {}
        self.owner: dict[int, Event] = {}
        self.alias: dict[int, int] = {}
        self.moved: set[int] = set()

    def done(self, units: tuple[int, ...], values: tuple[Any, ...]) -> None:
        super().done(units, values)
        for unit, value in zip(units, values, strict=True):
            event = self.events[unit][-1]
            ids = self.tape.ids(value) if event.value is not None and event.value.size else None
            if ids is None:
                continue
            flat = np.array(ids).reshape(-1)
            self.ids[id(event)] = flat
            known = self.owner.get(int(flat[0])) if flat[0] else None
            if known is not None and known.unit != unit and np.array_equal(self.ids[id(known)], flat):
                self.alias[unit] = known.unit
            new = [one for one in flat.tolist() if one and one not in self.owner]
            if not new:
                self.moved.add(unit)
            for one in new:
                self.owner[one] = event


def find_graph(judging: Assigning, tree: Any) -> Graph | None:
    """Trace one run of their gradients, unit by unit; None where it cannot be traced."""
    traced, _ = traced_tree(tree, HOOKS)
    trace = Trace()
    run = TracedRun(trace.tape, judging.callers)
    try:
        with quiet():
            _, case = fresh(judging.program, traced, judging.sizes, judging.seed)
            kept = snapshot(case.parameters)
            judging.callers.start(case.parameters)
            with forced.recording(run), hooks.watching(trace):
                delivered = dict(instrumented(case.gradients)())
            restore(case.parameters, kept)
    except Exception:  # a header that raises, an adapter that cannot be read: the names have to do
        delivered = {}
        if not run.order:
            return None
    graph = Graph()
    made = {i: operation for operation in trace.tape.operations for i in operation.out.reshape(-1).tolist()}
    for event in run.order:
        if id(event) in run.ids:
            graph.sources[event.unit] |= _sources(event, run, made)
    graph.aliases = {u: v for u, v in run.alias.items() if u not in graph.sources[v]}
    graph.moved = run.moved
    for name, gradient in delivered.items():
        ids = trace.tape.ids(gradient) if isinstance(gradient, np.ndarray | float) else None
        if ids is not None and ids.size:
            graph.terms[name] = _terms(ids, run, made)
    return graph


def _sources(event: Event, run: TracedRun, made: dict[int, Operation]) -> set[int]:
    """Return the units whose values went directly into an event's value."""
    found: set[int] = set()
    seen: set[int] = set()
    stack = run.ids[id(event)][:64].tolist()
    while stack:
        one = stack.pop()
        if one in seen or one == 0:
            continue
        seen.add(one)
        owner = run.owner.get(one)
        if owner is not None and owner is not event:
            found.add(owner.unit)
            continue
        operation = made.get(one)
        if operation is not None:
            for ids, _ in operation.inputs:
                stack += ids.reshape(-1)[:64].tolist()
    return found


def _terms(ids: Any, run: TracedRun, made: dict[int, Operation]) -> list[Term]:
    """Take a delivered gradient apart into its summands, through sums, differences and constant factors.

    A summand without a unit of its own belongs to the update that adds it.
    """
    terms: list[Term] = []
    stack: list[tuple[Any, float, tuple[Event, float] | None]] = [(ids.reshape(-1), 1.0, None)]
    while stack and len(terms) < 256:
        flat, factor, by = stack.pop()
        operation = made.get(int(flat[0]))
        owner = run.owner.get(int(flat[0]))
        if owner is not None and not np.array_equal(np.sort(run.ids[id(owner)]), np.sort(flat)):
            owner = None
        if operation is None and owner is None:
            continue
        growing = owner is not None and owner.updates
        if owner is not None and not growing:
            if owner.value is not None and owner.value.any():
                terms.append(Term(owner.unit, owner.instance, factor, False))
            continue
        whole = operation is not None and np.array_equal(np.sort(operation.out.reshape(-1)), np.sort(flat))
        split = _split(operation, factor) if operation is not None and whole else None
        if split is None:
            if by is not None:
                terms.append(Term(by[0].unit, by[0].instance, by[1], True))
            continue
        stack += [(i, f, (owner, factor) if growing and owner is not None else by) for i, f in split]
    return terms


def _split(operation: Operation, factor: float) -> list[tuple[Any, float]] | None:
    if operation.name in ("maximum", "minimum"):  # clipping that does not touch anything
        ids, vjp = operation.inputs[0]
        free = len(operation.inputs) == 1 and np.all(np.asarray(vjp(np.ones(operation.out.shape))) == 1)
        return [(ids.reshape(-1), factor)] if free and ids.size == operation.out.size else None
    if operation.name not in ("add", "subtract", "divide", "multiply", "negative"):
        return None
    if operation.name in ("divide", "multiply") and len(operation.inputs) > 1:
        return None
    parts = []
    for ids, vjp in operation.inputs:
        slope = np.unique(np.asarray(vjp(np.ones(operation.out.shape))))
        if slope.size != 1 or (ids.size not in (1, operation.out.size) and operation.name not in ("add", "subtract")):
            return None
        parts.append((ids.reshape(-1), factor * float(slope[0])))
    return parts
