"""The kinds of mistake, a page each: what it is, why it is wrong, how it shows in numbers, the right line."""

from __future__ import annotations

import difflib
import functools
import textwrap
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from bptt.errors import ValueRangeError, message


@dataclass(frozen=True)
class Code:
    """One kind of mistake.

    Attributes
    ----------
    code : str
        ``"T2"``.
    title : str
    what, why, fingerprint : str
        What the mistake is, why it is one, and how it shows in numbers.
    wrong, right : str
        A line of NumPy with the mistake, and without it; empty where there is no typical one.
    equations : tuple of str
        Their ids in ``bptt explain``.
    reference : str
    """

    code: str
    title: str
    what: str
    why: str
    fingerprint: str
    wrong: str
    right: str
    equations: tuple[str, ...]
    reference: str


@functools.cache
def codes() -> dict[str, Code]:
    """Return every code, in the order of the documentation."""
    table = tomllib.loads(files("bptt.checking").joinpath("codes.toml").read_text("utf-8"))
    return {code: _page(code, entry) for code, entry in table.items()}


def _page(code: str, entry: dict[str, Any]) -> Code:
    parts: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v.removeprefix("\n") for key, v in entry.items()}
    return Code(code, **parts)


def overview() -> str:
    """Return one line a code, as ``bptt check --explain`` prints it."""
    lines = [f"  {code.code:<4} {code.title}" for code in codes().values()]
    head = "The kinds of mistake that bptt check names; a page on each: bptt check --explain T2"
    return "\n".join([head, "", *lines, ""])


def explanation(code: str, width: int = 80) -> str:
    """Return the page on a code.

    Parameters
    ----------
    code : str
        In any case: ``"t2"`` is ``"T2"``.
    width : int
        Columns.

    Returns
    -------
    str
        Ends with a line break.

    Raises
    ------
    ValueRangeError
        If there is no such code.

    Examples
    --------
    >>> explanation("T2").splitlines()[0]
    'T2 · off by one between the index of a state and its step'
    """
    page = codes().get(code.upper())
    if page is None:
        close = difflib.get_close_matches(code.upper(), codes(), 1, 0.4)
        raise ValueRangeError(
            message(
                "bptt check --explain",
                f"there is no code {code!r}.",
                details=[f"codes: {', '.join(codes())}"],
                hint=f"Did you mean {close[0]}?" if close else "",
            )
        )
    parts = [f"{page.code} · {page.title}"]
    for label, text in (("What it is", page.what), ("Why it is wrong", page.why), ("How it shows", page.fingerprint)):
        parts.append(f"{label}\n{textwrap.fill(text, width - 2, initial_indent='  ', subsequent_indent='  ')}")
    if page.wrong:
        parts.append(f"Wrong\n{textwrap.indent(page.wrong, '    ')}")
        parts.append(f"Right\n{textwrap.indent(page.right, '    ')}")
    if page.equations:
        parts.append(f"Equations\n  {', '.join(page.equations)}; `bptt explain` shows them with numbers")
    parts.append(f"Reference\n{textwrap.fill(page.reference, width - 2, initial_indent='  ', subsequent_indent='  ')}")
    return "\n\n".join(parts) + "\n"
