"""A case that lives in this process: its gradients beside the numeric gradient of its cost.

No source belongs to it, so there are numbers and no lines, whatever computes them: NumPy, compiled code, another
library.
"""

from __future__ import annotations

import time

import numpy as np

from bptt.checking.diagnosing.verdict import named_dims, rows
from bptt.checking.program import Case, Sizes
from bptt.checking.report import Note, ParameterRow, Report
from bptt.checking.tracing.numeric import cost_of, directional_slope, numeric_gradient, relative_error, their_gradients
from bptt.dims import Array
from bptt.errors import ValueRangeError, message

FEW = 4000  # elements whose derivatives are taken one by one; four costs each
DIRECTIONS = 3
RIGHT_ALONG = 1e-6  # along a direction the differences of a sum over many elements round more
_NAMELESS = Sizes(0, 0, 0, 0, 0)  # a live case's axes have no names


def check_live(case: Case, seed: int = 0) -> Report:
    """Compare the gradients of a case with the numeric gradient of its cost, in this process.

    Parameters
    ----------
    case : object
        With ``parameters`` (a dict of float arrays; written in place, they change the cost), ``cost()`` and
        ``gradients()``.
    seed : int
        Of the random directions, where the parameters have too many elements to take them one by one.

    Returns
    -------
    Report

    Raises
    ------
    ValueRangeError
        If the parameters are not arrays of floats.
    """
    start, name = time.perf_counter(), type(case).__name__
    _check_parameters(case.parameters, name)

    def report(verdict: str, reason: str, table: tuple[ParameterRow, ...] = (), notes: tuple[Note, ...] = ()) -> Report:
        seconds = time.perf_counter() - start
        return Report(name, "", verdict, reason, notes, table, seconds=seconds)  # type: ignore[arg-type]

    try:
        first, second = cost_of(case), cost_of(case)
    except Exception as error:  # anybody's code
        return report("cannot-check", f"its cost() raises {type(error).__name__}: {error}")
    if not np.isfinite(first):
        return report("cannot-check", f"its cost is {first}: that has no gradient.")
    if first != second:
        return report("cannot-check", f"two runs of its cost() differ: {first!r} and {second!r}.")
    theirs = their_gradients(case)
    if theirs.error is not None:
        return report("wrong", f"its gradients() raises {type(theirs.error).__name__}: {theirs.error}")
    notes = tuple(
        Note(("U1",), None, f"gradients() changes the parameter {changed}; it was put back before the comparison.")
        for changed in theirs.written
    )
    if sum(array.size for array in case.parameters.values()) <= FEW:
        true, rough = {}, {}
        for parameter in case.parameters:
            true[parameter], rough[parameter] = numeric_gradient(case, parameter)
        table = rows(case.parameters, theirs, true, rough, _NAMELESS)
    else:
        table = tuple(
            _along(case, key, theirs.gradients.get(key), np.random.default_rng(seed)) for key in case.parameters
        )
        text = f"more than {FEW} elements: compared along {DIRECTIONS} random directions of each parameter."
        notes += (Note((), None, text),)
    wrong = [row.name for row in table if row.status == "wrong"]
    if wrong:
        return report("wrong", f"not the gradient of its cost: {', '.join(wrong)}.", table, notes)
    right = [row for row in table if row.status == "right"]
    if not right:
        return report("cannot-check", "gradients() returned none of the parameters' gradients.", table, notes)
    missing = [row.name for row in table if row.status != "right"]
    rest = f"; not computed or not checked: {', '.join(missing)}" if missing else ""
    count = f"{len(right)} gradient{'s are' if len(right) > 1 else ' is'}"
    return report("right", f"{count} the gradient of its cost{rest}.", table, notes)


def _along(case: Case, name: str, theirs: object, rng: np.random.Generator) -> ParameterRow:
    """Compare one parameter along random directions of length 1."""
    live = case.parameters[name]
    dims = named_dims(live.shape, _NAMELESS)
    if theirs is None:
        return ParameterRow(name, dims, None, "not computed")
    yours = np.asarray(theirs)
    if yours.shape != live.shape:
        return ParameterRow(name, dims, None, "wrong")
    mine, true, rough = np.zeros(DIRECTIONS), np.zeros(DIRECTIONS), 0.0
    for k in range(DIRECTIONS):
        direction = rng.normal(size=live.shape)
        direction /= np.linalg.norm(direction)
        mine[k] = float(np.sum(yours * direction))
        true[k], roughness = directional_slope(case, name, direction)
        rough = max(rough, roughness)
    error = relative_error(mine, true, float(np.linalg.norm(yours)))
    if not np.isfinite(error):
        return ParameterRow(name, dims, None, "wrong")
    if error <= RIGHT_ALONG:
        return ParameterRow(name, dims, error, "right")
    kink = rough > 1e-3 * float(np.abs(true).max()) and error < 1
    return ParameterRow(name, dims, error, "not checked" if kink else "wrong")


def _check_parameters(parameters: dict[str, Array], name: str) -> None:
    for key, array in parameters.items():
        if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
            kind = f"an array of {array.dtype}" if isinstance(array, np.ndarray) else f"a {type(array).__name__}"
            raise ValueRangeError(
                message(
                    "bptt.check",
                    f"parameters[{key!r}] of {name} is {kind}.",
                    details=["wanted: float arrays, the live ones: written in place, they change the cost."],
                )
            )
    if not parameters:
        raise ValueRangeError(message("bptt.check", f"{name} has no parameters; its dict is empty."))
