"""From a term back to text: the person's own characters where nothing changed, their own style where something did."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from bptt.checking.repairing.reading import ATOM, INFIX, LOOSE, UNARY, Parsed, sides
from bptt.checking.repairing.terms import Term, Terms


@dataclass(frozen=True)
class Style:
    """How a person writes a product, a sum and a string."""

    numpy: str = "np."
    dot: str = "np.dot"  # or "@", or ".dot"
    sum: str = "np.sum"  # or ".sum"
    quote: str = "'"

    @classmethod
    def of(cls, terms: Terms, statement: str, code: str) -> Style:
        """Read the style off the statement, and where it does not say, off the whole text."""
        alias = next((f"{k}." for k, v in terms.environments[0].items() if v is np), "")

        def most(forms: dict[str, str], default: str) -> str:
            for text in (statement, code):
                counts = {name: len(re.findall(pattern, text)) for name, pattern in forms.items()}
                if any(counts.values()):
                    return max(counts, key=lambda name: counts[name])
            return default

        dot = most(
            {"@": r"\s@\s", ".dot": r"(?<!\bnp)(?<!numpy)\.dot\(", "np.dot": r"\bn\w*\.dot\(|\bmatmul\("}, "np.dot"
        )
        if dot == "np.dot" and "np.matmul(" in code and "np.dot(" not in code:
            dot = "np.matmul"
        total = most({".sum": r"(?<!\bnp)(?<!numpy)\.sum\(", "np.sum": r"\bn\w*\.sum\("}, "np.sum")
        quote = '"' if code.count('["') > code.count("['") else "'"
        return cls(alias, dot, total, quote)


class Writer:
    """Writes terms, splicing into the text of the expression that they replace."""

    def __init__(self, code: str, style: Style, original: Parsed | None) -> None:
        self.code = code
        self.style = style
        self.original = original
        self.known: dict[Term, tuple[str, int]] = {}
        self._learn(original)

    def text(self, term: Term) -> str:
        """Return the text of the whole new expression."""
        if self.original is None:
            return self.write(term)[0]
        return self._splice(self.original, term)[0]

    def _learn(self, parsed: Parsed | None) -> None:
        if parsed is None:
            return
        self.known.setdefault(parsed.term, (self.code[parsed.start : parsed.end], parsed.binding))
        for part in parsed.parts:
            self._learn(part)

    def _splice(self, parsed: Parsed, term: Term) -> tuple[str, int]:
        """Write a term in the place of an expression of theirs, keeping every character that can stay."""
        old = parsed.term
        own = self.code[parsed.start : parsed.end]
        if old is term:
            return own, parsed.binding
        if old.op != term.op or old.payload != term.payload or len(old.args) != len(term.args):
            return self.write(term)
        pairs = list(zip(parsed.parts, term.args, parsed.needs, strict=False))
        changed = [(p, arg, need) for p, arg, need in pairs if p is not None and p.term is not arg]
        if len(changed) != sum(a is not b for a, b in zip(old.args, term.args, strict=True)):
            return self.write(term)  # something changed that has no place of its own
        for part, arg, need in sorted(changed, key=lambda c: -c[0].start):
            assert part is not None
            text, binding = self._splice(part, arg)
            span = part.outer
            if binding < need:
                text = f"({text})"
            own = own[: span[0] - parsed.start] + text + own[span[1] - parsed.start :]
        return own, parsed.binding

    def write(self, term: Term) -> tuple[str, int]:
        """Return the text of a term and how tightly it holds together."""
        if term in self.known:
            return self.known[term]
        op, args = term.op, term.args
        if op == "leaf":
            return str(term.payload), ATOM if re.fullmatch(r"[\w.\[\]'\"]+", str(term.payload)) else LOOSE
        if op == "const":
            return self._constant(term.payload)
        if op == "dot" and self.style.dot != "@":
            a, b = (self._free(arg) for arg in args)
            if self.style.dot == ".dot":
                return f"{self._tight(args[0], ATOM)}.dot({b})", ATOM
            return f"{self.style.numpy}{self.style.dot.removeprefix('np.')}({a}, {b})", ATOM
        if op in INFIX or (len(args) == 2 and op in ("<", "<=", ">", ">=", "==", "!=")):
            left, right = sides(op)
            sign = "@" if op == "dot" else op
            a, b = self._tight(args[0], left), self._tight(args[1], right)
            if op == "**" and args[0].op in ("leaf", "item") and " ** " not in self.code:
                return f"{a}**{b}", INFIX[op]
            return f"{a} {sign} {b}", INFIX.get(op, sides(op)[1])
        if op == "neg":
            return f"-{self._tight(args[0], UNARY)}", UNARY
        if op == "T":
            return f"{self._tight(args[0], ATOM)}.T", ATOM
        if op in ("sum", "mean"):
            return self._sum(term), ATOM
        if op == "outer":
            return f"{self.style.numpy}outer({self._free(args[0])}, {self._free(args[1])})", ATOM
        if op == "attr":
            return f"{self._tight(args[0], ATOM)}.{term.payload}", ATOM
        if op == "slice":
            return self._index(term), LOOSE
        if op == "item":
            index = ", ".join(self._index(arg) for arg in args[1:])
            return f"{self._tight(args[0], ATOM)}[{index}]", ATOM
        if op == "call":
            split = len(args) - len(term.payload)
            given = [self._free(arg) for arg in args[1:split]]
            given += [f"{name}={self._free(arg)}" for name, arg in zip(term.payload, args[split:], strict=True)]
            return f"{self._tight(args[0], ATOM)}({', '.join(given)})", ATOM
        if op == "if":
            return f"{self._tight(args[1], 1)} if {self._tight(args[0], 1)} else {self._free(args[2])}", LOOSE
        if op == "tuple":
            return f"({', '.join(self._free(arg) for arg in args)})", ATOM
        if op == "dict":
            pairs = (
                f"{self._constant(key)[0]}: {self._free(arg)}" for key, arg in zip(term.payload, args, strict=True)
            )
            return f"{{{', '.join(pairs)}}}", ATOM
        if op == "list":
            return f"[{', '.join(self._free(arg) for arg in args)}]", ATOM
        return f"not {self._free(args[0])}", LOOSE

    def _free(self, term: Term) -> str:
        return self.write(term)[0]

    def _tight(self, term: Term, need: int) -> str:
        text, binding = self.write(term)
        return text if binding >= need else f"({text})"

    def _constant(self, value: Any) -> tuple[str, int]:
        if isinstance(value, str):
            text = repr(value)
            return (
                f'"{value}"' if self.style.quote == '"' and text[1:-1] == value and '"' not in value else text
            ), ATOM
        if value is Ellipsis:
            return "...", ATOM
        text = repr(value)
        return text, UNARY if text.startswith("-") else ATOM

    def _sum(self, term: Term) -> str:
        axis, keep = term.payload
        given = ([] if axis is None else [f"axis={axis!r}"]) + (["keepdims=True"] if keep else [])
        if self.style.sum == ".sum":
            return f"{self._tight(term.args[0], ATOM)}.{term.op}({', '.join(given)})"
        return f"{self.style.numpy}{term.op}({', '.join([self._free(term.args[0]), *given])})"

    def _index(self, term: Term) -> str:
        if term.op != "slice":
            return self._free(term)
        lower, upper, step = ("" if a.op == "const" and a.payload is None else self._free(a) for a in term.args)
        return f"{lower}:{upper}" + (f":{step}" if step else "")
