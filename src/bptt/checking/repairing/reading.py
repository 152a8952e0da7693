"""From a person's expression to a term, with the place of each part in their text."""

from __future__ import annotations

import ast
import contextlib
import copy
import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bptt.checking.repairing.terms import BINARY, Stack, Term, Terms

_BINOPS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "**",
    ast.MatMult: "dot",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
_FUNCTIONS: dict[int, str] = {
    id(np.dot): "dot",
    id(np.matmul): "dot",
    id(np.multiply): "*",
    id(np.add): "+",
    id(np.subtract): "-",
    id(np.divide): "/",
    id(np.power): "**",
    id(np.negative): "neg",
    id(np.transpose): "T",
    id(np.outer): "outer",
}


ATOM, POWER, UNARY, PRODUCT, SUM, COMPARISON, LOOSE = 100, 70, 65, 60, 50, 30, 0
INFIX = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "dot": PRODUCT, "//": PRODUCT, "%": PRODUCT, "**": POWER}


HARMLESS = ("dot", "sum", "mean", "reshape", "copy", "transpose", "astype", "max", "min", "tanh", "exp", "log", "zeros")


def names_for(node: ast.expr, env: Mapping[str, Any]) -> dict[str, Any]:
    """Return the names to evaluate an expression with: copies, where a function of theirs could write into them."""
    names = {k: v for k, v in env.items() if k.isidentifier()}
    calls = [n.func for n in ast.walk(node) if isinstance(n, ast.Call)]
    if all(isinstance(f, ast.Attribute) and f.attr in HARMLESS for f in calls):
        return names
    used = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    memo: dict[int, Any] = {}
    for name in used & set(names):
        if not callable(names[name]) and not isinstance(names[name], types.ModuleType):
            with contextlib.suppress(Exception):  # what cannot be copied is used as it is
                names[name] = copy.deepcopy(names[name], memo)
    return names


def sides(op: str) -> tuple[int, int]:
    """Return how tightly the left and the right operand of an operator must hold together."""
    level = INFIX.get(op, COMPARISON)
    if op == "**":
        return level + 1, UNARY
    return (level + 1 if level == COMPARISON else level), (level if op == "+" else level + 1)


@dataclass(frozen=True, slots=True)
class Parsed:
    """An expression of theirs: its term, its characters, and its parts in the order of the term's arguments.

    ``outer`` is the span with the parentheses around it, ``binding`` how tightly it holds together
    (:data:`ATOM` ...), ``needs`` how tightly each of its parts must hold together to stand there without
    parentheses.
    """

    term: Term
    start: int
    end: int
    outer: tuple[int, int]
    parts: tuple[Parsed | None, ...] = ()
    binding: int = 100
    needs: tuple[int, ...] = ()

    def place(self, part: Parsed) -> int:
        """Return which part of this one another is."""
        return next(k for k, one in enumerate(self.parts) if one is part)


class Reader:
    """Reads expressions of one text into terms."""

    def __init__(self, terms: Terms, code: str) -> None:
        self.terms = terms
        self.code = code
        self._starts = [0]
        for line in code.split("\n"):
            self._starts.append(self._starts[-1] + len(line) + 1)
        self._lines = code.split("\n")
        self._ready = {key for key in terms.environments[0] if not key.isidentifier()}

    def offset(self, line: int, byte: int) -> int:
        """Return the place in the text of a line and a column as ``ast`` counts them."""
        text = self._lines[line - 1]
        column = byte if text.isascii() else len(text.encode()[:byte].decode())
        return self._starts[line - 1] + column

    def text(self, node: ast.expr) -> str:
        """Return the characters of an expression."""
        start = self.offset(node.lineno, node.col_offset)
        return self.code[start : self.offset(node.end_lineno or node.lineno, node.end_col_offset or 0)]

    def read(self, node: ast.expr, grouping: bool = True) -> Parsed:
        """Return an expression as a term with places; ``grouping``: parentheses right around it are its own."""
        start = self.offset(node.lineno, node.col_offset)
        end = self.offset(node.end_lineno or node.lineno, node.end_col_offset or 0)
        term, parts = self._term(node)
        binding, needs = _bindings(node, len(parts))
        if isinstance(node, ast.Call) and parts and parts[0] is not None:  # a function, or the array of a method
            function = self.offset(node.func.end_lineno or node.lineno, node.func.end_col_offset or 0)
            needs = (ATOM if parts[0].start < function else LOOSE, *needs[1:])
        outer = self._outer(start, end) if grouping else (start, end)
        return Parsed(term, start, end, outer, parts, binding, needs)

    def expression(self, text: str) -> Term:
        """Return the term of an expression that stands nowhere in the text."""
        return Reader(self.terms, text).read(ast.parse(text, mode="eval").body).term

    def _outer(self, start: int, end: int) -> tuple[int, int]:
        code, size = self.code, len(self.code)
        while True:
            left, right = start - 1, end
            while left >= 0 and code[left].isspace():
                left -= 1
            while right < size and code[right].isspace():
                right += 1
            if left < 0 or right >= size or code[left] != "(" or code[right] != ")":
                return start, end
            start, end = left, right + 1

    def _term(self, node: ast.expr) -> tuple[Term, tuple[Parsed | None, ...]]:
        make = self.terms.make
        if self._ready and not isinstance(node, ast.Name) and ast.unparse(node) in self._ready:
            return self._leaf(node), ()
        if isinstance(node, ast.Constant):
            return self.terms.number(node.value), ()
        if isinstance(node, ast.Name):
            return self._leaf(node), ()
        if isinstance(node, ast.BinOp | ast.Compare):
            return self._binary(node)
        if isinstance(node, ast.UnaryOp):
            inner = self.read(node.operand)
            if isinstance(node.op, ast.USub):
                if inner.term.op == "const" and isinstance(inner.term.payload, int | float):
                    return self.terms.number(-inner.term.payload), ()
                return make("neg", inner.term), (inner,)
            if isinstance(node.op, ast.Not):
                return make("not", inner.term), (inner,)
            return self._leaf(node), ()
        if isinstance(node, ast.Attribute):
            base = self.read(node.value)
            if node.attr == "T" and isinstance(base.term.value, Stack):
                return make("T", base.term), (base,)
            return make("attr", base.term, payload=node.attr), (base,)
        if isinstance(node, ast.Subscript):
            return self._item(node)
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.Tuple | ast.List) and not any(isinstance(e, ast.Starred) for e in node.elts):
            parts = tuple(self.read(e, grouping=False) for e in node.elts)
            return make("tuple" if isinstance(node, ast.Tuple) else "list", *[p.term for p in parts]), parts
        if isinstance(node, ast.Dict) and node.keys and all(isinstance(k, ast.Constant) for k in node.keys):
            parts = tuple(self.read(e, grouping=False) for e in node.values)
            keys = tuple(k.value for k in node.keys if isinstance(k, ast.Constant))
            return make("dict", *[p.term for p in parts], payload=keys), parts
        if isinstance(node, ast.IfExp):
            parts = tuple(self.read(e) for e in (node.test, node.body, node.orelse))
            if all(p.term.value is not None for p in parts):
                return make("if", *[p.term for p in parts]), parts
        return self._leaf(node), ()

    def _leaf(self, node: ast.expr) -> Term:
        """Take an expression whole."""
        text = ast.unparse(node)
        program: Any = None
        values = []
        for env in self.terms.environments:
            if text in env:
                values.append(env[text])
                continue
            try:
                program = program or compile(ast.Expression(node), "<theirs>", "eval")
                values.append(eval(program, names_for(node, env)))
            except Exception:  # it is not defined here, or raises
                values = []
                break
        if values:
            return self.terms.leaf(text, values)
        return self.terms.undefined(text)

    def _binary(self, node: ast.BinOp | ast.Compare) -> tuple[Term, tuple[Parsed | None, ...]]:
        if isinstance(node, ast.Compare):
            if len(node.ops) != 1 or type(node.ops[0]) not in _BINOPS:
                return self._leaf(node), ()
            name, right = _BINOPS[type(node.ops[0])], node.comparators[0]
            left = node.left
        else:
            if type(node.op) not in _BINOPS:
                return self._leaf(node), ()
            name, left, right = _BINOPS[type(node.op)], node.left, node.right
        a, b = self.read(left), self.read(right)
        return self.terms.make(name, a.term, b.term), (a, b)

    def _item(self, node: ast.Subscript) -> tuple[Term, tuple[Parsed | None, ...]]:
        base = self.read(node.value)
        listed = isinstance(node.slice, ast.Tuple)
        nodes = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        parts = [self._index(e) for e in nodes]
        term = self.terms.make("item", base.term, *[t for t, _ in parts], payload=listed)
        return term, (base, *[p for _, p in parts])

    def _index(self, node: ast.expr) -> tuple[Term, Parsed | None]:
        if not isinstance(node, ast.Slice):
            parsed = self.read(node)
            return parsed.term, parsed
        ends = [None if e is None else self.read(e) for e in (node.lower, node.upper, node.step)]
        term = self.terms.make("slice", *[self.terms.number(None) if e is None else e.term for e in ends])
        start = self.offset(node.lineno, node.col_offset)
        end = self.offset(node.end_lineno or node.lineno, node.end_col_offset or 0)
        return term, Parsed(term, start, end, (start, end), tuple(ends))

    def _call(self, node: ast.Call) -> tuple[Term, tuple[Parsed | None, ...]]:
        if any(isinstance(a, ast.Starred) for a in node.args) or any(k.arg is None for k in node.keywords):
            return self._leaf(node), ()
        function = self.read(node.func)
        value = function.term.value
        head = value[0] if isinstance(value, tuple) else None
        args = [self.read(a, grouping=False) for a in node.args]
        if isinstance(node.func, ast.Attribute) and isinstance(head, types.BuiltinMethodType):
            base = function.parts[0]
            if base is not None and isinstance(base.term.value, Stack):  # a method of an array
                if node.func.attr == "dot" and len(args) == 1:
                    return self.terms.make("dot", base.term, args[0].term), (base, args[0])
                if node.func.attr in ("sum", "mean") and (payload := _axes(node.args, node.keywords)) is not None:
                    return self.terms.make(node.func.attr, base.term, payload=payload), (base,)
        if head in (np.sum, np.mean) and args and (payload := _axes(node.args[1:], node.keywords)) is not None:
            return self.terms.make("sum" if head is np.sum else "mean", args[0].term, payload=payload), (args[0],)
        name = _FUNCTIONS.get(id(head))
        fits = not node.keywords and len(args) == (1 if name in ("neg", "T") else 2)
        if name and fits and (name in BINARY or all(isinstance(a.term.value, Stack) for a in args)):
            return self.terms.make(name, *[a.term for a in args]), tuple(args)
        if head is np.square and len(args) == 1 and not node.keywords:
            return self.terms.make("**", args[0].term, self.terms.number(2)), (args[0], None)
        named = [self.read(k.value, grouping=False) for k in node.keywords]
        keys = tuple(k.arg for k in node.keywords)
        term = self.terms.make("call", function.term, *[a.term for a in args], *[k.term for k in named], payload=keys)
        return term, (function, *args, *named)


def _axes(args: list[ast.expr], keywords: list[ast.keyword]) -> tuple[Any, bool] | None:
    """Return (axis, keepdims) of a call of sum, where they are constants."""
    axis, keep = None, False
    try:
        if len(args) > 1:
            return None
        if args:
            axis = ast.literal_eval(args[0])
        for keyword in keywords:
            value = ast.literal_eval(keyword.value)
            if keyword.arg == "axis":
                axis = value
            elif keyword.arg == "keepdims":
                keep = bool(value)
            else:
                return None
    except ValueError:
        return None
    return (tuple(axis) if isinstance(axis, list) else axis), keep


def _bindings(node: ast.expr, parts: int) -> tuple[int, tuple[int, ...]]:
    """Return how tightly an expression holds together, and its parts must."""
    if isinstance(node, ast.BinOp | ast.Compare):
        op = _BINOPS.get(type(node.op if isinstance(node, ast.BinOp) else node.ops[0]), "<")
        return INFIX.get(op, COMPARISON), sides(op)
    if isinstance(node, ast.UnaryOp):
        return (UNARY, (UNARY,)) if isinstance(node.op, ast.USub) else (LOOSE, (LOOSE,))
    if isinstance(node, ast.Attribute):
        return ATOM, (ATOM,)
    if isinstance(node, ast.Subscript):
        return ATOM, (ATOM, *[LOOSE] * (parts - 1))
    if isinstance(node, ast.IfExp | ast.Lambda | ast.BoolOp):
        return LOOSE, tuple([LOOSE + 1] * parts)
    return ATOM, tuple([LOOSE] * parts)
