"""Functions of theirs in an edit: one in the place of what is made of a variable, one called with other arguments."""

from __future__ import annotations

from collections.abc import Iterator

from bptt.checking.repairing.edits import places, subterms, variables
from bptt.checking.repairing.leaves import ATOMS
from bptt.checking.repairing.reading import Parsed
from bptt.checking.repairing.terms import Stack, Term, Terms, Value, shape_of
from bptt.checking.repairing.together import Whole, given, wholes

PARTS = 3
"""So many variables may stand in what a function of one variable replaces."""


def by_their_functions(
    terms: Terms, parsed: Parsed, functions: list[tuple[float, Term]]
) -> Iterator[tuple[float, Whole]]:
    """Yield a function of theirs of one variable in the place of a part that is made of that variable."""
    for way in places(parsed) if functions else ():
        here = way[-1].term
        shape, held = shape_of(here), variables(here)
        if here.op in ATOMS or not shape or len(held) > PARTS:
            continue
        inner = [t for t in dict.fromkeys(subterms(here)) if t is not here and t.op in ATOMS and shape_of(t) == shape]
        fills = [(cost, terms.make("call", f, x, payload=())) for cost, f in functions for x in inner]
        for k, edited in wholes(terms, way, [term for _, term in fills]):
            if same_kind(parsed.term, edited.value):
                yield fills[k][0], edited


def called_with(terms: Terms, way: tuple[Parsed, ...], fills: list[Term]) -> Iterator[tuple[int, Whole]]:
    """Yield a call of theirs with other arguments, for each fill that has a value; what it returns is not looked at."""
    call, place = way[0].term, way[0].place(way[1])
    for k, argument in wholes(terms, way[1:], fills):
        if same_kind(call.args[place], argument.value):
            args = (*call.args[:place], argument.term(), *call.args[place + 1 :])
            yield k, given(terms.known("call", args, call.payload, call.value or ()))


def same_kind(old: Term, new: Value) -> bool:
    """Tell whether one value may stand for another: numbers of one shape; where theirs raises, anything may."""
    if new is None:
        return False
    if old.value is None:
        return True
    return shape_of(old) == (new.shape if isinstance(new, Stack) else None)
