"""Methods shown without their class: the ``self`` that they need, made from what they use."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from bptt.checking.loading import roles_by_name as roles
from bptt.checking.program import Sizes
from bptt.dims import Array


@dataclass
class Container:
    """A dict on ``self``: which keys are read, slice-written, accumulated into or assigned, by which function."""

    read: dict[str, set[str]] = field(default_factory=dict)
    sliced: dict[str, set[str]] = field(default_factory=dict)
    added: dict[str, set[str]] = field(default_factory=dict)
    assigned: dict[str, set[str]] = field(default_factory=dict)
    time_axis: dict[str, tuple[int, int]] = field(default_factory=dict)  # key -> (axis of t, number of axes)

    def all_keys(self) -> list[str]:
        """Return every key, in the order of use."""
        return list(dict.fromkeys([*self.read, *self.sliced, *self.added, *self.assigned]))


@dataclass
class Usage:
    """What a group of functions uses of ``self``."""

    dicts: dict[str, Container] = field(default_factory=dict)
    plain: dict[str, set[str]] = field(default_factory=dict)  # attribute -> functions that read it
    stored: dict[str, set[str]] = field(default_factory=dict)


def usage_of_self(functions: list[ast.FunctionDef]) -> Usage:
    """Read off the functions which attributes of ``self`` they use, and how."""
    usage = Usage()
    for function in functions:
        owner = function.args.args[0].arg
        inner = {id(n.value) for n in ast.walk(function) if isinstance(n, ast.Subscript | ast.Attribute)}
        added = {id(n.target) for n in ast.walk(function) if isinstance(n, ast.AugAssign)}
        for node in in_order(function):
            if isinstance(node, ast.Subscript) and _is_item(node, owner):
                attribute, key = node.value.attr, node.slice.value  # type: ignore[attr-defined]
                box = usage.dicts.setdefault(attribute, Container())
                kind = box.added if id(node) in added else box.assigned if isinstance(node.ctx, ast.Store) else box.read
                if id(node) not in inner or kind is not box.read:
                    kind.setdefault(key, set()).add(function.name)
                else:
                    box.read.setdefault(key, set()).add(function.name)
            elif (
                isinstance(node, ast.Subscript)
                and isinstance(node.value, ast.Subscript)
                and _is_item(node.value, owner)
            ):
                attribute, key = node.value.value.attr, node.value.slice.value  # type: ignore[attr-defined]
                box = usage.dicts.setdefault(attribute, Container())
                if isinstance(node.ctx, ast.Store):
                    box.sliced.setdefault(key, set()).add(function.name)
                axis = _time_axis(node.slice)
                if axis:
                    box.time_axis[key] = axis
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == owner:
                kinds = usage.stored if isinstance(node.ctx, ast.Store) else usage.plain
                kinds.setdefault(node.attr, set()).add(function.name)
    return usage


def in_order(tree: ast.AST) -> list[ast.AST]:
    """Return the nodes as they stand in the text."""
    return sorted(ast.walk(tree), key=lambda n: (getattr(n, "lineno", 0), getattr(n, "col_offset", 0)))


def _is_item(node: ast.Subscript, owner: str) -> bool:
    value = node.value
    return (
        isinstance(value, ast.Attribute)
        and isinstance(value.value, ast.Name)
        and value.value.id == owner
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
    )


def _time_axis(index: ast.expr) -> tuple[int, int] | None:
    """Return (axis, number of axes) where one index is an expression of a loop variable and the rest are ``:``."""
    items = index.elts if isinstance(index, ast.Tuple) else [index]
    places = [i for i, item in enumerate(items) if not isinstance(item, ast.Slice)]
    return (places[0], len(items)) if len(places) == 1 else None


@dataclass(frozen=True)
class SelfPlan:
    """How to make ``self``: which dict holds the parameters, which the arrays, and what each one is."""

    forward: str
    backward: str
    parameters_in: str
    parameters: tuple[str, ...]
    arrays: dict[tuple[str, str], tuple[str, tuple[int, int]]]  # (dict, key) -> (size of its first axis, time axis)
    state: tuple[str, str] | None
    target: tuple[str, str]
    prediction: tuple[str, str]
    accumulators: tuple[tuple[str, str, str], ...]  # (dict, key, parameter)
    sizes: dict[str, str]
    unused: dict[str, int]  # further arguments of forward and backward
    dicts: tuple[str, ...]

    def make(self, sizes: Sizes, rng: np.random.Generator) -> tuple[SimpleNamespace, dict[str, Array]]:
        """Return a fresh ``self`` without its parameters, and the parameters."""
        me = SimpleNamespace(**{name: {} for name in self.dicts})
        for name, size in self.sizes.items():
            setattr(me, name, getattr(sizes, size))
        values = sizes.as_dict()
        parameters: dict[str, Array] = {}
        for name in self.parameters:
            if roles.is_bias(name):
                shape: tuple[int, ...] = (values[roles.bias_end(name)], 1)
            else:
                shape = tuple(values[end] for end in roles.weight_ends(name))
            parameters[name] = 0.5 * rng.normal(size=shape)
        for (box, key), (size, (axis, count)) in self.arrays.items():
            shape_list = [values[size], values["m"]][: count - 1]
            shape_list.insert(axis, values["T_x"])
            array = np.zeros(tuple(shape_list))
            if (box, key) == self.target:
                array = one_hot_like(array, rng)
            elif (box, key) == self.state:
                first = (slice(None),) * axis + (0,)
                array[first] = 0.5 * rng.normal(size=array[first].shape)
            elif (box, key) != self.prediction and key not in _buffers(self):
                array = rng.normal(size=array.shape)
            getattr(me, box)[key] = array
        for box, key, name in self.accumulators:
            getattr(me, box)[key] = np.zeros_like(parameters[name])
        return me, parameters


def _buffers(plan: SelfPlan) -> set[str]:
    return {plan.state[1], plan.prediction[1]} if plan.state else {plan.prediction[1]}


def one_hot_like(array: Array, rng: np.random.Generator) -> Array:
    """Return an array of that shape whose columns hold one one each: the classes are axis 0."""
    classes = rng.integers(array.shape[0], size=array.shape[1:])
    shown: Array = (np.arange(array.shape[0]).reshape(-1, *[1] * (array.ndim - 1)) == classes).astype(float)
    return shown


@dataclass
class SelfCase:
    """``bptt_case`` for methods without a class."""

    module: ModuleType
    plan: SelfPlan
    sizes: Sizes
    seed: int
    parameters: dict[str, Array] = field(init=False)
    targets: dict[str, Array] = field(init=False)
    """Live as well, so that a proof can disturb them: a repair may hold only for targets that sum to 1."""

    def __post_init__(self) -> None:
        """Make the parameters once; every run works on these arrays."""
        me, self.parameters = self._self()
        box, key = self.plan.target
        self.targets = {key: getattr(me, box)[key]}

    def _self(self) -> tuple[SimpleNamespace, dict[str, Array]]:
        return self.plan.make(self.sizes, np.random.default_rng(self.seed))

    def _forward(self) -> SimpleNamespace:
        me, _ = self._self()
        getattr(me, self.plan.parameters_in).update(self.parameters)
        getattr(me, self.plan.target[0]).update({key: np.array(Y) for key, Y in self.targets.items()})
        getattr(self.module, self.plan.forward)(me, *[None] * self.plan.unused[self.plan.forward])
        return me

    def cost(self) -> Any:
        """Run their forward; the cost is the cross-entropy of the steps that it wrote."""
        me = self._forward()
        Y = getattr(me, self.plan.target[0])[self.plan.target[1]]
        Y_pred = getattr(me, self.plan.prediction[0])[self.plan.prediction[1]]
        axis = self.plan.arrays[self.plan.prediction][1][0]
        total: Any = 0.0
        for t in range(self.sizes.T_x):
            at = (slice(None),) * axis + (t,)
            if np.any(np.asarray(Y_pred[at]) != 0):  # a step that the forward never wrote is still zero
                total = total - np.sum(Y[at] * np.log(Y_pred[at]))
        return total

    def gradients(self) -> dict[str, Array]:
        """Run their forward and backward, and read the accumulators."""
        me = self._forward()
        getattr(self.module, self.plan.backward)(me, *[None] * self.plan.unused[self.plan.backward])
        return {name: getattr(me, box)[key] for box, key, name in self.plan.accumulators}


def plan_self(functions: list[ast.FunctionDef], forward: str, backward: str) -> SelfPlan | str:
    """Return how to make ``self``, or what is missing, in words."""
    usage = usage_of_self(functions)
    boxes = usage.dicts

    def weights(name: str) -> list[str]:
        keys = boxes[name].read
        return [k for k in keys if forward in keys[k] and (roles.is_weight(k) or roles.is_bias(k))]

    if not boxes:
        return "the functions keep nothing in a dict on self"
    parameters_in = max(boxes, key=lambda name: len(weights(name)))
    parameters = weights(parameters_in)
    arrays, state, target, prediction = {}, None, None, None
    accumulators = []
    for box, held in boxes.items():
        for key in held.all_keys():
            if box == parameters_in and key in parameters:
                continue
            if key in held.added and key not in held.assigned:
                name = roles.gradient_of(key, parameters)
                if name:
                    accumulators.append((box, key, name))
                continue
            axis = held.time_axis.get(key)
            if key in held.assigned and key not in held.sliced:
                continue
            if axis is None:
                axis = next(iter(held.time_axis.values()), (2, 3))
            if forward in held.sliced.get(key, ()):
                if roles.matches(key, roles.PREDICTION) or key.lower().startswith("y"):
                    prediction = (box, key)
                    arrays[box, key] = ("n_y", axis)
                else:
                    state = (box, key)
                    arrays[box, key] = ("n_a", axis)
            elif roles.matches(key, roles.INPUT):
                arrays[box, key] = ("n_x", axis)
            elif roles.matches(key, roles.TARGET):
                target = (box, key)
                arrays[box, key] = ("n_y", axis)
    if prediction is None or target is None:
        missing = "the predictions that the forward writes" if prediction is None else "the targets"
        return f"{missing} are not found among the items of self"
    sizes = {}
    for name in usage.plain:
        size = roles.size_of(name)
        if name not in boxes and size:
            sizes[name] = size
    unused = {f.name: len(f.args.args) - 1 for f in functions}
    return SelfPlan(
        forward, backward, parameters_in, tuple(parameters), arrays, state, target, prediction, tuple(accumulators),
        sizes, unused, tuple(boxes),
    )  # fmt: skip


def forward_lints(function: ast.FunctionDef) -> list[tuple[str, int, str]]:
    """Return the lints of a forward loop: a last step that is never run, a slice that is never written."""
    notes = []
    for loop in ast.walk(function):
        if not isinstance(loop, ast.For) or not isinstance(loop.target, ast.Name):
            continue
        bound = re.fullmatch(r"range\((?:0, )?(.+) - 1\)", ast.unparse(loop.iter))
        if not bound:
            continue
        t = loop.target.id
        writes = [
            n for n in ast.walk(loop)
            if isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Store) and _indexes(n.slice, t)
        ]  # fmt: skip
        if not writes:
            continue
        steps = bound.group(1)
        notes.append(
            ("FWD", loop.lineno, f"the last step is never run: range({steps} - 1) stops before step {steps} - 1.")
        )
        for write in writes:
            name = ast.unparse(write.value)
            notes.append(
                (
                    "FWD",
                    write.lineno,
                    f"the slice of {name} for step {steps} - 1 is never written; it keeps what it held.",
                )
            )
    return notes


def _indexes(index: ast.expr, t: str) -> bool:
    items = index.elts if isinstance(index, ast.Tuple) else [index]
    return any(isinstance(item, ast.Name) and item.id == t for item in items)


def wrap_lints(function: ast.FunctionDef) -> list[tuple[str, int, str]]:
    """Return where ``t - 1`` as an index wraps to the end at t = 0, once a function."""
    for loop in ast.walk(function):
        if isinstance(loop, ast.For) and isinstance(loop.target, ast.Name) and "range" in ast.unparse(loop.iter):
            if re.search(r"range\(\s*1\s*,", ast.unparse(loop.iter)):
                continue
            t = loop.target.id
            for node in ast.walk(loop):
                if isinstance(node, ast.Subscript):
                    items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
                    if any(ast.unparse(item) == f"{t} - 1" for item in items):
                        name = ast.unparse(node.value)
                        return [
                            (
                                "FWD",
                                node.lineno,
                                f"{t} - 1 is -1 at {t} = 0: {name} wraps around to its last step there.",
                            )
                        ]
    return []
