"""The statements of a function: their characters, their targets, their blocks."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache

Function = ast.FunctionDef | ast.Module
PLACES = ast.Name | ast.Attribute | ast.Subscript
"""What a value can be read from and written to."""


def text_of(code: str, node: ast.expr | ast.stmt) -> str:
    """Return the characters of a node."""
    lines = _lines(code)
    first, last = lines[node.lineno - 1], lines[(node.end_lineno or node.lineno) - 1]
    start, end = _column(first, node.col_offset), _column(last, node.end_col_offset or 0)
    if node.lineno == node.end_lineno:
        return first[start:end]
    return "\n".join([first[start:], *lines[node.lineno : (node.end_lineno or node.lineno) - 1], last[:end]])


@lru_cache(maxsize=4)
def _lines(code: str) -> list[str]:
    return code.split("\n")


def _column(line: str, byte: int) -> int:
    return byte if line.isascii() else len(line.encode()[:byte].decode())


def place_of(node: ast.stmt | ast.expr) -> tuple[int, int]:
    """Return the line and the column that a node begins at: what tells it in two parses of one text."""
    return node.lineno, node.col_offset


def statements(function: Function) -> Iterator[ast.stmt]:
    """Yield every statement inside a function."""
    for node in ast.walk(function):
        if isinstance(node, ast.stmt) and node is not function:
            yield node


def targets_of(node: ast.stmt) -> list[ast.expr]:
    """Return what an assignment writes to; nothing for other statements and for tuples."""
    if isinstance(node, ast.AugAssign):
        return [node.target]
    if isinstance(node, ast.Assign):
        return [t for t in node.targets if isinstance(t, ast.Name | ast.Subscript | ast.Attribute)]
    return []


def stored(node: ast.AST) -> set[str]:
    """Return the variables that a part of a program sets."""
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def blocks(function: Function) -> Iterator[list[ast.stmt]]:
    """Yield every list of statements that are run one after the other."""
    for node in ast.walk(function):
        for name in ("body", "orelse"):
            block = getattr(node, name, None)
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                yield block


def block_of(function: Function, node: ast.stmt) -> list[ast.stmt]:
    """Return the block in which a statement stands."""
    return next((block for block in blocks(function) if node in block), [])
