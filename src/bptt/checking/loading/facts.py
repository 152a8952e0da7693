"""What the text of a program says of its functions: their arguments, calls, results, and which role each plays."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from functools import cached_property

from bptt.checking.loading import roles_by_name as roles


@dataclass
class Function:
    """One function or method, as its text shows it."""

    node: ast.FunctionDef
    owner: str | None = None  # the class
    inside: str = ""  # what its qualified name begins with, where it stands in another function

    @property
    def name(self) -> str:
        """The bare name."""
        return self.node.name

    @property
    def qualified(self) -> str:
        """``Class.method`` or the function's name."""
        return f"{self.owner}.{self.name}" if self.owner else self.inside + self.name

    @cached_property
    def static(self) -> bool:
        """Whether it is a static method."""
        return any(ast.unparse(d) == "staticmethod" for d in self.node.decorator_list)

    @cached_property
    def arguments(self) -> list[str]:
        """Its positional and keyword-only arguments, without ``self``."""
        a = self.node.args
        names = [x.arg for x in (*a.posonlyargs, *a.args)]
        if self.owner and not self.static:
            names = names[1:]
        return names + [x.arg for x in a.kwonlyargs]

    @cached_property
    def defaults(self) -> dict[str, ast.expr]:
        """The arguments that have a default."""
        a = self.node.args
        names = [x.arg for x in (*a.posonlyargs, *a.args)]
        found = dict(zip(names[len(names) - len(a.defaults) :], a.defaults, strict=True))
        found |= {x.arg: d for x, d in zip(a.kwonlyargs, a.kw_defaults, strict=True) if d is not None}
        return found

    @cached_property
    def calls(self) -> set[str]:
        """Bare names of what it calls, methods included."""
        names = set()
        for node in ast.walk(self.node):
            if isinstance(node, ast.Call):
                if isinstance(node.func, ast.Name):
                    names.add(node.func.id)
                elif isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value).split(".")[0] not in (
                    "np",
                    "numpy",
                ):
                    names.add(node.func.attr)
        return names

    @cached_property
    def text(self) -> str:
        """Its source, normalised."""
        return ast.unparse(self.node)

    @cached_property
    def returns(self) -> list[ast.expr]:
        """The expressions that it returns, nested functions left out."""
        return [n.value for n in _own_nodes(self.node) if isinstance(n, ast.Return) and n.value is not None]

    @cached_property
    def labels(self) -> list[str]:
        """The names of what it returns: one for each element, ``*`` where it is unnamed."""
        if not self.returns:
            return []
        value = self.returns[-1]
        items = value.elts if isinstance(value, ast.Tuple | ast.List) else [value]
        return [label(item) for item in items]

    @cached_property
    def reads(self) -> set[str]:
        """Names and ``self.name`` attributes that it reads."""
        found = set()
        for node in ast.walk(self.node):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                found.add(node.id)
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                found.add(ast.unparse(node))
        return found

    @cached_property
    def reads_outside(self) -> set[str]:
        """Names that it reads and does not make itself: what is at module level, or built in."""
        made: set[str] = set()
        told: set[str] = set()
        for node in ast.walk(self.node):
            if isinstance(node, ast.arg):
                made.add(node.arg)
            elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                made.add(node.id)
            elif isinstance(node, ast.Global):
                told |= set(node.names)
        return self.reads - (made - told)

    @cached_property
    def has_backward_loop(self) -> bool:
        """Whether it runs through the steps backwards."""
        return re.search(r"reversed\(|, -1, -1\)|\[::-1\]|, 0, -1\)", self.text) is not None

    @cached_property
    def makes_gradients(self) -> bool:
        """Whether it binds names that are those of gradients of weights."""
        names = [n.id for n in ast.walk(self.node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
        names += [n.attr for n in ast.walk(self.node) if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)]
        names += [
            str(n.slice.value) for n in ast.walk(self.node)
            if isinstance(n, ast.Subscript) and isinstance(n.slice, ast.Constant) and isinstance(n.ctx, ast.Store)
        ]  # fmt: skip
        return (
            sum(
                bool(
                    re.match(
                        r"(d_?L?_?d?_?|grad_?|delta_?|g)(W|w|U|V|b|B|theta)|.*(_grad|_delta|_update|_diff|_deriv|\.grad|_d)$",
                        n,
                    )
                )
                for n in names
            )
            >= 2
        )

    @cached_property
    def updates_weights(self) -> bool:
        """Whether it moves weights: ``self.W -= lr * dW``, ``W = W - eta * dW``."""
        for node in ast.walk(self.node):
            if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Sub | ast.Add):
                target = node.target
                text = ast.unparse(node.value)
                base = target.attr if isinstance(target, ast.Attribute) else ast.unparse(target)
                base = base.split("[")[0]
                if re.search(rf"\b(self\.)?({roles.RATE})\b", text, re.I) and not re.match(r"d[A-Z_]", base):
                    return True
            if isinstance(node, ast.Assign) and len(node.targets) == 1:
                target_text = ast.unparse(node.targets[0])
                text = ast.unparse(node.value)
                if re.match(rf"{re.escape(target_text)} [-+]", text) and re.search(
                    rf"\b(self\.)?({roles.RATE})\b", text, re.I
                ):
                    return True
        return False


def label(item: ast.expr) -> str:
    """Return the name that an expression gives to a value: ``dW`` of ``self.dW``, ``dW / m``, ``np.array(dW)``."""
    match item:
        case ast.Tuple(elts=elements) if elements:
            return ",".join(label(e) for e in elements)
        case ast.Name(id=name):
            return name
        case ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=value, slice=ast.Constant(value=str(key))):
            return key
        case ast.Subscript(value=value):
            return label(value)
        case ast.BinOp(left=left, op=ast.Div() | ast.Mult()):
            named = label(left)
            return named if named != "*" else label(item.right)
        case ast.UnaryOp(operand=operand):
            return label(operand)
        case ast.Call(func=function, args=args, keywords=keywords) if re.search(
            r"(^|\.)(sum|mean)$", ast.unparse(function)
        ) and len(args) + len(keywords) > ast.unparse(function).startswith("np."):
            return "*"  # what is left of a sum over an axis goes by another name
        case ast.Call(func=function, args=[first, *_]) if re.search(
            r"(array|copy|float\d*|sum|mean|stack|concatenate|squeeze|reshape|list|tuple|dict|round|divide)$",
            ast.unparse(function),
        ) and not (isinstance(function, ast.Attribute) and not re.match(r"np|numpy|copy", ast.unparse(function))):
            return label(first)
        case ast.Call(func=ast.Attribute(value=value, attr=name)) if name in (
            "copy",
            "mean",
            "sum",
            "reshape",
            "squeeze",
            "astype",
            "T",
            "items",
        ):
            return label(value)
    return "*"


def _own_nodes(function: ast.FunctionDef) -> list[ast.AST]:
    out: list[ast.AST] = []
    pending: list[ast.AST] = list(function.body)
    while pending:
        node = pending.pop(0)
        out.append(node)
        if not isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            pending = list(ast.iter_child_nodes(node)) + pending
    return out


@dataclass
class Facts:
    """All functions of a program, by class, and the run at module level."""

    tree: ast.Module
    functions: dict[str, Function] = field(default_factory=dict)  # qualified name -> function
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    bases: dict[str, list[str]] = field(default_factory=dict)

    @cached_property
    def definitions(self) -> dict[str, list[ast.FunctionDef]]:
        """The functions and methods of each bare name."""
        found: dict[str, list[ast.FunctionDef]] = {}
        for function in self.functions.values():
            found.setdefault(function.name, []).append(function.node)
        return found

    @cached_property
    def text(self) -> str:
        """Its source, normalised."""
        return ast.unparse(self.tree)

    @cached_property
    def run(self) -> list[ast.stmt]:
        """The statements at module level that define no function: setup, training, usage."""
        return [s for s in self.tree.body if not isinstance(s, ast.FunctionDef | ast.ClassDef)]

    def methods(self, owner: str) -> dict[str, Function]:
        """Return the methods of a class, those of its bases in the file included."""
        found: dict[str, Function] = {}
        for base in self.bases.get(owner, []):
            if base in self.classes:
                found |= self.methods(base)
        found |= {f.name: f for f in self.functions.values() if f.owner == owner}
        return found

    def plain(self) -> dict[str, Function]:
        """Return the functions outside classes."""
        return {f.name: f for f in self.functions.values() if f.owner is None}

    def text_around(self, function: Function) -> str:
        """Return the text of a function and of all that it reaches."""
        names = self.reached(function)
        return "\n".join(f.text for f in self.functions.values() if f is function or f.name in names)

    def reached(self, function: Function) -> set[str]:
        """Return the bare names of everything that a function calls, directly or through others of the file."""
        seen: set[str] = set()
        pending = set(function.calls)
        while pending:
            name = pending.pop()
            if name in seen:
                continue
            seen.add(name)
            for other in self.functions.values():
                if other.name == name or (other.owner == name and other.name == "__init__"):
                    pending |= other.calls
        return seen

    @cached_property
    def speaks_of_batch(self) -> bool:
        """Whether the text knows of several examples at a time."""
        return (
            re.search(
                r"batch|axis=|keepdims|n_samples|einsum|\b[mNB]\b[, \w()]* = [\w.\[\]\"']+\.shape|\.shape[, \w()]*\b[mNB]\b|\b[mNB]\b *= *\w+\.shape|/ (m|N|self\.m)\b|sum\([01]\)|(, |\()m\)",
                self.text,
            )
            is not None
        )


def facts_of(tree: ast.Module) -> Facts:
    """Collect the functions and classes of a program, those under ``if`` and ``try`` included."""
    facts = Facts(tree)

    def collect(body: list[ast.stmt], owner: str | None) -> None:
        for statement in body:
            if isinstance(statement, ast.FunctionDef):
                function = Function(statement, owner)
                facts.functions[function.qualified] = function
            elif isinstance(statement, ast.ClassDef) and owner is None:
                facts.classes[statement.name] = statement
                facts.bases[statement.name] = [ast.unparse(b) for b in statement.bases]
                collect(statement.body, statement.name)
            elif isinstance(statement, ast.If | ast.Try):
                collect(statement.body, owner)

    collect(tree.body, None)
    return facts
