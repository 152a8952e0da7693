"""What a repaired program takes for granted about its data, found by running it where that does not hold.

`Y_pred - Y` is the gradient of softmax and cross-entropy only where each column of Y sums to 1; with a target that is
no distribution it is another program's.
"""

from __future__ import annotations

import ast
import contextlib
import sys
from collections.abc import Callable, Iterator
from types import FrameType, FunctionType, ModuleType
from typing import Any

import numpy as np

from bptt.checking.program import Case, Program, Sizes
from bptt.checking.repairing.patch import parsed
from bptt.checking.tracing.numeric import fresh, reseed
from bptt.checking.tracing.places import Place, array_places
from bptt.checking.tracing.quiet import quiet
from bptt.dims import Array

SIZES = (Sizes(n_x=2, n_a=3, n_y=4, m=2, T_x=3), Sizes(n_x=3, n_a=5, n_y=4, m=2, T_x=6))
STEP, RIGHT = 3e-4, 1e-5
FACTOR = 0.7  # what the disturbed shares are multiplied by


def preconditions(program: Program, patched: str | ast.Module, seed: int = 0) -> tuple[str, ...]:
    """Return what the repaired program takes for granted about its data, each a clause: "each column of Y sums to 1".

    Each array that is handed to the person's functions, does not depend on the parameters, and whose columns (or rows)
    sum to 1, is scaled there; where the gradients are then wrong, the repair holds only on that assumption.
    """
    tree = parsed(patched) if isinstance(patched, str) else patched
    found = []
    with quiet():
        for sizes in SIZES:
            try:
                shares = _shares(program, tree, sizes, seed)
            except Exception:  # anybody's program: it does not run at this size
                continue
            for name, lines in shares.items():
                if _fails_without(program, tree, sizes, seed, name):
                    found.append(f"each {lines} of {name} sums to 1")
            break
    return tuple(found)


def _shares(program: Program, tree: ast.Module, sizes: Sizes, seed: int) -> dict[str, str]:
    """Return the names of given arrays whose entries sum to 1, with the direction that they do it in."""
    seen: list[dict[str, tuple[str, Array]]] = []
    for moved in (0.0, 0.3):
        module, case = fresh(program, tree, sizes, seed)
        for value in case.parameters.values():
            value += moved
        values: dict[str, tuple[str, Array]] = {}

        def look(place: Place, values: dict[str, tuple[str, Array]] = values) -> None:
            values.setdefault(place.name, (_sums_to_one(place.value), place.value.copy()))

        with _at_the_door(module, look):
            reseed(seed)
            case.gradients()
        seen.append(values)
    first, second = seen
    return {
        name: lines
        for name, (lines, value) in first.items()
        if lines and name in second and np.array_equal(value, second[name][1])
    }


def _fails_without(program: Program, tree: ast.Module, sizes: Sizes, seed: int, name: str) -> bool:
    """Whether the gradients are wrong where the entries of the named arrays do not sum to 1."""

    def disturb(place: Place) -> None:
        if place.name == name and place.value.dtype.kind == "f" and _sums_to_one(place.value):
            place.value[...] *= FACTOR

    rng = np.random.default_rng(seed)
    try:
        module, case = fresh(program, tree, sizes, seed)
        with _at_the_door(module, disturb):
            reseed(seed)
            theirs = {k: np.array(v, dtype=float) for k, v in case.gradients().items()}
        module, case = fresh(program, program.tree, sizes, seed)
        with _at_the_door(module, disturb):
            for parameter, value in case.parameters.items():
                if parameter not in theirs:
                    continue
                along = rng.normal(size=value.shape)
                slope = _slope_along(case, value, along, seed)
                if not abs(np.vdot(np.resize(theirs[parameter], value.shape), along) - slope) <= RIGHT * (
                    1 + abs(slope)
                ):
                    return True
    except Exception:  # the program itself refuses such data
        return False
    return False


def _slope_along(case: Case, value: Array, along: Array, seed: int) -> float:
    """Return the slope of the cost along a direction of one parameter, by fourth-order central differences."""
    start, costs = value.copy(), {}
    for k in (-2, -1, 1, 2):
        value[...] = start + k * STEP * along
        reseed(seed)
        costs[k] = float(np.real(case.cost()))
    value[...] = start
    return (8 * (costs[1] - costs[-1]) - (costs[2] - costs[-2])) / (12 * STEP)


@contextlib.contextmanager
def _at_the_door(module: ModuleType, visit: Callable[[Place], None]) -> Iterator[None]:
    """Show every array that is handed to a function of a module from outside, before the function starts."""
    files = _files(module)

    def trace(frame: FrameType, event: str, argument: Any) -> None:
        outside = frame.f_back is None or frame.f_back.f_code.co_filename not in files
        if event == "call" and outside and frame.f_code.co_filename in files:
            for place in array_places({**frame.f_locals}, module):
                visit(place)

    former = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(former)


def _files(module: ModuleType) -> set[str]:
    """Return the file names that the functions of a module were compiled under."""
    found = set()
    for value in vars(module).values():
        for member in (value, *(vars(value).values() if isinstance(value, type) else ())):
            if isinstance(member, FunctionType) and member.__module__ == module.__name__:
                found.add(member.__code__.co_filename)
    return found


def _sums_to_one(value: Array) -> str:
    """Return "column" or "row" where the entries of a table of shares sum to 1 along it."""
    if value.ndim < 1 or value.dtype.kind != "f" or value.size < 2 or not np.all(value >= 0):
        return ""
    for axis in range(value.ndim):
        if value.shape[axis] > 1 and np.allclose(value.sum(axis=axis), 1.0):
            return "row" if axis == value.ndim - 1 and value.ndim > 1 else "column"
    return ""
