"""What the numbers say: the person's gradients beside the numeric gradient of their own cost.

Nothing here looks at their code: a case is run, its parameters are moved in place, and the cost is read.  The
verdict comes from here alone.
"""

from __future__ import annotations

import ast
import contextlib
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

from bptt.checking.program import Case, Program, Sizes
from bptt.checking.tracing.quiet import quiet
from bptt.differences import CENTRAL_STEP
from bptt.dims import Array

RIGHT = 1e-7
"""A gradient within this part of its largest element is right (check.md; central differences reach 1e-9)."""
BENT = 1e-5
"""Where two central differences lie further apart than this part of the slope, a finer step is tried."""
FINER = 8.0


@dataclass
class Theirs:
    """One run of their backward pass."""

    gradients: dict[str, Any] = field(default_factory=dict)
    error: BaseException | None = None
    written: list[str] = field(default_factory=list)
    """Parameters that the run changed."""


def fresh(program: Program, tree: ast.Module, sizes: Sizes, seed: int) -> tuple[ModuleType, Case]:
    """Load a tree and build its case, with every random generator seeded: the same every time."""
    reseed(seed)
    with seeded_generators(seed):
        module = program.load(tree)
        return module, program.build(module, sizes, seed)


def built(program: Program, module: ModuleType, sizes: Sizes, seed: int) -> Case:
    """Build a case of a module that is loaded already, with every random generator seeded."""
    reseed(seed)
    with seeded_generators(seed):
        return program.build(module, sizes, seed)


def reseed(seed: int) -> None:
    """Seed the global generators that their code may draw from."""
    np.random.seed(seed)
    random.seed(seed)


@contextlib.contextmanager
def seeded_generators(seed: int) -> Iterator[None]:
    """Let ``default_rng()`` without a seed give the same generators in every run."""
    original, count = np.random.default_rng, iter(range(10**9))

    def default_rng(given: Any = None) -> Any:
        return original([seed, next(count)] if given is None else given)

    np.random.default_rng = default_rng  # type: ignore[assignment]
    try:
        yield
    finally:
        np.random.default_rng = original


def snapshot(parameters: Mapping[str, Array]) -> dict[str, Array]:
    """Return copies of the live arrays."""
    return {name: np.array(value) for name, value in parameters.items()}


def restore(parameters: Mapping[str, Array], kept: Mapping[str, Array]) -> None:
    """Write the copies back in place."""
    for name, value in kept.items():
        if isinstance(parameters[name], np.ndarray):
            parameters[name][...] = value


def their_gradients(case: Case) -> Theirs:
    """Run their forward and backward once; whatever it raises is an answer."""
    kept = snapshot(case.parameters)
    result = Theirs()
    with quiet():
        try:
            delivered = case.gradients()
            result.gradients = {k: np.array(v) if _numeric(v) else v for k, v in dict(delivered).items()}
        except (Exception, SystemExit) as error:  # anybody's code
            result.error = error
    for name, value in kept.items():
        if not np.array_equal(np.asarray(case.parameters[name]), value, equal_nan=True):
            result.written.append(name)
    restore(case.parameters, kept)
    return result


def cost_of(case: Case) -> float:
    """Run their forward and cost; a scalar of any kind becomes a float."""
    with quiet():
        return float(np.asarray(case.cost()).reshape(()).real)


def cost_function(case: Case) -> Callable[[Mapping[str, Array]], float]:
    """Return their cost as a function of values for some of the parameters; the live arrays are put back."""

    def function(values: Mapping[str, Array]) -> float:
        kept = snapshot(case.parameters)
        try:
            for name, value in values.items():
                case.parameters[name][...] = value
            return cost_of(case)
        finally:
            restore(case.parameters, kept)

    return function


def numeric_gradient(case: Case, name: str) -> tuple[Array, float]:
    """Return dJ/d(parameter) by fourth-order central differences, and the slopes' roughness across a kink."""
    live, kept = case.parameters[name], snapshot(case.parameters)
    slope, rough = np.zeros(live.shape), 0.0
    for index in np.ndindex(live.shape):
        x = float(kept[name][index])

        def moved(step: float, index: tuple[int, ...] = index, x: float = x) -> float:
            live[index] = x + step
            cost = cost_of(case)
            restore(case.parameters, kept)
            return cost

        slope[index], apart = _central(moved, CENTRAL_STEP * max(1.0, abs(x)))
        rough = max(rough, apart)
    largest = float(np.abs(slope).max(initial=0.0))
    return slope, rough / largest if largest > 0 else 0.0


def directional_slope(case: Case, name: str, direction: Array) -> tuple[float, float]:
    """Return the slope of the cost along one direction of one parameter, and its roughness."""
    kept = snapshot(case.parameters)

    def moved(step: float) -> float:
        case.parameters[name][...] = kept[name] + step * direction
        cost = cost_of(case)
        restore(case.parameters, kept)
        return cost

    return _central(moved, CENTRAL_STEP)


def _central(moved: Callable[[float], float], h: float) -> tuple[float, float]:
    """Return a slope at 0 by fourth-order central differences, and how far those over h and over 2h lie apart.

    A steep bend asks for a smaller step: of one that is smooth, the two then lie closer by the square of it.
    """
    near, far = (moved(h) - moved(-h)) / (2 * h), (moved(2 * h) - moved(-2 * h)) / (4 * h)
    slope, apart = (4 * near - far) / 3, abs(near - far)
    if apart > BENT * abs(slope) and h > CENTRAL_STEP / FINER:
        finer, closer = _central(moved, h / FINER)
        if closer < apart / FINER:
            return finer, closer
    return slope, apart


def relative_error(yours: Array, true: Array, overall: float) -> float:
    """Return max |yours - true| / max |true|; of all parameters if this one is all zero."""
    if true.size == 0:
        return 0.0
    own = float(np.abs(true).max())
    scale = own if own > 1e-12 * max(overall, 1e-300) else (overall or 1.0)
    with np.errstate(all="ignore"):
        return float(np.abs(yours - true).max()) / scale


def _numeric(value: object) -> bool:
    return isinstance(value, np.ndarray | np.generic | float | int | list | tuple)
