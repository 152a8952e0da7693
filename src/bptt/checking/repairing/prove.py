"""The proof of a repaired program: its own gradients against the numeric gradient of the cost that was given."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import get_args

import numpy as np

from bptt.checking.program import Program, Sizes
from bptt.checking.repairing.assumptions import preconditions
from bptt.checking.repairing.patch import Change, parsed, patched_code
from bptt.checking.tracing.measured import BOUND, FLOAT32_BOUND, Method, Slope, Truth, bound, distance
from bptt.checking.tracing.numeric import fresh, reseed
from bptt.checking.tracing.quiet import quiet

__all__ = ["PROOF_SIZES", "Proof", "Truth", "looks_right", "minimise", "preconditions", "prove", "quiet"]


PROOF_SIZES = (
    Sizes(n_x=3, n_a=5, n_y=4, m=2, T_x=6),
    Sizes(n_x=4, n_a=3, n_y=5, m=1, T_x=4),
    Sizes(n_x=2, n_a=4, n_y=3, m=5, T_x=1),
    Sizes(n_x=5, n_a=2, n_y=3, m=4, T_x=7),
    Sizes(n_x=2, n_a=3, n_y=6, m=4, T_x=5),
    Sizes(n_x=6, n_a=4, n_y=2, m=3, T_x=5),
)
"""Pairwise different where it can be; one example (m = 1) and one step (T_x = 1) are among them."""
QUICK_SIZES = (Sizes(n_x=2, n_a=3, n_y=4, m=2, T_x=3), Sizes(n_x=3, n_a=5, n_y=4, m=2, T_x=6))


@dataclass(frozen=True)
class Proof:
    """Whether a repaired program gives the right gradients, and how it was found out.

    ``max_relative_error`` is the largest of ``per_parameter``; each is max |theirs - numeric| / max |numeric| over all
    sizes (of all parameters where this one is all zero), infinite where a gradient is missing or not finite.
    """

    ok: bool
    max_relative_error: float
    method: Method
    sizes: tuple[Sizes, ...]
    per_parameter: dict[str, float] = field(default_factory=dict)
    bound: float = BOUND
    reason: str = ""


def prove(
    program: Program,
    patched: str | ast.Module,
    sizes: Sequence[Sizes] = PROOF_SIZES,
    seed: int = 0,
    *,
    truth: Truth | None = None,
    repeatable: bool = True,
) -> Proof:
    """Prove that the patched program delivers the gradients of the cost of the program as given.

    Parameters
    ----------
    program : Program
        As given: its cost is the specification.
    patched : str or ast.Module
        The text (or tree) of the repaired program.
    sizes : sequence of Sizes
    seed : int
    truth : Truth, optional
        Shares the numeric gradients between proofs.
    repeatable : bool
        Whether a second call of ``gradients()`` must return what the first did.

    Returns
    -------
    Proof
        It is ``ok`` only if every parameter's gradient is right at every size, if the cost is still that of the
        program as given, and if no gradient went missing.
    """
    truth = truth or Truth(program, seed)
    try:
        tree = parsed(patched) if isinstance(patched, str) else patched
    except SyntaxError as broken:
        return _refused(f"the repaired program is no Python: {broken.msg}", sizes)
    usable = truth.usable(sizes)
    if not usable:
        return _refused("the program runs at none of the sizes", sizes)
    errors: dict[str, float] = {}
    methods: set[Method] = set()
    bounds, reason = [BOUND], ""
    for k, size in enumerate(usable):
        for attempt in range(3):  # another point, where this one lies on a kink such as ReLU's
            point = seed + 1000 * attempt
            slope = truth.slope(size, point)
            if slope is None:
                continue
            found, reason, kink = _compare(program, tree, size, point, slope, truth, repeatable and k == 0)
            if not kink:
                break
        if slope is None:
            return _refused("the program does not run twice at one size", usable)
        methods.add(slope.method)
        bounds.append(FLOAT32_BOUND if "float32" in slope.method else BOUND + _noise_share(slope))
        for name, error in found.items():
            errors[name] = max(errors.get(name, 0.0), error)
        if reason:
            break
    largest = max(errors.values(), default=float("inf"))
    method = max(methods, key=get_args(Method).index)  # the weakest that was needed
    return Proof(not reason, largest if not reason else float("inf"), method, usable, errors, max(bounds), reason)


def looks_right(program: Program, code: str, truth: Truth) -> bool:
    """Whether a repaired program has the right gradients at one small size: what to ask before a proof."""
    for sizes in QUICK_SIZES:
        slope = truth.slope(sizes, truth.seed)
        if slope is None:
            continue
        try:
            with quiet():
                _, case = fresh(program, parsed(code), sizes, truth.seed)
                reseed(truth.seed)
                theirs = {k: np.array(v, dtype=float) for k, v in case.gradients().items()}
        except Exception:  # anybody's program
            return False
        optional = truth.given(sizes)
        for name, numeric in slope.gradients.items():
            needed = name in theirs or optional is None or name in optional
            if needed and not distance(theirs.get(name), numeric, slope) <= bound(name, slope):
                return False
        return bool(theirs)
    return prove(program, code, PROOF_SIZES[:1], truth.seed, truth=truth).ok


def minimise(
    program: Program, changes: Sequence[Change], seed: int = 0, *, truth: Truth | None = None
) -> tuple[Change, ...]:
    """Drop every change without which the program is still proven, and two that only make up for one another.

    The changes together must be proven.
    """
    truth = truth or Truth(program, seed)
    kept = list(changes)
    alone = [(change,) for change in changes]
    for dropped in [*alone, *(combinations(changes, 2) if len(kept) > 2 else ())]:
        fewer = [other for other in kept if other not in dropped]
        if len(fewer) + len(dropped) > len(kept):
            continue  # one of them is dropped already
        code = patched_code(program, fewer)
        if looks_right(program, code, truth) and prove(program, code, PROOF_SIZES, seed, truth=truth).ok:
            kept = fewer
    return tuple(kept)


def _compare(
    program: Program, tree: ast.Module, sizes: Sizes, seed: int, slope: Slope, truth: Truth, repeat: bool
) -> tuple[dict[str, float], str, bool]:
    """Return each parameter's error, why the proof fails here ("" if it does not), and whether a kink may be why."""
    try:
        with quiet():
            _, case = fresh(program, tree, sizes, seed)
            reseed(seed)
            cost = float(np.real(case.cost()))
            _, case = fresh(program, tree, sizes, seed)
            reseed(seed)
            theirs = {k: np.array(v, dtype=float) for k, v in case.gradients().items()}
            if repeat:
                reseed(seed)
                again = {k: np.array(v, dtype=float) for k, v in case.gradients().items()}
    except Exception as error:  # anybody's program
        return {}, f"it raises {type(error).__name__}: {error}", False
    if abs(cost - slope.cost) > (1e-5 if "float32" in slope.method else 1e-12) * max(abs(slope.cost), 1e-3):
        return {}, "its cost is no longer that of the program as given", False
    if not theirs:
        return {}, "it delivers no gradient", False
    errors, wrong = {}, []
    optional = truth.given(sizes)
    for name, numeric in slope.gradients.items():
        if name not in theirs:
            if optional is None or name in optional:
                errors[name] = float("inf")
                wrong.append(name)
            continue
        errors[name] = distance(theirs[name], numeric, slope)
        if not errors[name] <= bound(name, slope):
            wrong.append(name)
    if wrong:
        return errors, f"the gradient of {', '.join(wrong)} is wrong", bool(slope.rough & set(wrong))
    if repeat and any(distance(again.get(k), v, slope) > 1e-6 for k, v in theirs.items()):
        return errors, "two runs of the backward pass differ", False
    return errors, "", False


def _noise_share(slope: Slope) -> float:
    return max((bound(name, slope) - BOUND for name in slope.gradients), default=0.0)


def _refused(reason: str, sizes: Sequence[Sizes]) -> Proof:
    return Proof(False, float("inf"), "central differences", tuple(sizes), {}, BOUND, reason)
