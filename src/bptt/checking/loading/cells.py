"""The cells of a notebook as lines, and their replacement in the JSON text itself.

A notebook that is read and written again by a JSON library changes in every line that was spaced otherwise; here
only the strings of the changed lines change.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from json import decoder
from typing import Any, cast

_SPACE = re.compile(r"[ \t\r\n]*")
_SCALAR = re.compile(r"[^\s,\]}]+")


def cell_lines(text: str) -> dict[int, list[str]]:
    """Return the lines of each cell of a notebook's JSON, without line breaks; cells are counted from 0."""
    return {k: "".join(value for value, _, _ in strings).split("\n") for k, strings in _sources(text).items()}


def replace_cells(text: str, cells: Mapping[int, list[str]]) -> str:
    """Return the notebook's JSON with new lines in some cells; unchanged strings keep their characters."""
    sources = _sources(text)
    for cell in sorted(cells, reverse=True):
        old, lines = sources[cell], cells[cell]
        start, stop = old[0][1], old[-1][2]
        new = [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
        if len(old) == 1 and not _in_list(text, start):
            literals, between = [_literal("\n".join(lines), text)], ""
        else:
            kept = {value: text[a:b] for value, a, b in old}
            literals = [kept.get(line) or _literal(line, text) for line in new]
            between = text[old[0][2] : old[1][1]] if len(old) > 1 else ", "
        text = text[:start] + between.join(literals) + text[stop:]
    return text


def scanstring(text: str, at: int) -> tuple[str, int]:
    """Return the JSON string whose first character stands at ``at``, and the place after its closing quote."""
    return cast(tuple[str, int], decoder.scanstring(text, at))  # type: ignore[attr-defined]


def _literal(line: str, text: str) -> str:
    return json.dumps(line, ensure_ascii=text.isascii())


def _in_list(text: str, place: int) -> bool:
    return text[:place].rstrip().endswith("[")


def _sources(text: str) -> dict[int, list[tuple[str, int, int]]]:
    """Return the source of each cell as its strings: value, first character, end."""
    tree, _ = _value(text, _skip(text, 0))
    notebook = tree if "cells" in tree else tree["worksheets"][0]
    found = {}
    for k, cell in enumerate(notebook["cells"]):
        source = cell.get("source", cell.get("input"))
        strings = source if isinstance(source, list) else [source]
        if strings and strings[0] is not None:
            found[k] = strings
    return found


def _value(text: str, at: int) -> tuple[Any, int]:
    """Parse one JSON value; a string becomes (value, start, end), so that its place is known."""
    if text[at] == '"':
        value, end = scanstring(text, at + 1)
        return (value, at, end), end
    if text[at] == "[":
        items, at = [], _skip(text, at + 1)
        while text[at] != "]":
            item, at = _value(text, at)
            items.append(item)
            at = _skip(text, at)
            at = _skip(text, at + 1) if text[at] == "," else at
        return items, at + 1
    if text[at] == "{":
        members, at = {}, _skip(text, at + 1)
        while text[at] != "}":
            key, at = scanstring(text, at + 1)
            at = _skip(text, _skip(text, at) + 1)
            members[key], at = _value(text, at)
            at = _skip(text, at)
            at = _skip(text, at + 1) if text[at] == "," else at
        return members, at + 1
    match = _SCALAR.match(text, at)
    return None, match.end() if match else at + 1


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at
