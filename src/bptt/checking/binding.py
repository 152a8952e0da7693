"""What each argument of somebody's function may be, the likeliest first; by its name, its use and its place."""

from __future__ import annotations

import ast
import heapq
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bptt.checking import paths as places
from bptt.checking import roles_by_name as roles
from bptt.checking.facts import Facts, Function
from bptt.checking.layouts import Hints, Layout, candidates, hints_for
from bptt.checking.plan import LARGE, Plan, Source

LIMIT = r"(grad(ient)?s?_?)?(clip|clipping|clip_?(value|norm|threshold|val|at|grad|by)?|max_?(grad_?)?norm|threshold|max_?value|maxvalue|max_?grad|limit)"
SWITCH = r"(is_?)?(train(ing)?|verbose|debug|return_\w+|plot|print_\w+|mode|test|check|shuffle|stateful|reverse|seed|random_state|dropout|show)"
COUNTS = r"(n_?)?(epochs?|iter(ation)?s?|num_?(iter(ation)?s?|epochs?)|max_?iter(s)?|n_?iter(s|ations)?|nepoch|max_?epochs?|n_?epochs?)"


@dataclass(frozen=True)
class Option:
    """One choice for an argument: its source, the layout that goes with it, and what speaks against it."""

    penalty: float
    source: Source | None  # None: left to its default
    role: str | None = None
    layout: Layout | None = None


@dataclass
class Context:
    """What is known of the program while arguments are bound."""

    facts: Facts
    features: list[str]  # for inputs
    classes: list[str]  # for targets
    batch: bool
    loose: list[str] = field(default_factory=list)  # parameters that are passed one by one
    made: dict[str, Any] = field(
        default_factory=dict
    )  # arguments that an initialiser of theirs makes, with their paths
    box: str | None = None  # the argument that holds the parameters
    handed: list[str] = field(default_factory=list)  # what one pass of a script hands to the next, from the setup
    cell: bool = False  # a single step, not a sequence


def uses(function: Function, name: str) -> bool:
    """Tell whether a function reads its argument at all."""
    return any(
        isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load) for n in ast.walk(function.node)
    )


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
    hints = hints_for(function.node, name, {f.name: f.node for f in context.facts.functions.values()})
    found: list[tuple[float, Layout]]
    if role == "X":
        kinds = ["ids", "dense"] if hints.index else ["dense", "ids"]
        found = candidates(hints, context.features, kinds, batch=context.batch, steps=context.cell)[:44]  # type: ignore[arg-type]
    elif role == "Y":
        text = ast.unparse(context.facts.tree)
        soft = re.search(r"softmax|soft_max", text, re.I) or (re.search(r"np\.exp\([^-]", text) and "log(" in text)
        dense = "onehot" if soft else "binary" if re.search(r"sigm", text) and "log(" in text else "dense"
        kinds = ["ids", dense] if hints.index else [dense, "ids"]
        like = layouts.get("X")
        found = candidates(hints, context.classes, kinds, batch=context.batch, steps=context.cell, like=like)  # type: ignore[arg-type]
        shapes = _shapes_of(outputs)
        if shapes:  # targets share the shape of what they are compared with
            found = [(score - 1.5 * bool(_shape_at_probe(x) & shapes), x) for score, x in found]
            found.sort(key=lambda x: x[0])
        found = [(score - found[0][0], x) for score, x in found[:44]]
    else:
        found = [(0.2 * i, x) for i, x in enumerate(state_layouts(layouts.get("X"), hints, context, function))]
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
            shapes.add((len(items), *items[-1].shape))
    return shapes


def _shape_at_probe(layout: Layout) -> set[tuple[int, ...]]:
    """Return the shapes of predictions that a layout of targets fits."""
    count = PROBED.get(layout.feature, int(layout.feature) if layout.feature.isdigit() else 0)
    shape = tuple(count if a == "f" else PROBED[a] for a in layout.axes)
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
    if not uses(function, name) and stage != "constructor":
        return [Option(0.0, None if name in function.defaults else Source("const", None))]
    if name in context.made:
        return [Option(0.0, Source("made", None, context.made[name]))]
    whole = [path for path in context.made.values() if path == ()]
    default = function.defaults.get(name)
    if isinstance(default, ast.Constant) and isinstance(default.value, bool | str):
        return [Option(0.0, None)]
    if roles.matches(name, LIMIT):
        return [Option(0.0, Source("const", 1e6))]
    if roles.matches(name, SWITCH):
        return [Option(0.0, None if default is not None else Source("const", False))]
    if roles.matches(name, COUNTS):
        return [Option(0.0, Source("const", 1))]
    if roles.matches(name, roles.TRUNCATION):
        return [Option(0.0, Source("const", LARGE)), Option(1.0, Source("size", "T_x"))]
    if name in context.handed:
        return [Option(0.0, Source("global", name))]
    if name in context.loose:
        return [Option(0.0, Source("param", name))]
    if roles.matches(name, roles.RATE) and len(name) > 1:
        return [Option(0.0, Source("const", 1.0))]
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
    if stage in ("cost", "backward"):
        out += _from_outputs(name, function, outputs, stage, plan)
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
    if name == context.box or (not own and context.box and stage != "forward" and roles.matches(name, roles.PARAMETERS)):
        return [Option(0.0, Source("params"))]
    size = roles.size_of(name)
    if size and not _indexed(function, name) and (len(name) > 1 or _counts(function, name)):
        out.append(Option(0.1, Source("size", size)))
        if stage == "constructor" and size in ("n_x", "n_y"):
            out.append(Option(1.0, Source("size", "V")))
        if default is not None and stage != "constructor":
            out.append(Option(0.5, None))
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
        out.append(Option(0.2, Source("table", "chars")))
    if re.fullmatch(r"(ix|idx|id|int|index|i)_?(to|2)_?(char|word|c|w|ch)s?|itos", name, re.I):
        out.append(Option(0.2, Source("table", "ids")))
    if re.fullmatch(r"chars|letters|vocab|words|alphabet", name, re.I):
        out.append(Option(0.4, Source("table", "list")))
    for pattern, role, cost in (
        (roles.INPUT, "X", 0.0), (roles.TARGET, "Y", 0.3), (roles.STATE0, "a0", 0.2), (roles.CELL0, "c0", 0.2),
    ):  # fmt: skip
        if roles.matches(name, pattern) and not (own and role not in layouts):
            more = 1.5 if stage == "backward" and role in ("a0", "c0") and role not in layouts else 0.0
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
        if roles.matches(name, roles.CACHE) or re.fullmatch(r"d_?\w+|grads?\w*", name):
            out.append(Option(0.8, Source("empty", {})))
        out += data_options(name, "Y", function, context, layouts, 2.0, outputs)
        if stage == "forward" or _counts(function, name):
            out += [Option(2.0, Source("size", s)) for s in ("n_a", "T_x")]
    if stage == "constructor" and not out:
        unknown = [a for a in function.arguments if roles.size_of(a) is None and a not in function.defaults]
        place = unknown.index(name) if name in unknown else 1
        mine = ("n_x", "n_a", "n_y")[place] if place < 3 and len(unknown) > 1 else "n_a"
        out += [
            Option(0.8 if s == mine else 1.0 + 0.2 * i, Source("size", s))
            for i, s in enumerate(("n_a", "n_x", "n_y", "V", "T_x"))
        ]
        out.append(Option(1.5, Source("const", 1.0)))
    if not out:
        out.append(Option(3.0, Source("const", None)))
    return out


def _counts(function: Function, name: str) -> bool:
    """Tell whether a one-letter name is used as a number: in ``range(n)``, in a shape, as a divisor."""
    made = r"(zeros|ones|empty|randn?|normal|uniform|reshape|full|range|arange|eye)"
    return re.search(rf"\b{made}\((?:[^()]*\()?[^()]*\b{name}\b(?!\.)", function.text) is not None


def _indexed(function: Function, name: str) -> bool:
    return any(
        isinstance(n, ast.Subscript) and isinstance(n.value, ast.Name) and n.value.id == name
        for n in ast.walk(function.node)
    )


def _from_outputs(
    name: str, function: Function, outputs: Sequence[tuple[tuple[str, ...], Source, Any]], stage: str, plan: Plan
) -> list[Option]:
    """Return the results of the forward that an argument may be: by its own name, as cache, prediction or upstream."""
    out: list[Option] = []
    cache = roles.matches(name, roles.CACHE)
    prediction = roles.matches(name, roles.PREDICTION)
    for names, source, value in outputs:
        own = names[-1] if names else ""
        if own and own.lower() == name.lower():
            out.append(Option(0.0, source))
        elif own and roles._plain(own).rstrip("s") == roles._plain(name).rstrip("s"):
            out.append(Option(0.2, source))
        elif cache and own and roles.matches(own, roles.CACHE):
            out.append(Option(0.3, source))
        elif cache and isinstance(value, list | tuple | dict):
            out.append(Option(0.7 if source.path else 0.9, source))
        elif prediction and own and (roles.matches(own, roles.PREDICTION) or own.lower().startswith(("y", "p", "o"))):
            out.append(Option(0.4 if roles.matches(own, roles.PREDICTION) else 0.7, source))
        elif prediction and not places_only(value):
            out.append(Option(1.0, source))
        elif roles.matches(name, r"(h|a|s)s?(_?(states?|all|seq))?|hidden(_?states?)?|states") and not places_only(
            value
        ):
            out.append(Option(1.2, source))
        elif (
            not cache
            and not roles.matches(name, f"{roles.INPUT}|{roles.TARGET}|{roles.STATE0}|{roles.PARAMETERS}")
            and not places_only(value)
        ):
            out.append(Option(1.3, source))
    if stage == "backward" and (roles.matches(name, roles.UPSTREAM) or re.match(r"d[A-Za-z_]|grad", name)):
        out += _upstream(name, outputs)
        if re.search(r"next|future|prev", name, re.I):
            out += [
                Option(0.9, Source("zeros", None, s.path)) for _, s, v in outputs if s.kind == "result" and _array(v)
            ]
    return out


def _upstream(name: str, outputs: Sequence[tuple[tuple[str, ...], Source, Any]]) -> list[Option]:
    out = []
    plain = roles._plain(name)
    for i, (names, source, value) in enumerate(outputs):
        if source.kind != "result" or not (
            _array(value) or (isinstance(value, list | tuple | dict) and _arrays_in(value))
        ):
            continue
        own = roles._plain(names[-1]) if names else ""
        stem = re.sub(r"^(dl?d?|grad|g)", "", plain)
        close = bool(own) and (stem == own or stem.rstrip("s") == own.rstrip("s"))
        kin = bool(own) and bool(stem) and (own.startswith(stem) or stem.startswith(own) or own[0] == stem[0])
        late = 0.1 * i + 0.4 * (not _array(value)) + 0.8 * roles.matches(own, roles.CACHE)
        whole = not source.path
        out.append(
            Option(
                (0.05 if close else 0.3 if kin else 0.6) + late + 0.3 * (whole and not _array(value)),
                Source("upstream", None, source.path),
            )
        )
    return out


def _array(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def _arrays_in(value: Any) -> bool:
    items = list(value.values()) if isinstance(value, dict) else list(value)
    return bool(items) and all(_array(v) for v in items) and len({np.shape(v) for v in items}) == 1


def places_only(value: Any) -> bool:
    """Tell a number or an empty thing from something that holds predictions."""
    return not any(np.size(v) > 1 for _, v in list(places.walk(value))[:20])


def best_first(options: Sequence[Sequence[Option]], limit: int) -> Iterator[tuple[Option, ...]]:
    """Yield choices of one option each, by their total penalty."""
    lists = [sorted(o, key=lambda x: x.penalty) for o in options]
    start = (0,) * len(lists)
    heap: list[tuple[float, tuple[int, ...]]] = [(sum(o[0].penalty for o in lists), start)]
    seen = {start}
    while heap and limit > 0:
        total, at = heapq.heappop(heap)
        yield tuple(o[i] for o, i in zip(lists, at, strict=True))
        limit -= 1
        for k in range(len(at)):
            after = (*at[:k], at[k] + 1, *at[k + 1 :])
            if after[k] < len(lists[k]) and after not in seen:
                seen.add(after)
                heapq.heappush(heap, (total - lists[k][at[k]].penalty + lists[k][after[k]].penalty, after))


def with_choice(plan: Plan, choice: Sequence[Option]) -> Plan:
    """Return the plan with the layouts of a choice settled, and its penalty."""
    layouts = dict(plan.layouts)
    for option in choice:
        if option.role and option.layout is not None:
            layouts[option.role] = option.layout
    return replace(plan, layouts=layouts, penalty=plan.penalty + sum(o.penalty for o in choice))


def result_outputs(
    labels: Sequence[str], result: Any, thing: Any, own: set[str]
) -> list[tuple[tuple[str, ...], Source, Any]]:
    """Return what a forward has returned, element by element and whole, and what it has left on the object."""
    out: list[tuple[tuple[str, ...], Source, Any]] = []
    if isinstance(result, tuple | list) and len(result) == len(labels) and len(labels) > 1:
        for i, (name, value) in enumerate(zip(labels, result, strict=True)):
            out.append(((name,), Source("result", None, (("item", i),)), value))
    elif isinstance(result, tuple):
        out += [((f"result{i}",), Source("result", None, (("item", i),)), v) for i, v in enumerate(result)]
    if result is not None:
        out.append(((labels[0],) if len(labels) == 1 else (), Source("result", None, ()), result))
    if isinstance(result, dict):
        out += [((str(k),), Source("result", None, (("item", k),)), v) for k, v in result.items() if isinstance(k, str)]
    for name, value in vars(thing).items() if hasattr(thing, "__dict__") else ():
        if name not in own:
            out.append(((name,), Source("self", None, (("attr", name),)), value))
    return out
