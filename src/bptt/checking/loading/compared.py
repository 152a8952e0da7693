"""Which of several readings of a program is taken: what each covers, how much of it agrees, how large it is."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from bptt.checking.loading import paths as places
from bptt.checking.loading.attempts import Attempt
from bptt.checking.loading.bench import MARGIN, PROBE, last_name
from bptt.checking.loading.layouts import T
from bptt.checking.loading.namespace import BUDGET, Exhausted, within_budget
from bptt.checking.loading.plan import Plan
from bptt.checking.loading.readings import Search
from bptt.checking.loading.rehearsed import smaller
from bptt.checking.loading.units import Unit
from bptt.checking.loading.unrun import Place, backward_functions, place_of, ran_during
from bptt.checking.tracing.quiet import quiet

DOUBTLESS = 1.5  # a reading with no more against it is that of a layer that may be called wrong
FURTHER, NEAR = 1.3, 0.6  # of two readings that raise, one that runs so many more lines is taken, if it is so plausible
MANY = 600  # numbers in the parameters: with more of them the numeric gradients take long
LONG = 300  # lines that a backward pass may run through before fewer steps are tried

Read = tuple[Unit, Attempt]


def only_raises(attempt: Attempt) -> bool:
    """Tell whether a backward raises in a reading that is doubtful: the reading is the likelier fault.

    One that goes with a cost of theirs is not, where every other reading raises the same.
    """
    theirs = attempt.plan.cost is not None and attempt.plan.cost.kind in ("call", "local") and attempt.alone
    return bool(attempt.error) and attempt.plan.rehearsal is None and attempt.plan.penalty > DOUBTLESS and not theirs


def settles(attempt: Attempt, seen: list[Attempt]) -> bool:
    """Tell whether a reading agrees in full, and not only because it has fewer steps than another that runs."""
    return attempt.complete and (attempt.steps or not any(a.steps and (a.ran or a.error) for a in seen))


def best_of(seen: list[Attempt]) -> Attempt | None:
    """Return the reading that agrees in full, if it is nearly as plausible as any, or else the most plausible.

    Gradients that are right in variables of the backward are not what a move of the weights shows to be amiss.
    """
    least = min((a.plan.penalty for a in seen if a.ran or a.error), default=np.inf)
    whole = [a for a in seen if settles(a, seen) and a.plan.penalty <= least + MARGIN]
    moved = [a for a in seen if a.moves_amiss(whole) and a.plan.penalty <= least + MARGIN]
    best = max(moved or whole or seen, key=_worth, default=None)
    if best is None or best.ran:
        return best
    others = [a for a in seen if a.runs_through and _only_handed_otherwise(a.plan, best.plan)]
    others = others if only_raises(best) else []
    further = [a for a in seen if a.lines > FURTHER * best.lines and a.plan.penalty < best.plan.penalty + NEAR]
    return max(others or further, key=_worth, default=best)


def _only_handed_otherwise(plan: Plan, other: Plan) -> bool:
    """Tell whether two readings differ in nothing but what the backward is handed."""
    return (plan.forward, plan.cost, plan.layouts, plan.constructor) == (
        other.forward, other.cost, other.layouts, other.constructor,
    )  # fmt: skip


def _worth(attempt: Attempt) -> tuple[float, ...]:
    """Order readings: of the program's own run, one in which every weight counts goes before one of a single step."""
    if attempt.plan.rehearsal is None:
        return (0, -len(attempt.unused) if attempt.idle_script else 0, attempt.plausibility)
    return (attempt.runs_through, -len(attempt.unused), attempt.plausibility)


def likelier(search: Search, guessed: Read | None, rehearsed: Read | None) -> Read | None:
    """Return the reading of which more agrees, then the smaller one; the program's own run before a guess."""
    rehearsed = None if rehearsed is not None and hollow(search, rehearsed) else rehearsed
    if guessed is None or rehearsed is None:
        return guessed or rehearsed
    if guessed[1].complete and rehearsed[1].complete:
        return min(rehearsed, guessed, key=lambda read: (len(read[1].unused), numbers(search, read)))
    if guessed[1].runs_through and len(rehearsed[1].unused) > len(guessed[1].unused) and not rehearsed[1].complete:
        return guessed  # made-up data may leave parts of a network idle
    ahead = agreeing(rehearsed[1]) - agreeing(guessed[1])
    plan = guessed[1].plan
    doubtful = plan.penalty > DOUBTLESS or (plan.cost is not None and plan.cost.kind == "standard")
    alike = (guessed[1].right, guessed[1].delivered) == (rehearsed[1].right, rehearsed[1].delivered)
    if alike and guessed[1].right and len(plan.parameters) == len(rehearsed[1].plan.parameters):
        doubtful = False  # the run itself confirms it
    doubtful = doubtful or (bool(guessed[1].error) and bool(rehearsed[1].error))  # nothing confirms what was guessed
    smaller = 2 * numbers(search, rehearsed) < numbers(search, guessed)
    kept = not doubtful and guessed[1].right > 0 and guessed[1].delivered >= rehearsed[1].delivered
    if kept and not rehearsed[1].complete and ahead > 0:
        return guessed
    return rehearsed if ahead > 0 or (ahead == 0 and (doubtful or smaller)) else guessed


def hollow(search: Search, read: Read) -> bool:
    """Tell whether a reading of the program's own run leaves most of the weights idle, as one of made-up text may.

    Weights that its functions do not name belong to others.
    """
    plan, forward = read[1].plan, read[0].forward
    text = search.facts.text_around(forward)
    own = [p for p in plan.parameters if re.search(rf"\b{re.escape(str(last_name(p)))}\b", text)]
    idle = sum(p.idle or p.name in read[1].unused for p in own)
    return plan.rehearsal is not None and len(own) > 2 and 2 * idle >= len(own)


def shorter(search: Search, read: Read) -> Read:
    """Return a long or large run of the program's own made small, if the same gradients are right in it."""
    plan = read[1].plan
    if plan.rehearsal is None:
        return read
    left = [BUDGET]
    with quiet():
        try:
            within_budget(search.case(plan).gradients, left)
        except (Exception, Exhausted):
            if read[1].ran:
                return read
        if BUDGET - left[0] < LONG and max(numbers(search, read), _largest(plan)) <= MANY:
            return read
        found = smaller(plan.rehearsal, PROBE)
        names = {p.name for p in plan.parameters}
        if found is None or not names <= {p.name for p in found[1]}:
            return read
        shorter = search.judge(replace(plan, rehearsal=found[0]))
    if shorter is None or (shorter.right, shorter.delivered, shorter.ran) != (
        read[1].right, read[1].delivered, read[1].ran,
    ):  # fmt: skip
        return read
    return read[0], shorter


def _largest(plan: Plan) -> int:
    """Return how many numbers the largest array holds that the run passes: of many examples, or of long ones."""
    assert plan.rehearsal is not None
    _, state = plan.rehearsal.state(PROBE, 0)
    return max((np.size(leaf) for _, leaf in places.walk(state["given"])), default=0)


def longer(search: Search, read: Read) -> Read:
    """Return a reading with one more element in the data of which all but the last are inputs: T_x are left."""
    plan = read[1].plan
    text = "\n".join(f.text for f in search.facts.functions.values())
    roles = {
        source.value
        for name, source in plan.forward.arguments
        if source.kind == "data"
        and re.search(rf"\b{name}\[(:, )*:-1\]", text)
        and re.search(rf"\b{name}\[(:, )*1:\]", text)
    }
    layouts = {
        role: replace(layout, axes=tuple(f"{T} + 1" if a == T else a for a in layout.axes)) if role in roles else layout
        for role, layout in plan.layouts.items()
    }
    one_more = search.judge(replace(plan, layouts=layouts)) if roles else None
    return read if one_more is None or one_more.delivered < read[1].delivered else (read[0], one_more)


def numbers(search: Search, read: Read) -> int:
    """Return how many numbers the parameters of a reading hold."""
    return sum(value.size for value in search.case(read[1].plan).parameters.values())


def agreeing(attempt: Attempt) -> float:
    """Return the share of the parameters whose gradient agrees; -1 where the backward does not run."""
    return attempt.right / max(len(attempt.plan.parameters), 1) if attempt.ran else -1.0


def covered(search: Search, read: Read | None) -> int:
    """Return how many of the program's backward functions a reading runs."""
    if read is None or not read[1].runs_through:
        return 0
    ran = run_of(search, read[1])
    return sum(place_of(node) in ran for _, node in backward_functions(search.facts.tree))


def run_of(search: Search, attempt: Attempt) -> set[Place]:
    """Return the functions that a reading runs; where its backward raises, all that it may reach."""
    case = search.case(attempt.plan)
    ran: set[Place] = set()
    with quiet():
        try:
            ran = ran_during(case.gradients)
        except Exception:
            plan = attempt.plan
            for call in (plan.forward, plan.backward):
                for function in search.facts.functions.values():
                    if call is not None and function.name == call.function and function.owner in (None, plan.owner):
                        names = search.facts.reached(function) | {function.name}
                        ran |= {place_of(f.node) for f in search.facts.functions.values() if f.name in names}
    return ran
