"""What each argument of somebody's function may be, the likeliest first; by its name, its use and its place."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bptt.checking.loading import roles_by_name as roles
from bptt.checking.loading.argument_arrays import rows
from bptt.checking.loading.examples import misfit
from bptt.checking.loading.facts import Facts, Function
from bptt.checking.loading.hints import Hints, element_of, hints_for
from bptt.checking.loading.instances import class_of
from bptt.checking.loading.layouts import Layout, candidates, size_value
from bptt.checking.loading.options import Option
from bptt.checking.loading.outputs import outputs_for, places_only
from bptt.checking.loading.parameters_found import reachable
from bptt.checking.loading.plan import LARGE, Plan, Source
from bptt.checking.loading.uses import is_count, is_indexed, is_series, is_used, special_words, states_in

LIMIT = r"(grad(ient)?s?_?)?(clip|clipping|clip_?(value|norm|threshold|val|at|grad|by)?|max_?(grad_?)?norm|threshold|max_?value|maxvalue|max_?grad|limit)"
SWITCH = r"(is_?)?(train(ing)?|verbose|debug|return_\w+|plot|print_\w+|mode|test|check|shuffle|stateful|reverse|seed|random_state|dropout|show)"
MIXED = 0.4  # a leak, which is a part of the equations
ROLES = ((roles.INPUT, "X", 0.0), (roles.TARGET, "Y", 0.3), (roles.STATE0, "a0", 0.2), (roles.CELL0, "c0", 0.2))
"""What names of data say, and how much less plausible each is than an input."""
COUNTS = r"(n_?)?(epochs?|iter(ation)?s?|num_?(iter(ation)?s?|epochs?)|max_?iter(s)?|n_?iter(s|ations)?|nepoch|max_?epochs?|n_?epochs?)"


@dataclass
class Context:
    """What is known of the program while arguments are bound."""

    facts: Facts
    features: list[str]  # for inputs
    classes: list[str]  # for targets
    batch: bool
    loose: list[str] = field(default_factory=list)  # parameters that are passed one by one
    made: dict[str, Any] = field(default_factory=dict)  # what an initialiser of theirs makes, with its paths
    box: str | None = None  # the argument that holds the parameters
    handed: list[str] = field(default_factory=list)  # what one pass of a script hands to the next, from the setup
    shown: dict[tuple[str, str], Any] = field(default_factory=dict)  # (function, argument): what the run passes
    cell: bool = False  # a single step, not a sequence
    each: bool = False  # the forward is called for each step
    target: str = ""  # the argument that a cost compares with what the forward gives, by whatever name


def data_options(
    name: str,
    role: str,
    function: Function,
    context: Context,
    layouts: dict[str, Layout],
    penalty: float = 0.0,
    outputs: Sequence[tuple[tuple[str, ...], Source, Any]] = (),
) -> list[Option]:
    """Return the layouts for an argument that is the inputs, the targets or a state."""
    if role in layouts:
        return [Option(penalty, Source("data", role), role)]
    hints = hints_for(function.node, name, context.facts.definitions)
    hints.iterated |= context.each
    found: list[tuple[float, Layout]]
    side = rows(reachable(context.facts, [function]))
    if role == "X":
        kinds = ["ids", "dense"] if hints.index else ["dense", "ids"]
        found = candidates(hints, context.features, kinds, batch=context.batch, steps=context.cell, rows=side)[:44]  # type: ignore[arg-type]
        if "add.at(" in context.facts.text:  # what comes twice must be added up twice
            found = [(score + 2.0 * (x.kind == "ids" and "T_x" not in x.axes), x) for score, x in found]
    elif role == "Y":
        text = context.facts.text
        soft = re.search(r"softmax|soft_max", text, re.I) or (re.search(r"np\.exp\([^-]", text) and "log(" in text)
        dense = "onehot" if soft else "binary" if re.search(r"sigm", text) and "log(" in text else "dense"
        kinds = ["ids", dense] if hints.index else [dense, "ids"]
        like = layouts.get("X")
        shapes = _shapes_of(outputs)
        single = ["1"] if any(1 in shape for shape in shapes) else []  # one unit gives the output
        found = candidates(
            hints, [*context.classes, *single], kinds, batch=context.batch, steps=context.cell, like=like, rows=side,  # type: ignore[arg-type]
        )  # fmt: skip
        if shapes:  # targets share the shape of what they are compared with
            found = [(score - 3.0 * bool(_shape_at_probe(x) & shapes), x) for score, x in found]
            found.sort(key=lambda x: x[0])
        found = [(score - found[0][0], x) for score, x in found[:44]]
    else:
        held = states_in(function, name)
        found = [
            (0.2 * i, replace(x, nested=held))
            for i, x in enumerate(state_layouts(layouts.get("X"), hints, context, function))
        ]
    if "outer(" in context.facts.text and not any(
        re.search(r", 1\)|keepdims", f.text) for f in reachable(context.facts, [function])
    ):  # outer products are those of vectors
        found = [(score + 0.6 * (layout.axes[-2:] in (("f", "1"), ("1", "f"))), layout) for score, layout in found]
    example = context.shown.get((function.qualified, name))
    if example is not None:
        found = [(score + misfit(layout, example), layout) for score, layout in found]
    return [Option(penalty + score, Source("data", role), role, layout) for score, layout in found]


PROBED = {"n_x": 3, "n_a": 5, "n_y": 7, "V": 7, "m": 2, "T_x": 4, "1": 1}


def _shapes_of(outputs: Sequence[tuple[tuple[str, ...], Source, Any]]) -> set[tuple[int, ...]]:
    """Return the shapes of the arrays that a forward gives, a list of steps counting as one array."""
    shapes = set()
    returned = [o for o in outputs if o[1].kind == "result" and not places_only(o[2])]
    for _, _, value in returned or outputs:
        items = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else None
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            shapes.add(value.shape)
        elif items and all(isinstance(v, np.ndarray) and v.dtype.kind == "f" for v in items):
            steps, step = len(items), items[-1].shape
            shapes |= {
                (*step[:i], steps, *step[i:]) for i in range(len(step) + 1)
            }  # targets[:, :, t] beside outputs[t]
    return shapes


def _shape_at_probe(layout: Layout) -> set[tuple[int, ...]]:
    """Return the shapes of predictions that a layout of targets fits."""
    count = PROBED.get(layout.feature, int(layout.feature) if layout.feature.isdigit() else 0)
    shape = tuple(count if a == "f" else size_value(a, PROBED) for a in layout.axes)
    if layout.kind == "ids":
        return (
            {(*shape, count), (*shape, count, 1), (*shape, 1, count), (count, *shape), (count, 1)}
            if shape
            else {(count,), (count, 1), (1, count)}
        )
    return {shape}


def state_layouts(inputs: Layout | None, hints: Hints, context: Context, function: Function) -> list[Layout]:
    """Return the layouts that an initial state may have: columns, rows or a vector; of one example beside ids."""
    named = [a for a in function.arguments if roles.matches(a, roles.INPUT)]
    ids = any(hints_for(function.node, a).index for a in named)
    shapes: list[tuple[str, ...]] = [("f", "1"), ("f",), ("1", "f"), ("m", "f"), ("f", "m"), ()]
    if (inputs is not None and "m" in inputs.axes) or (inputs is None and context.batch and not ids):
        shapes = [("f", "m"), ("m", "f"), ("f", "1"), ("1", "f"), ("f",)]
    if hints.unpacked:
        shapes.sort(key=lambda s: len(s) != len(hints.unpacked or ()))
    return [Layout(shape, "n_a") for shape in shapes]


def options_for(
    name: str,
    function: Function,
    context: Context,
    plan: Plan,
    *,
    stage: str,
    outputs: Sequence[tuple[tuple[str, ...], Source, Any]] = (),
) -> list[Option]:
    """Return what an argument may be.

    Parameters
    ----------
    name : str
        The argument.
    function : Function
    context : Context
    plan : Plan
        What is settled so far.
    stage : {"forward", "cost", "backward", "constructor"}
    outputs : sequence of (names, source, value)
        What the forward has returned or left on the object.
    """
    out: list[Option] = []
    layouts = plan.layouts
    if not is_used(function, name) and stage != "constructor":
        return [Option(0.0, None if name in function.defaults else Source("const", None))]
    if name in context.made:
        return [Option(0.0, Source("made", None, context.made[name]))]
    whole = [path for path in context.made.values() if path == ()]
    default = function.defaults.get(name)
    if isinstance(default, ast.Constant) and isinstance(default.value, bool | str):
        return [Option(0.0, None)]
    if (
        stage == "backward"
        and isinstance(default, ast.Constant)
        and default.value
        and roles.matches(name, roles.UPSTREAM)
    ):
        return [Option(0.0, None)]  # the gradient of the loss by itself: dout=1
    if roles.matches(name, LIMIT):
        return [Option(0.0, Source("const", 1e6))]
    if name in ("dtype", "d_type", "float_type") and "float" in ast.unparse(default or ast.Constant("float")):
        return [Option(0.0, Source("const", np.float64))]  # their own float32 would blur what is compared
    if roles.matches(name, SWITCH):
        return [Option(0.0, None if default is not None else Source("const", False))]
    if roles.matches(name, roles.MASK):
        shapes = [("m", "T_x"), ("T_x", "m"), ("T_x",), ("m",), ("T_x", "m", "1"), ("m", "T_x", "1")]
        masks = [Option(0.1 * i, Source("data", "mask"), "mask", Layout(s, "1", "mask")) for i, s in enumerate(shapes)]
        return [*masks, Option(0.05, None)] if name in function.defaults else masks
    if roles.matches(name, COUNTS):
        return [Option(0.0, Source("const", 1))]
    if roles.matches(name, roles.TRUNCATION):
        return [Option(0.0, Source("const", LARGE)), Option(1.0, Source("size", "T_x"))]
    if name in context.handed:
        return [Option(0.0, Source("global", name))]
    if name in context.loose:
        return [Option(0.0, Source("param", name))]
    if stage == "forward" and is_series(function, name):
        return [Option(0.0, Source("data", f"series {name}"), f"series {name}", Layout(("T_x",), "1", "binary"))]
    if roles.matches(name, roles.RATE) and len(name) > 1:
        return [Option(0.0, Source("const", 1.0 if roles.is_rate(name, context.facts.text) else MIXED))]
    if roles.matches(name, r"(np_?)?(rng|rs|random_state|gen(erator)?|prng|random|rand)"):
        return [Option(0.0, Source("rng"))]
    if roles.matches(name, r"\w*seed|semilla"):
        return [Option(0.0, None if default is not None else Source("const", 0))]
    if (
        plan.owner
        and function.owner is None
        and re.search(rf"\b{name}\.[A-Za-z_]\w*", function.text)
        and not re.search(rf"\b{name}\[|\b{name}\.(T|shape|dot|sum|copy|size)\b", function.text)
    ):
        return [Option(0.0, Source("object"))]
    if stage in ("constructor", "backward"):
        kind = class_of(name, function, context.facts)
        init = context.facts.methods(kind).get("__init__") if kind else None
        if kind:
            inner = [
                (n, min(options_for(n, init, context, plan, stage="constructor"), key=lambda o: o.penalty).source)
                for n in (init.arguments if init else []) if init and n not in init.defaults
            ]  # fmt: skip
            if not any(s is not None and s.kind == "instance" for _, s in inner):
                return [Option(0.1, Source("instance", (kind, tuple(inner))))]
    if stage in ("cost", "backward"):
        out += outputs_for(name, function, outputs, stage, plan)
    if (
        stage == "constructor"
        and roles.matches(name, r"(layer_?|hidden_?)?(sizes|dims|dimensions|layers|units|hidden)")
        and re.search(rf"zip\({name}|{name}\[|in {name}\b|len\({name}", function.text)
    ):
        lists = (("n_x", "n_a", "n_a + 1"), ("n_x", "n_a", "n_a + 1", "n_y"), ("n_x", "n_a", "n_y"))
        return [Option(0.1 * i, Source("sizes", sizes)) for i, sizes in enumerate(lists)]
    own = any(o.penalty < 0.3 for o in out)  # the forward gives something of this very name
    if whole and stage in ("cost", "backward") and not own and roles.matches(name, roles.PARAMETERS):
        return [Option(0.0, Source("made", None, ()))]
    if name == context.box or (
        not own and context.box and stage != "forward" and roles.matches(name, roles.PARAMETERS)
    ):
        return [Option(0.0, Source("params"))]
    is_float = isinstance(default, ast.Constant) and isinstance(default.value, float)
    size = None if is_float else roles.size_of(name)  # tau=100.0 is a time, and no number of steps
    if size and not is_indexed(function, name) and (len(name) > 1 or is_count(function, name)):
        out.append(Option(0.1, Source("size", size)))
        if stage == "constructor" and size in ("n_x", "n_y"):
            out.append(Option(1.0, Source("size", "V")))
        if default is not None and stage != "constructor":
            out.append(Option(0.5, None))
    elif (
        stage == "constructor"
        and isinstance(default, ast.Constant)
        and type(default.value) is int
        and default.value > 15
    ):
        out.append(Option(0.2, Source("size", "n_x" if re.search("in|emb|vec|feat", name) else "n_a")))  # a width
    if stage == "constructor" and (out or (len(name) == 1 and name not in "XYxy")):
        letter = {"i": "n_x", "h": "n_a", "o": "n_y", "d": "n_x", "k": "n_y", "n": "n_a", "s": "n_a", "q": "n_y"}.get(
            name.lower()
        )
        return out or [
            Option(0.1 if s == letter else 0.6 + 0.2 * i, Source("size", s))
            for i, s in enumerate(("n_a", "n_x", "n_y", "T_x"))
        ]
    if re.fullmatch(
        r"(char|word|c|w|token|ch)s?_?(to|2)_?(ix|idx|id|int|index|i|ind)s?|vocab|stoi|word2idx|char_?dict|vocabulary",
        name,
        re.I,
    ):
        out.append(Option(0.2, Source("table", ("chars", *special_words(context.facts.text)))))
    if re.fullmatch(r"(ix|idx|id|int|index|i)_?(to|2)_?(char|word|c|w|ch)s?|itos", name, re.I):
        out.append(Option(0.2, Source("table", ("ids", *special_words(context.facts.text)))))
    if re.fullmatch(r"chars|letters|vocab|words|alphabet", name, re.I):
        out.append(Option(0.4, Source("table", ("list", *special_words(context.facts.text)))))
        if stage == "forward" and not any(roles.matches(a, roles.INPUT) for a in function.arguments):
            out += data_options(name, "X", function, context, layouts, 0.0)  # the words themselves
    called = name if any(roles.matches(name, p) for p, _, _ in ROLES) else element_of(function.node, name) or name
    for pattern, role, cost in ROLES:
        meant = name == context.target if role == "Y" and context.target else roles.matches(called, pattern)
        if meant and not (own and role not in layouts):
            more = 1.5 if stage == "backward" and role in ("a0", "c0") and role not in layouts else 0.0
            numbered = re.search(r"\d", name.rstrip("0")) if role in ("a0", "c0") else None
            role = f"{role} {numbered.group()}" if numbered else role  # h1_start, h2_start: one state for each layer
            out += data_options(name, role, function, context, layouts, cost + more, outputs)
    if default is not None:
        known = any(o.role for o in out)
        out.append(Option(1.2 if known else 0.3, None))
    if roles.matches(name, roles.RATE):
        out.append(Option(0.4, Source("const", 1.0)))
    if stage != "constructor" and not any(o.penalty < 1.0 for o in out):
        first = function.arguments.index(name)
        taken = {roles.matches(a, roles.INPUT) for a in function.arguments}
        if stage == "forward" and True not in taken and first == 0:
            out += data_options(name, "X", function, context, layouts, 1.0)
        if roles.matches(name, roles.CACHE) or (re.fullmatch(r"d_?\w+|grads?\w*", name) and name != context.target):
            out.append(Option(0.8, Source("empty", {})))
        out += data_options(name, "Y", function, context, layouts, 2.0, outputs)
        if stage == "forward" or is_count(function, name):
            out += [Option(2.0, Source("size", s)) for s in ("n_a", "T_x")]
    if stage == "constructor" and not out:
        unknown = [a for a in function.arguments if roles.size_of(a) is None and a not in function.defaults]
        place = unknown.index(name) if name in unknown else 1
        told = {roles.size_of(a) for a in function.arguments}
        free = [s for s in ("n_a", "n_y", "n_x") if s not in told]  # the size that no other argument is
        mine = ("n_x", "n_a", "n_y")[place] if place < 3 and len(unknown) > 1 else free[0] if free else "n_a"
        out += [
            Option(0.8 if s == mine else 1.0 + 0.2 * i, Source("size", s))
            for i, s in enumerate(("n_a", "n_x", "n_y", "V", "T_x"))
        ]
        out.append(Option(1.5, Source("const", 1.0)))
    if not out:
        out.append(Option(3.0, Source("const", None)))
    return out
