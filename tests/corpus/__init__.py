"""Programs for developing ``bptt check``: right ones in many styles, and faults planted in them.

One folder a base program::

    NAME/program.py    the right program, always as Python (a notebook in the percent format: ``# %%``)
    NAME/prose.txt     only for pasted posts: the prose, with a line ``{code}`` where the code stands
    NAME/adapter.py    its ``bptt_case(module, sizes, seed)``; scripts without functions have none, but a
    NAME/truth.py      ``bptt_case(text, sizes, seed)``, by which the corpus proves itself
    NAME/faults.toml   ``style``, ``form`` and the faults as exact text replacements

In one line::

    for entry in programs(): report = check_text(entry.text, entry.filename, adapter=entry.adapter)
"""

from __future__ import annotations

import ast
import json
import textwrap
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Expected:
    """One faulty statement: a finding fits where its line is in ``lines`` and its codes meet ``codes``."""

    line: int
    """The first line of the faulty statement (in its cell, for a notebook); of a missing one, the line before it."""
    lines: tuple[int, ...]
    """Every line that may be named: the statement's own, or where a missing statement can stand."""
    codes: tuple[str, ...]
    """The causes, the most telling first."""
    cell: int | None = None
    """The notebook cell, from 0 over all cells; None elsewhere."""


@dataclass(frozen=True)
class Entry:
    """One program of the corpus, as a person would hand it in."""

    name: str
    style: str
    text: str
    filename: str
    adapter: str | None
    """The text of its adapter; None for scripts without functions, which no adapter can call."""
    verdict: str
    expected: tuple[Expected, ...]
    notes: tuple[str, ...]
    """Codes or words of the notes that are due ("FWD", "clip", "truncated"); they never change the verdict."""
    python: str
    """The program as runnable Python: the text itself, except of notebooks and of pasted posts."""
    raises: str | None = None
    """The exception that its own backward pass ends with; None where it is silent."""
    dropped: tuple[str, ...] = ()
    """Names that are called and not shown, so that the loader has to supply them."""

    @property
    def codes(self) -> tuple[str, ...]:
        """The most telling code of each fault."""
        return tuple(expected.codes[0] for expected in self.expected)

    @property
    def lines(self) -> tuple[int, ...]:
        """The line of each fault."""
        return tuple(expected.line for expected in self.expected)


def programs(*names: str, verdict: str | None = None) -> Iterator[Entry]:
    """Yield the programs, each base first and then its faults; of all bases, or of those named."""
    for folder in sorted(path.parent for path in HERE.glob("*/faults.toml")):
        if names and folder.name not in names:
            continue
        for entry in _of_base(folder):
            if verdict is None or entry.verdict == verdict:
                yield entry


def program(name: str) -> Entry:
    """Return one program by its name, ``"base"`` or ``"base/fault"``."""
    return next(entry for entry in programs(name.split("/")[0]) if entry.name == name)


def _of_base(folder: Path) -> Iterator[Entry]:
    data = tomllib.loads((folder / "faults.toml").read_text(encoding="utf-8"))
    code = (folder / "program.py").read_text(encoding="utf-8")
    form = data.get("form", "py")
    if set(data) - {"style", "form", "notes", "dropped", "fault", "right", "file"}:
        raise ValueError(f"{folder.name}: unknown keys in {sorted(data)}")
    text, filename, _ = _given(folder, code, form, data)
    base = Entry(
        name=folder.name,
        style=data["style"],
        text=text,
        filename=filename,
        adapter=(folder / "adapter.py").read_text(encoding="utf-8") if (folder / "adapter.py").exists() else None,
        verdict="right",
        expected=(),
        notes=tuple(data.get("notes", ())),
        python=code,
        dropped=tuple(data.get("dropped", ())),
    )
    yield base
    for verdict, key in (("right", "right"), ("wrong", "fault")):
        for fault in data.get(key, ()):
            name = f"{folder.name}/{fault['name']}"
            if set(fault) - {"name", "edits", "notes", "raises"}:
                raise ValueError(f"{name}: unknown keys in {sorted(fault)}")
            edited, found = _edit(name, code, fault["edits"])
            text, _, place = _given(folder, edited, form, data)
            yield replace(
                base,
                name=name,
                text=text,
                python=edited,
                verdict=verdict,
                expected=tuple(_placed(e, place) for e in found) if verdict == "wrong" else (),
                notes=base.notes + tuple(fault.get("notes", ())),
                raises=fault.get("raises"),
            )


def _edit(name: str, code: str, edits: list[dict[str, Any]]) -> tuple[str, list[Expected]]:
    """Apply the replacements; ``old`` stands once in the program, ``new`` takes its place.

    An edit without ``codes`` belongs to the fault of the edit before it.  ``at`` names, by a part of its text, each line that may be
    reported, the best first; without it, it is the statement that holds the first changed character, or, where a
    statement was taken out, the one before it (or the one behind).
    """
    marks: list[tuple[int, int]] = []
    for number, edit in enumerate(edits):
        if set(edit) - {"old", "new", "codes", "at"}:
            raise ValueError(f"{name}: unknown keys in {sorted(edit)}")
        if code.count(edit["old"]) != 1:
            raise ValueError(f"{name}: {edit['old']!r} stands {code.count(edit['old'])} times")
        start = code.index(edit["old"])
        same = 0
        while same < min(len(edit["old"]), len(edit["new"])) and edit["old"][same] == edit["new"][same]:
            same += 1
        code = code[:start] + edit["new"] + code[start + len(edit["old"]) :]
        shift = len(edit["new"]) - len(edit["old"])
        marks = [(m + shift if m > start else m, n) for m, n in marks]
        marks.append((start + same, number))
    found = []
    for position, number in sorted(marks, key=lambda pair: pair[1]):
        edit = edits[number]
        if "codes" not in edit:
            continue
        if "at" in edit:
            lines = [_line_with(name, code, part) for part in edit["at"]]
        elif not edit["new"].strip() or edit["new"].strip() in edit["old"] and "\n" in edit["old"]:
            lines = _around(code, position)
        else:
            # a change that begins with new lines or blanks is of the statement that follows them
            while code[position : position + 1].isspace() and code[position - 1 : position] in ("\n", " "):
                position += 1
            lines = [_statement_line(code, code.count("\n", 0, position) + 1)]
        found.append(Expected(line=lines[0], lines=tuple(lines), codes=tuple(edit["codes"])))
    return code, found


def _line_with(name: str, code: str, part: str) -> int:
    lines = [i for i, line in enumerate(code.split("\n"), 1) if part in line]
    if len(lines) != 1:
        raise ValueError(f"{name}: at {part!r} stands in {len(lines)} lines")
    return _statement_line(code, lines[0])


def _statements(code: str) -> list[tuple[int, int]]:
    """The first and last line of every simple statement and of every compound one's head."""
    spans = []
    for node in ast.walk(ast.parse(plain(code))):
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            spans.append((node.lineno, max(node.lineno, body[0].lineno - 1) if body else node.end_lineno or node.lineno))
    return sorted(spans)


def _statement_line(code: str, line: int) -> int:
    return max((first for first, last in _statements(code) if first <= line <= last), default=line)


def _around(code: str, position: int) -> list[int]:
    """The statement before, then every other one of its block: an insert that is right can follow any of them."""
    line = code.count("\n", 0, position) + (1 if code[position - 1 : position] != "\n" else 0)
    before = max(first for first, _ in _statements(code) if first <= line)
    behind = min((first for first, _ in _statements(code) if first > line), default=before)
    for node in ast.walk(ast.parse(plain(code))):
        block = [statement.lineno for statement in getattr(node, "body", ()) if isinstance(statement, ast.stmt)]
        if before in block:
            return [before] + [first for first in block if first != before]
    return [before, behind]


def plain(code: str) -> str:
    """Return the same lines as Python 3: Python 2's print statements and xrange replaced."""
    lines = []
    for line in code.split("\n"):
        stripped = line.lstrip()
        if stripped.startswith("print ") and not stripped.startswith("print ("):
            line = line[: len(line) - len(stripped)] + "pass"
        lines.append(line.replace("xrange(", "range("))
    return "\n".join(lines)


def _given(folder: Path, code: str, form: str, data: dict[str, Any]) -> tuple[str, str, dict[int, tuple[int | None, int]]]:
    """Return the text as a person hands it in, its file name, and for each line of the code (cell, line)."""
    count = code.count("\n") + 1
    if form == "py":
        return code, data.get("file", f"{folder.name}.py"), {i: (None, i) for i in range(1, count + 1)}
    if form == "ipynb":
        return _notebook(code, data.get("file", f"{folder.name}.ipynb"))
    prose = (folder / "prose.txt").read_text(encoding="utf-8")
    before, after = prose.split("{code}\n")
    if form == "flat":  # indentation lost
        body = [line.strip() for line in code.rstrip("\n").split("\n")]
    elif form == "prompt":  # copied from a Python session
        body = []
        for line in code.rstrip("\n").split("\n"):
            body.append(("... " if line[:1] in (" ", "") else ">>> ") + line)
    elif form == "indented":  # the whole block moved to the right, as in a reply
        body = textwrap.indent(code.rstrip("\n"), "    ").split("\n")
    elif form == "fenced":
        body = code.rstrip("\n").split("\n")
    else:
        raise ValueError(f"{folder.name}: unknown form {form!r}")
    first = before.count("\n")
    place: dict[int, tuple[int | None, int]] = {i: (None, i + first) for i in range(1, count + 1)}
    return before + "\n".join(body) + "\n" + after, data.get("file", f"{folder.name}.txt"), place


def _notebook(code: str, filename: str) -> tuple[str, str, dict[int, tuple[int | None, int]]]:
    cells: list[tuple[str, list[str]]] = []
    place: dict[int, tuple[int | None, int]] = {}
    for i, line in enumerate(code.rstrip("\n").split("\n"), 1):
        if line.startswith("# %%"):
            cells.append(("markdown" if "[markdown]" in line else "code", []))
            continue
        kind, lines = cells[-1]
        lines.append(line[2:] if kind == "markdown" else line)
        place[i] = (len(cells) - 1, len(lines))
    out = []
    for kind, lines in cells:
        while lines and not lines[-1]:
            lines.pop()
        cell = {"cell_type": kind, "metadata": {}, "source": [line + "\n" for line in lines[:-1]] + lines[-1:]}
        if kind == "code":
            for line_number, line in enumerate(lines):  # magics are commented in the Python form
                if line.startswith("#%"):
                    cell["source"][line_number] = cell["source"][line_number][1:]
            cell |= {"execution_count": None, "outputs": []}
        out.append(cell)
    python = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return json.dumps({"cells": out, "metadata": python, "nbformat": 4, "nbformat_minor": 4}, indent=1) + "\n", filename, place


def _placed(expected: Expected, place: dict[int, tuple[int | None, int]]) -> Expected:
    cell, line = place[expected.line]
    return replace(expected, line=line, lines=tuple(place[i][1] for i in expected.lines), cell=cell)
