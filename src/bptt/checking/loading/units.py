"""Which functions of a program belong together: forward and backward, in a class or not, or one that does both."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, replace

from bptt.checking.loading.closures import pullbacks
from bptt.checking.loading.facts import Facts, Function
from bptt.checking.loading.instances import feeders
from bptt.checking.loading.paths import Path
from bptt.checking.loading.scores import (
    BACKWARD,
    TRAIN,
    added_up,
    backward_score,
    cost_score,
    forward_score,
    returns_cost_and_gradients,
)
from bptt.checking.loading.script import STEP

KIN = 0.5  # how much a function must look like a forward pass that is named like the backward one


@dataclass(frozen=True)
class Unit:
    """Forward and backward that belong together; no ``backward`` where one function does both."""

    forward: Function
    backward: Function | None
    owner: str | None
    score: float
    forward_first: bool = True
    costs: tuple[Function, ...] = ()
    each: bool = False  # the forward takes one step at a time
    way_back: Path = ()  # where the backward stands in what the forward returns
    outputs: tuple[str, ...] = ()  # the axes of what a cost by itself takes, where they are known

    @property
    def target(self) -> str:
        """The argument that a cost compares with what the forward gives; nothing where their names leave it open."""
        given = {*self.forward.labels, *self.forward.arguments}
        for cost in self.costs:
            others = [a for a in cost.arguments if a not in given and a not in cost.defaults]
            known = self.backward is not None and len(others) == 1 and others[0] in self.backward.arguments
            if known and cost not in (self.forward, self.backward) and len(cost.arguments) > 1:
                return others[0]
        return ""


def units_of(facts: Facts, name: str | None = None) -> list[Unit]:
    """Return the pairs that may be meant, the likeliest first."""
    found: list[Unit] = []
    if STEP in facts.functions:
        return [Unit(facts.functions[STEP], None, None, 99.0, False, ())]
    scopes: list[tuple[str | None, dict[str, Function]]] = [(None, facts.plain())]
    scopes += [(owner, facts.methods(owner)) for owner in facts.classes]
    for owner, functions in scopes:
        found += _in_scope(facts, owner, functions)
    for way in pullbacks(facts):
        costs = tuple(u for u in facts.plain().values() if cost_score(u, facts) >= 2.0)[:5]
        found.append(Unit(way.forward, way.backward, way.forward.owner, way.score, costs=costs, way_back=way.place))
    for owner in facts.classes:  # a class that only runs forwards, and a function that takes its object backwards
        if not any(u.owner == owner for u in found):
            found += _in_scope(facts, owner, facts.methods(owner), facts.plain())
    if name:
        found = [u for u in found if _named(u, name)]
    # What runs the backward pass, and perhaps moves the weights by it, is no forward pass.
    found = [u for u in found if u.backward is None or u.backward.name not in facts.reached(u.forward)] or found
    return sorted((_before_its_layers(u, found, facts) for u in found), key=lambda u: -u.score)


def _before_its_layers(unit: Unit, units: list[Unit], facts: Facts) -> Unit:
    """Return a unit that comes before the layers that it is made of, if it is a whole model."""
    if unit.backward is None and not returns_cost_and_gradients(unit.forward):
        return unit
    back = facts.reached(unit.backward or unit.forward)
    reached = back | facts.reached(unit.forward)
    layers = [
        u.score + 0.5
        for u in units
        if u.backward and u.forward.name in reached and u.backward.name in back and not (unit.backward and u.owner)
    ]  # methods of one name are not told apart
    return replace(unit, score=max([unit.score, *layers]))


def callers_of(facts: Facts, unit: Unit) -> list[Unit]:
    """Return the functions that run both passes of a unit, and make the gradient that its backward is given."""
    if unit.backward is None:
        return []
    both = {unit.forward.name, unit.backward.name}
    found = [f for f in facts.functions.values() if both <= f.calls and f not in (unit.forward, unit.backward)]
    return [Unit(f, None, f.owner, unit.score, False, ()) for f in found]


def _named(unit: Unit, name: str) -> bool:
    names = {unit.owner, unit.forward.name, unit.forward.qualified}
    if unit.backward:
        names |= {unit.backward.name, unit.backward.qualified}
    if unit.owner and "." in name:
        names |= {f"{unit.owner}.{unit.forward.name}"}
        names |= {f"{unit.owner}.{unit.backward.name}"} if unit.backward else set()
    return name in names


def _in_scope(
    facts: Facts, owner: str | None, functions: dict[str, Function], others: dict[str, Function] | None = None
) -> list[Unit]:
    forwards = sorted(((forward_score(f, facts), f) for f in functions.values()), key=lambda x: -x[0])
    pool = functions if others is None else others
    backwards = sorted(((backward_score(f, facts), f) for f in pool.values()), key=lambda x: -x[0])
    costs = sorted(((cost_score(f, facts), f) for f in functions.values()), key=lambda x: -x[0])
    if owner:
        plain = [(cost_score(f, facts) - 0.5, f) for f in facts.plain().values()]
        costs += sorted(plain, key=lambda x: -x[0])
    chosen = tuple(f for score, f in costs if score >= 2.0)[:5]
    shift = _owner_score(facts, owner)
    out = []
    likely = [(*x, *y) for x in forwards[:6] for y in backwards[:5]]
    pairs = [(*x, *y) for x in forwards for y in backwards if kinship(x[1].name, y[1].name) > 1]
    likely += [pair for pair in pairs if pair not in likely]
    for fs, f, bs, b in likely:
        if f is not b and fs >= (KIN if kinship(f.name, b.name) > 1 else 1.0) and bs >= 1.5:
            inside = f.name in facts.reached(b) or (owner is not None and f"self.{f.name}" in b.text)
            score = fs + bs + shift + kinship(f.name, b.name)
            score += 0.5 * inside
            out.append(Unit(f, b, owner, score, not inside, chosen))
            if inside and len(b.arguments) and _takes_results(b, f):
                out.append(Unit(f, b, owner, score - 0.7, True, chosen))
    for bs, b in backwards[:5]:
        for fs, f in forwards:
            if f is b or fs >= 2.0 or bs < 1.5 or not _activates(f, facts):
                continue
            if f.name in b.calls and set(f.arguments) <= set(b.arguments) and re.search(r"\bfor\b", f.text):
                out.append(Unit(f, b, owner, 4.0 + bs + shift, False, chosen))  # a cost that is the forward as well
            elif fs < 1.0 and any(len(n) > 2 and n in b.arguments for n in f.labels):
                out.append(Unit(f, b, owner, 3.0 + bs + shift, True, chosen))  # its name tells nothing, its result does
    for pair in list(out):
        for c in chosen if not pair.forward_first else ():
            each = pair.backward is not None and _runs_each(pair.backward, pair.forward) and _runs_each(c, pair.forward)
            if each and pair.backward is not None and set(c.arguments) == set(pair.backward.arguments):
                out.append(replace(pair, forward=c, score=pair.score + 0.3))  # both over several examples
        for c in functions.values():
            if pair.backward is None or c in (pair.forward, pair.backward) or c.name.startswith("__"):
                continue
            if {pair.forward.name, pair.backward.name} <= c.calls:
                step = not re.search(r"\bfor\b|\bwhile\b", pair.backward.text) or _steps_through(c, pair)
                trains = bool(re.search(TRAIN + "|step|process|epoch", c.name, re.I)) or c.updates_weights
                out.append(Unit(c, None, owner, pair.score + 1.5 * step - 1.0 - 1.5 * trains, False, chosen))
    for f in feeders(functions, facts) if owner else []:
        for b in functions.values():
            names = facts.reached(b) | {b.name}
            learns = any(_adds_products(x) for x in facts.functions.values() if x.name in names)
            moves = b.updates_weights and not (b.has_backward_loop and f.name not in names)
            if b is not f and learns and b.arguments and not b.name.startswith("__") and not moves:
                out.append(Unit(f, b, owner, 6.0 + shift, True, chosen, True))
    for bs, b in backwards[:5] if others is None else []:
        if bs >= 1.5 and (_does_both(b, facts) or not out):
            score = bs + 2.5 + shift - 1.0 * bool(re.search(BACKWARD, b.name, re.I))
            score += 1.5 * returns_cost_and_gradients(b) + 1.0 * (
                _does_both(b, facts) and any(f.name in b.calls for _, f in forwards[:6])
            )
            out.append(Unit(b, None, owner, score, False, chosen))
    return out


def _activates(function: Function, facts: Facts) -> bool:
    """Tell whether a function, or one that it calls, holds an activation."""
    return re.search(r"tanh|sigm|exp\(|relu", facts.text_around(function)) is not None


def _takes_results(backward: Function, forward: Function) -> bool:
    return any(name in forward.labels for name in backward.arguments)


def kinship(forward: str, backward: str) -> float:
    """Return how much two names are a pair: lstm_cell_forward and lstm_cell_backward, not gru_backward."""
    first = re.sub(r"forward|fwd|forw|feed", "", forward.lower()).strip("_")
    second = re.sub(r"backward|bwd|backprop(agation|agate)?|back|bptt", "", backward.lower()).strip("_")
    if first == second:
        return 1.5
    return 0.3 if first in second or second in first else -2.0


def _runs_each(function: Function, forward: Function) -> bool:
    """Tell whether a function runs the forward on each of several examples."""
    for loop in (n for n in ast.walk(function.node) if isinstance(n, ast.For)):
        each = {n.id for n in ast.walk(loop.target) if isinstance(n, ast.Name)}
        calls = (n for n in ast.walk(loop) if isinstance(n, ast.Call))
        given = {a.id for c in calls if ast.unparse(c.func).split(".")[-1] == forward.name
                 for a in c.args if isinstance(a, ast.Name)}  # fmt: skip
        if each & given:
            return True
    return False


def _does_both(function: Function, facts: Facts) -> bool:
    """Tell whether a function runs forwards as well as backwards: by its text, or by what it returns."""
    if returns_cost_and_gradients(function):
        return True
    loops = [n for n in ast.walk(function.node) if isinstance(n, ast.For)]
    forwards = [n for n in loops if not re.search(r"reversed|, -1, -1\)|::-1", ast.unparse(n.iter))]
    reached = facts.reached(function)
    texts = [function.text, *(f.text for f in facts.functions.values() if f.name in reached)]
    activates = any(re.search(r"tanh\(|sigmoid\(|relu\(|exp\(", text) for text in texts)
    assigns = re.search(r"loss|cost|error|err\b|p\[t\]|ps\[t\]|probs|y_hat|y_pred|pred|out", function.text) is not None
    return (
        bool(forwards)
        and (activates or bool(re.search(r"forw", function.text)))
        and (assigns or any(added_up(function, loop) for loop in forwards))
        and (function.has_backward_loop or len(loops) > 1)
    )


def _steps_through(function: Function, pair: Unit) -> bool:
    """Tell whether a function has a loop that goes backwards step by step: with the backward in it, not the forward."""
    names = [
        {ast.unparse(n.func).split(".")[-1] for n in ast.walk(loop) if isinstance(n, ast.Call)}
        for loop in ast.walk(function.node) if isinstance(loop, ast.For | ast.While)
    ]  # fmt: skip
    return pair.backward is not None and any(
        pair.backward.name in called and pair.forward.name not in called for called in names
    )


def _adds_products(function: Function) -> bool:
    """Tell whether a function adds up gradients: by their names, or by products that are added to something."""
    added = re.findall(r"\+= .*(?:outer\(|dot\(|@)", function.text)
    return function.makes_gradients or len(added) > 1


def _owner_score(facts: Facts, owner: str | None) -> float:
    """Return how much a class is the whole network rather than a part of another."""
    if owner is None:
        return 0.2
    score = 0.0
    for other, node in facts.classes.items():
        if other == owner:
            continue
        made_here = re.search(rf"\b{owner}\(", ast.unparse(node)) is not None
        makes = re.search(rf"\b{other}\(", ast.unparse(facts.classes[owner])) is not None
        score += 1.5 * makes - 2.5 * made_here
        score += 0.0 if owner not in facts.bases.get(other, []) else -1.0
    if re.search(
        r"optimi[sz]er|adam|sgd|dataset|loader|loss|dense|linear|softmax|embedding|dropout|cell$|neuron|layer$",
        owner,
        re.I,
    ):
        score -= 1.5
    if re.search(r"rnn|lstm|gru|recurrent|elman|network|model", owner, re.I):
        score += 0.7
    return score
