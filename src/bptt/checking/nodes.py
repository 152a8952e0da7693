"""The statements of a function: their characters, their targets, their blocks."""

from __future__ import annotations

import ast
from collections.abc import Iterator

Function = ast.FunctionDef | ast.Module


def text_of(code: str, node: ast.AST) -> str:
    """Return the characters of a node."""
    return ast.get_source_segment(code, node) or ast.unparse(node)


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
