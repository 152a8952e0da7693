"""Numeric truth: whether a gradient is the gradient of a function.

Two methods that share nothing with backpropagation.  The *complex step*, df/dx = Im f(x + ih) / h, subtracts
nothing and is exact to rounding, where the function carries complex numbers.  The *central differences* of
fourth order, (f(x-2h) - 8 f(x-h) + 8 f(x+h) - f(x+2h)) / 12h, work on any real function, to about 1e-10.

The methods themselves are in :mod:`bptt.differences`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bptt.differences import (
    CENTRAL_STEP,
    COMPLEX_STEP,
    Function,
    carries_complex,
    central_difference,
    complex_step,
    scalar_cost,
)
from bptt.dims import Array, check_numeric, named_shape
from bptt.errors import DimensionError, DtypeError, NotFiniteError, ValueRangeError, message

Method = Literal["auto", "complex", "central"]

TOLERANCE = {"complex": 1e-10, "central": 1e-7}
KINK = 1e-3  # slopes at h and 2h further apart than this part of the gradient's scale: no smooth function


@dataclass(frozen=True)
class GradientRow:
    """The comparison of one parameter's gradient.

    Attributes
    ----------
    name : str
        The parameter.
    shape : tuple of int
    relative_error : float
        max |yours - numeric| / max |numeric|; the scale is the largest of *this* parameter's gradient, so that a
        wrong gradient of 1e-8 beside others of 1 still shows, or of all parameters where this one is all zero.
    worst_index : tuple of int
        Where the difference is largest.
    yours, numeric : float
        Both values at that place.
    noise : float
        What rounding alone may do to ``relative_error`` with this method (0 for the complex step).
    status : {"right", "wrong", "undecided"}
        "undecided": the gradient is too small beside the function's rounding, or the function has a kink within
        the step; the reason is in ``note``.
    note : str
    """

    name: str
    shape: tuple[int, ...]
    relative_error: float
    worst_index: tuple[int, ...]
    yours: float
    numeric: float
    noise: float
    status: Literal["right", "wrong", "undecided"]
    note: str = ""


@dataclass(frozen=True)
class GradientComparison:
    """A row a parameter; ``ok`` only if every row is right."""

    method: Literal["complex", "central"]
    tolerance: float
    rows: tuple[GradientRow, ...]

    @property
    def ok(self) -> bool:
        """Whether every gradient is right."""
        return all(row.status == "right" for row in self.rows)

    def __getitem__(self, name: str) -> GradientRow:
        """Return the row of one parameter."""
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(name)

    def __str__(self) -> str:
        """Return a table: status, parameter, relative error, worst place with both values."""
        width = max((len(row.name) for row in self.rows), default=0)
        lines = [f"{self.method} step, tolerance {self.tolerance:g} of each gradient's largest element"]
        for row in self.rows:
            lines.append(
                f"  {row.status:<9}  {row.name:<{width}}  relative error {row.relative_error:.1e}  "
                f"at {list(row.worst_index)}: yours {row.yours:.9g}, numeric {row.numeric:.9g}"
                + (f"  ({row.note})" if row.note else "")
            )
        return "\n".join(lines)


def check_gradients(
    function: Function,
    parameters: Mapping[str, Array],
    gradients: Mapping[str, Array],
    *,
    method: Method = "auto",
    tolerance: float | None = None,
    step: float | None = None,
) -> GradientComparison:
    """Compare gradients with the numeric gradient of a function, element by element.

    Parameters
    ----------
    function : function
        Takes a dict of arrays (copies, under the names of ``parameters``) and returns the cost, a scalar.  It may
        be anybody's.
    parameters : mapping of str to array
        Where the gradient is taken: float64 arrays.  They are never written to.
    gradients : mapping of str to array
        What is to be checked: dJ/d(parameter) under the *same* name, of the same shape.  Parameters without one
        are not checked.
    method : {"auto", "complex", "central"}
        "auto" takes the complex step if the function carries complex numbers, and central differences if not.
    tolerance : float, optional
        The largest relative error that is called right; 1e-10 for the complex step, 1e-7 for central
        differences.
    step : float, optional
        h; 1e-30 for the complex step; 3e-4 times max(1, |x|) for central differences.

    Returns
    -------
    GradientComparison
        Truthful data; it raises nothing because a gradient is wrong.

    Raises
    ------
    DtypeError
        If a parameter is not float64: in float32 the differences are noise.
    DimensionError
        If a gradient does not have its parameter's shape.
    NotFiniteError
        If a parameter or the function's value is not finite.
    ValueRangeError
        If the function gives two different values for the same parameters, writes into its parameters, returns no
        scalar, or if a name is unknown.

    Examples
    --------
    >>> x = {"x": np.array([1.0, 2.0])}
    >>> check_gradients(lambda p: (p["x"] ** 3).sum(), x, {"x": 3 * x["x"] ** 2}).ok
    True
    >>> check_gradients(lambda p: (p["x"] ** 3).sum(), x, {"x": 3.003 * x["x"] ** 2})["x"].status
    'wrong'
    """
    where = "check_gradients"
    values, theirs = _inputs(where, parameters, gradients)
    base = _repeatable_value(where, function, values)
    if method == "auto":
        method = "complex" if carries_complex(function, values) else "central"
    if method not in ("complex", "central"):
        raise ValueRangeError(message(where, f'method is {method!r}; "auto", "complex" or "central" is wanted.'))
    bound = TOLERANCE[method] if tolerance is None else tolerance
    if not (np.isfinite(bound) and bound > 0):
        raise ValueRangeError(message(where, f"tolerance is {bound!r}; a positive number is wanted."))
    numeric: dict[str, Array] = {}
    smooth: dict[str, float] = {}
    noise = 0.0
    for name in theirs:
        if method == "complex":
            numeric[name] = complex_step(function, values, name, COMPLEX_STEP if step is None else step)
            smooth[name] = 0.0
        else:
            h = CENTRAL_STEP if step is None else step
            numeric[name], smooth[name] = central_difference(function, values, name, h)
            noise = 4 * np.finfo(np.float64).eps * max(abs(base), 1e-300) / h
    overall = max((float(np.abs(g).max()) for g in numeric.values()), default=0.0)
    rows = tuple(_row(name, theirs[name], numeric[name], bound, overall, noise, smooth[name]) for name in theirs)
    return GradientComparison(method, bound, rows)


def _inputs(
    where: str, parameters: Mapping[str, Array], gradients: Mapping[str, Array]
) -> tuple[dict[str, Array], dict[str, Array]]:
    unknown = [name for name in gradients if name not in parameters]
    if unknown or not gradients:
        raise ValueRangeError(
            message(
                where,
                f"gradients holds {', '.join(unknown)}, which parameters lacks." if unknown else "gradients is empty.",
                details=[f"wanted: the names of the parameters: {', '.join(parameters) or 'none given'}"],
                hint="A gradient goes under its parameter's own name: W_aa, not dW_aa." if unknown else "",
            )
        )
    for name, value in parameters.items():
        check_numeric(where, name, value)
        if value.dtype != np.float64:
            raise DtypeError(
                message(
                    where,
                    f"{name} is {value.dtype}, float64 is wanted: the differences of other types are rounding noise.",
                    hint=f"Run the function in float64, with {name}.astype(np.float64).",
                )
            )
        if not np.isfinite(value).all():
            raise NotFiniteError(message(where, f"{name} holds a value that is not finite."))
    theirs = {}
    for name, gradient in gradients.items():
        gradient = np.asarray(gradient)
        check_numeric(where, f"gradients[{name!r}]", gradient)
        if gradient.shape != parameters[name].shape:
            raise DimensionError(
                message(
                    where,
                    f"the gradient of {name} does not have the shape of {name}.",
                    operands={
                        name: named_shape(parameters[name].shape),
                        f"d{name}": named_shape(gradient.shape),
                    },
                )
            )
        theirs[name] = gradient
    return {name: value.copy() for name, value in parameters.items()}, theirs


def _repeatable_value(where: str, function: Function, values: dict[str, Array]) -> float:
    copies = {name: value.copy() for name, value in values.items()}
    first = scalar_cost(where, function(copies)).real
    written = [name for name in values if not np.array_equal(copies[name], values[name])]
    if written:
        raise ValueRangeError(
            message(
                where,
                f"the function writes into its parameter {written[0]}.",
                hint="Its value at the next point would be that of another function: let it work on a copy.",
            )
        )
    second = scalar_cost(where, function({name: value.copy() for name, value in values.items()})).real
    if first != second:
        raise ValueRangeError(
            message(
                where,
                f"two runs of the function at the same parameters differ: {first!r} and {second!r}.",
                hint="Fix its seed, and reset what it accumulates, then check again.",
            )
        )
    return first


def _row(
    name: str, yours: Array, numeric: Array, tolerance: float, overall: float, noise: float, roughness: float
) -> GradientRow:
    if numeric.size == 0:
        return GradientRow(name, numeric.shape, 0.0, (), 0.0, 0.0, 0.0, "right", "it is empty")
    with np.errstate(invalid="ignore", over="ignore"):
        difference = np.abs(yours - numeric)
    difference = np.where(np.isfinite(difference), difference, np.inf)
    place = tuple(int(i) for i in np.unravel_index(int(difference.argmax()), difference.shape))
    own = float(np.abs(numeric).max())
    scale = own if own > noise else (overall or 1.0)
    error, floor = float(difference[place]) / scale, noise / scale
    status: Literal["right", "wrong", "undecided"] = "right" if error <= tolerance else "wrong"
    note = ""
    if status == "wrong" and error <= floor:
        status, note = "undecided", "the gradient is too small beside the function's rounding"
    elif status == "wrong" and roughness > KINK and error < 1:
        status, note = "undecided", "the function seems to have a kink within the step"
    elif status == "right" and floor > tolerance:
        note = "right as far as the function's rounding lets it be seen"
    both = (float(np.real(yours[place])), float(numeric[place]))
    return GradientRow(name, numeric.shape, error, place, *both, floor, status, note)
