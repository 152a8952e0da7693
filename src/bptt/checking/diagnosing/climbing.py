"""Mend a program by its gradients alone: change after change, each making more of them right than before.

Where forced execution knows what a statement should compute, :mod:`bptt.checking.diagnosing.mending` asks for exactly
that.  This needs no such knowledge: it tries the single edits of every statement and the changes of form, nearest to
the text first, and the numeric gradients judge.  Two sizes are looked at: at T_x = 1 nothing comes from the future,
so that a fault of one step shows by itself.
"""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bptt.checking.diagnosing.likely import Likely
from bptt.checking.diagnosing.trials import State, Trials
from bptt.checking.repairing import patch
from bptt.checking.repairing.alternatives import Alternative
from bptt.checking.repairing.nodes import place_of
from bptt.checking.repairing.prove import Proof, minimise, prove
from bptt.checking.repairing.prove import Truth as Slopes

if TYPE_CHECKING:
    from bptt.checking.diagnosing.judging import Judging

DEPTH = 4
STATES = 4500
"""Changed programs that are run at most; on the development programs, no fix that was found took 3000."""
FEWER = 1000
"""So many more are run to find fewer changes than were found."""
BRANCHES = 2
"""Of the changes that help, so many are gone on from."""
SHARE = 0.6
"""The part of what may still be run that the first of several ways gets."""
NEARER = 0.2
"""What a gradient is worth that comes to point the true way, against what a change costs."""
NEAR = 0.6
"""How much less likely a change may be than one that helps, to be tried as well."""
SIGNS = ("+= instead of -=", "-= instead of +=")


@dataclass
class Climbed:
    """Changes that make every gradient right, proven."""

    changes: list[Alternative]
    proof: Proof


class Climbing:
    """The search for the changes of one program."""

    def __init__(self, judging: Judging, slopes: Slopes, deadline: float | None) -> None:
        self.judging, self.slopes, self.deadline = judging, slopes, deadline
        self.trials = Trials(judging, slopes)
        short = self.trials.sizes[self.trials.short] if len(self.trials.sizes) > 1 else None
        self.likely = Likely(judging, judging.exchange, short)
        self.refused: set[tuple[patch.Change, ...]] = set()
        self.best = self.trials.base
        self._until = float(STATES)
        self._depth = DEPTH

    def single(
        self,
        limit: float = float("inf"),
        within: Callable[[ast.stmt], bool] = lambda statement: True,
        accept: Callable[[Alternative], bool] = lambda alternative: True,
        most: int = STATES,
    ) -> Climbed | None:
        """Return the one change that makes every gradient right, if there is one of at most this rank.

        ``within`` chooses the statements that are looked at, ``accept`` the changes; ``most`` are run.
        """
        before = self.trials.count
        for rank, alternative in self._changes(self.trials.base, True, within):
            if self._late or rank > limit or self.trials.count - before > most:
                return None
            if not accept(alternative):
                continue
            tried = self.trials.state([alternative], self.trials.base)
            if self.trials.all_right(tried) and (done := self.proven(tried.changes)) is not None:
                return done
        return None

    def climb(self, given: Sequence[Alternative]) -> Climbed | None:
        """Return changes that make every gradient right, found one after the other.

        Parameters
        ----------
        given : sequence of Alternative
            What makes one statement right, as forced execution knows; it is tried first.
        """
        given = sorted(given, key=lambda one: place_of(one.statement) not in self.likely.unlike)
        for _ in range(3):
            sizes = len(self.trials.sizes)
            found = self._climb(given)
            if found is not None or len(self.trials.sizes) == sizes or self._late:
                return found
        return None

    def fewer(self, found: Climbed) -> Climbed:
        """Return fewer changes that make every gradient right, if a short search without what was given finds them."""
        if len(found.changes) < 3:
            return found
        self._until, self._depth = self.trials.count + FEWER, len(found.changes) - 1
        return self._climb_from(self.trials.base) or found

    def _climb(self, given: Sequence[Alternative]) -> Climbed | None:
        state = self._together(given)
        if state is not self.trials.base and (found := self._climb_from(state)) is not None:
            return found
        state = self._running(self.trials.base, given)
        for statement in dict.fromkeys(id(one.statement) for one in given):
            tries = [self._step(state, one) for one in given if id(one.statement) == statement]
            better = [tried for tried in tries if tried is not None and tried.right > state.right]
            state = max(better, key=lambda tried: len(tried.right), default=state)
        found, base = self._climb_from(state), self.trials.base
        return found or (self._climb_from(base) if state is not base and not base.raises else None)

    def _climb_from(self, state: State) -> Climbed | None:
        """Go on from a state, by the change that helps most; by the next one where that leads nowhere."""
        if (len(self.best.right), self.best.near) < (len(state.right), state.near):
            self.best = state
        if self.trials.all_right(state) and (done := self.proven(state.changes)) is not None:
            return done
        if len(state.changes) >= self._depth:
            return None
        done, ways = self.ways(state)
        if done is not None:
            return done
        until = self._until
        for turn, tried in enumerate(ways, 1):
            self._until = self.trials.count + (until - self.trials.count) * (SHARE if turn < len(ways) else 1.0)
            if (done := self._climb_from(tried)) is not None:
                return done
        self._until = until
        return None

    def ways(self, state: State) -> tuple[Climbed | None, list[State]]:
        """Return the change that makes all right, if there is one, and else the states of those that help most."""
        helping: list[State] = []
        limit, sizes = float("inf"), len(self.trials.sizes)
        state = self.trials.state(state.changes)
        for rank, alternative in self._changes(state):
            if self._late:
                return None, []
            if len(self.trials.sizes) != sizes:  # one more was learnt
                sizes, state = len(self.trials.sizes), self.trials.state(state.changes)
            if rank > limit:
                break
            tried = self._step(state, alternative)
            if tried is None or not tried.right > state.right:
                continue
            if self.trials.all_right(tried):
                done = self.proven(tried.changes)
                if done is not None:
                    return done, []
                tried = self.trials.state(tried.changes)
            helping.append(tried)
            limit = min(limit, rank + NEAR)
        best: dict[int, State] = {}  # of each statement
        for tried in sorted(helping, key=lambda tried: _gain(tried, state), reverse=True):
            best.setdefault(id(tried.changes[-1].statement), tried)
        return None, list(best.values())[:BRANCHES]

    def _together(self, given: Sequence[Alternative]) -> State:
        """Return the state of the first change for each statement, if that is better than theirs.

        Where more than one line raises, none of them helps alone.
        """
        first: dict[int, Alternative] = {}
        for alternative in given:
            first.setdefault(id(alternative.statement), alternative)
        if len(first) < 2:
            return self.trials.base
        state = self.trials.state(list(first.values()), self.trials.base)
        return state if state.right > self.trials.base.right else self.trials.base

    def _running(self, state: State, given: Sequence[Alternative]) -> State:
        """Return a state that runs through: line after line that raises is changed, as far as that is possible."""
        while state.raises and len(state.changes) < DEPTH:
            best: State | None = None
            limit = float("inf")
            here = [a for a in given if _spans(a.statement, state.raises)]
            others = self._changes(state, within=lambda s, line=state.raises: _spans(s, line))  # type: ignore[misc]
            for rank, alternative in (*((0.0, a) for a in here), *others):
                if rank > limit or self._late:
                    break
                tried = self._step(state, alternative)
                if tried is None or tried.raises == state.raises:
                    continue
                if best is None or (tried.delivered, len(tried.right)) > (best.delivered, len(best.right)):
                    best, limit = tried, min(limit, rank + NEAR)
            if best is None:
                return state
            state = best
        return state

    def _step(self, state: State, alternative: Alternative) -> State | None:
        if any(_overlap(alternative, other) for other in state.changes):
            return None
        return self.trials.state([*state.changes, alternative], state)

    def _changes(
        self, state: State, alone: bool = False, within: Callable[[ast.stmt], bool] = lambda statement: True
    ) -> Iterator[tuple[float, Alternative]]:
        right_at_once = self.trials.whole(state, self.trials.short)
        return self.likely.changes(self.trials.wrong(state), right_at_once, state.delivered, alone, within)

    @property
    def _late(self) -> bool:
        return self.trials.count > self._until or (self.deadline is not None and time.monotonic() > self.deadline)

    def proven(self, changed: Sequence[Alternative]) -> Climbed | None:
        """Return changes with their proof, without those that are not needed; None where they are not proven."""
        program, slopes = self.judging.program, self.slopes
        changes = [change for alternative in changed for change in alternative.changes]
        key = tuple(changes)
        if key in self.refused:
            return None
        self.refused.add(key)
        proof = prove(program, patch.patched_code(program, changes), seed=slopes.seed, truth=slopes)
        if not proof.ok:
            self.trials.learn(changes)
            return None
        kept = list(changed)
        if len(kept) > 1:
            needed = set(minimise(program, changes, slopes.seed, truth=slopes))
            kept = [a for a in changed if set(a.changes) & needed]
        if len(kept) < len(changed):
            changes = [c for a in kept for c in a.changes]
            proof = prove(program, patch.patched_code(program, changes), seed=slopes.seed, truth=slopes)
            if not proof.ok:
                return None
        for fewer in _without_a_sign(program.code, kept):  # two signs that only make up for one another
            if (found := self.proven(fewer)) is not None:
                return found
        return Climbed(kept, proof)


def _without_a_sign(code: str, kept: list[Alternative]) -> Iterator[list[Alternative]]:
    """Yield changes without one of a sign, and with another statement's sign as it was in their text."""
    for sign in (one for one in kept if one.what in SIGNS):
        others = [one for one in kept if one is not sign]
        for place, other in enumerate(others):
            node = other.statement
            own = {ast.Add: "+=", ast.Sub: "-="}.get(type(node.op)) if isinstance(node, ast.AugAssign) else None
            opposite = {"+=": "-=", "-=": "+="}.get(own or "", "")
            if own and opposite in other.text:
                text = other.text.replace(opposite, own, 1)
                mended = Alternative((patch.replace(code, node, text),), other.cost, node, text)
                yield [*others[:place], mended, *others[place + 1 :]]


def _spans(statement: ast.stmt, line: int) -> bool:
    return statement.lineno <= line <= (statement.end_lineno or statement.lineno)


def _gain(state: State, before: State) -> tuple[int, float]:
    """Order the changes that help: by what becomes right, then by what comes nearer, then by how small they are."""
    nearer = NEARER * (state.near - before.near)
    return len(state.right - before.right), nearer - state.changes[-1].cost


def _overlap(a: Alternative, b: Alternative) -> bool:
    for x in a.changes:
        for y in b.changes:
            if (x.whole and x.kind == "insert") or (y.whole and y.kind == "insert"):
                continue
            if (x.line, x.column) < (y.end_line, y.end_column) and (y.line, y.column) < (x.end_line, x.end_column):
                return True
    return False
