"""Copy and paste: what an expression is with another gate's names, in all places at once, or beside its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any

from bptt.checking.repairing.edits import alike, other_numbers, places, rebuild, subterms
from bptt.checking.repairing.leaves import ATOMS, Leaf
from bptt.checking.repairing.reading import Parsed
from bptt.checking.repairing.terms import Stack, Term, Terms, shape_of

GATE = 8
"""The longest part of a name that tells gates apart."""


def renamed(terms: Terms, term: Term, atoms: Sequence[Term]) -> Iterator[Term]:
    """Yield a term with the names of its variables changed alike: dz, Wz, bz to dr, Wr, br."""
    named: dict[str, list[Term]] = {}
    for atom in atoms:
        named.setdefault(_name(atom), []).append(atom)
    own = [t for t in dict.fromkeys(subterms(term)) if t.op in ATOMS and _name(t)]
    if len(own) < 2:
        return
    changes = {change for old in own for name in named if name and (change := changed_part(_name(old), name))}
    for before, after in sorted(changes):
        new, count = term, 0
        for old in own:
            options = [n for n in named.get(_name(old).replace(before, after), ()) if n is not old and alike(old, n)]
            if options:
                new, count = terms.swap(new, old, options[0]), count + 1
        if count > 1:
            yield new


def beside_renamed(terms: Terms, parsed: Parsed, atoms: Sequence[Term]) -> Iterator[Term]:
    """Yield a product of theirs with the like product of another gate added to it."""
    for way in places(parsed):
        here = way[-1].term
        if here.op in ("dot", "*") and isinstance(here.value, Stack) and here.value.ndim:
            for other in renamed(terms, here, atoms):
                yield rebuild(terms, way, terms.make("+", here, other))


def copied_over(terms: Terms, whole: Term, leaves: Sequence[Leaf], atoms: Sequence[Term]) -> Iterator[Term]:
    """Yield a sum that lacks another gate's part: a product of another statement, with its names changed alike."""
    shape = shape_of(whole)
    known = {leaf.term for leaf in leaves} | set(subterms(whole))
    for leaf in leaves if shape else ():
        product = leaf.term.args[0] if leaf.term.op == "item" else leaf.term
        if product.op in ("dot", "*") and shape_of(leaf.term) == shape:
            for other in renamed(terms, leaf.term, atoms):
                if other not in known:
                    yield terms.make("+", whole, other)


def _name(term: Term) -> str:
    """Return the last name of a variable: of an attribute, of a key."""
    if term.op in ("leaf", "attr"):
        return str(term.payload)
    keys = [a.payload for a in term.args[1:] if a.op == "const" and isinstance(a.payload, str)]
    return keys[0] if keys else _name(term.args[0]) if term.op == "item" else ""


def changed_part(old: str, new: str) -> tuple[str, str] | None:
    """Return what one name has where another has something else, if that is short."""
    start = _shared(old, new)
    end = min(_shared(old[::-1], new[::-1]), len(old) - start, len(new) - start)
    a, b = old[start : len(old) - end], new[start : len(new) - end]
    return (a, b) if a and b and a != old and len(a) <= GATE and len(b) <= GATE else None


def _shared(a: str, b: str) -> int:
    """Return how many letters two names begin with alike."""
    return next((k for k, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def siblings(terms: Terms, term: Term) -> Iterator[Term]:
    """Yield what lies beside an attribute or under another key of a dict, and another number of a few."""
    if term.op == "item":
        yield from other_numbers(terms, term)
    keyed = term.op == "item" and len(term.args) == 2 and isinstance(term.args[1].payload, str)
    holder = term.args[0].value if term.op == "attr" or keyed else None
    if not isinstance(holder, tuple):
        return
    for name in list(holder[0] if isinstance(holder[0], dict) else vars(holder[0]))[:40] if _held(holder[0]) else ():
        if isinstance(name, str) and name != (term.payload if term.op == "attr" else term.args[1].payload):
            if keyed:
                yield terms.make("item", term.args[0], terms.number(name), payload=term.payload)
            else:
                yield terms.make("attr", term.args[0], payload=name)


def _held(holder: Any) -> bool:
    return isinstance(holder, dict) or (hasattr(holder, "__dict__") and not isinstance(holder, type | ModuleType))
