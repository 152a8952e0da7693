"""How text reaches a terminal: its width, a little colour where that is wanted, and no sign that it cannot show."""

from __future__ import annotations

import re
import shutil
import sys
from functools import cache
from typing import TextIO

NARROWEST = 40
_PLAIN = str.maketrans(
    {
        "ᵀ": ".T",
        "⊙": "*",
        "Σ": "sum",
        "²": "^2",
        "→": "->",
        "·": "*",
        "…": "...",
        "‖": "|",
        "∂": "d",
        "φ": "phi",
        "±": "+-",
    }
)


def terminal_width(narrowest: int = NARROWEST) -> int:
    """Return the columns of the terminal, 80 in a pipe; COLUMNS is heeded."""
    return max(shutil.get_terminal_size((80, 24)).columns, narrowest)


def print_text(text: str, file: TextIO | None = None) -> None:
    """Print plain text; on a terminal the two parts of da and the headings get a colour.

    NO_COLOR and pipes give the same characters without colour.  Where the terminal's encoding lacks the equations'
    signs they are written in ASCII.
    """
    stream = file or sys.stdout
    try:
        text.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        text = text.translate(_PLAIN).encode(stream.encoding, "replace").decode(stream.encoding)
    if not _coloured(stream):
        print(text, file=stream)
        return
    print(paint(text), file=stream)


def paint(text: str) -> str:
    """Return the text with ANSI colours: headings bold, the two parts of da in a colour each."""
    text = re.sub(r"^([FB]\d+(?:\.\d)?  .*)$", "\033[1m\\1\033[0m", text, flags=re.MULTILINE)
    text = re.sub(r"\bda_from_output\b", "\033[36mda_from_output\033[39m", text)
    return re.sub(r"\bda_from_future\b", "\033[35mda_from_future\033[39m", text)


@cache
def _coloured(stream: TextIO) -> bool:
    """Ask rich, which knows NO_COLOR, FORCE_COLOR, TERM=dumb, pipes and old Windows consoles."""
    from rich.console import Console

    console = Console(file=stream)
    return console.color_system is not None and not console.no_color
