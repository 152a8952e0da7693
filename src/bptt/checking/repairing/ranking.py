"""Which of several right statements to show: the nearest to the person's text, idiomatic, safe with zeros."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from bptt.checking.repairing.edits import subterms
from bptt.checking.repairing.leaves import ATOMS
from bptt.checking.repairing.terms import Stack, Term, Terms
from bptt.dims import Array

OPERATOR, OPERAND, WRAP, SWAP = 1.0, 1.0, 1.0, 1.1
DROP = 0.15  # a node of theirs that goes
FAR = 3.0
"""What a division by a variable costs: it is NaN where the variable is 0."""


class Ranking:
    """Costs of new expressions in the place of ``original``; ``ranks`` tells how near a variable's text is."""

    def __init__(self, terms: Terms, original: Term | None, ranks: Mapping[Term, float]) -> None:
        self.terms = terms
        self.original = original
        self.ranks = ranks
        self._fresh: dict[Term, float] = {}
        self._dangers: dict[Term, float] = {}
        self._distances: dict[tuple[Term | None, Term], float] = {}
        self._calls = [t for t in subterms(original) if t.op == "call"] if original is not None else []
        self._known = set(subterms(original)) if original is not None else set()
        self._slices_sums = any(_of_a_sum(term) for term in self._known)

    def cost(self, term: Term) -> float:
        """Return the cost of a whole expression: distance to theirs, then its length and its dangers."""
        return self.distance(self.original, term) + 0.02 * term.size + self.danger(term)

    def kept(self, term: Term) -> bool:
        """Whether enough of their expression is left to call the change an edit rather than a rewrite."""
        if self.original is None:
            return False
        parts = list(_parts(term))
        if self.distance(self.original, term) <= 2 or self.original in parts or term in self._known:
            return True
        old = [t for t in _parts(self.original) if t.op != "const"]
        return 3 * sum(t in self._known for t in parts) >= len(parts) or 2 * sum(t in parts for t in old) >= len(old)

    def distance(self, old: Term | None, new: Term) -> float:
        """Return the cost of the edits that make ``new`` of ``old`` (a tree edit distance, greedy at each node)."""
        if old is new:
            return 0.0
        key = (old, new)
        if key in self._distances:
            return self._distances[key]
        self._distances[key] = best = self.fresh(new) + (DROP * old.size if old is not None else 0.0)
        if old is not None:
            best = min(best, self._edited(old, new))
        self._distances[key] = best
        return best

    def _edited(self, old: Term, new: Term) -> float:
        best = float("inf")
        same = old.op == new.op and old.payload == new.payload
        if old.args and len(old.args) == len(new.args) and (same or _operators(old, new)):
            change = 0.0 if same else OPERATOR
            best = change + sum(self.distance(a, b) for a, b in zip(old.args, new.args, strict=True))
            if len(old.args) == 2 and old.op != "item" and old.op != "call":
                a, b = old.args
                best = min(best, change + SWAP + self.distance(a, new.args[1]) + self.distance(b, new.args[0]))
        if {old.op, new.op} <= {"sum", "mean"}:
            best = min(best, OPERATOR + self.distance(old.args[0], new.args[0]))
        if new.op not in ATOMS:  # something was put around theirs
            for k, arg in enumerate(new.args):
                if arg.size * 3 >= old.size:
                    rest = sum(self.fresh(other) for i, other in enumerate(new.args) if i != k)
                    best = min(best, WRAP + rest + self.distance(old, arg))
        if old.op not in ATOMS:  # something around theirs went
            for k, arg in enumerate(old.args):
                if arg.size * 3 >= new.size and not (old.op == "call" and k == 0):
                    gone = sum(other.size for i, other in enumerate(old.args) if i != k)
                    best = min(best, WRAP + DROP * gone + self.distance(arg, new))
        return best

    def fresh(self, term: Term) -> float:
        """Return the cost of writing a term anew, with their variables."""
        if term not in self._fresh:
            self._fresh[term] = self._anew(term)
        return self._fresh[term]

    def _anew(self, term: Term) -> float:
        if term in self._known:
            return 0.4
        if term.op == "item" and any(t.op in ("+", "-") for t in term.args[1:]):
            return OPERAND + self.ranks.get(term, 1.5) * 0.2 + 0.1
        if term.op in ATOMS:
            return 0.3 if term.op == "const" else OPERAND + 0.2 * self.ranks.get(term, 1.5)
        if term.op == "T":
            return 0.3 + self.fresh(term.args[0])
        if term in self.ranks:
            return min(OPERAND + 0.3 * term.size, OPERATOR + sum(self.fresh(arg) for arg in term.args))
        if (inner := self._idiom(term)) is not None:
            return OPERATOR + self.fresh(inner)
        cost = OPERATOR + sum(self.fresh(arg) for arg in term.args)
        if term.op == "call":  # their own call with something else in it
            for old in self._calls:
                if old.args[0] is term.args[0] and len(old.args) == len(term.args):
                    inside = zip(old.args, term.args, strict=True)
                    cost = min(cost, 0.4 + sum(self.distance(a, b) for a, b in inside))
        return cost

    def _idiom(self, term: Term) -> Term | None:
        """Return a of 1 - a**2 and of a * (1 - a): each is one idea."""
        one = self.terms.number(1)
        if term.op == "-" and term.args[0] is one:
            square = term.args[1]
            return square.args[0] if square.op == "**" and square.args[1] is self.terms.number(2) else None
        if term.op == "*" and term.args[1].op == "-" and term.args[1].args == (one, term.args[0]):
            return term.args[0]
        return None

    def danger(self, term: Term) -> float:
        """Return a penalty for what is NaN at 0, and for forms that nobody writes."""
        if term not in self._dangers:
            own = self._fatal(term) + (0.0 if term in self._known else self._odd(term))
            self._dangers[term] = own + (0.0 if term.op in ATOMS else sum(self.danger(arg) for arg in term.args))
        return self._dangers[term]

    def _fatal(self, term: Term) -> float:
        """Return what counts against a term even where it stood in their text."""
        if term.op == "/" and isinstance(term.args[1].value, Stack) and term.args[1].value.ndim:
            return 0.0 if _counts(term.args[1].value.data) else FAR
        return 2.5 if term.op == "+" and term.args[0].op == "neg" else 0.0  # -y + p

    def _odd(self, term: Term) -> float:
        op, args, value = term.op, term.args, term.value
        if not isinstance(value, Stack):
            return 0.0
        even = value.ndim and value.data.size > self.terms.count and _is_even(value.data)
        if even and (value.data == value.data.flat[0]).all() and not (op in ATOMS and _counts(value.data)):
            return 3.0  # a buffer of ones or zeros: right by chance
        if _of_a_sum(term) and not self._slices_sums:
            return 2.0  # (s ** 2)[t]
        if op == "const":
            return 1.0 if isinstance(term.payload, int | float) and term.payload < 0 else 0.0
        if op in ATOMS:
            return 0.0
        a, b = args[0], args[-1]
        odd = 0.0
        if even and value.data.dtype.kind == "f":
            odd += 5.0  # x / x, x + 1 - x
        if op in ("+", "-") and not value.ndim and b.op == "const":
            odd += 1.0  # T + 1 may be m by chance
        if op in ("+", "-", "*") and a is b:
            odd += 2.0
        if value.ndim and op in ("+", "*", "/") and any(x.op == "const" and x.payload in (0, 1) for x in args):
            odd += 2.0
        if any(x.op == "const" and isinstance(x.payload, int | float) and x.payload < 0 for x in args):
            odd += 2.0  # x - -1
        if op in ("+", "-") and any(x.op in ("-", "+") and y in x.args for x, y in ((a, b), (b, a))):
            odd += 3.0  # x + y - y
        if op in ("+", "-") and any(x.op == "*" and y in x.args for x, y in ((a, b), (b, a))):
            odd += 1.5  # x * y + x
        if op in ("+", "-") and (b.op == "neg" or (b.op == "-" and op == "-")):
            odd += 0.6  # x - (y - z)
        if op == "neg":
            odd += 0.6 if a.op in ("-", "neg", "dot") else 0.1
        if op == "*" and b.op == "const":
            odd += 0.1  # 2 * x rather than x * 2
        if op in ("*", "/") and any(x.op == "const" and x.payload not in (1,) for x in args):
            odd += 0.5  # a number that may be the batch by chance
        if op == ">":
            odd += 0.5
        if op == "T" and a.op not in ATOMS:
            odd += {"dot": 3.0, "*": 0.1}.get(a.op, 0.6)  # (A @ B).T; (r * h).T is a gate's
        if op in ("+", "-", "*", "/") and a.op == b.op == "T":
            odd += 1.5
        if op == "/" and b.op == "/":
            odd += 1.0
        if op == "*" and any(x.op == "/" and x.args[1] in (y, *y.args) for x, y in ((a, b), (b, a))):
            odd += 3.0  # x * y * (1 / y)
        if op in ("sum", "mean") and a.op in ("T", "sum", "mean"):
            odd += 2.0
        return odd


def _of_a_sum(term: Term) -> bool:
    """Tell whether a term is a part of what is calculated in the same place."""
    return term.op == "item" and term.args[0].op not in (*ATOMS, "call")


def _counts(data: Array) -> bool:
    """Tell whether numbers are counts of more than one: lengths, which are never 0."""
    return bool((data > 1).all() and (data == np.round(data)).all())


def _is_even(data: Array) -> bool:
    """Tell whether all numbers are the same; the first and the last tell nearly always that they are not."""
    return abs(float(data.item(0)) - float(data.item(-1))) < 1e-9 and bool(np.ptp(data.astype(np.float64)) < 1e-9)


def _parts(term: Term) -> Iterator[Term]:
    yield term
    for arg in () if term.op in ATOMS else term.args:
        yield from _parts(arg)


def _operators(old: Term, new: Term) -> bool:
    return {old.op, new.op} <= {"+", "-", "*", "/", "dot", "outer", "**"}
