"""Run a changed program and tell what is right of it: each gradient, piece by piece, at a few sizes."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bptt.checking.diagnosing.pieces import Pieces
from bptt.checking.diagnosing.verdict import right_gradients
from bptt.checking.loading.namespace import PROGRAM
from bptt.checking.program import Sizes
from bptt.checking.repairing import patch
from bptt.checking.repairing.alternatives import Alternative
from bptt.checking.repairing.prove import PROOF_SIZES
from bptt.checking.repairing.prove import Truth as Slopes
from bptt.dims import Array

if TYPE_CHECKING:
    from bptt.checking.diagnosing.judging import Judging

Right = frozenset[tuple[int, str, int]]
"""What is right: the number of the size, the gradient, the number of the piece of it."""


@dataclass
class State:
    """A changed program, and what is right of it."""

    changes: list[Alternative] = field(default_factory=list)
    right: Right = frozenset()
    delivered: bool = False
    raises: int = 0
    """The line of theirs that raised, or 0."""
    near: float = 0.0
    """How much the gradients point the true way, each by the cosine between the two."""

    @property
    def text_changes(self) -> list[patch.Change]:
        """The changes of the text."""
        return [change for alternative in self.changes for change in alternative.changes]


class Trials:
    """The changed programs that were run; each is run once.

    Attributes
    ----------
    base : State
        The program as it is.
    count : int
        How many were run.
    """

    def __init__(self, judging: Judging, slopes: Slopes) -> None:
        self.judging, self.slopes = judging, slopes
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
        self.pieces = Pieces(self.true)
        self._known: dict[tuple[patch.Change, ...], State] = {}
        self.count = 0
        self.base = self.state([])

    def wrong(self, state: State) -> set[str]:
        """Return the gradients that are wrong at the first size."""
        return set(self.true[0]) - self.whole(state, 0)

    def whole(self, state: State, number: int) -> set[str]:
        """Return the gradients that are right in all their pieces, at one size."""
        if number >= len(self.true):
            return set()
        here = {(name, piece) for size, name, piece in state.right if size == number}
        return {name for name in self.true[number] if all((name, k) in here for k in range(self.pieces.count(name)))}

    def all_right(self, state: State) -> bool:
        """Tell whether every gradient is right, at every size that is looked at but the shortest."""
        names = set(self.judging.delivered) or self.whole(state, 0)
        everywhere = [k for k in range(len(self.sizes)) if k != self.short]
        return state.delivered and bool(names) and all(names <= self.whole(state, k) for k in everywhere)

    def state(self, changes: list[Alternative], before: State | None = None) -> State:
        """Run a state; what cannot be better than the state before it is given up after the first size."""
        key = tuple(change for one in changes for change in one.changes)
        if key not in self._known:
            self.count += 1
            self._known[key] = self._ran(changes, before)
        return self._known[key]

    def _ran(self, changes: list[Alternative], before: State | None) -> State:
        state = State(changes)
        right: set[tuple[int, str, int]] = set()
        for number, (sizes, true) in enumerate(zip(self.sizes, self.true, strict=True)):
            if number == self.short and before is not None and self.whole(before, number) == set(true):
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
            if number == 0:
                state.near = _nearness(delivered, true)
            right |= {(number, name, piece) for name, piece in self.pieces.right(delivered, true)}
            if number == self.short:  # what is 0 there may be right by chance, and wrong when something else is mended
                zero = [name for name, gradient in true.items() if not gradient.any()]
                right |= {(number, name, piece) for name in zero for piece in range(self.pieces.count(name))}
            if number == 0 and before is not None and self._of(before, 0) - right:
                return state  # it makes worse what was right
        everywhere = [n for n in range(len(self.sizes)) if n != self.short]
        by_chance = {(n, name, k) for n, name, k in right if any((e, name, k) not in right for e in everywhere)}
        state.right = frozenset(right - {one for one in by_chance if one[0] != self.short})
        return state

    @staticmethod
    def _of(state: State, number: int) -> set[tuple[int, str, int]]:
        return {one for one in state.right if one[0] == number}

    def learn(self, changes: list[patch.Change]) -> None:
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
                self.base = self.state([])
                return


def _nearness(delivered: Mapping[str, Array], true: Mapping[str, Array]) -> float:
    total = 0.0
    for name, gradient in true.items():
        theirs = delivered.get(name)
        if theirs is not None and theirs.size == gradient.size and np.isfinite(theirs).all():
            lengths = float(np.linalg.norm(theirs) * np.linalg.norm(gradient))
            total += float(np.vdot(theirs, gradient)) / lengths if lengths else 0.0
    return total


def _line_of(error: BaseException) -> int:
    """Return the innermost line of their program that an exception went through."""
    lines = [f.lineno or 0 for f in traceback.extract_tb(error.__traceback__) if f.filename == PROGRAM]
    return lines[-1] if lines else 0
