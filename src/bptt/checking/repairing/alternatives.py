"""What else a statement might have been: every single edit of it that keeps its shape, without knowing its goal.

:mod:`bptt.checking.repairing.repair` searches for a statement with a known value; this is for where no value is known,
and the gradients of the whole program are the judge.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bptt.checking.repairing.comprehensions import within_comprehensions
from bptt.checking.repairing.index_edits import (
    first_steps,
    handed_ranges,
    moved_indices,
    other_ends,
    restated,
    subscripts,
)
from bptt.checking.repairing.patch import Change, replace
from bptt.checking.repairing.repair import Statement, statement_text
from bptt.checking.repairing.single_edits import edited
from bptt.checking.repairing.terms import Term
from bptt.checking.repairing.writing import Style, Writer

LOOKED_AT = 600
"""So many edits of a statement are made at most."""
KEPT = 200
"""Those nearest to its text are kept, and all that their value speaks for."""


@dataclass(frozen=True)
class Alternative:
    """A change of the program that may be right, and how far it is from their text."""

    changes: tuple[Change, ...]
    cost: float
    statement: ast.stmt
    text: str = ""
    """The whole statement instead of theirs, where it is an edit of one."""
    what: str = ""
    """What it does in words, where it is a change of form."""
    true: bool = False
    """Whether it gives a true quantity."""


def alternatives(
    node: ast.stmt,
    environments: Sequence[Mapping[str, Any]],
    *,
    code: str,
    tree: ast.Module,
    forgotten: Collection[str] = (),
    reshaping: bool = False,
    likelier: Callable[[Term, Term], float] = lambda old, new: 0.0,
) -> list[Alternative]:
    """Return the single edits of a statement that change its value and not its shape, nearest first.

    Parameters
    ----------
    node : ast.stmt
        An assignment, an update, a return or a call; of any other there are none.
    environments : sequence of mapping
        The names that it saw, at a few executions; values are frozen.
    code, tree
        The program that it stands in.
    forgotten : collection of str
        Variables that nothing reads: an edit that reads one is the likelier.
    reshaping : bool
        Whether it may have another shape: a line below it raises.
    likelier : callable
        Tells of their term and an edit of it how much speaks for the edit.
    """
    value = getattr(node, "value", None)
    if not environments or not isinstance(value, ast.expr):
        return []
    reader, parsed, all_edits = edited(
        node, value, environments, code=code, tree=tree, forgotten=forgotten, reshaping=reshaping, most=LOOKED_AT,
        speaks=likelier,
    )  # fmt: skip
    better = ((cost, term, likelier(parsed.term, term)) for cost, term in all_edits)
    chosen = [(cost - more, term, more > 0) for k, (cost, term, more) in enumerate(better) if more or k < KEPT]
    chosen.sort(key=lambda pair: pair[0])
    start = reader.offset(node.lineno, node.col_offset)
    end = reader.offset(node.end_lineno or node.lineno, node.end_col_offset or 0)
    writer = Writer(code, Style.of(reader.terms, code[start:end], code), parsed)
    statement = Statement(node, reader, "=", parsed)
    found = []
    for cost, term, true in chosen:
        text = statement_text(statement, "=", writer.text(term), code, start, end)
        found.append(Alternative((replace(code, node, text),), round(cost, 6), node, text, true=true))
    return [*found, *_of_text(node, environments[0], code, tree)]


def _of_text(node: ast.stmt, names: Mapping[str, Any], code: str, tree: ast.Module) -> Iterator[Alternative]:
    """Yield the edits that are of the text and of no term."""
    found = [
        *moved_indices(node, names, code, tree),
        *first_steps(node, names, code, tree),
        *other_ends(node, names, code),
    ]
    found += [*subscripts(node, code), *handed_ranges(node, code), *within_comprehensions(node, names, code, tree)]
    for cost, change in found:
        yield Alternative((change,), cost, node, restated(code, node, change))
