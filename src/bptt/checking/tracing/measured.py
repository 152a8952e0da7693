"""The numeric gradient of a program's own cost: the truth that every repair is judged by."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bptt.checking.program import Program, Sizes
from bptt.checking.tracing.numeric import fresh, reseed
from bptt.checking.tracing.places import Place, array_places
from bptt.checking.tracing.quiet import quiet
from bptt.checking.tracing.truth import NoTruth, taped
from bptt.differences import CENTRAL_STEP, COMPLEX_STEP, carries_complex, central_difference, complex_step
from bptt.dims import Array

BOUND = 1e-8  # of the gradient's largest element
FLOAT32_BOUND = 2e-2
FLOAT32_STEP = 2e-2
KINK = 1e-3
SPARE_SIZES = (Sizes(n_x=2, n_a=4, n_y=3, m=5, T_x=3), Sizes(n_x=3, n_a=2, n_y=4, m=6, T_x=5))
"""Taken where a program does not run at one of the others."""

ELEMENTS = 60
"""So many numbers are moved one by one; of more, the tape is taken and proven along random directions."""

DIRECTIONS = 2
"""In so many random directions of each parameter; a wrong gradient agrees along none."""
EXACT = 1e-11

Method = Literal[
    "complex step",
    "central differences",
    "reverse mode proven by the complex step",
    "reverse mode proven by central differences",
    "central differences in float32",
]


@dataclass(frozen=True)
class Slope:
    """The numeric gradient of the cost of the program as given, at one size."""

    cost: float
    gradients: dict[str, Array]
    method: Method
    noise: float
    rough: frozenset[str]


class Truth:
    """The numeric gradients of a program's own cost, each computed once; proofs of many repairs share it."""

    def __init__(self, program: Program, seed: int = 0) -> None:
        self.program = program
        self.seed = seed
        self._slopes: dict[tuple[Sizes, int], Slope | None] = {}
        self._given: dict[Sizes, frozenset[str] | None] = {}

    def slope(self, sizes: Sizes, seed: int) -> Slope | None:
        """Return the slope at these sizes; None where the program as given does not run there."""
        if (sizes, seed) not in self._slopes:
            try:
                with quiet():
                    self._slopes[sizes, seed] = numeric_slope(self.program, sizes, seed)
            except Exception:  # anybody's program: it does not run at this size
                self._slopes[sizes, seed] = None
        return self._slopes[sizes, seed]

    def given(self, sizes: Sizes) -> frozenset[str] | None:
        """Return the parameters whose gradient the program as given delivers; None where it does not run."""
        if sizes not in self._given:
            try:
                with quiet():
                    case = self.program.build(self.program.load(self.program.tree), sizes, self.seed)
                    self._given[sizes] = frozenset(case.gradients())
            except Exception:
                self._given[sizes] = None
        return self._given[sizes]

    def usable(self, sizes: Sequence[Sizes]) -> tuple[Sizes, ...]:
        """Return the sizes at which the program runs, filled up with spare ones."""
        good = [s for s in sizes if self.slope(s, self.seed) is not None]
        for spare in SPARE_SIZES:
            if len(good) < len(sizes) and self.slope(spare, self.seed) is not None:
                good.append(spare)
        return tuple(good)


def numeric_slope(program: Program, sizes: Sizes, seed: int) -> Slope:
    """Return the gradient of the cost of the program as given, by its complex step, or else by central differences.

    Of many numbers, it is the replayed tape, proven against these along random directions at these very sizes.
    """
    cost, values, single = _cost_of(program, sizes, seed)
    base = float(np.real(cost(values)))
    if not np.isfinite(base) or float(np.real(cost(values))) != base:
        raise ValueError("the cost is not finite, or two runs differ")
    if not single:
        carried = carries_complex(cost, values)
        if sum(value.size for value in values.values()) > ELEMENTS:
            with contextlib.suppress(NoTruth):
                _, case = fresh(program, program.tree, sizes, seed)
                noise = float(10 * np.finfo(np.float64).eps * max(abs(base), 1e-3))
                true = taped(program, sizes, seed, case).parameters
                if not carried:
                    return Slope(base, true, "reverse mode proven by central differences", noise, frozenset())
                if _agrees_along(cost, values, true):
                    return Slope(base, true, "reverse mode proven by the complex step", 0.0, frozenset())
        if carried:
            return Slope(base, {n: complex_step(cost, values, n) for n in values}, "complex step", 0.0, frozenset())
        cost, values, _ = _cost_of(program, sizes, seed)  # complex numbers may have stayed behind in the other
    step = FLOAT32_STEP if single else CENTRAL_STEP
    both = {n: central_difference(cost, values, n, step) for n in values}
    epsilon = np.finfo(np.float32 if single else np.float64).eps
    return Slope(
        base,
        {n: slope for n, (slope, _) in both.items()},
        "central differences in float32" if single else "central differences",
        float(4 * epsilon * max(abs(base), 1e-3) / step),
        frozenset(n for n, (_, rough) in both.items() if rough > KINK),
    )


def _agrees_along(
    cost: Callable[[dict[str, Array]], complex], values: dict[str, Array], true: Mapping[str, Array]
) -> bool:
    """Tell whether gradients are the complex step's along random directions of each parameter."""
    rng = np.random.default_rng(3)
    largest = max(float(np.abs(gradient).max(initial=0.0)) for gradient in true.values())
    for name in (name for name in values for _ in range(DIRECTIONS)):
        direction = rng.normal(size=values[name].shape)
        moved = {n: v + 1j * COMPLEX_STEP * direction if n == name else v.copy() for n, v in values.items()}
        slope = float(np.imag(cost(moved))) / COMPLEX_STEP
        if abs(slope - float(np.vdot(true[name], direction))) > EXACT * max(abs(slope), largest):
            return False
    return True


def _cost_of(
    program: Program, sizes: Sizes, seed: int
) -> tuple[Callable[[dict[str, Array]], complex], dict[str, Array], bool]:
    """Return a fresh case's cost as a function of its parameters, their values, and whether one is float32."""
    module, case = fresh(program, program.tree, sizes, seed)
    live = dict(case.parameters)
    values = {name: np.array(value, dtype=np.float64) for name, value in live.items()}
    held: dict[str, list[Place]] = {name: [] for name in live}
    for place in array_places(case, module):
        for name, array in live.items():
            if place.value is array:
                held[name].append(place)

    def cost(moved: dict[str, Array]) -> complex:
        swapped = [name for name, value in moved.items() if np.iscomplexobj(value)]
        for name, value in moved.items():
            if name in swapped:
                for place in held[name]:
                    place.put(value)
            else:
                live[name][...] = value
        reseed(seed)
        try:
            return case.cost()
        finally:
            for name in swapped:
                for place in held[name]:
                    place.put(live[name])

    return cost, values, any(value.dtype == np.float32 for value in live.values())


def distance(theirs: Array | None, numeric: Array, slope: Slope) -> float:
    """Return max |theirs - numeric| / max |numeric|; infinite where it is missing, not finite or of another shape."""
    if theirs is None or np.squeeze(theirs).shape != np.squeeze(numeric).shape or not np.isfinite(theirs).all():
        return float("inf")
    difference = np.abs(np.squeeze(theirs) - np.squeeze(numeric)).max(initial=0.0)
    return float(difference) / _scale(numeric, slope)


def _scale(numeric: Array, slope: Slope) -> float:
    own = float(np.abs(numeric).max(initial=0.0))
    if own > 100 * slope.noise and own > 0:
        return own
    return max(float(np.abs(g).max(initial=0.0)) for g in slope.gradients.values()) or 1.0


def bound(name: str, slope: Slope) -> float:
    """Return the largest distance that is called right: 1e-8, and what rounding may do to small gradients."""
    if "float32" in slope.method:
        return FLOAT32_BOUND
    return BOUND + 30 * slope.noise / _scale(slope.gradients[name], slope)
