"""Numeric derivatives of any scalar function, by the complex step and by central differences.

References
----------
Squire, Trapp, *Using complex variables to estimate derivatives of real functions*, SIAM Review 40 (1998).
Fornberg, *Generation of finite difference formulas on arbitrarily spaced grids*, Math. Comp. 51 (1988).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping

import numpy as np

from bptt.dims import Array, named_shape
from bptt.errors import NotFiniteError, ValueRangeError, message

Function = Callable[[dict[str, Array]], complex]

COMPLEX_STEP = 1e-30
CENTRAL_STEP = 3e-4


def complex_step(function: Function, parameters: Mapping[str, Array], name: str, step: float = COMPLEX_STEP) -> Array:
    """Return d function / d parameters[name] by Im f(x + ih) / h over every element.

    Parameters
    ----------
    function : function
        Must carry complex numbers through every operation; :func:`carries_complex` tells.
    parameters : mapping of str to array
    name : str
        The parameter, of any shape.
    step : float
        h; there is no subtraction, so it may be tiny.

    Returns
    -------
    array, the shape of the parameter

    Raises
    ------
    NotFiniteError
        If the function's value is not finite.
    """
    slope = np.zeros(parameters[name].shape)
    for index in np.ndindex(slope.shape):
        moved = {k: v.astype(np.complex128) if k == name else v.copy() for k, v in parameters.items()}
        moved[name][index] += 1j * step
        slope[index] = scalar_cost("complex_step", function(moved)).imag / step
    return slope


def central_difference(
    function: Function, parameters: Mapping[str, Array], name: str, step: float = CENTRAL_STEP
) -> tuple[Array, float]:
    """Return d function / d parameters[name] by fourth-order central differences over every element.

    Parameters
    ----------
    function : function
    parameters : mapping of str to array
    name : str
        The parameter, of any shape.
    step : float
        h, times max(1, |x|).

    Returns
    -------
    slope : array, the shape of the parameter
    roughness : float
        The largest difference between the slopes over h and over 2h, relative to the largest slope.  It is small
        (of order h²) where the function is smooth, and large across a kink such as ReLU's.

    Raises
    ------
    NotFiniteError
        If the function's value is not finite.
    """
    slope, rough = np.zeros(parameters[name].shape), 0.0
    for index in np.ndindex(slope.shape):
        x = float(parameters[name][index])
        h = step * max(1.0, abs(x))
        f = {}
        for k in (-2, -1, 1, 2):
            moved = {key: value.copy() for key, value in parameters.items()}
            moved[name][index] = x + k * h
            f[k] = scalar_cost("central_difference", function(moved)).real
        near, far = (f[1] - f[-1]) / (2 * h), (f[2] - f[-2]) / (4 * h)
        slope[index] = (4 * near - far) / 3
        rough = max(rough, abs(near - far))
    largest = float(np.abs(slope).max(initial=0.0))
    return slope, rough / largest if largest > 0 else 0.0


def carries_complex(function: Function, parameters: Mapping[str, Array]) -> bool:
    """Tell whether a function carries the imaginary part of *every* parameter to its result.

    A ``np.zeros`` buffer or a ``float()`` on the way drops it, often with no more than a ComplexWarning; some
    functions raise.  Every parameter is moved along one random direction, and the slope must agree with central
    differences to 1e-4 of it.
    """
    rng = np.random.default_rng(0)
    for name in parameters:
        direction = rng.normal(size=parameters[name].shape)
        moved = {k: v.astype(np.complex128) if k == name else v.copy() for k, v in parameters.items()}
        moved[name] += 1j * COMPLEX_STEP * direction
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", np.exceptions.ComplexWarning)
                value = scalar_cost("carries_complex", function(moved))
        except Exception:  # anybody's function: whatever it raises on complex numbers, the answer is no
            return False

        def along(s: float, name: str = name, direction: Array = direction) -> float:
            shifted = {k: v.copy() for k, v in parameters.items()}
            shifted[name] += s * direction
            return scalar_cost("carries_complex", function(shifted)).real

        h = 1e-5
        central = (along(h) - along(-h)) / (2 * h)
        if abs(value.imag / COMPLEX_STEP - central) > 1e-4 * max(abs(central), 1e-6 * abs(value.real)):
            return False
    return True


def scalar_cost(where: str, value: object) -> complex:
    """Return a function's value as one finite number, or say what it returned instead."""
    array = np.asarray(value)
    if array.size != 1 or array.dtype.kind not in "fciu":
        raise ValueRangeError(
            message(
                where,
                f"the function returned {named_shape(array.shape)} of {array.dtype}; a scalar cost is wanted.",
            )
        )
    scalar = complex(array.reshape(()).item())
    if not np.isfinite(scalar):
        raise NotFiniteError(
            message(where, f"the function returned {array.reshape(()).item()}; a finite cost is wanted.")
        )
    return scalar
