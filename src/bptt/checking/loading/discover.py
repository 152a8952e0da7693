"""Find forward, cost, backward and parameters in a program, and make ``bptt_case`` of them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from types import ModuleType

import numpy as np

from bptt.checking.loading import paths as places
from bptt.checking.loading.accumulating import as_trained
from bptt.checking.loading.argument_arrays import symbolic
from bptt.checking.loading.attempts import Attempt
from bptt.checking.loading.bench import MARGIN, PROBE
from bptt.checking.loading.compared import (
    DOUBTLESS,
    MANY,
    Read,
    agreeing,
    best_of,
    covered,
    hollow,
    likelier,
    longer,
    numbers,
    only_raises,
    run_of,
    settles,
    shorter,
)
from bptt.checking.loading.data_gradients import with_data
from bptt.checking.loading.discover_state import SelfCase, forward_lints, plan_self, wrap_lints
from bptt.checking.loading.explore import SECONDS, Log
from bptt.checking.loading.facts import facts_of
from bptt.checking.loading.joined import JoinedCase
from bptt.checking.loading.namespace import Namespace
from bptt.checking.loading.planned import PlannedCase
from bptt.checking.loading.printed import with_printed_cost
from bptt.checking.loading.readings import Search, upstreams
from bptt.checking.loading.said import doubt, run_sentences, what_is_missing
from bptt.checking.loading.script import STEP, as_function
from bptt.checking.loading.shown import SHOWN, as_class, missing_attributes
from bptt.checking.loading.training_loops import Where, as_step, line_of, training_loops
from bptt.checking.loading.units import Unit, callers_of, kinship, units_of
from bptt.checking.loading.unrun import (
    Place,
    backward_functions,
    cost_derivatives,
    loss_layer,
    outermost_first,
    place_of,
)
from bptt.checking.program import Case, Sizes
from bptt.checking.tracing.quiet import quiet
from bptt.errors import CannotCheckError

UNITS, ATTEMPTS, STEPS = 6, 80, 3
ONE_PASS = "One pass through the body of the loop at line {} is checked; the loop itself is not run."
FIRST = 250  # how many guesses may fail before the program's own run is looked at
GUESSING = 2.5  # seconds before the program's own run is looked at
CONFIRMING = 2.0  # seconds that the program's own run may take where a guess has run
STALLED = 4  # so many further readings that agree in no more gradients end the search of one that is not right
PARTS = 6  # how many further layers are checked by themselves


@dataclass(frozen=True)
class Found:
    """What discovery gives to the loader."""

    tree: ast.Module
    load: Callable[[ast.Module], ModuleType]
    build: Callable[[ModuleType, Sizes, int], Case]
    assumed: tuple[str, ...] = ()
    notes: tuple[tuple[str, int | None, str], ...] = ()
    names: dict[str, str] = field(default_factory=dict)
    doubt: str = ""


def discover(tree: ast.Module, namespace: Namespace, file: str, name: str | None = None) -> Found:
    """Find the parts of a program.

    Raises
    ------
    CannotCheckError
        With what was found and what is missing.
    """
    shown = _methods_without_class(tree, namespace)
    if shown is not None:
        return shown
    given = with_printed_cost(tree)
    namespace.printed = given is not tree
    tree, loop = _script(given)
    dressed = as_class(tree)
    namespace.dressed = dressed is not tree
    facts = facts_of(dressed)
    units = units_of(facts, name)
    with quiet():
        module = namespace.load(tree)
    search = Search(facts, namespace, module, given, Log(FIRST, GUESSING))
    best = _first_that_runs(search, units)
    guessed, cut_short = best, search.log.full
    if STEP not in facts.functions and (best is None or not best[1].complete or numbers(search, best) > MANY):
        patience = SECONDS if best is None or not best[1].runs_through else CONFIRMING
        rehearsing = Search(facts, namespace, module, given, Log(seconds=patience))
        best = likelier(search, best, _first_that_runs(rehearsing, units, rehearsed=True))
    seen = covered(search, best)
    if best is None or not best[1].right or seen < len(backward_functions(facts.tree)):
        step = _step_that_runs(namespace, given)
        more = step is not None and covered(step[0], step[1]) > seen
        if step is not None and (best is None or more or agreeing(step[1][1]) > agreeing(best[1])):
            search, best, namespace.step = step
            tree, loop = as_step(given, namespace.step), line_of(given, namespace.step)
    if (best is None or not best[1].complete) and best in (guessed, None) and cut_short:
        search = Search(facts, namespace, module, given)
        best = _first_that_runs(search, units) or best
    if best is None or only_raises(best[1]):
        raise CannotCheckError(what_is_missing(search, namespace, file, units, name))
    if not name and upstreams(best[1].plan):
        best = _around(search, best) or best
    best = longer(search, shorter(search, best))
    best = (best[0], replace(best[1], plan=as_trained(search, with_data(search, best[1].plan))))
    others = [] if name or facts.functions.get(STEP) else _others(search, best, units)
    found = _found(search, namespace, as_class(tree) if namespace.dressed else tree, [best, *others])
    return found if loop is None else replace(found, assumed=(ONE_PASS.format(loop), *found.assumed))


def _script(tree: ast.Module) -> tuple[ast.Module, int | None]:
    """Return a program without a backward function of its own with its training loop's body as a function."""
    changed, line = as_function(tree)
    if line is None or any(u.owner or u.backward or u.forward.arguments for u in units_of(facts_of(tree))):
        return tree, None
    return changed, line


def _step_that_runs(namespace: Namespace, tree: ast.Module) -> tuple[Search, Read, Where] | None:
    """Return the reading of a training loop's body as the program runs it; None where no loop of it comes so far."""
    found: list[tuple[Search, Read, Where]] = []
    for where in training_loops(tree)[:STEPS]:
        namespace.step = where
        stepped = as_step(tree, where)
        with quiet():
            module = namespace.load(tree)
        search = Search(facts_of(stepped), namespace, module, tree)
        read = _first_that_runs(search, units_of(search.facts), rehearsed=True)
        if read is not None and not hollow(search, read):
            found.append((search, read, where))
        if read is not None and read[1].complete:
            break
    namespace.step = None
    return max(found, key=lambda f: agreeing(f[1][1]), default=None)


def _first_that_runs(search: Search, units: list[Unit], *, rehearsed: bool = False) -> Read | None:
    """Return the likeliest unit that can be read, and its reading."""
    best: Read | None = None
    for unit in units[:UNITS]:
        if best is not None and (unit.owner != best[0].owner or unit.score < best[0].score - 2.0):
            break
        search.least = np.inf
        seen: list[Attempt] = []
        most = since = 0  # how many gradients agree at the most, and how many readings have run since
        for attempt in islice(search.attempts(unit, rehearsed=rehearsed), ATTEMPTS):
            seen.append(attempt)
            since = 0 if attempt.right > most else since + attempt.runs_through
            most = max(most, attempt.right)
            if search.log.full and rehearsed:
                break
            if most and since >= STALLED:
                break
            plain = attempt.plan.penalty <= search.least + MARGIN and not (rehearsed and attempt.unused)
            plain = plain and not attempt.idle_script
            if settles(attempt, seen) and plain:
                break
        found = best_of(seen)
        if found is not None:
            found.alone = {attempt.error for attempt in seen} == {found.error} or any(a.complete for a in seen)
        if found is not None and (best is None or (found.complete and not best[1].complete)):
            best = (unit, found)
        if best is not None and (best[1].complete or best[1].runs_through):
            break
    return best


def _others(search: Search, best: Read, units: list[Unit]) -> list[Read]:
    """Return the readings of the layers that the first reading does not run: they are checked as well, by themselves.

    One that is not right is only taken along where its reading leaves no doubt.
    """
    found: list[Read] = []
    ran: set[Place] = set()
    for _, attempt in [best]:
        ran |= run_of(search, attempt)
    for _, node in outermost_first(search.facts.tree):
        if place_of(node) in ran or len(found) == PARTS:
            continue
        own = [
            u
            for u in units
            if u.backward is not None and u.backward.node is node and place_of(u.forward.node) not in ran
        ]
        own.sort(key=lambda u: -kinship(u.forward.name, node.name))
        own += [u for u in units if u.backward is None and u.forward.node is node]
        search = replace(search, log=Log(FIRST))
        if not own and loss_layer(node) is not None and node.name in search.facts.plain():
            own = [Unit(search.facts.plain()[node.name], None, None, 0.0, False)]
        read = _first_that_runs(search, own[:1])
        if read is None or not (read[1].complete or read[1].plan.penalty <= DOUBTLESS):
            continue
        if not read[1].complete and read[0].backward and kinship(read[0].forward.name, read[0].backward.name) <= 0:
            continue
        if read[1].ran or read[1].error:
            found.append((read[0], replace(read[1], plan=with_data(search, read[1].plan))))
            ran |= run_of(search, read[1])
    return [*found, *_derivatives(search, best, ran)]


def _derivatives(search: Search, best: Read, ran: set[Place]) -> Iterator[Read]:
    """Yield the reading of a cost and its derivative that makes what the first reading's backward is given."""
    plain, given = search.facts.plain(), upstreams(best[1].plan)
    for cost, derivative in cost_derivatives(search.facts.tree) if len(given) == 1 else ():
        if place_of(derivative) in ran:
            continue
        try:
            with quiet():
                shape = np.shape(places.read(search.case(best[1].plan).run_forward().result, given[0]))
        except Exception:  # steps of different shapes
            continue
        unit = Unit(plain[cost.name], plain[derivative.name], None, 0.0, outputs=symbolic(shape, PROBE))
        anew = replace(search, log=Log(FIRST), least=np.inf)
        attempt = best_of([a for a in islice(anew.attempts(unit), ATTEMPTS) if a.delivered])
        if attempt is not None:
            yield unit, attempt


def _around(search: Search, best: Read) -> Read | None:
    """Return the reading of what hands a backward pass its gradient, and makes that of a cost of its own."""
    search = replace(search, log=Log(seconds=CONFIRMING))
    whole = _first_that_runs(search, callers_of(search.facts, best[0]), rehearsed=True)
    return whole if whole is not None and whole[1].runs_through and not whole[1].unused else None


def _found(search: Search, namespace: Namespace, tree: ast.Module, parts: list[Read]) -> Found:
    def build(module: ModuleType, sizes: Sizes, seed: int) -> Case:
        cases = {
            unit.owner or unit.forward.name: PlannedCase(attempt.plan, module, sizes, seed, search.execute)
            for unit, attempt in parts
        }
        return next(iter(cases.values())) if len(cases) == 1 else JoinedCase(cases)

    names: dict[str, str] = {}
    assumed: list[str] = []
    for unit, attempt in parts:
        plan = attempt.plan
        names[unit.forward.qualified] = "forward"
        if unit.backward:
            names[unit.backward.qualified] = "backward"
        if plan.owner == SHOWN:
            assumed.append(
                "The class is not shown: `self` is made from what the methods use of it, with random values."
            )
            assumed += missing_attributes([f.node for f in search.facts.methods(SHOWN).values()], search.facts.tree)[3]
        if plan.cost is not None and plan.cost.kind == "standard":
            assumed.append(f"The cost is not shown: it is taken to be {plan.cost.title}.")
        assumed += run_sentences(plan, tree)
    if len(parts) > 1:
        shown = ", ".join(unit.owner or unit.forward.name for unit, _ in parts)
        assumed.append(f"Nothing in the file puts these parts together, so each is checked by itself: {shown}.")
    doubts = " ".join(filter(None, (doubt(attempt.plan, tree) for _, attempt in parts)))
    return Found(tree, namespace.load, build, tuple(assumed), (), names, doubts)


def _methods_without_class(tree: ast.Module, namespace: Namespace) -> Found | None:
    """Return what is found where methods stand without their class, as in a forum post; None elsewhere."""
    methods = [s for s in tree.body if isinstance(s, ast.FunctionDef) and s.args.args and s.args.args[0].arg == "self"]
    forward = next((f.name for f in methods if "forw" in f.name.lower()), "")
    backward = next((f.name for f in methods if "back" in f.name.lower() or "bptt" in f.name.lower()), "")
    if not forward or not backward:
        return None
    plan = plan_self(methods, forward, backward)
    if isinstance(plan, str):
        return None
    lines = {f.name: f for f in methods}

    def build(module: ModuleType, sizes: Sizes, seed: int) -> Case:
        return SelfCase(module, plan, sizes, seed)

    return Found(
        tree,
        namespace.load,
        build,
        (
            "The class is not shown: `self` is made from what the methods use of it, with random values.",
            "The cost is not shown: it is taken to be the cross-entropy -sum(Y * log(Y_pred)) over the steps that "
            "the forward writes.",
        ),
        (*forward_lints(lines[forward]), *wrap_lints(lines[backward])),
        {forward: "forward", backward: "backward"},
    )
