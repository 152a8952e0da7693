"""Where the package computes each equation: looked up in its own source, so that it cannot drift."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

from bptt.errors import ValueRangeError, message

IDS = (*(f"F{i}" for i in range(1, 6)), *(f"B{i}" for i in range(1, 12)))


@dataclass(frozen=True)
class CodeLine:
    """The line of the package's own source that computes an equation."""

    file: str
    line: int
    text: str


@cache
def code_lines() -> dict[str, CodeLine]:
    """Return where each equation is computed: the line of head.py, cell.py or rnn.py whose comment is its id.

    Raises
    ------
    ValueRangeError
        If an equation of the table has no such line: the source and the table have drifted apart.
    """
    found: dict[str, CodeLine] = {}
    for file in ("head.py", "cell.py", "rnn.py"):
        source = resources.files("bptt").joinpath(file).read_text(encoding="utf-8")
        for number, line in enumerate(source.splitlines(), start=1):
            mark = re.search(r"^(?P<code>[^#]*\S)\s+# (?P<id>[FB]\d+)$", line)
            if mark:
                found.setdefault(mark["id"], CodeLine(file, number, mark["code"].strip()))
    missing = [id for id in IDS if id not in found]
    if missing:
        raise ValueRangeError(
            message("explain", f"no line of head.py, cell.py or rnn.py is marked {', '.join(missing)}.")
        )
    return found
