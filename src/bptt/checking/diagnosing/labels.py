"""Label a wrong value: which mistake gives exactly these numbers.

Each test computes what a kind of mistake would give from true values; on random data a match to 1e-9 is the cause.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bptt.checking.diagnosing.chain_rule import other_operands, wrong_slope
from bptt.checking.diagnosing.mistakes import EXACT, Label, Pairs, everywhere, item_of, wrong_values
from bptt.checking.tracing.bank import Role
from bptt.checking.tracing.series import Series
from bptt.dims import Array

if TYPE_CHECKING:
    from bptt.checking.diagnosing.judging import Judged, Judging


def label(judging: Judging, judged: Judged) -> list[Label]:
    """Return the kinds of mistake that give exactly the unit's wrong values; empty where none does."""
    pairs = wrong_values(judged)
    if not pairs:
        return []
    if judged.role.delta and judged.unit.op == "=" and not judged.unit.recursive:
        return [
            Label(
                "W1",
                "each step overwrites what the steps before it left: "
                "the parts of all steps are to be summed, with `+=`",
            )
        ]
    for test in (
        _shapes,
        _nothing,
        _factor,
        _lacking,
        _other_time,
        _elsewhere,
        wrong_slope,
        other_operands,
        _other_quantity,
    ):
        found = test(judging, judged.role, pairs)
        if found:
            return _boundary(judging, judged, pairs, found)
    return _boundary(judging, judged, pairs, [])


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

        def summed(step: int, x: Array, axis: int = axis) -> Array:
            if theirs.size == x.size:
                return np.broadcast_to(x.sum(axis, keepdims=True), x.shape)
            return np.asarray(x.sum(axis))

        if true.shape[axis] > 1 and everywhere(pairs, summed):
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
        if everywhere(pairs, item_of(part, role)):
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


def _other_time(judging: Judging, role: Role, pairs: Pairs) -> list[Label]:
    for shift, word in ((-1, "before"), (1, "after")):
        inside = [p for p in pairs if 0 <= p[0] + shift < len(role.series.items)]
        if inside and len(role.series.items) > 1 and everywhere(inside, item_of(role.series, role, shift)):
            return [Label("T2", f"it is the right quantity of the step {word}: the index is off by one")]
    return []


def _elsewhere(judging: Judging, role: Role, pairs: Pairs) -> list[Label]:
    """Test for the softmax's diagonal, and for the output's gradient where the cost has none."""
    if role.series.kind == "adjoint":
        for above in judging.bank.series:
            if above.kind != "adjoint" or len(above.items) != len(role.series.items):
                continue
            for value in judging.bank.series:
                if value.kind == "value" and value.node == above.node and len(value.items) == len(above.items):

                    def diagonal(step: int, true: Array, a: Series = above, v: Series = value) -> Array | None:
                        up, s = item_of(a, role)(step, true), item_of(v, role)(step, true)
                        return None if up is None or s is None else up * s * (1 - s)

                    if everywhere(pairs, diagonal):
                        return [
                            Label(
                                "S1",
                                "softmax is differentiated as s(1 - s), its diagonal alone: "
                                "each class also moves with all others",
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
