"""What the program's own calls say of its functions: what is passed to them, and what becomes of what they return."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bptt.checking.loading.facts import Facts, Function
from bptt.checking.loading.links import assignments
from bptt.checking.loading.options import Option
from bptt.checking.loading.paths import Path
from bptt.checking.loading.plan import Plan, Source

FAR = 1.5  # what is passed otherwise than the program does it is that much less plausible


@dataclass(frozen=True)
class CallSite:
    """One call of a function of the program."""

    function: str  # its qualified name
    arguments: dict[str, ast.expr]
    results: ast.expr | None  # the target of the assignment that the call is the value of
    scope: int  # calls in one scope share their variables
    line: int

    def names(self) -> dict[str, Path]:
        """Return the variables that hold what the call returned, with their places in it."""
        target = self.results
        if isinstance(target, ast.Tuple | ast.List):
            found: dict[str, Path] = {}
            for i, item in enumerate(target.elts):
                if isinstance(item, ast.Starred):
                    break
                if isinstance(item, ast.Tuple | ast.List):
                    found |= {ast.unparse(e): (("item", i), ("item", j)) for j, e in enumerate(item.elts)}
                else:
                    found[ast.unparse(item)] = (("item", i),)
            return found
        return {ast.unparse(target): ()} if target is not None else {}


def call_sites(facts: Facts) -> list[CallSite]:
    """Return every call of one of the program's functions, in functions and in the run, in the order of the text."""
    objects = _objects(facts)
    scopes: list[tuple[str | None, list[ast.stmt]]] = [(f.owner, f.node.body) for f in facts.functions.values()]
    scopes.append((None, facts.run))
    found: list[CallSite] = []
    for number, (owner, body) in enumerate(scopes):
        for statement in body:
            for call, target in _calls(statement):
                called = _called(call, owner, facts, objects)
                if called is not None:
                    found.append(CallSite(called.qualified, _bound(call, called), target, number, call.lineno))
    return found


def _objects(facts: Facts) -> dict[str, str]:
    """Return the class of each variable that is bound to a call of one of the program's classes."""
    found: dict[str, str] = {}
    for node in ast.walk(facts.tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            name = ast.unparse(node.value.func)
            if name in facts.classes:
                found |= {ast.unparse(t): name for t in node.targets}
    return found


def _called(call: ast.Call, owner: str | None, facts: Facts, objects: dict[str, str]) -> Function | None:
    """Return the function that a call names, where the text leaves no doubt which one it is."""
    if isinstance(call.func, ast.Name):
        return facts.plain().get(call.func.id)
    if not isinstance(call.func, ast.Attribute):
        return None
    holder, name = ast.unparse(call.func.value), call.func.attr
    known = owner if holder in ("self", "cls") else objects.get(holder, holder)
    if known in facts.classes:
        return facts.methods(known).get(name)
    several = [f for f in facts.functions.values() if f.name == name and f.owner]
    return several[0] if len(several) == 1 and holder not in ("np", "numpy") else None


def _calls(statement: ast.AST) -> Iterator[tuple[ast.Call, ast.expr | None]]:
    """Yield the calls of a statement, those of nested statements included, with the targets that take their values."""
    targets = {
        id(n.value): n.targets[0]
        for n in ast.walk(statement)
        if isinstance(n, ast.Assign) and isinstance(n.value, ast.Call)
    }
    for node in ast.walk(statement):
        if isinstance(node, ast.Call):
            yield node, targets.get(id(node))


def _bound(call: ast.Call, function: Function) -> dict[str, ast.expr]:
    """Return a call's arguments by the names of the function's own."""
    out: dict[str, ast.expr] = {}
    for name, value in zip(function.arguments, call.args, strict=False):
        if isinstance(value, ast.Starred):
            break
        out[name] = value
    return out | {k.arg: k.value for k in call.keywords if k.arg in function.arguments}


@dataclass
class Evidence:
    """The calls of a program, and what they say when two functions are read together."""

    sites: list[CallSite]

    def of(self, function: Function) -> list[CallSite]:
        """Return the calls of a function."""
        return [s for s in self.sites if s.function == function.qualified]

    def aliases(self, function: Function) -> dict[str, Path]:
        """Return the names that callers give to what a function returns."""
        out: dict[str, Path] = {}
        for site in self.of(function):
            for name, path in site.names().items():
                out.setdefault(name, path)
        return out

    def orders(self, function: Function) -> list[list[str]]:
        """Return the names by which callers unpack what a function returns, in their order."""
        targets = [s.results.elts for s in self.of(function) if isinstance(s.results, ast.Tuple | ast.List)]
        return [[ast.unparse(e) for e in names] for names in targets]

    def zipped(self, function: Function, tree: ast.Module) -> Iterator[tuple[slice, list[str]]]:
        """Yield the weights that callers go through together with what a function returns, and which part of it."""
        values = {ast.unparse(target): value for target, value in assignments(ast.walk(tree))}
        held = {name for site in self.of(function) for name, path in site.names().items() if path == ()}

        def part_of(node: ast.expr) -> slice | None:
            node = values.get(ast.unparse(node), node) if ast.unparse(node) not in held else node
            of = node.value if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice) else node
            if ast.unparse(of) not in held:
                return None
            ends = (node.slice.lower, node.slice.upper) if of is not node else (None, None)  # type: ignore[attr-defined]
            try:
                return slice(*(None if end is None else int(ast.literal_eval(end)) for end in ends))
            except (ValueError, TypeError):
                return None

        for call in (n for n in ast.walk(tree) if isinstance(n, ast.Call) and ast.unparse(n.func) == "zip"):
            parts = [part for a in call.args if (part := part_of(a)) is not None]
            named = [values.get(ast.unparse(a), a) for a in call.args]
            lists = [n.elts for n in named if isinstance(n, ast.List | ast.Tuple)]
            if parts and lists:
                yield parts[0], [ast.unparse(e).rpartition(".")[2] for e in lists[0]]

    def flows(self, producer: Function, consumer: Function) -> dict[str, Path]:
        """Return which arguments of one function take what another returned, and which part of it."""
        out: dict[str, Path] = {}
        for use in self.of(consumer):
            made = [s for s in self.of(producer) if s.scope == use.scope and s.results is not None]
            for site in made:
                held = site.names()
                for argument, value in use.arguments.items():
                    path = _within(value, held)
                    if path is not None:
                        out.setdefault(argument, path)
        return out

    def shared(self, first: Function, second: Function) -> dict[str, str]:
        """Return which arguments of the second function are given what an argument of the first is given."""
        out: dict[str, str] = {}
        for use in self.of(second):
            for site in self.of(first):
                if site.scope != use.scope or site is use:
                    continue
                given = {ast.unparse(v): n for n, v in site.arguments.items() if not isinstance(v, ast.Constant)}
                for argument, value in use.arguments.items():
                    text = ast.unparse(value)
                    if text in given:
                        out.setdefault(argument, given[text])
        return out


def _within(value: ast.expr, held: dict[str, Path]) -> Path | None:
    """Return the place of an expression in a result: a variable that holds a part of it, or an item of one."""
    text = ast.unparse(value)
    if text in held:
        return held[text]
    if isinstance(value, ast.Subscript) and isinstance(value.slice, ast.Constant):
        inner = _within(value.value, held)
        return None if inner is None else (*inner, ("item", value.slice.value))
    return None


def told_by_calls(
    name: str,
    options: list[Option],
    function: Function,
    forward: Function,
    plan: Plan,
    evidence: Evidence,
    cost: Function | None = None,
) -> list[Option]:
    """Return an argument's options with what the program's own calls pass for it first, and all else far behind."""
    source: Source | None = None
    path = evidence.flows(forward, function).get(name)
    beside = evidence.flows(cost, function).get(name) if cost is not None else None
    if path is not None:
        source = Source("result", None, path)
    elif beside:
        source = Source("cost", None, beside)
    else:
        same = evidence.shared(forward, function).get(name, name)  # an argument of the same name, if nothing is said
        source = dict(plan.forward.arguments).get(same)
    if source is None:
        return options
    others = [replace(o, penalty=o.penalty + FAR) for o in options if o.source != source]
    kept = [replace(o, penalty=0.0) for o in options if o.source == source]
    return [*(kept or [Option(0.0, source)]), *others]
