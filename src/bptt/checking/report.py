"""What checking returns: findings, notes, a row a parameter and the proven fix, as plain data.

The JSON of :meth:`Report.to_json` is a public format (``"schema": 1``); the faces only draw it.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Literal

Verdict = Literal["right", "wrong", "cannot-check"]
Dims = tuple[tuple[str, int], ...]  # (("n_a", 5), ("m", 2))


@dataclass(frozen=True)
class Note:
    """Something worth saying that makes no gradient wrong: a lint of the forward, clipping, truncation."""

    codes: tuple[str, ...]
    line: int | None
    message: str


@dataclass(frozen=True)
class Expected:
    """What a statement should have computed: the quantity's name and its named dimensions."""

    name: str
    dims: Dims


@dataclass(frozen=True)
class Got:
    """What it computed instead: named dimensions, or the error that it raised."""

    dims: Dims | None = None
    error: str | None = None


@dataclass(frozen=True)
class Replacement:
    """The right statement in the person's own variables.

    ``kind``: "edit" replaces the statement, "rewrite" replaces it by one written from the truth, "insert" adds the
    replacement after ``line``, "delete" removes it.
    """

    replacement: str
    kind: Literal["edit", "rewrite", "insert", "delete"]


@dataclass(frozen=True)
class Finding:
    """One wrong statement: where, which kinds of mistake, why in plain words, and the right line."""

    codes: tuple[str, ...]
    line: int
    end_line: int
    statement: str
    message: str
    expected: Expected | None = None
    got: Got | None = None
    equations: tuple[str, ...] = ()
    fix: Replacement | None = None
    cell: int | None = None


@dataclass(frozen=True)
class ParameterRow:
    """One parameter: its relative error before the fix, and the numbers where they are few.

    ``relative_error`` is max |theirs - true| / max |true| (of all parameters if this one is all zero), None if not
    finite; ``fixed_error`` is the same after the proven fix.
    """

    name: str
    dims: Dims
    relative_error: float | None
    status: Literal["right", "wrong", "not computed", "not checked"]
    yours: list[Any] | float | None = None
    true: list[Any] | float | None = None
    fixed_error: float | None = None


@dataclass(frozen=True)
class Fix:
    """The combined fix of all findings, proven on the whole repaired program; never shown unproven."""

    proven: bool
    diff: str
    max_relative_error: float
    method: str
    sizes: tuple[dict[str, int], ...]
    preconditions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """The whole answer to "did I miss something?"."""

    file: str
    source: str
    verdict: Verdict
    reason: str
    notes: tuple[Note, ...] = ()
    parameters: tuple[ParameterRow, ...] = ()
    findings: tuple[Finding, ...] = ()
    fix: Fix | None = None
    assumed: tuple[str, ...] = ()
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the report as one JSON object without NaN or Infinity."""
        return {"schema": 1, **_plain(dataclasses.asdict(self))}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
