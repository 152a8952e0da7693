"""The repair of one statement: what they wrote, what it should have computed, and the nearest right text."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from bptt.checking.edits import combinations, everywhere, places, rebuild, shifts, subterms, variants
from bptt.checking.enumeration import Pool
from bptt.checking.goals import Goal, close, part_goals
from bptt.checking.leaves import ATOMS, Leaf, leaves
from bptt.checking.ranking import Ranking
from bptt.checking.reading import Parsed, Reader
from bptt.checking.samples import Budget, Candidate, Sample
from bptt.checking.terms import Stack, Term, Terms, pack
from bptt.checking.writing import Style, Writer

EXECUTIONS = 6  # that the search looks at; the found candidates are checked on all
TOLERANCE = {np.dtype(np.float32): 2e-4, np.dtype(np.float16): 2e-2}
SHOWN = 12
NEAR = 3.0  # an edit of this cost is near enough: nothing further is searched
Sign = Literal["=", "+=", "-="]
Search = Callable[[Goal], Iterable[Term]]


@dataclass
class Statement:
    """A statement taken apart: its target, its sign, its expression, and what the expression should be by sign."""

    node: ast.stmt
    reader: Reader
    sign: str
    parsed: Parsed | None
    head: tuple[int, int]  # from the target's first character to the expression's
    goals: dict[Sign, Goal] = field(default_factory=dict)


def repair_statement(
    statement: ast.stmt, samples: Sequence[Sample], *, code: str, budget: Budget | None = None
) -> list[Candidate]:
    """Return the statements that compute the true values, the nearest to the person's own text first.

    Parameters
    ----------
    statement : ast.stmt
        A node of ``ast.parse(code)``: an assignment, an augmented one, or a return.
    samples : sequence of Sample
        Executions of it, all at one size.
    code : str
        ``Program.code``.
    budget : Budget, optional

    Returns
    -------
    list of Candidate
        Each was evaluated as written and gives the target in every sample; empty where none was found.
    """
    budget = budget or Budget()
    if not samples:
        return []
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _repair(statement, list(samples), code, budget)


def _repair(node: ast.stmt, samples: list[Sample], code: str, budget: Budget) -> list[Candidate]:
    chosen = spread(samples, EXECUTIONS)
    terms = Terms([s.env for s in chosen])
    statement = take_apart(node, chosen, Reader(terms, code))
    if statement is None or not statement.goals:
        return []
    pool = leaves(statement.reader, node, ast.parse(code))
    found: dict[tuple[Sign, Term], float] = {}
    original = statement.parsed.term if statement.parsed is not None else None
    ranking = Ranking(terms, original, {leaf.term: leaf.rank for leaf in pool})
    single_edits(terms, statement, pool, found, ranking, budget)
    if min(found.values(), default=NEAR + 1) > NEAR:
        enumerate_terms(terms, statement, pool, found, ranking, budget)
    return _candidates(statement, found, samples, code, ranking)


def single_edits(
    terms: Terms,
    statement: Statement,
    pool: Sequence[Leaf],
    found: dict[tuple[Sign, Term], float],
    ranking: Ranking,
    budget: Budget,
) -> None:
    """Try every change of one place of the statement (and of one variable in all places)."""
    parsed = statement.parsed
    if parsed is None:
        return
    atoms = [leaf.term for leaf in pool if leaf.term.op in ATOMS]
    _keep(found, statement, ranking, [parsed.term])
    _keep(found, statement, ranking, everywhere(terms, parsed.term, atoms))
    _keep(found, statement, ranking, shifts(terms, parsed))
    for way in places(parsed):
        if not budget.left:
            return
        here, start = way[-1].term, terms.evaluated
        if any(parent.term.op in ("item", "slice") and part is not parent.parts[0] for parent, part in pairwise(way)):
            continue  # an index: everywhere() shifts it
        fills = dict.fromkeys(variants(terms, here))
        fills.update(dict.fromkeys(leaf.term for leaf in pool))
        for atom in atoms:
            fills.update(dict.fromkeys(combinations(terms, here, atom)))
        if len(way) == 1:
            _keep(found, statement, ranking, fills)
        else:
            _keep(found, statement, ranking, (rebuild(terms, way, new) for new in fills if new.value is not None))
        budget.spend(terms.evaluated - start)


def enumerate_terms(
    terms: Terms,
    statement: Statement,
    leaves: Sequence[Leaf],
    found: dict[tuple[Sign, Term], float],
    ranking: Ranking,
    budget: Budget,
) -> None:
    """Search the goal of the whole and of every part among enumerated expressions, near ones first."""
    pool = Pool(terms, budget.pool)
    atoms = [leaf.term for leaf in leaves if leaf.term.op in ATOMS]
    seeds: dict[Term, None] = {}
    if statement.parsed is not None:
        for part in dict.fromkeys(subterms(statement.parsed.term)):
            if part.args and part.op not in ATOMS:
                seeds.update(dict.fromkeys([part, *everywhere(terms, part, atoms)]))
    pool.grow(leaves, seeds, budget)
    goals: list[tuple[Sign, Goal]] = []
    for sign, goal in statement.goals.items():
        parsed = statement.parsed
        parts = [goal] if parsed is None else [g for _, g in part_goals(terms, parsed, goal, lambda term: term)]
        goals += [(sign, part) for part in parts]

    def search(
        wanted: list[tuple[Sign, Goal]], ways: Sequence[Callable[[Goal], Iterable[Term]]], enough: float
    ) -> bool:
        for sign, goal in wanted:
            for way in ways:
                if not budget.left:
                    return True
                for term in way(goal):
                    budget.spend()
                    if goal.met(term):
                        _keep(found, statement, ranking, [goal.finish(term)], only=sign)
        return min(found.values(), default=99.0) <= enough

    if search(goals, [pool.equal, pool.pairs], 5.0):
        return
    near = [(sign, rest) for sign, goal in goals for rest in pool.residuals(goal, 40)]
    if search(near, [pool.equal, pool.pairs], 8.0):
        return
    pool.grow_products(budget)
    search(goals, [pool.equal, pool.pairs], 99.0)


def _keep(
    found: dict[tuple[Sign, Term], float],
    statement: Statement,
    ranking: Ranking,
    new: Iterable[Term],
    only: Sign | None = None,
) -> None:
    """Keep the whole expressions that meet the statement's goal under a sign."""
    for term in new:
        for sign, goal in statement.goals.items():
            if only in (None, sign) and (sign, term) not in found and goal.met(term):
                found[sign, term] = ranking.cost(term) + (0.0 if sign == statement.sign else 1.0)


def spread(samples: Sequence[Sample], count: int) -> list[Sample]:
    """Choose executions over the whole run: the first, the last and some between."""
    if len(samples) <= count:
        return list(samples)
    return [samples[round(k * (len(samples) - 1) / (count - 1))] for k in range(count)]


def take_apart(node: ast.stmt, samples: Sequence[Sample], reader: Reader) -> Statement | None:
    """Return a statement's parts and goals; None for a kind that is not repaired here."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and node.value is not None:
        first, sign, value = node.targets[0], "=", node.value
    elif isinstance(node, ast.AugAssign):
        first, value = node.target, node.value
        sign = {ast.Add: "+=", ast.Sub: "-="}.get(type(node.op), "other")
    elif isinstance(node, ast.AnnAssign | ast.Return) and node.value is not None:
        first, sign, value = node.value, "=", node.value
    else:
        return None
    parsed = reader.read(value)
    head = (reader.offset(first.lineno, first.col_offset), parsed.outer[0])
    target, before = pack([s.target for s in samples]), pack([s.before for s in samples])
    statement = Statement(node, reader, sign, parsed, head)
    if not isinstance(target, Stack):
        return statement
    tolerance = TOLERANCE.get(target.data.dtype, 1e-9)
    wanted = target.data.astype(np.float64)
    statement.goals["="] = Goal(wanted, lambda term: term, tolerance)
    if isinstance(node, ast.Return | ast.AnnAssign) or not isinstance(before, Stack):
        return statement
    if before.data.shape == wanted.shape and np.isfinite(before.data).all():
        gain = wanted - before.data
        # what was added carries the rounding of the sum
        scale = float(np.abs(wanted).max(initial=0.0)) / (float(np.abs(gain).max(initial=0.0)) or 1.0)
        loose = tolerance * min(max(scale, 1.0), 1e4)
        if np.any(before.data):
            statement.goals["-="] = Goal(-gain, lambda term: term, loose)
        statement.goals["+="] = Goal(gain, lambda term: term, loose)
        if not np.any(before.data):  # = and += are the same here: keep theirs
            statement.goals = {k: v for k, v in statement.goals.items() if k == ("+=" if sign == "+=" else "=")}
    return statement


def _candidates(
    statement: Statement,
    found: dict[tuple[Sign, Term], float],
    samples: Sequence[Sample],
    code: str,
    ranking: Ranking,
) -> list[Candidate]:
    reader, node = statement.reader, statement.node
    start = reader.offset(node.lineno, node.col_offset)
    end = reader.offset(node.end_lineno or node.lineno, node.end_col_offset or 0)
    style = Style.of(reader.terms, code[start:end], code)
    writer = Writer(code, style, statement.parsed)
    result: dict[str, Candidate] = {}
    for (sign, term), cost in sorted(found.items(), key=lambda item: (item[1], item[0][1].number)):
        if len(result) >= SHOWN:
            break
        text = statement_text(statement, sign, writer.text(term), code, start, end)
        if text in result or not gives_targets(text, sign, samples):
            continue
        kind: Literal["edit", "rewrite"] = "edit" if ranking.share(term) >= 0.34 or cost < 2.5 else "rewrite"
        result[text] = Candidate(text, kind, round(cost, 6))
    return list(result.values())


def statement_text(statement: Statement, sign: Sign, expression: str, code: str, start: int, end: int) -> str:
    """Return the whole statement with a new sign and expression."""
    parsed = statement.parsed
    assert parsed is not None
    a, b = parsed.outer
    head = code[start:a]
    if sign != statement.sign:
        head = head.replace(f"{_sign_text(statement.node)}", sign, 1) if sign != "=" else _to_plain(statement, head)
    if parsed.start != a and "\n" in expression:
        expression = f"({expression})"
    return head + expression + code[b:end]


def _sign_text(node: ast.stmt) -> str:
    if isinstance(node, ast.AugAssign):
        return {ast.Add: "+=", ast.Sub: "-=", ast.Mult: "*=", ast.Div: "/="}.get(type(node.op), "=")
    return "="


def _to_plain(statement: Statement, head: str) -> str:
    return head.replace(_sign_text(statement.node), "=", 1)


def gives_targets(text: str, sign: Sign, samples: Sequence[Sample]) -> bool:
    """Evaluate a statement's expression as Python does, in every sample, and compare."""
    try:
        node = ast.parse(text).body[0] if not text.startswith("return") else ast.parse(f"def f():\n {text}").body[0]
        value = node.body[0].value if isinstance(node, ast.FunctionDef) else node.value  # type: ignore[attr-defined]
        program = compile(ast.Expression(value), "<repaired>", "eval")
        for sample in samples:
            names: dict[str, Any] = {k: v for k, v in sample.env.items() if k.isidentifier()}
            got = np.asarray(eval(program, names))
            wanted = np.asarray(sample.target, dtype=np.float64)
            if sign != "=":
                before = np.asarray(sample.before)
                got = before + got if sign == "+=" else before - got
            tolerance = 10 * TOLERANCE.get(np.asarray(sample.target).dtype, 1e-9)
            if got.shape != wanted.shape or not close(got, wanted, tolerance):
                return False
    except Exception:  # it cannot even be evaluated
        return False
    return True
