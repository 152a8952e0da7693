"""Every single edit of an expression that keeps its shape: one place changed, and how far that is from the text."""

from __future__ import annotations

import ast
import heapq
import re
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain, pairwise
from typing import Any

import numpy as np

from bptt.checking.repairing.edits import (
    activated,
    derivatives,
    everywhere,
    places,
    rebuild,
    shifts,
    subterms,
    variants,
    without_slope,
)
from bptt.checking.repairing.functions import by_their_functions, called_with, same_kind
from bptt.checking.repairing.joining import (
    SCALED,
    centred,
    gated,
    is_constant,
    joined,
    lacking,
    masked,
    of_each,
    projected,
    through_softmax,
)
from bptt.checking.repairing.leaves import ATOMS, Leaf, leaves, pure_functions
from bptt.checking.repairing.other_parts import replaced, varied
from bptt.checking.repairing.ranking import Ranking
from bptt.checking.repairing.reading import Parsed, Reader
from bptt.checking.repairing.renaming import beside_renamed, copied_over, renamed, siblings
from bptt.checking.repairing.slicing import cuts, slices
from bptt.checking.repairing.terms import Stack, Term, Terms, Value, shape_of
from bptt.checking.repairing.together import Whole, given, wholes

DEEPER = 0.35
"""What more for every sum around it: where one summand is scaled, and not all."""
FORGOTTEN = 0.7
LACKING = 2.4
"""What a product more in a sum costs, which is a true quantity then."""
MADE = 4000
"""Distinct values that edits of one statement are made of, at most."""
FORMS = 3
"""So many edits that give one value are compared: the nearer text is chosen."""


def edited(
    node: ast.stmt,
    value: ast.expr,
    environments: Sequence[Mapping[str, Any]],
    *,
    code: str,
    tree: ast.Module,
    most: int,
    forgotten: Collection[str] = (),
    reshaping: bool = False,
    speaks: Callable[[Term, Term], float] | None = None,
) -> tuple[Reader, Parsed, list[tuple[float, Term]]]:
    """Return the single edits of an expression that change its value, with their costs, the nearest first.

    With ``speaks``, which tells whether anything speaks for an edit of a term, also sums that lack a product of two.
    """
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reader = Reader(Terms(list(environments)), code)
        parsed = reader.read(value)
        known = leaves(reader, node, tree)
        unread = {leaf.term for leaf in known if any(part.payload in forgotten for part in subterms(leaf.term))}
        nearby = [leaf for leaf in known if leaf.rank < 1.0 or leaf.term in unread]
        nearby += [Leaf(s, leaf.rank + 0.3) for leaf in nearby for s in siblings(reader.terms, leaf.term)]
        nearby.sort(key=lambda leaf: leaf.term not in unread)
        ranking = Ranking(reader.terms, parsed.term, {leaf.term: leaf.rank for leaf in nearby})
        activations = [reader.expression(name) for name in _activations(tree)]
        own = [(cost, reader.expression(name)) for cost, name in pure_functions(tree)]
        room, acts = _room(reader, node, parsed.term), isinstance(node, ast.Expr)
        edits = _edits(reader.terms, parsed, nearby, activations, room, known, acts)
        diagonal = reader.expression("np.diag")
        edits = chain(through_softmax(reader.terms, parsed.term, _atoms(nearby), diagonal), edits)
        edits = chain(by_their_functions(reader.terms, parsed, own), edits)
        if reshaping:
            edits = chain(
                _reshaped(reader.terms, parsed, [leaf.term for leaf in sorted(known, key=lambda leaf: leaf.rank)]),
                edits,
            )
        found = _nearest(edits, parsed.term, ranking, unread, most)
        if speaks is not None:
            more = (term for term in lacking(reader.terms, parsed.term, nearby) if speaks(parsed.term, term) > 0)
            found += [(LACKING, term) for term in more]
        return reader, parsed, found


def _nearest(
    edits: Iterator[tuple[float, Whole]], own: Term, ranking: Ranking, unread: Collection[Term], most: int
) -> list[tuple[float, Term]]:
    """Return the nearest edits of different values; a term is made, and its dangers looked at, when its turn comes."""
    alike: Counter[Any] = Counter()
    same = _value_key(own)
    least = -ranking.danger(own) - FORGOTTEN * bool(unread)
    queue: list[tuple[float, int, Any, Whole | Term]] = []
    for cost, whole in edits:
        key = _key(whole.value) if isinstance(whole.value, Stack) else _value_key(whole.term())
        if key == same:
            continue
        if cost <= SCALED or whole.distinct:  # at these sizes, two factors may be the same number
            key = (key, whole.term().number)
        if alike[key] < FORMS:
            alike[key] += 1
            queue.append((cost + least, len(queue), key, whole))
        if len(alike) > MADE:
            break
    heapq.heapify(queue)
    known = set(subterms(own))
    found: dict[Any, tuple[float, Term]] = {}
    while queue and len(found) < most:
        cost, place, key, one = heapq.heappop(queue)
        if key in found:
            continue
        if isinstance(one, Term):
            found[key] = cost, one
            continue
        term = one.term()
        cost += ranking.danger(term) + FORGOTTEN * (
            bool(unread) - bool(unread and set(unread) & set(subterms(term)) - known)
        )
        heapq.heappush(queue, (cost, place, key, term))
    return list(found.values())


@lru_cache(maxsize=4)
def _activations(tree: ast.Module) -> list[str]:
    """Return the activations that the program calls, as it writes them."""
    calls = [n.func for n in ast.walk(tree) if isinstance(n, ast.Call) and len(n.args) == 1 and not n.keywords]
    names = (ast.unparse(f) for f in calls if isinstance(f, ast.Name | ast.Attribute))
    return list(
        dict.fromkeys(n for n in names if re.fullmatch(r"(np\.|numpy\.)?(tanh|sigm\w*|relu|exp)", n, re.IGNORECASE))
    )


def _room(reader: Reader, node: ast.stmt, own: Term) -> tuple[int, ...] | None:
    """Return the shape that a sum has room for, where what is added to it does not have it."""
    if not isinstance(node, ast.AugAssign):
        return None
    held = reader.read(node.target).term.value
    if not isinstance(held, Stack) or held.ndim == 0 or shape_of(own) == held.shape:
        return None
    return held.shape


def _edits(
    terms: Terms,
    parsed: Parsed,
    nearby: list[Leaf],
    activations: list[Term],
    room: tuple[int, ...] | None,
    known: list[Leaf],
    acts: bool,
) -> Iterator[tuple[float, Whole]]:
    """Yield the whole expression with one place of it changed, and about how far that is: first what is near.

    ``acts``: it is called for what it does, and gives nothing.
    """
    whole = parsed.term

    def keeps(value: Value) -> bool:
        return same_kind(whole, value) or (room is not None and isinstance(value, Stack) and value.shape == room)

    atoms = _atoms(nearby)
    variable = [a.term for a in atoms]
    for cost, moved in (
        (0.9, shifts(terms, parsed)),
        (1.0, everywhere(terms, whole, variable)),
        (1.0, renamed(terms, whole, variable)),
        (1.0, without_slope(terms, parsed)),
        (1.5, beside_renamed(terms, parsed, variable)),
        (1.5, copied_over(terms, whole, nearby, variable)),
    ):
        for term in moved:
            if keeps(term.value):
                yield cost, given(term)
    ways = [
        way
        for way in places(parsed)
        if not any(p.term.op in ("item", "slice") and part is not p.parts[0] for p, part in pairwise(way))
    ]
    for way in ways:
        here = way[-1].term
        if (
            (here.op in ATOMS or _copies(here))
            and here.op != "const"
            and here.value is not None
            and not activated(here)
        ):
            inside = here.args[0].args[0] if _copies(here) else here
            for function in activations:
                term = rebuild(terms, way, terms.make("call", function, inside, payload=()))
                if keeps(term.value):
                    yield 1.2, given(term)
    slopes = [(leaf.rank, d) for leaf in atoms if activated(leaf.term) for d in derivatives(terms, leaf.term)]
    written = [leaf for leaf in nearby if leaf.term.op == "call" or (leaf.term.op not in ATOMS and leaf.term.size <= 4)]
    written += [Leaf(leaf.term, 0.3) for leaf in known if leaf.rank == 1.0 and _product(leaf.term)]  # of the forward
    counted = [leaf for leaf in nearby if leaf.term.op == "call" and is_constant(leaf.term)]
    for stage, beside in ((varied, atoms), (replaced, [*atoms, *written]), (joined, [*atoms, *counted])):
        for way in ways[acts:]:
            here = way[-1].term
            deeper = DEEPER * sum(p.term.op in ("+", "-") for p in way[:-1]) if stage is joined else 0.0
            handed_on = len(way) > 1 and (acts or (whole.value is not None and not isinstance(whole.value, Stack)))
            edits = [
                (cost + deeper, new)
                for cost, new in stage(terms, here, beside, slopes)
                if new.value is not None
                and new is not here
                # a function of theirs is handed operands of the shapes that it had
                and not (handed_on and shape_of(here) not in (None, shape_of(new)) and here.op != "sum")
            ]
            fills = [new for _, new in edits]
            if handed_on and whole.op == "call" and len(way) > 1:
                found = called_with(terms, way, fills)
            else:
                found = wholes(terms, way, fills)
            for place, edited in found:
                if keeps(edited.value):
                    yield edits[place][0], edited
    yield from ((c, e) for c, e in of_each(terms, ways, atoms) if keeps(e.value))
    yield from ((c, e) for c, e in gated(terms, whole, atoms, known) if keeps(e.value))
    yield from ((c, e) for c, e in masked(terms, ways, atoms) if keeps(e.value))
    yield from ((c, e) for c, e in projected(terms, ways, atoms) if keeps(e.value))
    yield from ((c, e) for c, e in centred(terms, ways) if keeps(e.value))
    for way in ways if room is not None else ():
        here = way[-1].term
        others = [a for a in atoms if here.op in ATOMS and len(shape_of(a.term) or ()) == len(shape_of(here) or ())]
        for k, edited in wholes(terms, way, [a.term for a in others]):
            if isinstance(edited.value, Stack) and edited.value.shape == room:
                yield 1.0 + 0.4 * others[k].rank, edited
    for way, parts in slices(terms, parsed, [leaf.term for leaf in sorted(known, key=lambda leaf: leaf.rank)]):
        for _, edited in wholes(terms, way, parts):
            if keeps(edited.value):
                yield 1.4, edited


def _atoms(leaves: Sequence[Leaf]) -> list[Leaf]:
    return [leaf for leaf in leaves if leaf.term.op in ATOMS]


def _product(term: Term) -> bool:
    """Tell whether a term is a product of two variables, number by number."""
    return term.op == "*" and isinstance(term.value, Stack) and all(a.op in ATOMS and shape_of(a) for a in term.args)


def _copies(term: Term) -> bool:
    """Tell whether a term is ``x.copy()``."""
    return term.op == "call" and len(term.args) == 1 and (term.args[0].op, term.args[0].payload) == ("attr", "copy")


def _reshaped(terms: Terms, parsed: Parsed, leaves: Sequence[Term]) -> Iterator[tuple[float, Whole]]:
    """Yield what has another shape: a sum over another axis, another layer's weights, where lines below do not fit."""
    whole = parsed.term
    yield from ((1.0, given(new)) for new in shifts(terms, parsed) if new.value is not None)
    for new in variants(terms, whole):
        reshaped = isinstance(new.value, Stack) and shape_of(new) != shape_of(whole)
        if reshaped and new.op in (whole.op, "sum", "dot", "T"):
            yield 1.0 if whole.op == new.op else 1.4, given(new)
    yield from ((1.4, given(new)) for new in cuts(terms, whole, leaves) if new.value is not None)
    arrays = [leaf for leaf in leaves if leaf.op in ATOMS and isinstance(leaf.value, Stack) and leaf.value.ndim]
    for way in places(parsed):  # a variable of another shape is meant
        here = way[-1].term
        if here.op in ATOMS and isinstance(here.value, Stack) and here.value.ndim:
            raises = whole.value is None
            others = (leaf for leaf in arrays if leaf is not here and (raises or shape_of(leaf) != shape_of(here)))
            for new in (rebuild(terms, way, leaf) for leaf in others):
                if new.value is not None and (raises or shape_of(new) != shape_of(whole)):
                    yield 1.2, given(new)


def _value_key(term: Term) -> Any:
    """Return what two expressions of the same value share; what is no numbers is known by what it is made of."""
    if term.value is None:
        return ("raises",)
    if isinstance(term.value, Stack):
        return _key(term.value)
    if term.op in ("call", "tuple", "list", "dict"):
        return (term.op, *[_value_key(arg) for arg in term.args])
    return ("held", term.number)


def _key(value: Stack) -> Any:
    data = value.data
    return (data.shape, (data.astype(np.float32) + 0.0).tobytes())  # +0.0: no negative zero
