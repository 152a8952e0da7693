"""Notebooks: their code cells as one program whose lines lead back to cell and line."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

from bptt.checking.loading.protocol import cannot_check
from bptt.checking.loading.python2 import modernise
from bptt.checking.program import LineOrigin
from bptt.errors import CannotCheckError

MAGIC = re.compile(r"^\s*[%!?]|^\s*\w[\w.]*\?{1,2}\s*$")
CELL_MAGIC = re.compile(r"^\s*%%(?!time|capture|prun)")


def is_notebook(text: str) -> bool:
    """Tell whether a text is a notebook's JSON."""
    if not text.lstrip().startswith("{") or ('"cells"' not in text and '"worksheets"' not in text):
        return False
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def read_notebook(text: str, file: str) -> tuple[str, tuple[LineOrigin, ...], tuple[str, ...]]:
    """Join the code cells; magics become empty lines, and a cell that is no Python is left out.

    Returns
    -------
    code : str
    origins : tuple of LineOrigin
        One a line of the code: cell, counted from 0 over all cells, and line within the cell.
    assumed : tuple of str
    """
    book: dict[str, Any] = json.loads(text)
    cells = book.get("cells") or [c for sheet in book.get("worksheets", ()) for c in sheet.get("cells", ())]
    lines: list[str] = []
    origins: list[LineOrigin] = []
    said: list[str] = []
    for number, cell in enumerate(cells):
        if cell.get("cell_type") != "code":
            continue
        source = cell.get("source", cell.get("input", ""))
        raw = "".join(source) if isinstance(source, list) else str(source)
        body = raw.split("\n")
        if CELL_MAGIC.match(body[0]):
            continue
        body = [_without_magic(line) for line in body]
        body, modern = modernise(body)
        try:
            ast.parse("\n".join(body) + "\n")
        except (SyntaxError, ValueError) as error:
            said.append(f"Cell {number} is left out: it is not Python ({getattr(error, 'msg', error)}).")
            continue
        said += [sentence for sentence in modern if sentence not in said]
        lines += body
        origins += [LineOrigin(number, i, 0) for i in range(1, len(body) + 1)]
    if not any(line.strip() for line in lines):
        raise CannotCheckError(cannot_check(file, "the notebook holds no code cell that is Python."))
    return "\n".join(lines) + "\n", tuple(origins), tuple(said)


def _without_magic(line: str) -> str:
    if not MAGIC.match(line):
        return line
    indent = len(line) - len(line.lstrip())
    return " " * indent + "pass" if indent else ""
