"""Every single edit of an expression that keeps its shape: one place changed, and how far that is from the text."""

from __future__ import annotations

import ast
import heapq
import re
import warnings
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain, pairwise
from types import ModuleType
from typing import Any

import numpy as np

from bptt.checking.repairing.edits import (
    activated,
    derivatives,
    everywhere,
    fits,
    places,
    rebuild,
    shifts,
    slices,
    subterms,
    variants,
)
from bptt.checking.repairing.leaves import ATOMS, Leaf, leaves
from bptt.checking.repairing.ranking import Ranking
from bptt.checking.repairing.reading import Parsed, Reader
from bptt.checking.repairing.terms import Stack, Term, Terms, Value
from bptt.checking.repairing.together import Whole, given, wholes

SCALED = 0.88
"""What a factor more costs, at most."""
FORGOTTEN = 0.7
KEPT = 200
"""Distinct edits of one statement, the nearest to its text."""
FORMS = 3
"""So many edits that give one value are compared: the nearer text is chosen."""


def edited(
    node: ast.stmt,
    value: ast.expr,
    environments: Sequence[Mapping[str, Any]],
    *,
    code: str,
    tree: ast.Module,
    forgotten: Collection[str] = (),
    most: int = KEPT,
    reshaping: bool = False,
) -> tuple[Reader, Parsed, list[tuple[float, Term]]]:
    """Return the single edits of an expression that change its value, with their costs, the nearest first."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reader = Reader(Terms(list(environments)), code)
        parsed = reader.read(value)
        known = leaves(reader, node, tree)
        unread = {leaf.term for leaf in known if any(part.payload in forgotten for part in subterms(leaf.term))}
        nearby = [leaf for leaf in known if leaf.rank < 1.0 or leaf.term in unread]
        nearby += [Leaf(s, leaf.rank + 0.3) for leaf in nearby for s in _siblings(reader.terms, leaf.term)]
        nearby.sort(key=lambda leaf: leaf.term not in unread)
        ranking = Ranking(reader.terms, parsed.term, {leaf.term: leaf.rank for leaf in nearby})
        activations = [reader.expression(name) for name in _activations(tree)]
        edits = _edits(reader.terms, parsed, nearby, activations)
        if reshaping:
            edits = chain(_reshaped(reader.terms, parsed), edits)
        return reader, parsed, _nearest(edits, parsed.term, ranking, unread, most)


def _nearest(
    edits: Iterator[tuple[float, Whole]], own: Term, ranking: Ranking, unread: Collection[Term], most: int
) -> list[tuple[float, Term]]:
    """Return the nearest edits of different values; a term is made, and its dangers looked at, when its turn comes."""
    alike: Counter[Any] = Counter({_value_key(own): FORMS})
    least = -ranking.danger(own) - FORGOTTEN * bool(unread)
    queue: list[tuple[float, int, Any, Whole | Term]] = []
    for cost, whole in edits:
        key = _key(whole.value) if isinstance(whole.value, Stack) else _value_key(whole.term())
        if cost < SCALED:  # at these sizes, two factors may be the same number
            key = (key, whole.term().number)
        if alike[key] < FORMS:
            alike[key] += 1
            queue.append((cost + least, len(queue), key, whole))
        if len(alike) > 8 * KEPT:
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
        dict.fromkeys(n for n in names if re.fullmatch(r"(np\.|numpy\.)?(tanh|sigm\w*|relu)", n, re.IGNORECASE))
    )


def _edits(terms: Terms, parsed: Parsed, nearby: list[Leaf], activations: list[Term]) -> Iterator[tuple[float, Whole]]:
    """Yield the whole expression with one place of it changed, and about how far that is: first what is near."""
    whole = parsed.term
    atoms = [leaf for leaf in nearby if leaf.term.op in ATOMS]
    for cost, moved in ((0.9, shifts(terms, parsed)), (1.0, everywhere(terms, whole, [a.term for a in atoms]))):
        for term in moved:
            if _same_kind(whole, term.value):
                yield cost, given(term)
    ways = [
        way
        for way in places(parsed)
        if not any(p.term.op in ("item", "slice") and part is not p.parts[0] for p, part in pairwise(way))
    ]
    for way in ways:
        here = way[-1].term
        if here.op in ATOMS and here.op != "const" and here.value is not None and not activated(here):
            for function in activations:
                term = rebuild(terms, way, terms.make("call", function, here, payload=()))
                if _same_kind(whole, term.value):
                    yield 1.2, given(term)
    slopes = [(leaf.rank, d) for leaf in atoms if activated(leaf.term) for d in derivatives(terms, leaf.term)]
    written = [leaf for leaf in nearby if leaf.term.op == "call" or (leaf.term.op not in ATOMS and leaf.term.size <= 4)]
    for stage, beside in ((_varied, atoms), (_replaced, [*atoms, *written]), (_joined, atoms)):
        for way in ways:
            here = way[-1].term
            handed_on = len(way) > 1 and whole.value is not None and not isinstance(whole.value, Stack)
            edits = [
                (cost, new)
                for cost, new in stage(terms, here, beside, slopes)
                if new.value is not None
                and new is not here
                # a function of theirs is handed operands of the shapes that it had
                and not (handed_on and _shape(here) not in (None, _shape(new)))
            ]
            fills = [new for _, new in edits]
            if handed_on and whole.op == "call" and len(way) > 1:
                found = _called_with(terms, way, fills)
            else:
                found = wholes(terms, way, fills)
            for place, edited in found:
                if _same_kind(whole, edited.value):
                    yield edits[place][0], edited
    for way, parts in slices(terms, parsed, [leaf.term for leaf in nearby]):
        for _, edited in wholes(terms, way, parts):
            if _same_kind(whole, edited.value):
                yield 1.4, edited


def _reshaped(terms: Terms, parsed: Parsed) -> Iterator[tuple[float, Whole]]:
    """Yield what has another shape: a sum over another axis, another layer's weights, where lines below do not fit."""
    whole = parsed.term
    yield from ((1.0, given(new)) for new in shifts(terms, parsed) if new.value is not None)
    for new in variants(terms, whole):
        if isinstance(new.value, Stack) and _shape(new) != _shape(whole) and new.op in (whole.op, "sum", "dot", "T"):
            yield 1.0 if whole.op == new.op else 1.4, given(new)


def _called_with(terms: Terms, way: tuple[Parsed, ...], fills: list[Term]) -> Iterator[tuple[int, Whole]]:
    """Yield a call of theirs with other arguments, for each fill that has a value; what it returns is not looked at."""
    call, place = way[0].term, way[0].place(way[1])
    for k, argument in wholes(terms, way[1:], fills):
        if _same_kind(call.args[place], argument.value):
            args = (*call.args[:place], argument.term(), *call.args[place + 1 :])
            yield k, given(terms.known("call", args, call.payload, call.value))


def _siblings(terms: Terms, term: Term) -> Iterator[Term]:
    """Yield what lies beside an attribute or under another key of a dict."""
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


Slopes = list[tuple[float, Term]]


def _varied(terms: Terms, here: Term, atoms: list[Leaf], slopes: Slopes) -> Iterator[tuple[float, Term]]:
    """Yield what one edit at the top of a part makes of it."""
    for new in variants(terms, here):
        yield _unlikely(here, new), new


def _replaced(terms: Terms, here: Term, atoms: list[Leaf], slopes: Slopes) -> Iterator[tuple[float, Term]]:
    """Yield what may stand in the place of a part."""
    shape = _shape(here)
    whole = 0.0 if here.op in (*ATOMS, "T", "neg") else 0.5  # more goes than one variable
    for leaf in atoms:
        if shape is None or _shape(leaf.term) == shape:
            number = 0.4 if leaf.term.op == "const" else 0.0 if leaf.term.op in ATOMS else 0.3
            yield 1.0 + 0.4 * leaf.rank + whole + number, leaf.term
    for rank, new in slopes:
        if shape is None or _shape(new) == shape:
            yield 1.4 + 0.4 * rank, new


def _unlikely(old: Term, new: Term) -> float:
    """Return the cost of one edit at the top of a term, without new variables."""
    if new.op == "T" or old.op == "T" or "neg" in (old.op, new.op) or {old.op, new.op} <= {"sum", "mean", "dot"}:
        return 1.0
    if new in old.args:
        return 1.1 if old.op == "call" else 1.3
    if old.op == new.op or (len(old.args) == len(new.args) == 2 and set(old.args) == set(new.args)):
        return 1.1
    if new.op == "sum":
        return 1.1
    if {old.op, new.op} <= {"+", "-", "*"} and old.op != new.op:
        return 1.2  # regrouped
    if new.op in (">", "**"):
        return 2.2
    return 1.5 if activated(old) else 2.0


def _joined(terms: Terms, here: Term, atoms: list[Leaf], slopes: Slopes) -> Iterator[tuple[float, Term]]:
    """Yield what one more operand makes of a part, where that has the part's shape."""
    shape = _shape(here)
    if shape is None or here.op == "const":
        return
    make = terms.make
    for rank, other in [(leaf.rank, leaf.term) for leaf in atoms] + [(r + 0.2, s) for r, s in slopes]:
        beside = _shape(other)
        if beside is None or (other.op == "const" and other.payload in (0, 1)):
            continue
        cost = 1.5 + 0.4 * rank
        if fits(shape, beside, shape):
            for op in ("*",) if beside else ("*", "/"):  # by a size, or by 2, more often than by an array
                yield SCALED - 0.05 - 0.1 * (not shape) if _is_size(other) else cost - 0.25, make(op, here, other)
            for op in ("+", "-"):  # a sum that lacks a part, more often than a product that is to be a sum
                yield cost - 0.3 * (here.op in ("+", "-")), make(op, here, other)
        if len(shape) and len(beside) == 2:
            for right, turned in ((other, beside), (make("T", other), beside[::-1])):
                if turned[0] == turned[1]:
                    if shape[-1] == turned[0]:
                        yield cost, make("dot", here, right)
                    if shape[0] == turned[1]:
                        yield cost, make("dot", right, here)


def _is_size(term: Term) -> bool:
    """Tell whether a term is a number that stays the same: a size, a rate, a constant."""
    value = term.value
    if not isinstance(value, Stack) or value.ndim or (term.op == "item" and value.data.dtype.kind == "f"):
        return False
    return bool((value.data == value.data.reshape(-1)[0]).all())


def _shape(term: Term) -> tuple[int, ...] | None:
    return term.value.shape if isinstance(term.value, Stack) else None


def _same_kind(old: Term, new: Value) -> bool:
    """Tell whether one value may stand for another: numbers of one shape; where theirs raises, anything may."""
    if new is None:
        return False
    if old.value is None:
        return True
    return _shape(old) == (new.shape if isinstance(new, Stack) else None)


def _value_key(term: Term) -> Any:
    """Return what two expressions of the same value share; a call that returns no number is known by its arguments."""
    if term.value is None:
        return ("raises",)
    if term.op == "call" and isinstance(term.value, tuple):
        return ("call", *[_value_key(arg) for arg in term.args[1:]])
    return _key(term.value)


def _key(value: Any) -> Any:
    if isinstance(value, Stack):
        return _key(value.data)
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
        return (value.shape, (value.astype(np.float32) + 0.0).tobytes())  # +0.0: no negative zero
    if isinstance(value, tuple | list):
        return tuple(_key(item) for item in value)
    if isinstance(value, dict):
        return tuple((str(name), _key(item)) for name, item in value.items())
    if isinstance(value, float | int | np.number):
        return _key(np.array(value))
    return id(value)
