"""What a repair may be written with: everything that the person's own text names and that has a value here."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from bptt.checking.repairing.reading import Reader
from bptt.checking.repairing.terms import Stack, Term, Terms
from bptt.checking.tracing.trees import copied

ATOMS = ("leaf", "item", "attr", "const", "if")
FORM, FORMS = 16, 24  # the nodes of a function of one variable, and how many such functions are looked at
HOLE = "_bptt_hole"
ELEMENTWISE = {"exp", "tanh", "cosh", "maximum", "sqrt", "log", "square", "abs"}
DEPTH = 3  # self.cache['A'][t]: an attribute, an item, an index


@dataclass(frozen=True)
class Leaf:
    """A term of their own, and how far from the statement its text stands (0: in it)."""

    term: Term
    rank: float


def leaves(reader: Reader, statement: ast.stmt, tree: ast.Module) -> list[Leaf]:
    """Return the numeric terms of a person's own text, nearest first, each value once."""
    terms = reader.terms
    function = enclosing(tree, statement)
    around = next((f for f in _functions(tree) if _within(statement, f)), statement)  # the outermost
    found: dict[Term, float] = {}

    def add(term: Term, rank: float) -> None:
        if found.get(term, 99.0) > rank and isinstance(term.value, Stack):
            found[term] = rank

    steps = _loop_variables(function, terms)
    patterns: dict[tuple[str, int], dict[tuple[Any, ...], tuple[bool, tuple[Term, ...]]]] = {}
    seen: dict[str, tuple[Term, ...]] = {}
    turns = _turns(tree)
    counts = [] if steps else _whole_numbers(_names(function), terms)  # outside of every loop: how many steps there are
    known: set[tuple[str, float]] = set()
    for node, text in _expressions(tree, reader.code):
        rank = 0.0 if _within(node, statement) else 0.5 if _within(node, around) else 1.0
        if rank == 1.0 and isinstance(node, ast.Call):
            if not _counts(node):
                continue  # another function's work
            rank = 0.9
        if (text, rank) in known:
            continue
        known.add((text, rank))
        for term in _read(reader, node, text, steps or counts, turns, seen):
            if counts and isinstance(term.args[0].value if term.op == "item" else None, Stack):
                continue  # an array's axes are no steps
            add(term, rank)
            for shifted in _shifted(terms, term, steps):
                add(shifted, rank + 0.2)
            if term.op == "item" and (kind := _kind(term.args[0])):
                key = tuple(a.number for a in term.args[1:])
                patterns.setdefault(kind, {})[key] = (bool(term.payload), term.args[1:])
    for argument in function.args.args if function is not None else ():
        add(reader.expression(argument.arg), 0.5)  # one that the function never reads stands nowhere in it
    for base in _reachable(reader):
        add(base, 1.2)
        kind = _kind(base)
        for listed, index in list(patterns.get(kind, {}).values()) if kind else []:
            term = terms.make("item", base, *index, payload=listed)
            add(term, 1.2)
            for shifted in _shifted(terms, term, steps):
                add(shifted, 1.4)
    for base in [term for term, rank in found.items() if rank < 0.5 and term.op in ATOMS]:
        shape = terms.make("attr", base, payload="shape")
        for axis in range(base.value.ndim if isinstance(base.value, Stack) else 0):
            add(terms.make("item", shape, terms.number(axis), payload=False), 0.9)
        if isinstance(base.value, Stack) and base.value.ndim > 1:
            add(terms.make("attr", base, payload="size"), 0.9)
    for constant in (1, 2):
        add(terms.number(constant), 0.5)
    ranked = sorted(found, key=lambda term: (found[term] + 0.3 * term.size, term.number))
    return [Leaf(term, found[term]) for term in ranked]


def _names(function: ast.FunctionDef | None) -> Iterable[str]:
    return dict.fromkeys(n.id for n in ast.walk(function) if isinstance(n, ast.Name)) if function is not None else ()


@lru_cache(maxsize=4)
def _expressions(tree: ast.Module, code: str) -> list[tuple[ast.expr, str]]:
    """Return the expressions of a program that may be numbers, with their text."""
    reader = Reader(Terms([{}]), code)
    return [
        (node, reader.text(node))
        for node in ast.walk(tree)
        if isinstance(node, ast.expr)
        and not isinstance(node, ast.Slice | ast.Tuple | ast.Starred | ast.List)
        and (not isinstance(node, ast.Constant) or type(node.value) in (int, float))
    ]


def _counts(call: ast.Call) -> bool:
    """Tell whether a call counts something: ``len(x)``, ``mask.sum()``, ``np.sum(mask)``."""
    if isinstance(call.func, ast.Attribute) and call.func.attr == "sum" and not call.keywords:
        return [type(a) for a in (call.func.value, *call.args)].count(ast.Name) == 1 + bool(call.args)
    return isinstance(call.func, ast.Name) and call.func.id == "len" and isinstance(call.args[0], ast.Name)


def functions_of_one(reader: Reader, tree: ast.Module) -> tuple[list[Term], Term]:
    """Return their functions of one variable, as ``1 / (1 + np.exp(-x))`` or ``sigmoid(z)``, and that variable."""
    return [reader.expression(text) for text in _forms_of_one(tree)], reader.terms.undefined(HOLE)


@lru_cache(maxsize=4)
def _forms_of_one(tree: ast.Module) -> list[str]:
    pure = {n.name for n in _functions(tree) if _is_pure(n)} | ELEMENTWISE
    found: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call | ast.BinOp) and sum(1 for _ in ast.walk(node)) <= FORM:
            form = copied(node)
            calls = [n for n in ast.walk(form) if isinstance(n, ast.Call)]
            called = {id(n) for call in calls for n in ast.walk(call.func)}
            names = [n for n in ast.walk(form) if isinstance(n, ast.Name) and id(n) not in called]
            known = bool(calls) and {ast.unparse(call.func).split(".")[-1] for call in calls} <= pure
            if known and len({n.id for n in names}) == 1 and not _indexed(form):
                for name in names:
                    name.id = HOLE
                found[ast.unparse(form)] = None
    return list(found)[:FORMS]


@lru_cache(maxsize=4)
def pure_functions(tree: ast.Module) -> list[tuple[float, str]]:
    """Return their own functions of one variable, and how far each is from the text: one that nothing calls is near."""
    called = {ast.unparse(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    own = [n.name for n in tree.body if isinstance(n, ast.FunctionDef) and len(n.args.args) == 1 and _is_pure(n)]
    return [(1.1 if name in called else 0.5, name) for name in own][:FORMS]


def _indexed(node: ast.expr) -> bool:
    return any(isinstance(n, ast.Subscript) for n in ast.walk(node))


def _is_pure(function: ast.FunctionDef) -> bool:
    """Tell whether a function of theirs only returns a value of its one argument."""
    own = [a for a in function.args.args if a.arg != "self"]
    return len(own) == 1 and all(isinstance(s, ast.Return | ast.Expr) for s in function.body)


def _within(node: ast.expr | ast.stmt, outer: ast.stmt) -> bool:
    """Whether a node stands inside a statement, by their places: the two may come from two parses of the text."""
    start, end = (outer.lineno, outer.col_offset), (outer.end_lineno, outer.end_col_offset)
    return start <= (node.lineno, node.col_offset) < end


def enclosing(tree: ast.Module, statement: ast.stmt) -> ast.FunctionDef | None:
    """Return the innermost function around a statement, found by its place."""
    best = None
    for node in _functions(tree):
        inside = node.lineno <= statement.lineno <= (node.end_lineno or node.lineno)
        if inside and (best is None or node.lineno >= best.lineno):
            best = node
    return best


@lru_cache(maxsize=4)
def _functions(tree: ast.Module) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def _loop_variables(function: ast.FunctionDef | None, terms: Terms) -> list[Term]:
    """Return the variables that count steps."""
    names: dict[str, None] = {}
    for node in ast.walk(function) if function is not None else []:
        if isinstance(node, ast.For):
            for target in ast.walk(node.target):
                if isinstance(target, ast.Name):
                    names[target.id] = None
    for name, value in terms.environments[0].items():  # a while loop's counter, or t as an argument
        if (
            isinstance(value, int)
            and not isinstance(value, bool)
            and any(
                e.get(name) is not value and e.get(name) != value
                for e in terms.environments
                if isinstance(e.get(name), int)
            )
        ):
            names[name] = None
    return _whole_numbers(names, terms)


def _whole_numbers(names: Iterable[str], terms: Terms) -> list[Term]:
    found = []
    for name in names:
        values = [env.get(name) for env in terms.environments]
        if all(isinstance(v, int | np.integer) and not isinstance(v, bool) for v in values):
            found.append(terms.leaf(name, values))
    return found


def _turns(tree: ast.Module) -> dict[str, set[str]]:
    """Return what the variables of loops go over, as written: units of one kind are counted alike."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.For | ast.comprehension) and isinstance(node.target, ast.Name):
            found.setdefault(node.target.id, set()).add(ast.unparse(node.iter))
    return found


def _read(
    reader: Reader,
    node: ast.expr,
    text: str,
    steps: list[Term],
    turns: dict[str, set[str]],
    seen: dict[str, tuple[Term, ...]],
) -> tuple[Term, ...]:
    """Return the terms of an expression; an index of another function's loop is read with this one's."""
    if text not in seen:
        environment = reader.terms.environments[0]
        missing = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and n.id not in environment} - {"len"}
        seen[text] = ()
        if not missing:
            seen[text] = (reader.read(node, grouping=False).term,)
        elif len(missing) == 1 and isinstance(node, ast.Subscript):
            name = missing.pop()
            alike = [step for step in steps if turns.get(name, set()) & turns.get(str(step.payload), set())]
            for step in alike or steps:
                renamed = copied(node)
                for n in ast.walk(renamed):
                    if isinstance(n, ast.Name) and n.id == name:
                        n.id = str(step.payload)
                seen[text] += (reader.read(renamed, grouping=False).term,)
    return seen[text]


def _shifted(terms: Terms, term: Term, steps: list[Term]) -> Iterator[Term]:
    """Yield an indexed term one step earlier and later: X[:, :, t] gives t - 1 and t + 1."""
    if term.op != "item":
        return
    one = terms.number(1)
    for place, index in enumerate(term.args[1:], 1):
        step = index if index in steps else next((s for s in steps if index.args and s is index.args[0]), None)
        others: Sequence[Term] = ()
        if step is not None and index.op in ("leaf", "+", "-"):
            others = terms.make("-", step, one), step, terms.make("+", step, one)
        elif index.op == "-" and index.args[0].op == "neg" and index.args[0].args[0] in steps:  # xs[-t - 1]
            numbers = (n for n in (1, 2, 3) if terms.number(n) is not index.args[1])
            others = [terms.make("-", index.args[0], terms.number(n)) for n in numbers]
        for new in others:
            if new is not index:
                args = list(term.args)
                args[place] = new
                yield terms.make("item", *args, payload=term.payload)


def _kind(base: Term) -> tuple[str, int] | None:
    """Return what an index of it looks like: an array of so many axes, a dict, a list."""
    if isinstance(base.value, Stack):
        return "array", base.value.ndim
    if isinstance(base.value, tuple):
        first = base.value[0]
        if isinstance(first, dict | list | tuple):
            return type(first).__name__, 0
        if isinstance(first, np.ndarray):
            return "array", first.ndim
    return None


def _reachable(reader: Reader) -> Iterator[Term]:
    """Yield the variables and, through attributes and keys, what they hold."""
    terms = reader.terms
    queue = []
    for name, value in terms.environments[0].items():
        if not name.isidentifier() or name.startswith("__") or _code(value):
            continue
        if all(name in env for env in terms.environments):
            queue.append((reader.expression(name), 0))
    while queue:
        term, depth = queue.pop(0)
        yield term
        value = term.value
        if depth >= DEPTH or not isinstance(value, tuple):
            continue
        first = value[0]
        if isinstance(first, dict):
            for key in first:
                if isinstance(key, str):
                    queue.append((terms.make("item", term, terms.number(key), payload=False), depth + 1))
        elif not isinstance(first, list | tuple | str | type | np.ndarray) and hasattr(first, "__dict__"):
            for name, member in list(vars(first).items())[:100]:
                if not _code(member):
                    queue.append((terms.make("attr", term, payload=name), depth + 1))


def _code(value: Any) -> bool:
    return isinstance(value, ModuleType | FunctionType | MethodType | type | str | np.ufunc) or callable(value)


def is_rate(term: Term) -> bool:
    """Tell whether a number is a rate, as of a leak: a fraction that has a name."""
    value = term.value
    return isinstance(value, Stack) and term.op in ("leaf", "attr") and value.data.dtype.kind == "f"
