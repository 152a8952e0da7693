"""How many threads NumPy's BLAS works with, asked and set while the process runs."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

NAMES = ("scipy_openblas_{}_num_threads64_", "scipy_openblas_{}_num_threads", "openblas_{}_num_threads64_",
         "openblas_{}_num_threads")  # fmt: skip


def blas_threads() -> int:
    """Return the number of threads: what OpenBLAS says, else its variables, else the cores that we may use."""
    ask = _function("get")
    if ask is not None:
        return int(ask())
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        if os.environ.get(variable, "").isdigit():
            return int(os.environ[variable])
    return (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()) or 1


def set_blas_threads(count: int) -> None:
    """Let OpenBLAS work with so many threads; another BLAS is left as it is."""
    put = _function("set")
    if put is not None:
        put(ctypes.c_int(count))


@cache
def _function(verb: str) -> Callable[..., Any] | None:
    """Return a function of the OpenBLAS that NumPy has loaded, or None where it has another BLAS."""
    try:
        library = ctypes.CDLL(str(import_module("numpy._core._multiarray_umath").__file__))
    except (ImportError, OSError):
        return None
    found = [getattr(library, name.format(verb), None) for name in NAMES]
    return next((function for function in found if function is not None), None)
