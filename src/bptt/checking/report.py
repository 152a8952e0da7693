"""What checking returns: findings, notes, a row a parameter and the proven fix, as plain data.

The JSON of :meth:`Report.to_json` is a public format (``"schema": 1``); the faces only draw it.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
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


def gradient_name(parameter: str) -> str:
    """Return what the gradient of a parameter is called: ``dW_aa``, and of an object's ``net.dW_aa``."""
    owner, dot, own = parameter.rpartition(".")
    return f"{owner}{dot}d{own}"


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
class Operand:
    """A part of a wrong statement, in the person's own characters, with its named dimensions."""

    text: str
    dims: Dims


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
    """One wrong statement: where, which kinds of mistake, why in plain words, and the right line.

    The first line of ``message`` says what is wrong; each further line is one reason.  ``operands`` are underlined,
    in their order in the statement.
    """

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
    operands: tuple[Operand, ...] = ()


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

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Report:
        """Return the report that :meth:`to_json` wrote."""
        return cls(
            data["file"],
            data["source"],
            data["verdict"],
            data["reason"],
            notes=tuple(Note(tuple(n["codes"]), n["line"], n["message"]) for n in data["notes"]),
            parameters=tuple(ParameterRow(**{**row, "dims": _dims(row["dims"])}) for row in data["parameters"]),
            findings=tuple(_finding(finding) for finding in data["findings"]),
            fix=_fix(data["fix"]) if data["fix"] else None,
            assumed=tuple(data["assumed"]),
            seconds=data["seconds"],
        )

    def __str__(self) -> str:
        """Return the report as the terminal shows it, without colour."""
        from bptt.render.report_text import report_text  # the renderer draws this class

        return report_text(self)

    def _repr_html_(self) -> str:
        """Return the report for a notebook's cell."""
        from bptt.render.report_html import report_html  # the renderer draws this class

        return report_html(self)


def _dims(pairs: Iterable[Iterable[Any]]) -> Dims:
    return tuple((name, size) for name, size in pairs)


def _fix(data: Mapping[str, Any]) -> Fix:
    parts: dict[str, Any] = {**data, "sizes": tuple(data["sizes"]), "preconditions": tuple(data["preconditions"])}
    return Fix(**parts)


def _finding(data: Mapping[str, Any]) -> Finding:
    expected, got, fix = data["expected"], data["got"], data["fix"]
    return Finding(
        **{
            **data,
            "codes": tuple(data["codes"]),
            "expected": expected and Expected(expected["name"], _dims(expected["dims"])),
            "got": got and Got(got["dims"] and _dims(got["dims"]), got["error"]),
            "equations": tuple(data["equations"]),
            "fix": fix and Replacement(**fix),
            "operands": tuple(Operand(o["text"], _dims(o["dims"])) for o in data["operands"]),
        }
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
