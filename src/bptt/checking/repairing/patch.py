"""Changing a person's text: only the characters of the wrong statements, whatever form the text has.

A :class:`Change` speaks in the coordinates of ``Program.code``; :func:`apply` carries it through
``Program.origins`` to the text as given (another indentation, a notebook's cell).
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath, PureWindowsPath
from typing import Literal

from bptt.checking.loading.cells import cell_lines, replace_cells
from bptt.checking.loading.paste import PROMPT
from bptt.checking.program import Program
from bptt.errors import ValueRangeError, message

Kind = Literal["edit", "rewrite", "insert", "delete"]


@dataclass(frozen=True, order=True)
class Change:
    """Replace the characters from (line, column) up to (end_line, end_column) of ``Program.code`` by ``text``.

    Lines are counted from 1, columns in characters from 0.  A ``text`` of several lines is indented already.
    With ``whole``, an insertion adds lines of its own after ``line``, and a deletion takes the lines from ``line`` to
    ``end_line``; columns do not count.
    """

    line: int
    column: int
    end_line: int
    end_column: int
    text: str
    kind: Kind = "edit"
    whole: bool = False


def replace(code: str, node: ast.stmt | ast.expr, text: str, kind: Kind = "edit") -> Change:
    """Return the change that puts ``text`` in the place of a statement (or of an expression in it)."""
    return Change(*_span(code.split("\n"), node), text, kind)


def insert_after(code: str, node: ast.stmt, text: str) -> Change:
    """Return the change that adds ``text`` as the statement after ``node``, in the same block."""
    lines = code.split("\n")
    line, column, end_line, end_column = _span(lines, node)
    alone = not lines[line - 1][:column].strip() and re.match(r"\s*(#.*)?$", lines[end_line - 1][end_column:])
    if not alone:
        return Change(end_line, end_column, end_line, end_column, f"; {text}", "insert")
    return _new_lines(end_line, lines[line - 1][:column], text)


def insert_before(code: str, node: ast.stmt, text: str) -> Change:
    """Return the change that adds ``text`` as the statement before ``node``, in the same block."""
    lines = code.split("\n")
    line, column, _, _ = _span(lines, node)
    if lines[line - 1][:column].strip():
        return Change(line, column, line, column, f"{text}; ", "insert")
    return _new_lines(line - 1, lines[line - 1][:column], text)


def delete(code: str, tree: ast.AST, node: ast.stmt) -> Change:
    """Return the change that removes a statement; ``pass`` stands in where it is alone in its block."""
    lines = code.split("\n")
    line, column, end_line, end_column = _span(lines, node)
    if id(node) in _alone(tree):
        return Change(line, column, end_line, end_column, "pass", "delete")
    before, after = lines[line - 1][:column], lines[end_line - 1][end_column:]
    if follows := re.match(r"\s*;[ \t]*(?=[^\s#;])", after):
        return Change(line, column, end_line, end_column + follows.end(), "", "delete")
    if precedes := re.search(r"[ \t]*;\s*$", before):
        return Change(line, precedes.start(), end_line, end_column, "", "delete")
    trailing = re.match(r"\s*;?\s*$", after)
    if trailing and not before.strip():
        return Change(line, 0, end_line, 0, "", "delete", True)
    return Change(line, column, end_line, end_column, "pass", "delete")


def patched_code(program: Program, changes: Iterable[Change]) -> str:
    """Return ``Program.code`` with the changes in place."""
    lines = program.code.split("\n")
    for change in last_first(changes):
        if change.whole and change.kind == "delete":
            del lines[change.line - 1 : change.end_line]
        elif change.whole:
            lines[change.line : change.line] = change.text.split("\n")
        else:
            _splice(lines, change.line, change.column, change.end_line, change.end_column, change.text)
    return "\n".join(lines)


@lru_cache(maxsize=8)
def parsed(code: str) -> ast.Module:
    """Return the tree of a changed program: for one text the same one, which is made ready to be run only once."""
    return ast.parse(code)


def apply(program: Program, changes: Iterable[Change]) -> str:
    """Return the text as given with the changes in place; every other character stays.

    Raises
    ------
    ValueRangeError
        If a changed line of ``Program.code`` cannot be found again in the text as given.
    """
    ordered = last_first(changes)
    cells = cell_lines(program.source) if any(origin.cell is not None for origin in program.origins) else None
    if cells is None:
        lines, given = program.source.split("\n"), program.source.split("\n")
        for change in ordered:
            _apply_line(program, lines, given, change)
        return "\n".join(lines)
    touched: dict[int, list[str]] = {}
    for change in ordered:
        cell = program.origins[max(change.line, 1) - 1].cell
        if cell is not None:
            _apply_line(program, touched.setdefault(cell, list(cells[cell])), cells[cell], change)
    return replace_cells(program.source, touched)


def unified_diff(program: Program, changes: Iterable[Change]) -> str:
    """Return the patch of the file as given, which ``patch -p0`` applies beside the file."""
    return diff_texts(program.source, apply(program, changes), program.file)


def diff_texts(old: str, new: str, file: str) -> str:
    """Return a unified diff of two texts; a missing line break at the end is marked as ``patch`` wants it."""
    if PurePosixPath(file).is_absolute() or PureWindowsPath(file).is_absolute() or ".." in PurePosixPath(file).parts:
        file = PureWindowsPath(file).name  # patch refuses to leave the directory
    diff = []
    for line in difflib.unified_diff(_lines(old), _lines(new), file, file):
        diff.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return "".join(diff)


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)  # splitlines() would break at form feeds as well


def _new_lines(after: int, indent: str, text: str) -> Change:
    indented = "\n".join(indent + line if line.strip() else line for line in text.split("\n"))
    return Change(after, 0, after, 0, indented, "insert", True)


def last_first(changes: Iterable[Change]) -> list[Change]:
    """Order changes so that each leaves the places of the following ones as they are."""
    # Of two changes at one place, the earlier given stays above: it is applied last.
    unique = list(dict.fromkeys(changes))
    ordered = sorted(
        range(len(unique)),
        key=lambda i: (unique[i].line, 1 if unique[i].whole else 0, unique[i].column, i),
        reverse=True,
    )
    return [unique[i] for i in ordered]


def _apply_line(program: Program, lines: list[str], given: list[str], change: Change) -> None:
    """Apply one change to ``lines``, which were ``given``: the lines of the text or of the cell that it belongs to."""
    code, origins = program.code.split("\n"), program.origins
    start, stop = origins[max(change.line, 1) - 1], origins[max(change.end_line, 1) - 1]
    if change.whole and change.kind == "insert":
        at = start.line if change.line else start.line - 1
        end = "\r" if any(line.endswith("\r") for line in lines[:2]) else ""
        if end and at == len(lines):  # the last line gets a line break now
            lines[-1] += end
            end = ""
        prompt = _prompt(code[change.line - 1], given[start.line - 1]) if change.line else ""
        added = [prompt + _shifted(line, start.shift + len(prompt)) for line in change.text.split("\n")]
        lines[at:at] = [line + end for line in added]
        return
    for number, origin in ((change.line, start), (change.end_line, stop)):
        here = code[number - 1].strip()
        there = given[origin.line - 1].strip() if origin.line <= len(given) else ""
        if here not in (there, PROMPT.sub("", there).strip()):
            raise ValueRangeError(
                message(
                    program.file,
                    f"line {origin.line} cannot be changed in place.",
                    details=[f"checked as:    {here}", f"the text has:  {there}"],
                    hint="Write the right line there by hand.",
                )
            )
    if change.whole:
        del lines[start.line - 1 : stop.line]
        return
    first, *more = change.text.split("\n")
    prompt = _prompt(code[change.line - 1], given[start.line - 1])
    text = "\n".join([first, *(prompt + _shifted(line, start.shift + len(prompt)) for line in more)])
    _splice(lines, start.line, change.column - start.shift, stop.line, change.end_column - stop.shift, text)


def _prompt(code: str, given: str) -> str:
    """Return the prompt of a line that goes on, where the text as given has one and its code has not."""
    found = PROMPT.match(given) if code.strip() != given.strip() else None
    return "" if found is None else "... " if found[1] in (">>>", "...") else found[0]


def _shifted(line: str, shift: int) -> str:
    """Take the indentation that was restored (or add the one that was removed) from a line of ``Program.code``."""
    if shift >= 0:
        spaces = len(line) - len(line.lstrip())
        return line[min(shift, spaces) :]
    return " " * -shift + line if line.strip() else line


def _splice(lines: list[str], line: int, column: int, end_line: int, end_column: int, text: str) -> None:
    head = lines[line - 1][:column]
    tail = lines[end_line - 1][end_column:] if end_line <= len(lines) else ""
    lines[line - 1 : end_line] = (head + text + tail).split("\n")


def _span(lines: list[str], node: ast.stmt | ast.expr) -> tuple[int, int, int, int]:
    end_line, end_byte = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
    column = len(lines[node.lineno - 1].encode()[: node.col_offset].decode())  # ast counts bytes of UTF-8
    return node.lineno, column, end_line, len(lines[end_line - 1].encode()[:end_byte].decode())


@lru_cache(maxsize=8)
def _alone(tree: ast.AST) -> frozenset[int]:
    """Return the statements that are alone in their blocks."""
    return frozenset(id(block[0]) for block in _blocks(tree) if len(block) == 1)


def _blocks(tree: ast.AST) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and block:
                yield block
