"""Mend a program by its gradients alone: change after change, each making more of them right than before.

Where forced execution knows what a statement should compute, :mod:`bptt.checking.diagnosing.mending` asks for exactly
that.  This needs no such knowledge: it tries the single edits of every statement and the changes of form, nearest to
the text first, and the numeric gradients judge.  Two sizes are looked at: at T_x = 1 nothing comes from the future,
so that a fault of one step shows by itself.
"""

from __future__ import annotations

import ast
import contextlib
import difflib
import heapq
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from bptt.checking.diagnosing.reshaping import backward_functions
from bptt.checking.diagnosing.suspects import Suspect, suspects
from bptt.checking.diagnosing.verdict import same_shape
from bptt.checking.loading.namespace import PROGRAM
from bptt.checking.program import Sizes
from bptt.checking.repairing import patch
from bptt.checking.repairing.alternatives import Alternative, alternatives
from bptt.checking.repairing.exchange import Exchange
from bptt.checking.repairing.leaves import enclosing
from bptt.checking.repairing.nodes import statements, targets_of, text_of
from bptt.checking.repairing.prove import PROOF_SIZES, Proof, minimise, prove
from bptt.checking.repairing.prove import Truth as Slopes
from bptt.checking.repairing.ranges import is_zero
from bptt.checking.repairing.structure import Restructuring, restructurings
from bptt.checking.tracing.numeric import RIGHT, relative_error
from bptt.dims import Array

if TYPE_CHECKING:
    from bptt.checking.diagnosing.judging import Judging

DEPTH = 4
TRIES = 2500
ALIKE = 0.75
NEAREST = 0.2
"""The least that an edit costs, unless it uses what was forgotten."""
NEAR = 0.6
"""How much less likely a change may be than one that helps, to be tried as well."""
"""Changes that are tried on top of one state at most."""
KINDS = (
    ("instead of", 1.0), ("return", 1.2), ("step", 1.3), ("time", 1.3), ("goes back", 2.0), ("set to zero", 1.6),
    ("of its own", 1.4), ("into ", 1.2), ("line", 2.0), ("left out", 2.4),
)  # fmt: skip
"""What a change of form costs, by what it says that it does."""

Right = frozenset[tuple[int, str]]
"""The gradients that are right, each with the number of the size."""


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
        self.exchange = Exchange(judging.program, slopes.seed)
        first = judging.sizes
        self.sizes: list[Sizes] = [first]
        self.true: list[dict[str, Array]] = [judging.truth.parameters]
        one = Sizes(first.n_x, first.n_a, first.n_y, first.m + 1, 1)  # another m: 2 and m are not the same there
        single = slopes.slope(one, slopes.seed)
        self.short = 1  # the place of T_x = 1 among the sizes: it guides, and the proof alone needs it
        if single is not None and first.T_x > 1:
            self.sizes.append(one)
            self.true.append(single.gradients)
        self.suspects = suspects(judging, one if len(self.sizes) > 1 else None)
        self._moves = {id(suspect.statement): suspect.moves for suspect in self.suspects}
        self._edits: dict[int, list[Alternative]] = {}
        self._known: dict[tuple[patch.Change, ...], _State] = {}
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
        for rank, alternative in self._candidates(self.base, True, within):
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
            for rank, alternative in self._candidates(state):
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
        """Return the state of the first change for each statement, if that is better than theirs: where more than one
        line raises, none of them helps alone."""
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
            others = self._candidates(state, within=lambda s, line=state.raises: _spans(s, line))  # type: ignore[misc]
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

    def _wrong(self, state: _State) -> set[str]:
        return {name for name in self.true[0] if (0, name) not in state.right}

    @property
    def _late(self) -> bool:
        return self.deadline is not None and time.monotonic() > self.deadline

    def _all_right(self, state: _State) -> bool:
        names = set(self.judging.delivered) or {name for size, name in state.right if size == 0}
        needed = {(k, name) for k in range(len(self.sizes)) if k != self.short for name in names}
        return state.delivered and bool(names) and needed <= state.right

    def _state(self, changes: list[Alternative], before: _State | None = None) -> _State:
        """Run a state; what cannot be better than the state before it is given up after the first size."""
        key = tuple(change for one in changes for change in one.changes)
        if key not in self._known:
            self._known[key] = self._ran(changes, before)
        return self._known[key]

    def _ran(self, changes: list[Alternative], before: _State | None) -> _State:
        state = _State(changes)
        right: set[tuple[int, str]] = set()
        for number, (sizes, true) in enumerate(zip(self.sizes, self.true, strict=True)):
            if number == self.short and before is not None and len(self._of(before, number)) == len(true):
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
            right |= {(number, name) for name in _right(delivered, true)}
            if number == 0 and before is not None:
                if self._of(before, 0) - right:
                    state.right = frozenset()
                    return state
        everywhere = [n for n in range(len(self.sizes)) if n != self.short]
        partly = {(n, name) for n in everywhere for name in self.true[n] if any((k, name) not in right for k in everywhere)}
        state.right = frozenset(right - partly)  # right at one size by chance is not right
        return state

    @staticmethod
    def _of(state: _State, number: int) -> set[tuple[int, str]]:
        return {one for one in state.right if one[0] == number}

    def _learn(self, changes: list[patch.Change]) -> None:
        """Look from now on at a size where changes fail that looked right: a token that comes twice, another m."""
        for sizes in self.slopes.usable(PROOF_SIZES):
            slope = self.slopes.slope(sizes, self.slopes.seed)
            if sizes in self.sizes or slope is None or len(self.sizes) > 3:
                continue
            try:
                right = _right(self.exchange.gradients(changes, sizes), slope.gradients)
            except Exception:  # anybody's program
                right = set()
            if right < set(self.judging.delivered):
                self.sizes.append(sizes)
                self.true.append(slope.gradients)
                self._known.clear()
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

    def _candidates(
        self, state: _State, alone: bool = False, within: Callable[[ast.stmt], bool] = lambda statement: True
    ) -> Iterator[tuple[float, Alternative]]:
        """Yield all single changes with their rank, the likeliest first.

        ``alone``: only those that can move every wrong gradient.
        """
        wrong = self._wrong(state)
        queue: list[tuple[float, int, Alternative | Suspect]] = []
        for suspect in self.suspects:
            moves = suspect.moves
            if not within(suspect.statement):
                continue
            doubt = 0.0 if suspect.raises or state.delivered else 0.8
            if state.delivered:
                if not moves & wrong or (alone and not wrong <= moves):
                    continue
                doubt = 0.8 * len(wrong - moves) / len(wrong) + 0.8 * bool(moves - wrong)
                right_at_once = {name for size, name in state.right if size == self.short}
                doubt += 0.8 * bool(suspect.moves_short & right_at_once)
            queue.append((doubt + NEAREST, len(queue), suspect))
        for alternative in (*self._forms, *self._scalings):
            known = self._moves.get(id(alternative.statement))
            if not within(alternative.statement):
                continue
            if known is not None and state.delivered and (not known & wrong or (alone and not wrong <= known)):
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
                heapq.heappush(queue, (alternative.cost + rank - NEAREST, count, alternative))

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
            )
            self.exchange.offer(suspect.statement, [(a.changes[0], a.text) for a in found])
            self._edits[key] = found
        return self._edits[key]

    @cached_property
    def forgotten(self) -> dict[str, str]:
        """Return the variables that are computed and never read, each with its function: something was to use them."""
        found = {}
        for function in backward_functions(self.judging):
            names = [n for n in ast.walk(function) if isinstance(n, ast.Name)]
            read = {n.id for n in names if isinstance(n.ctx, ast.Load)}
            for node in statements(function):
                if isinstance(node, ast.Assign) and not _is_start(node):
                    found.update({t.id: function.name for t in targets_of(node) if isinstance(t, ast.Name) and t.id not in read})
        return found

    def uses_forgotten(self, alternative: Alternative) -> bool:
        """Tell whether a change reads a variable that nothing reads in their text."""
        if not self.forgotten or not alternative.text:
            return False
        names = {n.id for n in ast.walk(ast.parse(alternative.text)) if isinstance(n, ast.Name)}
        return bool(names & set(self.forgotten) - {n.id for n in ast.walk(alternative.statement) if isinstance(n, ast.Name)})

    @cached_property
    def _scalings(self) -> list[Alternative]:
        """Return the statements that may be missing where every wrong gradient is off by one and the same factor."""
        factor = self._common_factor()
        if factor is None:
            return []
        code, found = self.judging.program.code, []
        for suspect in self.suspects:
            targets = targets_of(suspect.statement)
            if not suspect.environments or len(targets) != 1 or suspect.statement.lineno in self._loops:
                continue
            base = targets[0]
            while isinstance(base, ast.Subscript) and suspect.moves:
                base = base.value
            for text, value in _numbers_in(code, suspect).items():
                for sign, by in (("/=", factor), ("*=", 1 / factor)):
                    if abs(value - by) < 1e-9 * abs(by):
                        line = f"{text_of(code, base)} {sign} {text}"
                        change = patch.insert_after(code, suspect.statement, line)
                        found.append(Alternative((change,), 1.0, suspect.statement, line, f"scaled: `{line}`"))
        return found

    @property
    def _loops(self) -> set[int]:
        return {n.lineno for n in ast.walk(self.judging.program.tree) if isinstance(n, ast.For | ast.While)}

    def _common_factor(self) -> float | None:
        """Return by how much every wrong gradient is too large, if that is one number."""
        factors = []
        for name in self._wrong(self.base):
            theirs, true = self.judging.delivered.get(name), self.true[0][name]
            if not isinstance(theirs, np.ndarray) or theirs.size != true.size or not np.any(true):
                return None
            factor = float(np.vdot(true, theirs) / np.vdot(true, true))
            if factor == 0 or np.abs(theirs.reshape(true.shape) - factor * true).max() > 1e-9 * np.abs(theirs).max():
                return None
            factors.append(factor)
        if not factors or max(factors) - min(factors) > 1e-9 * abs(factors[0]):
            return None
        return factors[0]

    @cached_property
    def _forms(self) -> list[Alternative]:
        program = self.judging.program
        return [
            Alternative(
                form.changes, _cost_of(form), form.statement, what=form.what
            )
            for function in backward_functions(self.judging)
            for form in restructurings(program.code, program.tree, function)
        ]


def _cost_of(form: Restructuring) -> float:
    if form.what.startswith("into ") and targets_of(form.statement):
        old, new = ast.unparse(targets_of(form.statement)[0]), form.what.removeprefix("into ")
        if difflib.SequenceMatcher(None, old, new).ratio() > ALIKE:
            return 0.8  # a slip of the pen
    return next((cost for word, cost in KINDS if word in form.what), 2.0)


def _line_of(error: BaseException) -> int:
    """Return the innermost line of their program that an exception went through."""
    lines = [f.lineno or 0 for f in traceback.extract_tb(error.__traceback__) if f.filename == PROGRAM]
    return lines[-1] if lines else 0


def _spans(statement: ast.stmt, line: int) -> bool:
    return statement.lineno <= line <= (statement.end_lineno or statement.lineno)


def _is_start(node: ast.Assign) -> bool:
    return is_zero(node.value)


def _numbers_in(code: str, suspect: Suspect) -> dict[str, float]:
    """Return the sizes that the function's text names, and their products."""
    found: dict[str, float] = {}
    environment = dict(suspect.environments[0])
    tree = enclosing(ast.parse(code), suspect.statement)
    for node in ast.walk(tree) if tree is not None else ():
        sized = isinstance(node, ast.Call) and ast.unparse(node.func) == "len"
        if sized or isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Constant):
            with contextlib.suppress(Exception):  # it is not known here
                value = eval(compile(ast.Expression(node), "<theirs>", "eval"), environment)
                if isinstance(value, int | float | np.number) and not isinstance(value, bool) and value not in (0, 1):
                    found.setdefault(ast.unparse(node), float(value))
    single = list(found.items())
    for a, x in single:
        for b, y in single:
            if a < b:
                found.setdefault(f"({a} * {b})", x * y)
    return {"2": 2.0, **found}


def _gain(state: _State, before: _State) -> tuple[int, float]:
    return len(state.right - before.right), -state.changes[-1].cost


def _right(delivered: dict[str, Array], true: dict[str, Array]) -> set[str]:
    overall = max((float(np.abs(g).max(initial=0)) for g in true.values()), default=0.0)
    return {
        name
        for name, gradient in true.items()
        if name in delivered
        and delivered[name].dtype.kind in "fiu"
        and same_shape(delivered[name].shape, gradient.shape)
        and relative_error(delivered[name].reshape(gradient.shape), gradient, overall) <= RIGHT
    }


def _overlap(a: Alternative, b: Alternative) -> bool:
    for x in a.changes:
        for y in b.changes:
            if (x.whole and x.kind == "insert") or (y.whole and y.kind == "insert"):
                continue
            if (x.line, x.column) < (y.end_line, y.end_column) and (y.line, y.column) < (x.end_line, x.end_column):
                return True
    return False
