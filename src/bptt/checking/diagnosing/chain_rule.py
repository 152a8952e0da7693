"""Label a fault in one step of the chain rule: the factor of a derivative, or an operand of a product."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from bptt.checking.diagnosing.mistakes import Label, Pairs, alike, everywhere, item_of
from bptt.checking.tracing.bank import Role
from bptt.checking.tracing.series import Series
from bptt.checking.tracing.tape import Operation
from bptt.checking.tracing.tape_rules import product_vjps
from bptt.dims import Array

if TYPE_CHECKING:
    from bptt.checking.diagnosing.judging import Judging


Through = Callable[[int, Array, Callable[[int], Array | None]], Array | None]
"""(step, true, what gives another operand at a step) -> what the product then hands back."""


def wrong_slope(judging: Judging, role: Role, pairs: Pairs) -> list[Label]:
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
        if everywhere(pairs, item_of(above, role)):
            return [
                Label(
                    "A2",
                    f"the factor {name_slope(judging, slope)} is missing: "
                    f"it is still the derivative by `{judging.truth.label(above.node)}`",
                )
            ]
    for slope, above in chains(judging, role.series.node):
        quotients: Pairs = []
        for step, theirs, _ in pairs:
            top = item_of(above, role)(step, theirs)
            right = item_of(slope, role)(step, theirs)
            if top is None or right is None or top.size != theirs.size:
                quotients = []
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
            at = item_of(value, role, shift)

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
                    return Label(code, f"{said}, which is not the derivative of this activation")
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


def other_operands(judging: Judging, role: Role, pairs: Pairs) -> list[Label]:
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

        def transposed(step: int, true: Array, f: Through = through_other, other: int = other) -> Array | None:
            return f(step, true, lambda s: operations[s].operands[other].T)

        if series.kind == "share" and first.operands[other].shape[0] == first.operands[other].shape[-1]:
            yield (
                "R3",
                "the transpose is missing: the weights are square, so the shapes fit all the same",
                transposed,
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

                def swapped_for(
                    step: int, true: Array, f: Through = through_other, v: Series = value, d: int = shift
                ) -> Array | None:
                    return f(step, true, lambda s: v.items[s + d] if 0 <= s + d < len(v.items) else None)

                code = "T2" if shift or _shifted(value, operations, other) else "W1"
                when = {0: "", -1: " of the step before", 1: " of the step after"}[shift]
                yield (
                    code,
                    f"`{name}`{when} is used where another value belongs"
                    if code == "W1"
                    else f"`{name}`{when} is used: the index is off by one",
                    swapped_for,
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
