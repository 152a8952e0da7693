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
from functools import lru_cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
Place = dict[int, tuple[int | None, int]]  # line of the Python code -> cell and line of the text as given


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
    truncated: int | None = None
    """The number of steps that a right program reaches back where it truncates: right for T_x up to it."""
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
            if set(fault) - {"name", "edits", "notes", "raises", "truncated"}:
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
                truncated=fault.get("truncated"),
            )


def parts(entry: Entry) -> Iterator[str]:
    """Yield, for a program with several faults, its Python with each fault alone."""
    folder, name = entry.name.split("/")
    faults = tomllib.loads((HERE / folder / "faults.toml").read_text(encoding="utf-8"))["fault"]
    code = (HERE / folder / "program.py").read_text(encoding="utf-8")
    groups: list[list[dict[str, Any]]] = [[]]
    for edit in next(fault["edits"] for fault in faults if fault["name"] == name):
        if "codes" in edit and any("codes" in earlier for earlier in groups[-1]):
            groups.append([])
        groups[-1].append(edit)
    for group in groups:
        alone = code
        for edit in group:
            alone = alone.replace(edit["old"], edit["new"])
        yield alone


def _edit(name: str, code: str, edits: list[dict[str, Any]]) -> tuple[str, list[Expected]]:
    """Apply the replacements; ``old`` stands once in the program, ``new`` takes its place.

    An edit without ``codes`` only belongs to the others.  ``at`` names, by a part of its text, each line that may be
    reported, the best first; without it, it is the statement that holds the first changed character, or, where a
    statement was taken out, the one before it (or any other that it could follow).
    """
    marks: list[int] = []
    for edit in edits:
        if set(edit) - {"old", "new", "codes", "at"}:
            raise ValueError(f"{name}: unknown keys in {sorted(edit)}")
        if code.count(edit["old"]) != 1:
            raise ValueError(f"{name}: {edit['old']!r} stands {code.count(edit['old'])} times")
        start, same = code.index(edit["old"]), 0
        while same < min(len(edit["old"]), len(edit["new"])) and edit["old"][same] == edit["new"][same]:
            same += 1
        code = code[:start] + edit["new"] + code[start + len(edit["old"]) :]
        marks = [mark + len(edit["new"]) - len(edit["old"]) if mark > start else mark for mark in marks]
        marks.append(start + same)
    found = []
    for position, edit in zip(marks, edits, strict=True):
        if "codes" not in edit:
            continue
        if "at" in edit:
            lines = [_line_with(name, code, part) for part in edit["at"]]
        elif not edit["new"].strip():
            lines = _could_follow(code, position, edit["old"])
        else:
            # a change that begins with new lines or blanks is of the statement that follows them
            while code[position : position + 1].isspace() and code[position - 1 : position] in ("\n", " "):
                position += 1
            changed = code.count("\n", 0, position) + 1
            lines = [_statement_line(code, changed), changed]
        found.append(Expected(line=lines[0], lines=tuple(dict.fromkeys(lines)), codes=tuple(edit["codes"])))
    return code, found


def _line_with(name: str, code: str, part: str) -> int:
    lines = [i for i, line in enumerate(code.split("\n"), 1) if part in line]
    if len(lines) != 1:
        raise ValueError(f"{name}: at {part!r} stands in {len(lines)} lines")
    return _statement_line(code, lines[0])


@lru_cache(maxsize=8)
def _blocks(code: str) -> list[list[ast.stmt]]:
    """Every list of statements in a program: the module's, and each body's."""
    blocks = [ast.parse(plain(code)).body]
    for block in blocks:
        for statement in block:
            blocks += [b for b in (getattr(statement, name, None) for name in ("body", "orelse", "finalbody")) if b]
    return blocks


def _statement_line(code: str, line: int) -> int:
    """The first line of the innermost statement that holds a line, a compound statement counting as its head."""
    first = [
        node.lineno
        for block in _blocks(code)
        for node in block
        if node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    return max(first, default=line)


def _could_follow(code: str, position: int, removed: str) -> list[int]:
    """The statement before the one removed, then each other of its block from the last that makes what it reads."""
    line = code.count("\n", 0, position)
    before = max(node.lineno for block in _blocks(code) for node in block if node.lineno <= line)
    block = next(block for block in _blocks(code) if before in [statement.lineno for statement in block])
    reads = {n.id for n in ast.walk(ast.parse(textwrap.dedent(removed))) if isinstance(n, ast.Name)}
    earlier = [
        statement.lineno
        for statement in block
        if statement.lineno <= before
        and {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)} & reads
    ]
    start = max(earlier, default=block[0].lineno)
    return [before] + [statement.lineno for statement in block if statement.lineno >= start]


def plain(code: str) -> str:
    """Return the same lines as Python 3: Python 2's print statements and xrange replaced."""
    lines = []
    for line in code.split("\n"):
        stripped = line.lstrip()
        if stripped.startswith("print ") and not stripped.startswith("print ("):
            line = line[: len(line) - len(stripped)] + "pass"
        lines.append(line.replace("xrange(", "range("))
    return "\n".join(lines)


def _given(folder: Path, code: str, form: str, data: dict[str, Any]) -> tuple[str, str, Place]:
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
    elif form == "prompt":  # copied from the interpreter
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
    place: Place = {i: (None, i + first) for i in range(1, count + 1)}
    return before + "\n".join(body) + "\n" + after, data.get("file", f"{folder.name}.txt"), place


def _notebook(code: str, filename: str) -> tuple[str, str, Place]:
    cells: list[tuple[str, list[str]]] = []
    place: Place = {}
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
    notebook = {"cells": out, "metadata": python, "nbformat": 4, "nbformat_minor": 4}
    return json.dumps(notebook, indent=1) + "\n", filename, place


def _placed(expected: Expected, place: Place) -> Expected:
    cell, line = place[expected.line]
    lines = tuple(place[i][1] for i in expected.lines if place[i][0] == cell)
    return replace(expected, line=line, lines=lines, cell=cell)
