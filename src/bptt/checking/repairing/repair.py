"""The repair of one statement: what they wrote, what it should have computed, and the nearest right text."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, TypeVar

import numpy as np

from bptt.checking.repairing.goals import Goal, Sign, close
from bptt.checking.repairing.leaves import functions_of_one, leaves
from bptt.checking.repairing.ranking import Ranking
from bptt.checking.repairing.reading import Parsed, Reader, names_for
from bptt.checking.repairing.samples import Budget, Candidate, Sample
from bptt.checking.repairing.search import Search
from bptt.checking.repairing.terms import Stack, Term, Terms, pack
from bptt.checking.repairing.writing import Style, Writer

T = TypeVar("T")
Kind = Literal["edit", "rewrite", "insert"]
EXECUTIONS = 4  # that the search looks at; the found candidates are checked on all
TOLERANCE = {np.dtype(np.float32): 2e-4, np.dtype(np.float16): 2e-2}
SHOWN = 12


@dataclass
class Statement:
    """A statement taken apart: its target, its sign, its expression, and what the expression should be by sign."""

    node: ast.stmt
    reader: Reader
    sign: str
    parsed: Parsed | None
    head: str = ""
    """What stands before a new statement's expression; a statement of theirs keeps its own characters."""
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


def write_statement(
    target: str,
    sign: Sign,
    samples: Sequence[Sample],
    *,
    code: str,
    near: ast.stmt,
    budget: Budget | None = None,
) -> list[Candidate]:
    """Return statements that are missing: ``target sign expression``, to be inserted beside ``near``.

    The samples are those of the place where it is to stand: ``env`` there, ``before`` and ``target`` of the value that
    it is to be given.
    """
    budget = budget or Budget()
    if not samples:
        return []
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        chosen = spread(list(samples), EXECUTIONS)
        reader = Reader(Terms([s.env for s in chosen]), code)
        statement = Statement(near, reader, sign, None, f"{target} {sign} ")
        goals = _goals(chosen, sign, "[" in target, True)
        statement.goals = {k: v for k, v in goals.items() if k == sign} or goals
        return _search(statement, samples, code, budget)


def _repair(node: ast.stmt, samples: list[Sample], code: str, budget: Budget) -> list[Candidate]:
    chosen = spread(samples, EXECUTIONS)
    statement = take_apart(node, chosen, Reader(Terms([s.env for s in chosen]), code))
    return _search(statement, samples, code, budget) if statement is not None and statement.goals else []


def _search(statement: Statement, samples: Sequence[Sample], code: str, budget: Budget) -> list[Candidate]:
    reader = statement.reader
    nearby = leaves(reader, statement.node, _tree(code))
    functions = functions_of_one(reader, _tree(code))
    search = Search(reader.terms, statement.parsed, statement.sign, statement.goals, nearby, budget, functions)
    search.run()
    return _candidates(statement, search.found, samples, code, search.ranking)


@lru_cache(maxsize=4)
def _tree(code: str) -> ast.Module:
    return ast.parse(code)


def spread(samples: Sequence[T], count: int) -> list[T]:
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
    statement = Statement(node, reader, sign, parsed)
    accumulates = not isinstance(node, ast.Return | ast.AnnAssign)
    statement.goals = _goals(samples, sign, isinstance(first, ast.Subscript), accumulates)
    return statement


def _goals(samples: Sequence[Sample], sign: str, in_place: bool, accumulates: bool) -> dict[Sign, Goal]:
    """Return what the expression should be, for each sign that the statement may have."""
    target, before = pack([s.target for s in samples]), pack([s.before for s in samples])
    if not isinstance(target, Stack):
        return {}
    tolerance = TOLERANCE.get(target.data.dtype, 1e-9)
    wanted = target.data.astype(np.float64)
    goals: dict[Sign, Goal] = {"=": Goal(wanted, lambda term: term, tolerance, in_place)}
    if not accumulates or not isinstance(before, Stack):
        return goals
    if before.data.shape != wanted.shape or not np.isfinite(before.data).all():
        return goals
    gain = wanted - before.data
    # what was added carries the rounding of the sum
    scale = float(np.abs(wanted).max(initial=0.0)) / (float(np.abs(gain).max(initial=0.0)) or 1.0)
    loose = tolerance * min(max(scale, 1.0), 1e4)
    if not np.any(before.data):  # = and += are the same here: keep theirs
        only: Sign = "+=" if sign == "+=" else "="
        return {only: Goal(gain, lambda term: term, loose, True) if only == "+=" else goals["="]}
    goals["+="] = Goal(gain, lambda term: term, loose, True)
    goals["-="] = Goal(-gain, lambda term: term, loose, True)
    return goals


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
        if text in result or not gives_targets(text, sign, statement.goals[sign].spread, samples):
            continue
        kind: Kind = "insert" if statement.parsed is None else "edit" if ranking.kept(term) else "rewrite"
        result[text] = Candidate(text, kind, round(cost, 6))
    return list(result.values())


def statement_text(statement: Statement, sign: Sign, expression: str, code: str, start: int, end: int) -> str:
    """Return the whole statement with a new sign and expression."""
    parsed = statement.parsed
    if parsed is None:
        return statement.head + expression
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


def gives_targets(text: str, sign: Sign, spread: bool, samples: Sequence[Sample]) -> bool:
    """Evaluate a statement's expression as Python does, in every sample, and compare."""
    try:
        node = ast.parse(text).body[0] if not text.startswith("return") else ast.parse(f"def f():\n {text}").body[0]
        value = node.body[0].value if isinstance(node, ast.FunctionDef) else node.value  # type: ignore[attr-defined]
        program = compile(ast.Expression(value), "<repaired>", "eval")
        for sample in samples:
            got = np.asarray(eval(program, names_for(value, sample.env)))
            wanted = np.asarray(sample.target, dtype=np.float64)
            if sign != "=":
                before = np.asarray(sample.before)
                got = before + got if sign == "+=" else before - got
            tolerance = 10 * TOLERANCE.get(np.asarray(sample.target).dtype, 1e-9)
            if spread and got.ndim <= wanted.ndim:
                got = np.broadcast_to(got, wanted.shape)
            if got.shape != wanted.shape or not close(got, wanted, tolerance):
                return False
    except Exception:  # it cannot even be evaluated
        return False
    return True
