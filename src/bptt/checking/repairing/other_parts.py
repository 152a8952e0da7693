"""What may stand in the place of one part of an expression, and how far that is from the text."""

from __future__ import annotations

from collections.abc import Iterator

from bptt.checking.repairing.edits import activated, variables, variants
from bptt.checking.repairing.joining import Costed
from bptt.checking.repairing.leaves import ATOMS, Leaf
from bptt.checking.repairing.terms import Term, Terms, shape_of


def varied(terms: Terms, here: Term, atoms: list[Leaf], slopes: list[Costed]) -> Iterator[tuple[float, Term]]:
    """Yield what one edit at the top of a part makes of it."""
    for new in variants(terms, here):
        yield _unlikely(here, new), new


def replaced(terms: Terms, here: Term, atoms: list[Leaf], slopes: list[Costed]) -> Iterator[tuple[float, Term]]:
    """Yield what may stand in the place of a part."""
    shape = shape_of(here)
    whole = 0.0 if here.op in (*ATOMS, "T", "neg") else 0.5  # more goes than one variable
    for leaf in atoms:
        if shape is None or shape_of(leaf.term) == shape:
            number = 0.4 if leaf.term.op == "const" else 0.0 if leaf.term.op in ATOMS else 0.3
            yield 1.0 + 0.4 * leaf.rank + whole + number, leaf.term
    own = variables(here)
    for rank, new in slopes:
        if shape is None or shape_of(new) == shape:
            exchanged = here.op not in ATOMS and own == variables(new)  # one derivative for another
            yield 1.0 if exchanged else 1.4 + 0.4 * rank, new


def _unlikely(old: Term, new: Term) -> float:
    """Return the cost of one edit at the top of a term, without new variables."""
    if new.op == "T" or old.op == "T" or "neg" in (old.op, new.op) or {old.op, new.op} <= {"sum", "mean", "dot"}:
        return 1.0
    if new in old.args:
        return 1.0 if _complement(old, new) else 1.1 if old.op == "call" else 1.3
    if old.op == new.op or (len(old.args) == len(new.args) == 2 and set(old.args) == set(new.args)):
        return 1.1
    if new.op == "sum":
        return 1.1
    if {old.op, new.op} <= {"+", "-", "*"} and old.op != new.op:
        return 1.2  # regrouped
    if new.op in (">", "**"):
        return 2.2
    if _complement(new, old) and activated(old):
        return 1.2
    return 1.5 if activated(old) else 2.0


def _complement(new: Term, old: Term) -> bool:
    """Tell whether a term is one less another."""
    return new.op == "-" and new.args[0].op == "const" and new.args[0].payload == 1 and new.args[1] is old
