"""The search for right expressions: single edits first, then enumerated ones, each stage wider than the one before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np

from bptt.checking.repairing.edits import (
    activated,
    combinations,
    composed,
    derivatives,
    everywhere,
    places,
    shifts,
    subterms,
    variants,
    without_slope,
)
from bptt.checking.repairing.enumeration import Pool
from bptt.checking.repairing.goals import Goal, Sign, part_goals
from bptt.checking.repairing.leaves import ATOMS, Leaf
from bptt.checking.repairing.ranking import Ranking
from bptt.checking.repairing.reading import Parsed
from bptt.checking.repairing.samples import Budget
from bptt.checking.repairing.slicing import slices
from bptt.checking.repairing.terms import Stack, Term, Terms
from bptt.checking.repairing.together import promising

NEAR = 3.0  # an edit of this cost is near enough: nothing further is searched
OTHER_SIGN = 1.0
HITS = 40  # of one goal in one way
SWEEP = 100  # what one look for a goal costs, in candidates
WIDTHS = ((120, 600), (300, 1500))  # of the pairs that are tried: (one side, the other side)


class Search:
    """All expressions that were found to meet a statement's goal, with their costs."""

    def __init__(
        self,
        terms: Terms,
        parsed: Parsed | None,
        sign: str,
        goals: dict[Sign, Goal],
        leaves: Sequence[Leaf],
        budget: Budget,
        functions: tuple[list[Term], Term],
    ) -> None:
        self.terms = terms
        self.parsed = parsed
        self.sign = sign
        self.goals = goals
        self.leaves = leaves
        self.functions, self.hole = functions
        self.budget = budget
        self.ranking = Ranking(terms, parsed.term if parsed else None, {leaf.term: leaf.rank for leaf in leaves})
        self.atoms = [leaf.term for leaf in leaves if leaf.term.op in ATOMS]
        self.simple = [leaf.term for leaf in leaves] + [
            derivative for atom in self.atoms if activated(atom) for derivative in derivatives(terms, atom)
        ]
        self.found: dict[tuple[Sign, Term], float] = {}
        self._pool = Pool(terms, budget.pool)
        self._variables = Pool(terms, budget.pool)
        for atom in self.atoms:
            self._variables.add(atom, 0.0)

    @property
    def best(self) -> float:
        """The lowest cost that was found."""
        return min(self.found.values(), default=float("inf"))

    def run(self) -> None:
        """Search until something near is found, everything was tried, or the budget is spent."""
        if self.parsed is not None:
            self._single_edits(self.parsed)
        if self.best > NEAR:
            self._enumerate()

    def _keep(self, new: Iterable[Term], only: Sign | None = None) -> None:
        for term in new:
            for sign, goal in self.goals.items():
                if only in (None, sign) and (sign, term) not in self.found and goal.met(term):
                    cost = self.ranking.cost(term) + (0.0 if sign == self.sign else OTHER_SIGN)
                    self.found[sign, term] = cost

    def _single_edits(self, parsed: Parsed) -> None:
        """Try every change of one place of the expression, and of one variable in all places."""
        terms, start = self.terms, self.terms.evaluated
        self._keep([parsed.term])
        self._keep(shifts(terms, parsed))
        self._keep(without_slope(terms, parsed))
        for way, parts in slices(terms, parsed, [leaf.term for leaf in self.leaves]):
            self._keep(promising(terms, way, parts, self.goals.values()))
        self._keep(everywhere(terms, parsed.term, self.atoms))
        self._keep(composed(terms, parsed.term, self.functions, self.hole))
        wanted: dict[int, list[tuple[Sign, Goal]]] = {}
        for sign, full in self.goals.items():
            for part, goal in part_goals(terms, parsed, full, lambda term: term):
                wanted.setdefault(id(part), []).append((sign, goal))
        for way in places(parsed):
            if not self.budget.left:
                return
            if any(p.term.op in ("item", "slice") and part is not p.parts[0] for p, part in pairwise(way)):
                continue  # an index: shifts() moves it
            here = way[-1].term
            opaque = any(parent.term.op in ("call", "if") for parent in way[:-1])
            fills = dict.fromkeys(variants(terms, here))
            fills.update(dict.fromkeys(term for term in self.simple if _may_stand_for(term, here)))
            known = wanted.get(id(way[-1]), ())
            for _, goal in known:
                fills.update(dict.fromkeys(self._completed(here, goal)))
            shape = known[0][1].shape if known else None
            whole = isinstance(here.value, Stack) and here.value.shape == shape
            for atom in self.atoms if not opaque or way[-2].term.op == "call" else []:
                fills.update(dict.fromkeys(combinations(terms, here, atom, shape)))
            unknown: list[Term] = []
            for new in fills:
                if new.value is None:
                    continue
                if known and (
                    whole or not _spreads(new, known[0][1])
                ):  # what is wanted here is known: no need for the rest
                    for sign, goal in known:
                        if goal.met(new):
                            self._keep([goal.finish(new)], only=sign)
                elif not (opaque and _reshaped(here, new)):
                    unknown.append(new)
            for new in promising(terms, way, unknown, self.goals.values()):
                self._keep([new])
        self.budget.spend(self.terms.evaluated - start)

    def _completed(self, term: Term, goal: Goal) -> Iterator[Term]:
        """Yield the term with one variable added, subtracted, multiplied or divided by that makes it the goal."""
        value, wanted, make = term.value, goal.value, self.terms.make
        if not isinstance(value, Stack) or value.data.shape != wanted.shape:
            return
        mine = value.data
        for op, first, missing in (
            ("+", True, wanted - mine),
            ("-", True, mine - wanted),
            ("-", False, wanted + mine),
            ("*", True, wanted / mine),
            ("/", True, mine / wanted),
        ):
            for atom in self._variables.among(goal.shape, missing.reshape(-1)):
                yield make(op, term, atom) if first else make(op, atom, term)

    def _enumerate(self) -> None:
        """Search the goal of the whole and of every part among enumerated expressions."""
        terms, pool = self.terms, self._pool
        seeds: dict[Term, bool] = {}
        for part in dict.fromkeys(subterms(self.parsed.term)) if self.parsed else []:
            if part.args and part.op not in ATOMS:
                seeds.update(dict.fromkeys(everywhere(terms, part, self.atoms), False))
                seeds[part] = True
        pool.grow(self.leaves, seeds, {goal.shape for goal in self.goals.values()}, self.budget)
        own = [(s, g) for s, _, g in self._part_goals() if s == self.sign]
        others = [(s, g) for s, _, g in self._part_goals() if s != self.sign]
        near, wide = WIDTHS
        if self._meet(own, [pool.equal, lambda goal: pool.pairs(goal, *near)], enough=6.0):
            return
        if self._meet(others, [pool.equal, lambda goal: pool.pairs(goal, *near)], enough=6.0):
            return
        if self._meet(own, [lambda goal: pool.pairs(goal, *wide)], enough=8.0):
            return
        for top in (0, 8, 30):
            rest: list[tuple[Sign, Goal]] = []
            for sign, term, goal in self._part_goals() if not top else self._whole_goals():
                if sign != self.sign:
                    continue
                beside = _addends(term, goal) if not top else pool.cheapest(goal.shape, top) + pool.cheapest((), top)
                rest += [(sign, missing) for missing in pool.residuals(goal, beside)]
            if self._meet(rest, [pool.equal, lambda goal: pool.pairs(goal, *near)], enough=12.0):
                return
        pool.grow_products(self.budget)
        self._meet(own, [pool.equal, lambda goal: pool.pairs(goal, *near)], enough=12.0)

    def _whole_goals(self) -> list[tuple[Sign, Term | None, Goal]]:
        term = self.parsed.term if self.parsed else None
        return [(sign, term, goal) for sign, goal in self.goals.items()]

    def _part_goals(self) -> list[tuple[Sign, Term | None, Goal]]:
        """Return what is wanted of every part of their expression, with the part as it is."""
        parsed = self.parsed
        if parsed is None:
            return self._whole_goals()
        return [
            (sign, part.term, wanted)
            for sign, goal in self.goals.items()
            for part, wanted in part_goals(self.terms, parsed, goal, lambda term: term)
        ]

    def _meet(
        self, wanted: list[tuple[Sign, Goal]], ways: Sequence[Callable[[Goal], Iterable[Term]]], enough: float
    ) -> bool:
        """Keep what meets the goals; return whether something was found that is near enough (or no time is left)."""
        for sign, goal in wanted:
            for way in ways:
                if not self.budget.left:
                    return True
                met = 0
                self.budget.spend(SWEEP)
                for term in way(goal):
                    self.budget.spend()
                    if goal.met(term):
                        self._keep([goal.finish(form) for form in self._pool.forms(term)], only=sign)
                        met += 1
                    if met >= HITS:
                        break
                if met:  # two terms that make it are then made of it
                    break
        return self.best <= enough


def _addends(term: Term | None, goal: Goal) -> list[Term]:
    """Return an expression of theirs and what its sums are made of, as far as it has the goal's shape."""
    found: dict[Term, None] = {}
    queue = [term] if term is not None else []
    while queue:
        one = queue.pop(0)
        if isinstance(one.value, Stack) and one.value.shape == goal.shape and np.isfinite(one.value.data).all():
            found[one] = None
        if one.op in ("+", "-"):
            queue += one.args
    return list(found)


def _may_stand_for(new: Term, old: Term) -> bool:
    """Whether a variable may be tried in the place of a part: where both have values, the shapes must agree."""
    if not isinstance(old.value, Stack):
        return True
    return isinstance(new.value, Stack) and new.value.shape == old.value.shape


def _spreads(new: Term, goal: Goal) -> bool:
    """Whether a term is smaller than the goal and would be broadcast: a number, a bias."""
    shape = new.value.shape if isinstance(new.value, Stack) else goal.shape
    return shape != goal.shape and len(shape) <= len(goal.shape) and all(n == 1 for n in shape if n not in goal.shape)


def _reshaped(old: Term, new: Term) -> bool:
    return isinstance(old.value, Stack) and (not isinstance(new.value, Stack) or new.value.shape != old.value.shape)
