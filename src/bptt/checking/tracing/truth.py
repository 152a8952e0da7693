"""The truth: the true adjoint of every value that the forward pass computed, step by step, proven before use."""

from __future__ import annotations

import ast
from functools import lru_cache

import numpy as np

from bptt.checking.program import Case, Program, Sizes
from bptt.checking.tracing import hooks
from bptt.checking.tracing.instrument import Site, traced_tree
from bptt.checking.tracing.numeric import directional_slope, fresh, numeric_gradient, restore, snapshot
from bptt.checking.tracing.on_the_fly import instrumented
from bptt.checking.tracing.quantities import list_series
from bptt.checking.tracing.quiet import quiet
from bptt.checking.tracing.series import Truth
from bptt.checking.tracing.trace import Trace

PROVEN = 1e-7
"""How far the tape may be from central differences along a random direction, relative to the slope."""


class NoTruth(Exception):  # noqa: N818 - no error: a program of which less can be said
    """The tape cannot be proven; the reason is the message."""


def find_truth(program: Program, sizes: Sizes, seed: int, plain: Case) -> Truth:
    """Tape their forward and cost, replay it, and prove it against central differences of the untraced program.

    Parameters
    ----------
    program : Program
    sizes : Sizes
    seed : int
    plain : Case
        The same case of the program as written, for the differences.

    Returns
    -------
    Truth

    Raises
    ------
    NoTruth
        If the tape and the differences disagree; the message names what could not be followed.
    """
    truth = taped(program, sizes, seed, plain, directions=2)
    list_series(truth, truth.leaves)
    return truth


@lru_cache(maxsize=4)
def _traced(tree: ast.Module) -> tuple[ast.Module, list[Site]]:
    return traced_tree(tree)


def taped(program: Program, sizes: Sizes, seed: int, plain: Case, directions: int = 1) -> Truth:
    """Return the proven tape with the true gradients, and no list of what a backward pass may compute.

    It is compared with differences along so many random directions of each parameter; else the parameters and what it
    raises are those of :func:`find_truth`.
    """
    tree, sites = _traced(program.tree)
    trace = Trace()
    with quiet():
        try:
            _, case = fresh(program, tree, sizes, seed)
            kept = snapshot(case.parameters)
            for value in case.parameters.values():
                trace.tape.ids(value)
            leaves = {name: np.array(trace.tape.ids(value)) for name, value in case.parameters.items()}
            cost = instrumented(case.cost)
            with hooks.watching(trace):
                result = cost()
            trace.tape.replay(result)
            trace.join_calls(sizes.T_x)
            restore(case.parameters, kept)
        except Exception as error:
            raise NoTruth(f"the traced run raises {type(error).__name__}: {error}") from error
    gradients = {name: trace.tape.adjoint[ids] for name, ids in leaves.items()}
    truth = Truth(trace.tape, sites, gradients, leaves=leaves)
    _prove(truth, plain, seed, directions)
    return truth


def _prove(truth: Truth, plain: Case, seed: int, directions: int) -> None:
    """Compare the tape with differences; what never came onto the tape, as a copy of the inputs, is measured."""
    rng = np.random.default_rng([seed, 7])
    overall = max((float(np.abs(g).max(initial=0)) for g in truth.parameters.values()), default=0.0)
    proven = False
    for name, gradient in list(truth.parameters.items()):
        if not gradient.any() and len(truth.parameters) > 1:
            truth.parameters[name], _ = numeric_gradient(plain, name)
            continue
        proven = True
        for _ in range(directions):
            direction = rng.normal(size=gradient.shape)
            slope, rough = directional_slope(plain, name, direction)
            ours = float(np.sum(gradient * direction))
            scale = max(abs(slope), float(np.abs(gradient).max(initial=0)), 1e-3 * overall, 1e-12)
            if not np.isfinite(ours) or abs(ours - slope) > max(PROVEN * scale, 4 * rough * (rough < 1e-4 * scale)):
                raise NoTruth(_blame(truth, name))
    if not proven:
        raise NoTruth(_blame(truth, next(iter(truth.parameters), "")))


def _blame(truth: Truth, name: str) -> str:
    """Say which operation lost the numbers."""
    for site, what in truth.tape.lost:
        place = truth.place(site)
        where = f"line {place.line}" if site >= 0 else "the adapter"
        return f"{where}: the numbers cannot be followed through {what} ({place.text})"
    return f"the forward pass could not be followed on the way from {name} to the cost"
