"""What the text says of one argument: how it is indexed, iterated and unpacked, also further down."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bptt.checking.loading import roles_by_name as roles

OF_ARRAYS = {"shape", "reshape", "T", "dot", "ndim", "astype", "sum", "ravel", "flatten"}


@dataclass
class Hints:
    """What the text says of one argument."""

    index: bool = False  # used as an index: ids
    time_axes: set[tuple[int, int]] | None = None  # (axis of the step, number of axes shown)
    iterated: bool = False
    unpacked: tuple[str, ...] | None = None  # names of `n_x, m, T_x = x.shape`, as sizes
    array: bool = False  # asked for its shape, or turned: no list
    examples: bool = False  # run through, and each element is run through in turn by what it is handed to


def hints_for(
    function: ast.FunctionDef,
    name: str,
    others: Mapping[str, Sequence[ast.FunctionDef]] | None = None,
    depth: int = 2,
    beside: bool = True,
) -> Hints:
    """Read from the text how an argument is indexed, iterated and unpacked, also by the functions that it is passed to.

    Parameters
    ----------
    function : ast.FunctionDef
    name : str
        The argument, or a place such as ``self.X``.
    others : mapping of str to sequence of ast.FunctionDef, optional
        The functions and methods of the program, by bare name.
    depth : int
        How many calls deep to follow.
    beside : bool
        Whether what a loop runs through together with it is looked at as well.
    """
    hints = Hints(time_axes=set())
    assert hints.time_axes is not None
    elements, zipped = {name}, set[str]()
    for node in ast.walk(function):
        if isinstance(node, ast.For | ast.comprehension):
            hints.iterated |= _iterates(node.iter, node.target, name, elements)
            zipped |= _zipped(node.iter, name)
            counted = re.search(rf"range\(.*\b{re.escape(name)}\.shape\[(\d)\]", ast.unparse(node.iter))
            if counted:  # for t in range(x.shape[1])
                hints.time_axes.add((int(counted.group(1)), int(counted.group(1)) + 1))
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = ast.unparse(node.targets[0]), ast.unparse(node.value)
            if value == f"{name}.shape" and isinstance(node.targets[0], ast.Tuple):
                names = [e.id if isinstance(e, ast.Name) else "_" for e in node.targets[0].elts]
                hints.unpacked = tuple(roles.size_of(n) or "?" for n in names)
            pairs = [(node.targets[0], node.value)]
            if isinstance(node.targets[0], ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = list(zip(node.targets[0].elts, node.value.elts, strict=False))
            for one, of in pairs:
                if (
                    isinstance(of, ast.Subscript)
                    and ast.unparse(of.value) == name
                    and not isinstance(of.slice, ast.Slice)
                ):
                    elements.add(ast.unparse(one))
            if _same_values(node.value, name):
                elements.add(target)
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute) and node.attr in OF_ARRAYS and ast.unparse(node.value) == name:
            hints.array = True
        if isinstance(node, ast.Subscript):
            if ast.unparse(node.value) == name:
                items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
                places = [i for i, item in enumerate(items) if _is_step(item)]
                if len(places) == 1:
                    hints.time_axes.add((places[0], len(items)))
            elif _mentions(node.slice, elements):
                hints.index = True
        elif isinstance(node, ast.Call) and others and depth:
            _merge_call(hints, node, name, elements, others, depth)
    if beside:
        hints.examples |= any(hints_for(function, other, others, depth, False).examples for other in zipped)
    return hints


def element_of(function: ast.FunctionDef, name: str) -> str:
    """Return what a loop calls each element of an argument: ``x`` of ``for x, y in zip(batch, labels)``."""
    for node in ast.walk(function):
        if isinstance(node, ast.For):
            elements = {name}
            if _iterates(node.iter, node.target, name, elements):
                return next(iter(elements - {name}), "")
    return ""


def _zipped(iterable: ast.expr, name: str) -> set[str]:
    """Return what a loop runs through beside the argument."""
    for call in ast.walk(iterable):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "zip":
            names = {ast.unparse(a) for a in call.args}
            return names - {name} if name in names else set()
    return set()


def _merge_call(
    hints: Hints,
    call: ast.Call,
    name: str,
    elements: set[str],
    others: Mapping[str, Sequence[ast.FunctionDef]],
    depth: int,
) -> None:
    """Add what a called function does with the argument, or with an element of it."""
    called = (
        call.func.id
        if isinstance(call.func, ast.Name)
        else call.func.attr
        if isinstance(call.func, ast.Attribute)
        else ""
    )
    for definition in others.get(called, ()):
        parameters = [a.arg for a in definition.args.args]
        if isinstance(call.func, ast.Attribute) and parameters[:1] in (["self"], ["cls"]):
            parameters = parameters[1:]
        if len(call.args) <= len(parameters):
            _merge(hints, call, parameters, definition, name, elements, others, depth)


def _merge(
    hints: Hints, call: ast.Call, parameters: list[str], definition: ast.FunctionDef, name: str, elements: set[str],
    others: Mapping[str, Sequence[ast.FunctionDef]], depth: int,
) -> None:  # fmt: skip
    """Add what one definition of the called function says of the argument."""
    pairs = [*zip(parameters, call.args, strict=False), *((k.arg or "", k.value) for k in call.keywords)]
    for parameter, argument in pairs:
        if (
            isinstance(argument, ast.Call)
            and argument.args
            and ast.unparse(argument.func) in ("list", "tuple", "np.array")
        ):
            argument = argument.args[0]
        text = ast.unparse(argument)
        element = isinstance(argument, ast.Subscript) and ast.unparse(argument.value) == name
        if text in elements or element:
            inner = hints_for(definition, parameter, others, depth - 1)
            hints.index |= inner.index
            hints.array |= inner.array and text == name
            hints.examples |= text != name and hints.iterated and (inner.iterated or bool(inner.time_axes))
            if text == name and hints.time_axes is not None:
                hints.time_axes |= inner.time_axes or set()
                hints.iterated |= inner.iterated
                hints.unpacked = hints.unpacked or inner.unpacked


def _same_values(value: ast.expr, name: str) -> bool:
    """Tell whether an expression is the argument in another build: ``np.array(x)``, ``x.reshape(-1)``."""
    if not isinstance(value, ast.Call):
        return False
    if isinstance(value.func, ast.Attribute) and ast.unparse(value.func.value) == name:
        return value.func.attr in ("reshape", "ravel", "flatten", "astype", "copy", "squeeze")
    return bool(value.args) and ast.unparse(value.args[0]) == name and ast.unparse(value.func) in (
        "np.array", "np.asarray", "list", "tuple", "np.ravel", "np.reshape",
    )  # fmt: skip


def _is_step(item: ast.expr) -> bool:
    if isinstance(item, ast.Slice):
        several = item.lower is not None and item.upper is not None  # x[:, t:t+1]
        return several or ast.unparse(item) in (":-1", "1:")  # all but the last, all but the first
    return not isinstance(item, ast.Constant) or isinstance(item.value, int)


def _mentions(index: ast.expr, elements: set[str]) -> bool:
    """Tell whether an index is an element of the argument: ``p[y[t]]``, ``W[:, x_t]``, ``p[range(n), y]``."""
    for item in index.elts if isinstance(index, ast.Tuple) else [index]:
        inner = item
        while isinstance(inner, ast.Subscript):
            if ast.unparse(inner) in elements:
                return True
            inner = inner.value
        text = ast.unparse(inner)
        if text in elements or any(text == f"int({e})" for e in elements):
            return True
        if isinstance(inner, ast.Call) and text.startswith("int(") and _mentions(inner.args[0], elements):
            return True
    return False


def _iterates(iterable: ast.expr, target: ast.expr, name: str, elements: set[str]) -> bool:
    text = ast.unparse(iterable)
    names = target.elts if isinstance(target, ast.Tuple) else [target]
    if text == name and isinstance(target, ast.Name):
        elements.add(target.id)
        return True
    if isinstance(iterable, ast.Call) and isinstance(iterable.func, ast.Name):
        arguments = [ast.unparse(a) for a in iterable.args]
        if iterable.func.id in ("enumerate", "reversed", "list") and arguments[:1] == [name]:
            elements.add(ast.unparse(names[-1]))
            return True
        if iterable.func.id == "zip" and name in arguments and len(names) > arguments.index(name):
            elements.add(ast.unparse(names[arguments.index(name)]))
            return True
        if (
            iterable.func.id in ("enumerate", "reversed", "list")
            and iterable.args
            and isinstance(iterable.args[0], ast.Call)
        ):
            inner = names[-1] if len(names) > 1 else names[0]
            return _iterates(iterable.args[0], inner, name, elements)
    return False
