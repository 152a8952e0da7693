"""One change of form."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from bptt.checking.repairing.patch import Change, replace


@dataclass(frozen=True)
class Restructuring:
    """A change of form, what it does in words, and the statement that it is about."""

    changes: tuple[Change, ...]
    what: str
    statement: ast.stmt


def rewritten(code: str, node: ast.stmt, text: str, what: str) -> Restructuring:
    """Return the change that puts another text in the place of a whole statement."""
    return Restructuring((replace(code, node, text),), what, node)
