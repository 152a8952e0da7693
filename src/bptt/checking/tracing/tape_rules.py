"""Derivatives for the tape: elementwise functions by formula, linear ones exactly, all others by their numbers."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from bptt.dims import Array

BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "Add": operator.add,
    "Sub": operator.sub,
    "Mult": operator.mul,
    "Div": operator.truediv,
    "MatMult": operator.matmul,
    "Pow": operator.pow,
    "FloorDiv": operator.floordiv,
    "Mod": operator.mod,
    "LShift": operator.lshift,
    "RShift": operator.rshift,
    "BitOr": operator.or_,
    "BitXor": operator.xor,
    "BitAnd": operator.and_,
}
IN_PLACE: dict[str, Callable[[Any, Any], Any]] = {
    "Add": operator.iadd,
    "Sub": operator.isub,
    "Mult": operator.imul,
    "Div": operator.itruediv,
    "MatMult": operator.imatmul,
    "Pow": operator.ipow,
    "FloorDiv": operator.ifloordiv,
    "Mod": operator.imod,
    "LShift": operator.ilshift,
    "RShift": operator.irshift,
    "BitOr": operator.ior,
    "BitXor": operator.ixor,
    "BitAnd": operator.iand,
}
UFUNC_OF = {"Add": "add", "Sub": "subtract", "Mult": "multiply", "Div": "divide", "Pow": "power", "MatMult": "matmul"}

Slope = Callable[..., Any]


def _power_base(x: Any, p: Any, y: Any) -> Any:
    return p * np.power(x, p - 1)


def _power_exponent(x: Any, p: Any, y: Any) -> Any:
    return np.where(x > 0, np.log(np.where(x > 0, x, 1.0)) * y, 0.0)


ELEMENTWISE: dict[str, tuple[Slope, ...]] = {
    # name: the slope by each operand, given the operands and the result
    "add": (lambda x, w, y: 1.0, lambda x, w, y: 1.0),
    "subtract": (lambda x, w, y: 1.0, lambda x, w, y: -1.0),
    "multiply": (lambda x, w, y: w, lambda x, w, y: x),
    "divide": (lambda x, w, y: 1 / w, lambda x, w, y: -x / (w * w)),
    "power": (_power_base, _power_exponent),
    "float_power": (_power_base, _power_exponent),
    "negative": (lambda x, y: -1.0,),
    "positive": (lambda x, y: 1.0,),
    "exp": (lambda x, y: y,),
    "exp2": (lambda x, y: y * math.log(2),),
    "expm1": (lambda x, y: y + 1,),
    "log": (lambda x, y: 1 / x,),
    "log2": (lambda x, y: 1 / (x * math.log(2)),),
    "log10": (lambda x, y: 1 / (x * math.log(10)),),
    "log1p": (lambda x, y: 1 / (1 + x),),
    "sqrt": (lambda x, y: 0.5 / y,),
    "square": (lambda x, y: 2 * x,),
    "reciprocal": (lambda x, y: -y * y,),
    "sin": (lambda x, y: np.cos(x),),
    "cos": (lambda x, y: -np.sin(x),),
    "tan": (lambda x, y: 1 + y * y,),
    "sinh": (lambda x, y: np.cosh(x),),
    "cosh": (lambda x, y: np.sinh(x),),
    "tanh": (lambda x, y: 1 - y * y,),
    "arctan": (lambda x, y: 1 / (1 + x * x),),
    "absolute": (lambda x, y: np.sign(x),),
    "fabs": (lambda x, y: np.sign(x),),
    "maximum": (lambda x, w, y: np.where(x >= w, 1.0, 0.0), lambda x, w, y: np.where(x < w, 1.0, 0.0)),
    "minimum": (lambda x, w, y: np.where(x <= w, 1.0, 0.0), lambda x, w, y: np.where(x > w, 1.0, 0.0)),
    "fmax": (lambda x, w, y: np.where(x >= w, 1.0, 0.0), lambda x, w, y: np.where(x < w, 1.0, 0.0)),
    "fmin": (lambda x, w, y: np.where(x <= w, 1.0, 0.0), lambda x, w, y: np.where(x > w, 1.0, 0.0)),
    "logaddexp": (lambda x, w, y: np.exp(x - y), lambda x, w, y: np.exp(w - y)),
    "sign": (lambda x, y: 0.0,),
    "floor": (lambda x, y: 0.0,),
    "ceil": (lambda x, y: 0.0,),
    "rint": (lambda x, y: 0.0,),
}
ELEMENTWISE["true_divide"] = ELEMENTWISE["divide"]
ELEMENTWISE["abs"] = ELEMENTWISE["absolute"]

LINEAR = {
    "dot", "matmul", "inner", "outer", "einsum", "tensordot", "kron", "vdot", "sum", "mean", "cumsum", "trace", "diff",
    "convolve", "average", "nansum", "nanmean", "multi_dot", "vecdot", "matvec", "vecmat", "cross",
}  # fmt: skip
"""Linear in each operand: the derivative by an operand is the function itself at the unit vectors."""

MOVES: dict[str, tuple[int, ...]] = dict.fromkeys(("array", "asarray", "asanyarray", "ascontiguousarray", "asfortranarray", "copy", "concatenate", "stack", "hstack", "vstack", "dstack", "column_stack", "row_stack", "block", "reshape", "ravel", "flatten", "transpose", "squeeze", "expand_dims", "moveaxis", "swapaxes", "rollaxis", "roll", "flip", "fliplr", "flipud", "rot90", "tile", "repeat", "take", "take_along_axis", "broadcast_to", "atleast_1d", "atleast_2d", "atleast_3d", "split", "array_split", "hsplit", "vsplit", "dsplit", "diag", "diagonal", "triu", "tril", "pad", "delete", "astype", "compress", "diagflat", "broadcast_arrays", "unstack", "item", "tolist"), (0,))  # fmt: skip
"""Functions that only move numbers, with the places of the operands that hold numbers: applied to ids, they tell
where each number went."""
MOVES |= {"append": (0, 1), "insert": (0, 2), "where": (1, 2), "full": (1,), "full_like": (1,), "extract": (1,)}


def linear_vjp(
    function: Callable[..., Any], arguments: list[Any], place: int, keywords: dict[str, Any]
) -> Callable[[Array], Array]:
    """Return the exact derivative of a function that is linear in one operand, from its values at unit vectors."""
    operand = np.array(arguments[place], dtype=float)
    fixed = [np.array(a) if isinstance(a, np.ndarray) else a for a in arguments]

    def vjp(above: Array) -> Array:
        part = np.zeros(operand.shape)
        unit = np.zeros(operand.shape)
        for index in np.ndindex(operand.shape):
            unit[index] = 1.0
            image = function(*fixed[:place], unit if operand.shape else 1.0, *fixed[place + 1 :], **keywords)
            part[index] = np.sum(above * image)
            unit[index] = 0.0
        return part

    return vjp


def product_vjps(x: Array, w: Array) -> tuple[Callable[[Array], Array], Callable[[Array], Array]] | None:
    """Return the derivatives of a matrix product of two matrices, or of a matrix and a vector."""
    x, w = x.copy(), w.copy()
    if x.ndim == 2 and w.ndim == 2:
        return (lambda g: g @ w.T), (lambda g: x.T @ g)
    if x.ndim == 2 and w.ndim == 1:
        return (lambda g: np.outer(g, w)), (lambda g: x.T @ g)
    if x.ndim == 1 and w.ndim == 2:
        return (lambda g: w @ g), (lambda g: np.outer(x, g))
    return None


def sampled_vjp(
    function: Callable[..., Any], arguments: list[Any], place: int, keywords: dict[str, Any]
) -> Callable[[Array], Array]:
    """Return the derivative of any smooth function by one operand, numerically: complex step, else differences."""
    operand = np.array(arguments[place], dtype=float)
    fixed = [np.array(a) if isinstance(a, np.ndarray) else a for a in arguments]

    def at(value: Any) -> Any:
        return function(*fixed[:place], value if operand.shape else value[()], *fixed[place + 1 :], **keywords)

    def central(index: tuple[int, ...]) -> Array:
        h, values = 3e-4 * max(1.0, abs(float(operand[index]))), {}
        for k in (-2, -1, 1, 2):
            moved = operand.copy()
            moved[index] += k * h
            values[k] = np.asarray(at(moved), dtype=float)
        return (8 * (values[1] - values[-1]) - (values[2] - values[-2])) / (12 * h)

    def complex_step(index: tuple[int, ...]) -> Array | None:
        moved = operand.astype(complex)
        moved[index] += 1e-30j
        try:
            image = np.asarray(at(moved))
        except Exception:  # anybody's function
            return None
        return image.imag / 1e-30 if image.dtype.kind == "c" else None

    def vjp(above: Array) -> Array:
        part = np.zeros(operand.shape)
        exact: bool | None = None
        for index in np.ndindex(operand.shape):
            slope = complex_step(index) if exact is not False else None
            if exact is None:
                rough = central(index)
                exact = slope is not None and bool(np.allclose(slope, rough, rtol=1e-6, atol=1e-8))
            if not exact or slope is None:
                slope = central(index)
            part[index] = np.sum(above * slope)
        return part

    return vjp
