"""Label a wrong value: which mistake gives exactly these numbers.

Each test computes what a kind of mistake would give from true values; on random data a match to 1e-9 is the cause.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bptt.checking.diagnosing.roles import arrived
from bptt.checking.tracing.bank import Role
from bptt.checking.tracing.tape import Operation
from bptt.checking.tracing.tape_rules import product_vjps
from bptt.checking.tracing.truth import Series
from bptt.dims import Array

if TYPE_CHECKING:
    from bptt.checking.diagnosing.judging import Judged, Judging

EXACT = 1e-9


@dataclass(frozen=True)
class Label:
    """A kind of mistake, and the cause in words."""

    code: str
    cause: str


Pairs = list[tuple[int, Array, Array]]
"""(step, theirs, true) of every wrong instance."""


def label(judging: Judging, judged: Judged) -> list[Label]:
    """Return the kinds of mistake that give exactly the unit's wrong values; empty where none does."""
    pairs = wrong_values(judged)
    if not pairs:
        return []
    if judged.role.delta and judged.unit.op == "=" and not judged.unit.recursive:
        return [
            Label(
                "W1",
                "each step overwrites what the steps before it left: the parts of all steps are to be summed, with `+=`",
            )
        ]
    for test in (
        _shapes,
        _nothing,
        _factor,
        _lacking,
        _other_time,
        _elsewhere,
        _slope,
        _other_operands,
        _other_quantity,
    ):
        found = test(judging, judged.role, pairs)
        if found:
            return _boundary(judging, judged, pairs, found)
    return _boundary(judging, judged, pairs, [])


def wrong_values(judged: Judged) -> Pairs:
    """Return what the unit computed beside the truth, at every wrong instance that gave a value."""
    pairs = []
    for k in judged.wrong:
        event = judged.events[k]
        value = arrived(judged.unit, event, judged.role.delta)
        item = judged.role.item(k)
        if event.error is None and value is not None and item is not None:
            pairs.append((judged.role.times[k], value, item))
    return pairs


def alike(value: Array, other: Array) -> bool:
    """Tell whether two arrays agree to 1e-9, whatever their axes of one element."""
    if value.size != other.size or value.size == 0:
        return False
    a, b = np.ravel(value), np.ravel(other)
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return False
    return bool(np.abs(a - b).max() <= EXACT * max(float(np.abs(b).max()), 1e-300))


def everywhere(pairs: Pairs, mistake: Callable[[int, Array], Array | None]) -> bool:
    """Tell whether a mistake gives their value at every wrong instance."""
    for step, theirs, true in pairs:
        wrong = mistake(step, true)
        if wrong is None or not alike(theirs, wrong):
            return False
    return True


def _shapes(judging: Judging, role: Role, pairs: Pairs) -> list[Label]:
    _, theirs, true = pairs[0]
    if (
        theirs.size == true.size
        and sorted(theirs.shape) == sorted(true.shape)
        and theirs.shape != true.shape
        and theirs.ndim == 2
    ) and everywhere(pairs, lambda t, x: x.T):
        return [Label("M1", "it is the transpose of what is wanted: the operands stand in the wrong order")]
    for axis in range(theirs.ndim):
        if everywhere([(t, v.sum(axis=axis), x) for t, v, x in pairs if v.ndim > axis], lambda t, x: x):
            return [Label("M3", f"the sum over the examples is missing: an axis of {theirs.shape[axis]} is left over")]
    if theirs.size == 1 < true.size and everywhere(pairs, lambda t, x: np.sum(x)):
        return [Label("M3", "everything is summed to one number, where each unit has a sum of its own")]
    if theirs.shape == true.shape and everywhere(pairs, lambda t, x: np.full(x.shape, np.sum(x))):
        return [Label("M3", "everything is summed to one number, which broadcasting then gives to every unit")]
    for axis in range(true.ndim):
        if true.shape[axis] > 1 and everywhere(
            pairs,
            lambda t, x, axis=axis: (
                np.broadcast_to(x.sum(axis, keepdims=True), x.shape) if theirs.size == x.size else x.sum(axis)
            ),
        ):  # type: ignore[misc]
            return [Label("M3", f"it is summed over an axis of {true.shape[axis]} that must stay")]
    return []


def _nothing(judging: Judging, role: Role, pairs: Pairs) -> list[Label]:
    if all(not theirs.any() for _, theirs, _ in pairs):
        if role.series.future is not None:
            return [Label("R1", "it stays zero: nothing comes back from the later steps")]
        return [Label("W1", "it is zero: nothing of the true value arrives here")]
    return []


def _factor(judging: Judging, role: Role, pairs: Pairs) -> list[Label]:
    _step, theirs, true = pairs[0]
    if theirs.size != true.size or not np.any(true):
        return []
    place = int(np.abs(np.ravel(true)).argmax())
    factor = float(np.ravel(theirs)[place] / np.ravel(true)[place])
    if not np.isfinite(factor) or factor == 0 or len(pairs) * true.size < 3:
        return []
    if not everywhere(pairs, lambda t, x: factor * x):
        return []
    if abs(factor + 1) < EXACT:
        return [Label("L1", "its sign is wrong: it is exactly -1 times what is wanted")]
    return [Label("L1", f"it is exactly {named_factor(judging, factor)} times what is wanted")]


def named_factor(judging: Judging, factor: float) -> str:
    """Name a factor by the sizes that give it: 1/m, T_x, 1/(m·T_x)."""
    sizes = judging.sizes.as_dict()
    names = {name: float(size) for name, size in sizes.items()}
    names |= {"m·T_x": float(sizes["m"] * sizes["T_x"]), "(T_x-1)": float(sizes["T_x"] - 1)}
    for n in (2.0, 3.0, 4.0, 0.5):
        if abs(factor - n) < EXACT and n not in names.values():
            return f"{n:g}"
    for name, size in sorted(names.items(), key=lambda pair: ("T_x" not in pair[0], pair[0] != "m")):
        for sign in ("", "-"):
            signed = -factor if sign else factor
            if abs(signed - size) < EXACT * size:
                return f"{sign}{name} (= {factor:g})"
            if abs(signed * size - 1) < EXACT:
                return f"{sign}1/{name} (= {factor:g})"
    return f"{factor:.6g}"


def _lacking(judging: Judging, role: Role, pairs: Pairs) -> list[Label]:
    """Test for the whole without one of its parts, or one part alone."""
    series = role.series
    if series.kind not in ("adjoint", "share"):
        return []
    for part in judging.bank.series:
        if (
            part.kind != "part"
            or part.node != series.node
            or series.kind != "adjoint"
            or len(part.items) != len(series.items)
        ):
            continue
        later = is_future(judging, part)
        if everywhere(pairs, _item_of(part, role)):
            if later:
                return [
                    Label("R2", "only what comes back from the next step is here: the output's own part is never added")
                ]
            return [
                Label("R1", f"only {through(judging, part)} is here: what comes back from the later steps is left out")
            ]
    return []


def through(judging: Judging, part: Series) -> str:
    """Name a part by what it comes through."""
    return "what comes through " + " and ".join(f"`{judging.truth.text(c)}`" for c in sorted(part.consumers) if c > -1)


def is_future(judging: Judging, part: Series) -> bool:
    """Tell whether all consumers of a part belong to the next step."""
    nexts = {s.node for s in judging.bank.series if s.kind == "share" and s.future == part.node}
    return bool(part.consumers) and part.consumers <= nexts


def _item_of(series: Series, role: Role, shift: int = 0) -> Callable[[int, Array], Array | None]:
    def at(step: int, true: Array) -> Array | None:
        place = step + shift
        item = series.items[place] if 0 <= place < len(series.items) else None
        if item is None or item.size != true.size:
            return None
        return np.transpose(item, role.axes) if len(role.axes) == item.ndim else item

    return at


def _other_time(judging: Judging, role: Role, pairs: Pairs) -> list[Label]:
    for shift, word in ((-1, "before"), (1, "after")):
        inside = [p for p in pairs if 0 <= p[0] + shift < len(role.series.items)]
        if inside and len(role.series.items) > 1 and everywhere(inside, _item_of(role.series, role, shift)):
            return [Label("T2", f"it is the right quantity of the step {word}: the index is off by one")]
    return []


def _slope(judging: Judging, role: Role, pairs: Pairs) -> list[Label]:
    """Test for a derivative factor that is missing, or taken at the wrong argument."""
    if role.series.kind == "slope":
        return (
            [Label("A1", "the derivative is taken at the wrong argument")]
            if pairs[0][1].size == pairs[0][2].size
            else []
        )
    if role.series.kind != "adjoint":
        return []
    for slope, above in chains(judging, role.series.node):
        if len(slope.items) != len(role.series.items) or len(above.items) != len(role.series.items):
            continue
        if everywhere(pairs, _item_of(above, role)):
            return [
                Label(
                    "A2",
                    f"the factor {name_slope(judging, slope)} is missing: it is still the derivative by `{judging.truth.label(above.node)}`",
                )
            ]
    for slope, above in chains(judging, role.series.node):
        quotients: Pairs = []
        for step, theirs, _ in pairs:
            top = _item_of(above, role)(step, theirs)
            right = _item_of(slope, role)(step, theirs)
            if top is None or right is None or top.size != theirs.size:
                quotients: Pairs = []
                break
            with np.errstate(all="ignore"):
                quotients.append((step, np.reshape(theirs, top.shape) / top, right))
        if quotients:
            named = _named_slope(judging, quotients, role)
            if named:
                return [named]
    return []


def chains(judging: Judging, node: int) -> Iterator[tuple[Series, Series]]:
    """Yield, for a value, the slope of each elementwise result of it with the adjoint of that result."""
    adjoints = {
        s.node: s for s in judging.bank.series if s.kind == "adjoint" and not s.name.startswith(("all", "a step"))
    }
    for series in judging.bank.series:
        if series.kind == "slope" and series.parameter == str(node) and series.node in adjoints:
            yield series, adjoints[series.node]


def name_slope(judging: Judging, slope: Series) -> str:
    """Name a slope by what it is the derivative of."""
    return f"d`{judging.truth.label(slope.node)}`/dz"


def _named_slope(judging: Judging, quotients: Pairs, role: Role) -> Label | None:
    """Say which formula gives the factor that they multiplied with."""
    for value in judging.bank.series:
        if (
            value.kind != "value"
            or not value.items
            or value.items[0] is None
            or value.items[0].size != quotients[0][1].size
        ):
            continue
        name = value.name.removeprefix("an operand of ")
        for shift in (0, -1, 1):
            at = _item_of(value, role, shift)

            def formula(
                kind: Callable[[Array], Array], at: Callable[[int, Array], Array | None] = at
            ) -> Callable[[int, Array], Array | None]:
                def made(step: int, true: Array) -> Array | None:
                    x = at(step, true)
                    return None if x is None else kind(x)

                return made

            when = {0: "", -1: " of the step before", 1: " of the step after"}[shift]
            for text, kind in SLOPES.items():
                if everywhere(quotients, formula(kind)):
                    said = f"the factor used is {text.format(x=name)}{when}"
                    code = "T2" if shift and text in ("1 - {x}²", "{x}(1 - {x})") else "A1"
                    return Label(code, f"{said}; the derivative wants another argument")
    return None


SLOPES: dict[str, Callable[[Array], Array]] = {
    "1 - {x}²": lambda x: 1 - x * x,
    "1 - tanh({x})²": lambda x: 1 - np.tanh(x) ** 2,
    "{x}(1 - {x})": lambda x: x * (1 - x),
    "σ({x})(1 - σ({x}))": lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2,
    "1 - {x}": lambda x: 1 - x,
    "{x}": lambda x: x,
    "1 + {x}²": lambda x: 1 + x * x,
    "{x}²": lambda x: x * x,
}


def _other_operands(judging: Judging, role: Role, pairs: Pairs) -> list[Label]:
    """Test for one wrong operand: another step's, another variable's, not transposed."""
    series = role.series
    if series.kind not in ("contribution", "share") or series.node == -1:
        return []
    operations = judging.truth.by_site.get(series.node, [])
    if len(operations) != len(series.items):
        return []
    adjoints = [s for s in judging.bank.series if s.kind == "adjoint" and len(s.items) == len(series.items)]
    own = next((s for s in adjoints if s.node == series.node), None)
    for k, vjp in _candidates(operations, series):
        for adjoint in [a for a in adjoints if a is own] + [a for a in adjoints if a is not own]:
            for shift in (0, -1, 1):
                if adjoint is own and not shift:
                    continue
                if everywhere(pairs, _with_adjoint(operations, k, adjoint, shift, role)):
                    if adjoint is own:
                        return [Label("T2", f"{adjoint.name} of the step {'before' if shift < 0 else 'after'} is used")]
                    return [_wrong_adjoint(judging, adjoint, own, shift)]
        del vjp
    for code, cause, mistake in _wrong_operand(judging, operations, series, role):
        if everywhere(pairs, mistake):
            return [Label(code, cause)]
    return []


def _candidates(operations: list[Operation], series: Series) -> Iterator[tuple[int, Operation]]:
    for k, (ids, _) in enumerate(operations[0].inputs):
        if ids.shape == series.shape:
            yield k, operations[0]


def _with_adjoint(
    operations: list[Operation], k: int, adjoint: Series, shift: int, role: Role
) -> Callable[[int, Array], Array | None]:
    def mistake(step: int, true: Array) -> Array | None:
        place = step + shift
        if not (0 <= place < len(adjoint.items) and 0 <= step < len(operations)):
            return None
        above = adjoint.items[place]
        if above is None or above.shape != operations[step].out.shape:
            return None
        part = np.asarray(operations[step].inputs[k][1](above))
        shape = np.shape(operations[step].inputs[k][0])
        if part.size != int(np.prod(shape)):
            axes = tuple(i for i, n in enumerate(shape) if n == 1 and part.ndim == len(shape))
            part = part.sum(axis=axes, keepdims=True) if part.ndim == len(shape) else part
        return np.transpose(part, role.axes) if part.ndim == len(role.axes) else part

    return mistake


def _wrong_adjoint(judging: Judging, adjoint: Series, own: Series | None, shift: int) -> Label:
    if own is not None and any(above.node == adjoint.node for _, above in chains(judging, own.node)):
        return Label("A2", f"{adjoint.name} is used: the factor of the activation's derivative is missing")
    when = "" if not shift else f" of the step {'before' if shift < 0 else 'after'}"
    wanted = f", where {own.name} is wanted" if own is not None else ""
    return Label("W1", f"{adjoint.name}{when} is used{wanted}")


def _wrong_operand(
    judging: Judging, operations: list[Operation], series: Series, role: Role
) -> Iterator[tuple[str, str, Callable[[int, Array], Array | None]]]:
    first = operations[0]
    if first.name != "matmul" or len(first.operands) != 2 or first.operands[0].ndim != 2:
        return
    for k in (0, 1):
        if first.operands[k].shape != series.shape:
            continue
        other = 1 - k

        def through_other(step: int, true: Array, pick: Callable[[int], Array | None], k: int = k) -> Array | None:
            if not 0 <= step < len(operations):
                return None
            operation, swapped = operations[step], pick(step)
            if swapped is None or swapped.shape != operation.operands[1 - k].shape:
                return None
            pair = [operation.operands[0], operation.operands[1]]
            pair[1 - k] = swapped
            vjps = product_vjps(pair[0], pair[1])
            part = None if vjps is None else vjps[k](judging.truth.tape.adjoint[operation.out])
            return None if part is None else np.transpose(part, role.axes) if part.ndim == len(role.axes) else part

        if series.kind == "share" and first.operands[other].shape[0] == first.operands[other].shape[-1]:
            yield (
                "R3",
                "the transpose is missing: the weights are square, so the shapes fit all the same",
                lambda step, true, f=through_other: f(step, true, lambda s: operations[s].operands[other].T),
            )
        for value in judging.bank.series:
            if value.kind != "value" or not value.items or value.shape != first.operands[other].shape:
                continue
            same = len(value.items) == len(operations) and all(
                v is not None and alike(v, o.operands[other]) for v, o in zip(value.items, operations, strict=True)
            )
            name = value.name.removeprefix("an operand of ")
            for shift in (0, -1, 1):
                if same and not shift:
                    continue
                code = "T2" if shift or _shifted(value, operations, other) else "W1"
                when = {0: "", -1: " of the step before", 1: " of the step after"}[shift]
                yield (
                    code,
                    f"`{name}`{when} is used where another value belongs"
                    if code == "W1"
                    else f"`{name}`{when} is used: the index is off by one",
                    lambda step, true, f=through_other, v=value, d=shift: f(
                        step, true, lambda s: v.items[s + d] if 0 <= s + d < len(v.items) else None
                    ),
                )


def _shifted(value: Series, operations: list[Operation], other: int) -> bool:
    """Tell whether a series is the operand of another step (a_t for a_{t-1})."""
    for shift in (-1, 1):
        inside = [
            (v, operations[t + shift].operands[other])
            for t, v in enumerate(value.items)
            if 0 <= t + shift < len(operations)
        ]
        if inside and all(v is not None and alike(v, o) for v, o in inside):
            return True
    return False


def _elsewhere(judging: Judging, role: Role, pairs: Pairs) -> list[Label]:
    """Test for the softmax's diagonal, and for the output's gradient where the cost has none."""
    if role.series.kind == "adjoint":
        for above in judging.bank.series:
            if above.kind != "adjoint" or len(above.items) != len(role.series.items):
                continue
            for value in judging.bank.series:
                if value.kind == "value" and value.node == above.node and len(value.items) == len(above.items):

                    def diagonal(step: int, true: Array, a: Series = above, v: Series = value) -> Array | None:
                        up, s = _item_of(a, role)(step, true), _item_of(v, role)(step, true)
                        return None if up is None or s is None else up * s * (1 - s)

                    if everywhere(pairs, diagonal):
                        return [
                            Label(
                                "S1",
                                "softmax is differentiated as s(1 - s), its diagonal alone: each class also moves with all others",
                            )
                        ]
        quiet = [t for t, _, true in pairs if not true.any()]
        if quiet and len(quiet) == len(pairs):
            return [Label("R4", "the cost does not look at this step's output: nothing may be sent back from it")]
    return []


def _other_quantity(judging: Judging, role: Role, pairs: Pairs) -> list[Label]:
    found: set[int] | None = None
    for step, theirs, _ in pairs:
        here = {
            m.series
            for m in judging.bank.look(theirs)
            if m.time == step or len(judging.bank.series[m.series].items) == 1
        }
        found = here if found is None else found & here
    if found:
        return [Label("W1", f"it is {judging.bank.series[min(found)].name} instead")]
    return []


def _boundary(judging: Judging, judged: Judged, pairs: Pairs, found: list[Label]) -> list[Label]:
    """Where only the first step is wrong, the state before it is the cause."""
    steps = {t for t, _, _ in pairs}
    right = {
        t for k, t in judged.role.times.items() if k not in judged.wrong and 0 <= t < len(judged.role.series.items)
    }
    firsts = set(range(0, len(judged.role.series.items), judging.sizes.T_x))  # of each layer that takes a turn
    if steps and steps <= firsts and len(right) > 1:
        return [
            Label(
                "T1", "only the first step (t = 0) is wrong: the state before it is a0, and index -1 means the last one"
            )
        ]
    return found
