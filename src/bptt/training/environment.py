"""What the last bits of a training depend on besides its settings: NumPy's build, the machine, its threads."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import bptt
from bptt.training.threads import blas_threads

NAMES = {
    "bptt": "bptt",
    "python": "Python",
    "numpy": "NumPy",
    "blas": "NumPy's BLAS",
    "simd": "NumPy's SIMD",
    "threads": "the number of threads",
    "machine": "the machine",
}


def environment() -> dict[str, str]:
    """Return what equal bits need to be equal in."""
    build: dict[str, Any] = np.show_config(mode="dicts") or {}  # type: ignore[assignment]
    blas = build.get("Build Dependencies", {}).get("blas", {})
    return {
        "bptt": bptt.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": f"{blas.get('name', '?')} {blas.get('version', '?')}",
        "simd": " ".join(build.get("SIMD Extensions", {}).get("found", [])),
        "threads": str(blas_threads()),
        "machine": f"{platform.system()} {platform.machine()} {_processor()}",
    }


def differences(then: Mapping[str, Any], now: Mapping[str, str]) -> list[str]:
    """Return a line for each thing that is not as it was."""
    return [f"{NAMES[key]} was {then.get(key, '?')}, is {now[key]}" for key in NAMES if then.get(key) != now[key]]


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor()
