"""Mend a program by its gradients alone: change after change, each making more of them right than before.

Where forced execution knows what a statement should compute, :mod:`bptt.checking.diagnosing.mending` asks for exactly
that.  This needs no such knowledge: it tries the single edits of every statement and the changes of form, nearest to
the text first, and the numeric gradients judge.  Two sizes are looked at: at T_x = 1 nothing comes from the future,
so that a fault of one step shows by itself.
"""

from __future__ import annotations

import ast
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bptt.checking.diagnosing.likely import Likely
from bptt.checking.diagnosing.pieces import Pieces
from bptt.checking.diagnosing.verdict import right_gradients
from bptt.checking.loading.namespace import PROGRAM
from bptt.checking.program import Sizes
from bptt.checking.repairing import patch
from bptt.checking.repairing.alternatives import Alternative
from bptt.checking.repairing.prove import PROOF_SIZES, Proof, minimise, prove
from bptt.checking.repairing.prove import Truth as Slopes
from bptt.dims import Array

if TYPE_CHECKING:
    from bptt.checking.diagnosing.judging import Judging

DEPTH = 4
STATES = 4500
"""Changed programs that are run at most; on the development programs, no fix that was found took 3000."""
NEAR = 0.6
"""How much less likely a change may be than one that helps, to be tried as well."""

Right = frozenset[tuple[int, str, int]]
"""What is right: the number of the size, the gradient, the number of the piece of it."""


@dataclass
class Climbed:
    """Changes that make every gradient right, proven."""

    changes: list[Alternative]
    proof: Proof


@dataclass
class _State:
    changes: list[Alternative] = field(default_factory=list)
    right: Right = frozenset()
    delivered: bool = False
    raises: int = 0
    """The line of theirs that raised, or 0."""

    @property
    def text_changes(self) -> list[patch.Change]:
        return [change for alternative in self.changes for change in alternative.changes]


class Climbing:
    """The search for the changes of one program."""

    def __init__(self, judging: Judging, slopes: Slopes, deadline: float | None) -> None:
        self.judging, self.slopes, self.deadline = judging, slopes, deadline
        self.exchange = judging.exchange
        first = judging.sizes
        self.sizes: list[Sizes] = [first]
        self.true: list[dict[str, Array]] = [judging.truth.parameters]
        one = Sizes(first.n_x, first.n_a, first.n_y, first.m + 1, 1)  # another m: 2 and m are not the same there
        single = slopes.slope(one, slopes.seed)
        self.short = 1  # the place of T_x = 1 among the sizes: it guides, and the proof alone needs it
        if single is not None and first.T_x > 1:
            self.sizes.append(one)
            self.true.append(single.gradients)
        self.likely = Likely(judging, self.exchange, one if len(self.sizes) > 1 else None)
        self.pieces = Pieces(self.true)
        self._known: dict[tuple[patch.Change, ...], _State] = {}
        self._ran_states = 0
        self.refused: set[tuple[patch.Change, ...]] = set()
        self.base = self._state([])

    def single(
        self,
        limit: float = float("inf"),
        within: Callable[[ast.stmt], bool] = lambda statement: True,
        accept: Callable[[Alternative], bool] = lambda alternative: True,
    ) -> Climbed | None:
        """Return the one change that makes every gradient right, if there is one of at most this rank.

        ``within`` chooses the statements that are looked at, ``accept`` the changes.
        """
        for rank, alternative in self._changes(self.base, True, within):
            if self._late or rank > limit:
                return None
            if not accept(alternative):
                continue
            tried = self._state([alternative], self.base)
            if self._all_right(tried) and (done := self._proven(tried)) is not None:
                return done
        return None

    def climb(self, given: Sequence[Alternative]) -> Climbed | None:
        """Return changes that make every gradient right, found one after the other.

        Parameters
        ----------
        given : sequence of Alternative
            What makes one statement right, as forced execution knows; it is tried first.
        """
        for _ in range(3):
            sizes = len(self.sizes)
            found = self._climb(given)
            if found is not None or len(self.sizes) == sizes or self._late:
                return found
        return None

    def _climb(self, given: Sequence[Alternative]) -> Climbed | None:
        state = self._together(given)
        if state is not self.base and (found := self._climb_from(state)) is not None:
            return found
        state = self._running(self.base, given)
        for statement in dict.fromkeys(id(one.statement) for one in given):
            tries = [self._step(state, one) for one in given if id(one.statement) == statement]
            better = [tried for tried in tries if tried is not None and tried.right > state.right]
            state = max(better, key=lambda tried: len(tried.right), default=state)
        return self._climb_from(state)

    def _climb_from(self, state: _State) -> Climbed | None:
        if self._all_right(state) and (done := self._proven(state)) is not None:
            return done
        while len(state.changes) < DEPTH:
            best: _State | None = None
            limit, sizes = float("inf"), len(self.sizes)
            state = self._state(state.changes)
            for rank, alternative in self._changes(state):
                if self._late:
                    return None
                if len(self.sizes) != sizes:  # one more was learnt
                    sizes, state = len(self.sizes), self._state(state.changes)
                if rank > limit:
                    break
                tried = self._step(state, alternative)
                if tried is None or not tried.right > state.right:
                    continue
                if self._all_right(tried):
                    done = self._proven(tried)
                    if done is not None:
                        return done
                    tried = self._state(tried.changes)
                if best is None or _gain(tried, state) > _gain(best, state):
                    best, limit = tried, min(limit, rank + NEAR)
            if best is None:
                return None
            state = best
        return None

    def _together(self, given: Sequence[Alternative]) -> _State:
        """Return the state of the first change for each statement, if that is better than theirs.

        Where more than one line raises, none of them helps alone.
        """
        first: dict[int, Alternative] = {}
        for alternative in given:
            first.setdefault(id(alternative.statement), alternative)
        if len(first) < 2:
            return self.base
        state = self._state(list(first.values()), self.base)
        return state if state.right > self.base.right else self.base

    def _running(self, state: _State, given: Sequence[Alternative]) -> _State:
        """Return a state that runs through: line after line that raises is changed, as far as that is possible."""
        while state.raises and len(state.changes) < DEPTH:
            best: _State | None = None
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

    def _step(self, state: _State, alternative: Alternative) -> _State | None:
        if any(_overlap(alternative, other) for other in state.changes):
            return None
        return self._state([*state.changes, alternative], state)

    def _changes(
        self, state: _State, alone: bool = False, within: Callable[[ast.stmt], bool] = lambda statement: True
    ) -> Iterator[tuple[float, Alternative]]:
        right_at_once = self._whole(state, self.short)
        return self.likely.changes(self._wrong(state), right_at_once, state.delivered, alone, within)

    def _wrong(self, state: _State) -> set[str]:
        return set(self.true[0]) - self._whole(state, 0)

    def _whole(self, state: _State, number: int) -> set[str]:
        """Return the gradients that are right in all their pieces, at one size."""
        if number >= len(self.true):
            return set()
        here = {(name, piece) for size, name, piece in state.right if size == number}
        return {name for name in self.true[number] if all((name, k) in here for k in range(self.pieces.count(name)))}

    @property
    def _late(self) -> bool:
        return self._ran_states > STATES or (self.deadline is not None and time.monotonic() > self.deadline)

    def _all_right(self, state: _State) -> bool:
        names = set(self.judging.delivered) or self._whole(state, 0)
        everywhere = [k for k in range(len(self.sizes)) if k != self.short]
        return state.delivered and bool(names) and all(names <= self._whole(state, k) for k in everywhere)

    def _state(self, changes: list[Alternative], before: _State | None = None) -> _State:
        """Run a state; what cannot be better than the state before it is given up after the first size."""
        key = tuple(change for one in changes for change in one.changes)
        if key not in self._known:
            self._ran_states += 1
            self._known[key] = self._ran(changes, before)
        return self._known[key]

    def _ran(self, changes: list[Alternative], before: _State | None) -> _State:
        state = _State(changes)
        right: set[tuple[int, str, int]] = set()
        for number, (sizes, true) in enumerate(zip(self.sizes, self.true, strict=True)):
            if number == self.short and before is not None and self._whole(before, number) == set(true):
                right |= self._of(before, number)  # nothing to be gained here
                continue
            try:
                delivered = self.exchange.gradients(state.text_changes, sizes)
            except Exception as error:  # anybody's program
                if number == 0:
                    state.raises = _line_of(error)
                    return state
                continue
            state.delivered = True
            right |= {(number, name, piece) for name, piece in self.pieces.right(delivered, true)}
            if number == 0 and before is not None and self._of(before, 0) - right:
                return state  # it makes worse what was right
        everywhere = [n for n in range(len(self.sizes)) if n != self.short]
        by_chance = {(n, name, k) for n, name, k in right if any((e, name, k) not in right for e in everywhere)}
        state.right = frozenset(right - {one for one in by_chance if one[0] != self.short})
        return state

    @staticmethod
    def _of(state: _State, number: int) -> set[tuple[int, str, int]]:
        return {one for one in state.right if one[0] == number}

    def _learn(self, changes: list[patch.Change]) -> None:
        """Look from now on at a size where changes fail that looked right: a token that comes twice, another m."""
        for sizes in self.slopes.usable(PROOF_SIZES):
            slope = self.slopes.slope(sizes, self.slopes.seed)
            if sizes in self.sizes or slope is None or len(self.sizes) > 3:
                continue
            try:
                right = right_gradients(self.exchange.gradients(changes, sizes), slope.gradients)
            except Exception:  # anybody's program
                right = set()
            if right < set(self.judging.delivered):
                self.sizes.append(sizes)
                self.true.append(slope.gradients)
                self._known.clear()
                self.pieces.clear()
                self.base = self._state([])
                return

    def _proven(self, state: _State) -> Climbed | None:
        program, slopes = self.judging.program, self.slopes
        changes = state.text_changes
        key = tuple(changes)
        if key in self.refused:
            return None
        self.refused.add(key)
        proof = prove(program, patch.patched_code(program, changes), seed=slopes.seed, truth=slopes)
        if not proof.ok:
            self._learn(changes)
            return None
        if len(state.changes) == 1:
            return Climbed(state.changes, proof)
        needed = set(minimise(program, changes, slopes.seed, truth=slopes))
        kept = [a for a in state.changes if set(a.changes) & needed]
        if len(kept) < len(state.changes):
            changes = [c for a in kept for c in a.changes]
            proof = prove(program, patch.patched_code(program, changes), seed=slopes.seed, truth=slopes)
            if not proof.ok:
                return None
        return Climbed(kept, proof)


def _line_of(error: BaseException) -> int:
    """Return the innermost line of their program that an exception went through."""
    lines = [f.lineno or 0 for f in traceback.extract_tb(error.__traceback__) if f.filename == PROGRAM]
    return lines[-1] if lines else 0


def _spans(statement: ast.stmt, line: int) -> bool:
    return statement.lineno <= line <= (statement.end_lineno or statement.lineno)


def _gain(state: _State, before: _State) -> tuple[int, float]:
    return len(state.right - before.right), -state.changes[-1].cost


def _overlap(a: Alternative, b: Alternative) -> bool:
    for x in a.changes:
        for y in b.changes:
            if (x.whole and x.kind == "insert") or (y.whole and y.kind == "insert"):
                continue
            if (x.line, x.column) < (y.end_line, y.end_column) and (y.line, y.column) < (x.end_line, x.end_column):
                return True
    return False
