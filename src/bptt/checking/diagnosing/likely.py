"""The changes of a program that may be right, the likeliest first: edits of statements, and changes of form.

How likely a change is, is told by how far it is from the text, and by which gradients move with its statement.
"""

from __future__ import annotations

import ast
import difflib
import heapq
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from bptt.checking.diagnosing.by_edit import recognised
from bptt.checking.diagnosing.missing_sums import missing_sums
from bptt.checking.diagnosing.roles import judge
from bptt.checking.diagnosing.scalings import scalings
from bptt.checking.diagnosing.suspects import Suspect, backward_functions, forgotten, suspects, unlike_the_others
from bptt.checking.program import Sizes
from bptt.checking.repairing.alternatives import Alternative, alternatives
from bptt.checking.repairing.exchange import Exchange
from bptt.checking.repairing.leaves import enclosing
from bptt.checking.repairing.lines_to_add import (
    lines_of_other_gates,
    lines_that_carry,
    lines_that_mask,
    lines_that_move,
)
from bptt.checking.repairing.nodes import place_of, targets_of
from bptt.checking.repairing.own_arrays import copies
from bptt.checking.repairing.restructuring import Restructuring
from bptt.checking.repairing.structure import restructurings
from bptt.checking.repairing.terms import Stack, Term

if TYPE_CHECKING:
    from bptt.checking.diagnosing.judging import Judging

TRIES = 1800
"""Changes that are tried on top of one state at most."""
ALIKE = 0.75
"""Two texts that differ by a slip of the pen."""
NEAREST = 0.2
"""The least that an edit costs."""
DOUBT = 0.8
"""What a change costs that leaves a wrong gradient as it is."""
SPOILS = 1.5
"""What a change costs of a statement that a right gradient changes with."""
TRUE = 0.8
"""How much likelier an edit is that gives a true quantity."""
RIGHT = 1.0
"""What a change costs more of a statement that is right with true values above it."""
UNLIKE = 0.5
"""How much likelier a change is of a move of weights that has another sign than all the others."""
KINDS = (
    ("minus one", 1.1), ("in one step", 1.2), ("called as", 0.8), ("masked", 1.2), ("another like", 1.3),
    ("added up in", 1.0), ("never moved", 0.9), ("comes twice", 1.2), ("at every step", 0.9), ("at one step only", 1.0),
    ("a gate", 1.0), ("perhaps", 1.4), ("a copy", 0.9), ("a new array", 0.8), ("filled in place", 0.9),
    ("begun with", 1.0), ("goes past", 1.1), ("begun anew", 0.9), ("with `", 1.2), ("comes through", 1.0),
    ("instead of", 1.0), ("return", 1.2), ("step", 1.3), ("time", 1.3), ("handed on", 1.2), ("goes back", 2.0),
    ("other's target", 1.2),
    ("set to zero", 1.6), ("of its own", 1.4), ("into ", 1.2), ("line", 2.0), ("left out", 2.4),
)  # fmt: skip
"""What a change of form costs, by what it says that it does."""


class Likely:
    """The changes of one program."""

    def __init__(self, judging: Judging, exchange: Exchange, short: Sizes | None) -> None:
        self.judging, self.exchange = judging, exchange
        self.suspects = suspects(judging, short)
        self._moves = {place_of(suspect.statement): suspect.moves for suspect in self.suspects}
        self.forgotten = forgotten(judging)
        self._right = _right_units(judging)
        self.backward = backward_functions(judging)
        self.unlike = {place_of(s) for f in self.backward for s in unlike_the_others(f)}
        self.raises = any(event.error is not None for event in judging.natural.order)
        self._edits: dict[int, list[Alternative]] = {}

    def changes(
        self,
        wrong: set[str],
        right_at_once: set[str],
        delivered: bool,
        alone: bool = False,
        within: Callable[[ast.stmt], bool] = lambda statement: True,
    ) -> Iterator[tuple[float, Alternative]]:
        """Yield the single changes with their rank, the likeliest first.

        Parameters
        ----------
        wrong, right_at_once : set of str
            The gradients that are wrong, and those that are right where there is one step.
        delivered : bool
            Whether the program delivers gradients as it is; else it raises.
        alone : bool
            Whether only changes are wanted that can move every wrong gradient.
        within : callable
            Chooses the statements.
        """
        right = {id(suspect) for suspect in self.suspects if set(suspect.units) <= self._right}
        queue: list[tuple[float, int, Alternative | Suspect]] = []
        for suspect in self.suspects:
            moves = suspect.moves
            if not within(suspect.statement):
                continue
            doubt = 0.0 if suspect.raises or delivered else DOUBT
            held = RIGHT * (id(suspect) in right) - UNLIKE * (place_of(suspect.statement) in self.unlike)
            if delivered and (moves or not self.raises):  # what moves nothing may only come to nothing where it raises
                if not moves & wrong or (alone and not wrong <= moves):
                    continue
                spoils = bool(moves - wrong) * (DOUBT if suspect.vague else SPOILS)
                doubt = DOUBT * len(wrong - moves) / len(wrong) + spoils
                doubt += DOUBT * bool(suspect.moves_short & right_at_once)
            queue.append((doubt + held + NEAREST, len(queue), suspect))
        for alternative in (*self._forms, *scalings(self.judging, self.suspects, wrong)):
            known = self._moves.get(place_of(alternative.statement), set())
            if not within(alternative.statement):
                continue
            # what goes nowhere may belong somewhere, and a new line moves what it is written for
            moved = bool(known) and not alternative.what.startswith(("into ", "never added to", "never moved"))
            if moved and delivered and (not known & wrong or (alone and not wrong <= known)):
                continue
            queue.append((alternative.cost, len(queue), alternative))
        heapq.heapify(queue)
        tries, count = 0, len(queue)
        while queue and tries < TRIES:
            rank, _, one = heapq.heappop(queue)
            if isinstance(one, Alternative):
                tries += 1
                yield rank, one
                continue
            for alternative in self._edits_of(one):  # made only now that its turn comes
                count += 1
                nearer = RIGHT * (alternative.true and id(one) in right)  # another true quantity than it computes
                heapq.heappush(queue, (alternative.cost + rank - NEAREST - nearer, count, alternative))

    def _edits_of(self, suspect: Suspect) -> list[Alternative]:
        key = id(suspect)
        if key not in self._edits:
            program = self.judging.program
            found = alternatives(
                suspect.statement,
                suspect.environments,
                code=program.code,
                tree=program.tree,
                forgotten=self.forgotten,
                reshaping=self.raises,
                likelier=lambda old, new: self._speaks_for(suspect, old, new),
            )
            self.exchange.offer(suspect.statement, [(a.changes[0], a.text) for a in found])
            self._edits[key] = found
        return self._edits[key]

    def _speaks_for(self, suspect: Suspect, old: Term, new: Term) -> float:
        """Return how much speaks for an edit: what it gives is a true quantity, in step with the loop."""
        unit = self.judging.units[suspect.units[0]]
        if isinstance(new.value, tuple) and old.op == new.op:  # several at once: a dict, a tuple
            changed = [b.value for a, b in zip(old.args, new.args, strict=False) if a is not b]
            known = [isinstance(v, Stack) and self._all_known(v) for v in changed]
            return TRUE / 2 if known and all(known) else 0.0
        if len(suspect.units) > 1 or unit.part is not None or unit.number in self.judging.mixed:
            return 0.0
        role, whole = recognised(self.judging, unit, suspect.events, new)
        return 0.0 if role is None else TRUE if whole else TRUE / 2

    def _all_known(self, value: Stack) -> bool:
        """Tell whether numbers are a true quantity at every execution."""
        bank = self.judging.bank
        return value.ndim > 0 and all(
            any(bank.series[m.series].kind != "value" for m in bank.look(one)) for one in value.data
        )

    def uses_forgotten(self, alternative: Alternative) -> bool:
        """Tell whether a change reads a variable that nothing reads in their text."""
        if not self.forgotten or not alternative.text:
            return False
        new = {n.id for n in ast.walk(ast.parse(alternative.text)) if isinstance(n, ast.Name)}
        old = {n.id for n in ast.walk(alternative.statement) if isinstance(n, ast.Name)}
        return bool(new & self.forgotten - old)

    @cached_property
    def _forms(self) -> list[Alternative]:
        program = self.judging.program
        code = program.code
        forms: list[Restructuring] = []
        for function in self.backward:
            forms += restructurings(code, program.tree, function)
            forms += lines_of_other_gates(code, program.tree, function)
            forms += lines_that_move(code, program.tree, function)
        run = {unit.function.split(".")[-1] for unit in self.judging.units}
        known = {id(f) for f in self.backward}
        for node in ast.walk(program.tree):
            if isinstance(node, ast.FunctionDef) and id(node) not in known and node.name in run:
                forms += copies(code, node)
        last = {(s.function, ast.unparse(t)): s for s in self.suspects for t in targets_of(s.statement)}
        for suspect in {id(s): s for s in last.values() if s.environments}.values():
            forms += lines_that_mask(code, suspect.statement, suspect.environments[-1])
            around = enclosing(program.tree, suspect.statement)
            if around is not None:
                forms += lines_that_carry(code, around, suspect.statement, suspect.environments[-1])
        found = [Alternative(form.changes, _cost_of(form), form.statement, what=form.what) for form in forms]
        return [*missing_sums(self.judging), *found]


def _right_units(judging: Judging) -> set[int]:
    """Return the units that, given true values, compute the true quantity that they are recognised as."""
    if judging.factor is not None:
        return set()
    run, _, _ = judging.run(judging.roles)
    usual = (1.0, judging.scale, judging.working)
    return {
        number
        for number, role in judging.roles.items()
        if role.evidence in ("value", "sink")
        and role.sign in usual
        and run.events.get(number)
        and not judge(judging.units[number], role, run.events[number])
    }


def _cost_of(form: Restructuring) -> float:
    if form.what.startswith("into ") and targets_of(form.statement):
        old, new = ast.unparse(targets_of(form.statement)[0]), form.what.removeprefix("into ")
        if difflib.SequenceMatcher(None, old, new).ratio() > ALIKE:
            return 0.8  # a slip of the pen
    return next((cost for word, cost in KINDS if word in form.what), 2.0)
