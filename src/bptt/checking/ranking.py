"""Which of several right statements to show: the nearest to the person's text, idiomatic, safe with zeros."""

from __future__ import annotations

from collections.abc import Mapping

from bptt.checking.edits import derivatives, subterms
from bptt.checking.leaves import ATOMS
from bptt.checking.terms import Stack, Term, Terms

OPERATOR, OPERAND, WRAP, SWAP = 1.0, 1.0, 1.0, 1.0
DROP = 0.15  # a node of theirs that goes
FAR = 3.0
"""What a division by a variable costs: it is NaN where the variable is 0."""


class Ranking:
    """Costs of new expressions in the place of ``original``; ``ranks`` tells how near a variable's text is."""

    def __init__(self, terms: Terms, original: Term | None, ranks: Mapping[Term, float]) -> None:
        self.terms = terms
        self.original = original
        self.ranks = ranks
        self._distances: dict[tuple[Term | None, Term], float] = {}
        self._known = set(subterms(original)) if original is not None else set()

    def cost(self, term: Term) -> float:
        """Return the cost of a whole expression: distance to theirs, then its length and its dangers."""
        return self.distance(self.original, term) + 0.02 * term.size + self.danger(term)

    def share(self, term: Term) -> float:
        """Return how much of the new expression stood in theirs, from 0 to 1."""
        parts = [t for t in subterms(term) if t.op not in ("const",)]
        return sum(t in self._known for t in parts) / max(len(parts), 1)

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
        if old.op == new.op == "sum":
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
        if term.op == "-" and term.args[0] is self.terms.number(1):  # 1 - a**2 is one idiom
            inner = term.args[1]
            if inner.op == "**" and inner.args[1] is self.terms.number(2):
                return OPERATOR + self.fresh(inner.args[0])
        return OPERATOR + sum(self.fresh(arg) for arg in term.args)

    def danger(self, term: Term) -> float:
        """Return a penalty for what is NaN at 0, and for forms that nobody writes."""
        total = 0.0
        for part in subterms(term):
            if part in self._known:
                continue
            args = part.args
            if part.op == "/" and isinstance(args[1].value, Stack) and args[1].value.ndim:
                total += FAR
            if part.op in ("+", "-", "*") and args[0] is args[1]:
                total += 2.0
            if part.op in ("+", "*", "/") and any(a.op == "const" and a.payload in (0, 1) for a in args):
                total += 2.0
            if (part.op == "+" and args[1].op == "neg") or (part.op == "neg" and args[0].op in ("-", "neg")):
                total += 0.5
            if part.op in ("+", "-") and args[0].op in ("-", "+") and args[1] in args[0].args:
                total += 2.0  # x + y - y
            if part.op == "neg":
                total += 0.1
            if part.op == "*" and args[1].op == "const":
                total += 0.1  # 2 * x rather than x * 2
            if part.op == "T" and args[0].op == "dot":
                total += 0.3  # (A @ B).T
            if part.op == "dot" and args[0].op in ("const",):
                total += 2.0
        return total

    def idioms(self, term: Term) -> set[Term]:
        """Return the derivatives that a term may be written with."""
        return set(derivatives(self.terms, term))


def _operators(old: Term, new: Term) -> bool:
    return {old.op, new.op} <= {"+", "-", "*", "/", "dot", "outer", "**"}
