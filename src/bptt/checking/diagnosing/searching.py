"""The search for the wrong statements and their right forms: by forced values first, then by effect, then in stages."""

from __future__ import annotations

import ast
import time
from functools import cache
from itertools import islice, product
from math import inf
from typing import TYPE_CHECKING

from bptt.checking.diagnosing.at_source import at_their_source, moved_otherwise
from bptt.checking.diagnosing.climbing import Climbed, Climbing
from bptt.checking.diagnosing.judging import Judgement, Judging
from bptt.checking.diagnosing.likely import DOUBT
from bptt.checking.diagnosing.loops import WrongHeader, every_step, wrong_header
from bptt.checking.diagnosing.mending import SHOTS, Mended, Options, combine, options_for
from bptt.checking.diagnosing.nearer import FEW, NEARER, SIMPLE, nearer
from bptt.checking.diagnosing.stages import changed, joined
from bptt.checking.repairing.alternatives import Alternative
from bptt.checking.tracing.numeric import fresh
from bptt.checking.tracing.quiet import quiet
from bptt.checking.tracing.truth import NoTruth, find_truth

if TYPE_CHECKING:
    from bptt.checking.tracing.measured import Truth as Slopes

SOON = 900
"""So many single changes are run before what helps a little is put in place."""
AT_ONCE = 400
"""So many single changes are run for one that explains what several do, each of which helps."""
LIKELY = 1.6
"""How far one change may be from the text to be looked for before several are."""
STAGES = 3
"""So many times a program is judged anew with what helped in place."""


class Search:
    """The search in one program.

    Attributes
    ----------
    judgement : Judgement
    header : WrongHeader or None
        The range of a loop that is wrong.
    mended : Mended or None
        Proven changes of statements whose right value is known.
    climbed : Climbed or None
        Proven changes that were found by their effect; they go before ``mended``.
    """

    def __init__(self, judging: Judging, slopes: Slopes, deadline: float | None, stages: int = STAGES) -> None:
        self.judging, self.slopes, self.deadline, self.stages = judging, slopes, deadline, stages
        judging.assign()
        self.judgement: Judgement = judging.judge()
        self.header: WrongHeader | None = None
        self.mended: Mended | None = None
        self.climbed: Climbed | None = None
        self._climbing = cache(lambda: Climbing(judging, slopes, deadline))

    def run(self) -> None:
        """Search until something is proven, or there is nothing more to try."""
        self._look()
        found = self.changes() if self.header is None else []
        for above in (*moved_otherwise(self.judging, found), *at_their_source(self.judging, found)):
            right = self.judging.right_with([change for one in above for change in one.changes])
            if right and (nearer := self._climbing().proven(above)) is not None:
                self.climbed = nearer
                return

    def _look(self) -> None:
        judging, judgement, deadline = self.judging, self.judgement, self.deadline
        if (factor := judging.factor) is not None and (found := self._besides_a_factor(factor)) is not None:
            self.climbed = found
            return
        if _suspicious(judging, judgement):
            self.header = wrong_header(judging)
            if self.header is not None:
                judgement.wrong = []
            ranges = every_step(judging, _misses_steps(judging)) if self.header is None else []
            proven = [found for change in ranges if (found := self._with([change])) is not None]
            if proven:  # one fault beside others
                self.climbed = min(proven, key=lambda found: len(found.changes))
                return
        known: dict[int, Options] = {}
        many = len({(judged.unit.line, judged.unit.column) for judged in judgement.wrong}) > FEW
        options, complete = options_for(judging, judgement.wrong, self.header, deadline, known, every=not many)
        if many and not complete:  # one fault may make many lines look wrong
            alone = not self._helping(_given(judgement, options))
            self.climbed = self._climbing().single(SIMPLE, most=SOON) if alone else None
            if self.climbed is not None:
                return
            options, complete = options_for(judging, judgement.wrong, self.header, deadline, known)
        if complete:
            self.mended = combine(judging, options, self.header is not None, self.slopes, deadline)
        if self.mended is not None:
            soon = min(deadline or inf, time.monotonic() + NEARER)
            self.climbed = nearer(judging, judgement, self.mended, lambda: Climbing(judging, self.slopes, soon))
        else:
            self.climbed = self._by_effect(_given(judgement, options))

    def _by_effect(self, given: list[Alternative]) -> Climbed | None:
        climbing = self._climbing()
        several = len({id(alternative.statement) for alternative in given}) > 1
        helping = self._helping(given)
        found = climbing.climb(given) if several or helping else None
        self.climbed = found  # it is kept when time runs out
        if found is not None and helping:
            return found if len(found.changes) < 2 else climbing.single(SIMPLE, most=AT_ONCE) or found
        if found is not None and len(found.changes) > 1:
            return climbing.single(SIMPLE) or climbing.fewer(found)
        near = LIKELY + DOUBT * climbing.likely.raises  # where it raises, most lines are doubtful
        found = found or climbing.single(near, most=SOON) or self._judged_anew()
        found = found or climbing.single(LIKELY) or climbing.climb(given) or climbing.single()
        return found or self._in_stages(given)

    def _judged_anew(self) -> Climbed | None:
        """Put the change that helps most in place, or the next one, and judge the program that it leads to."""
        done, ways = self._climbing().ways(self._climbing().trials.base)
        for way in ways if done is None else ():
            soon = None if self.deadline is None else (self.deadline + time.monotonic()) / 2
            if (done := self._with(way.changes, soon)) is not None:
                break
        return done

    def _helping(self, given: list[Alternative]) -> bool:
        """Tell whether what makes one statement right makes a gradient right as well: then it is a fault of its own."""
        trials = self._climbing().trials
        return any(trials.state([one], trials.base).right > trials.base.right for one in given)

    def _in_stages(self, given: list[Alternative]) -> Climbed | None:
        """Judge the program anew with what helped most in place; return all changes, proven together."""
        first = self._climbing().best.changes or list({id(one.statement): one for one in reversed(given)}.values())
        return self._with(first)

    def _besides_a_factor(self, factor: float) -> Climbed | None:
        """Mend what else is wrong where all is off by one factor: as if the cost were so many times what it is."""
        judging = self.judging
        aside = Judging(judging.program, judging.truth.times(factor), judging.sizes, judging.seed)
        aside.assign()
        judgement = aside.judge()
        options, complete = options_for(aside, judgement.wrong, None, self.deadline, {}, every=False)
        if not judgement.wrong:
            return self._climbing().single(SIMPLE)
        if not complete:
            return None
        given = _given(judgement, options)
        groups = [[one for one in given if one.statement is node] for node in dict.fromkeys(g.statement for g in given)]
        for chosen in islice(product(*groups), SHOTS):
            if aside.right_with([change for one in chosen for change in one.changes]):
                return self._with(list(chosen))
        return None

    def _with(self, first: list[Alternative], deadline: float | None = None) -> Climbed | None:
        """Search on in the program with changes in place; return all changes, proven together."""
        judging = self.judging
        if not first or not self.stages or (self.deadline is not None and time.monotonic() > self.deadline):
            return None
        program = changed(judging.program, [change for one in first for change in one.changes])
        try:
            with quiet():
                _, case = fresh(program, program.tree, judging.sizes, judging.seed)
            truth = find_truth(program, judging.sizes, judging.seed, case)
        except (NoTruth, Exception):  # anybody's program
            return None
        anew = Judging(program, truth, judging.sizes, judging.seed)
        deeper = Search(anew, self.slopes, deadline or self.deadline, self.stages - 1)
        deeper.run()
        then = deeper.changes()
        every = joined(judging.program, first, then) if then else None
        return self._climbing().proven(every) if every else None

    def changes(self) -> list[Alternative]:
        """Return what was proven, as changes of this program."""
        if self.climbed is not None:
            return self.climbed.changes
        mended, found = self.mended, []
        for change in mended.changes if mended is not None else ():
            number = mended.by_change[change] if mended is not None else -1
            candidate = mended.by_unit.get(number) if mended is not None else None
            if candidate is None:
                line = self.header.line if self.header is not None else 0
                loop = next(
                    n for n in ast.walk(self.judging.program.tree) if isinstance(n, ast.For) and n.lineno == line
                )
                found.append(Alternative((change,), 1.0, loop, what="over every step"))
            else:
                unit = self.judging.units[number]
                found.append(Alternative((change,), candidate.cost, unit.statement, candidate.replacement))
        return found


def _given(judgement: Judgement, options: list[Options]) -> list[Alternative]:
    """Return what forced execution knows to be right for one statement alone."""
    statements = {judged.unit.number: judged.unit.statement for judged in judgement.wrong}
    return [
        Alternative((change,), candidate.cost, statements[number], candidate.replacement)
        for choices in options
        for number, candidate, change in choices[:3]
        if candidate is not None and number in statements
    ]


def _suspicious(judging: Judging, judgement: Judgement) -> bool:
    """Tell whether a loop's header may be the fault: steps are missing or run the wrong way, or no other was found."""
    if not judgement.sufficient or not judgement.wrong:
        return True
    return any(direction == 1 for direction, _ in judging._votes.values()) or bool(_misses_steps(judging))


def _misses_steps(judging: Judging) -> list[int]:
    """Return the units that give a part of a gradient at some steps and not at all of them."""
    found = []
    for number in judging.sink_names:
        role = judging.roles.get(number)
        if role is not None and role.delta and len(role.series.items) > 1:
            steps = {role.times.get(e.instance) for e in judging.natural.events.get(number, ())}
            if not set(range(len(role.series.items))) <= steps:
                found.append(number)
    return found
