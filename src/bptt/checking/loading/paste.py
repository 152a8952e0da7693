"""Text as people paste it, turned into Python: prose, fences, prompts, tabs, Python 2, lost indentation.

Every step keeps the lines: line 27 of the code is line 27 of the text, and what is no code becomes an empty line.
"""

from __future__ import annotations

import ast
import itertools
import re
import textwrap
from collections.abc import Callable, Iterator

from bptt.checking.loading.indent import restore_indentation
from bptt.checking.loading.python2 import modernise
from bptt.checking.program import LineOrigin

FENCE = re.compile(r"^\s*(```|~~~)")
PROMPT = re.compile(r"^\s*(>>>|\.\.\.|In \[\d*\]:|\s{0,4}\.\.\.:)( |$)")
SPACES = str.maketrans({"\u00a0": " ", "\u2003": " ", "\u3000": " ", "\u200b": "", "\ufeff": ""})
QUOTES = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2212": "-", "\u2013": "-"})


def read_code(text: str) -> tuple[str, tuple[LineOrigin, ...], tuple[str, ...]]:
    """Find the Python in a text.

    Returns
    -------
    code : str
        Parses; as many lines as the text.
    origins : tuple of LineOrigin
    assumed : tuple of str
        What was done to the text, each a sentence.

    Raises
    ------
    SyntaxError
        Where no reading of the text is Python; it is that of the likeliest reading.
    """
    raw = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    first_error: SyntaxError | None = None
    for lines, said in _readings(raw):
        for candidate, more in _indentations(lines):
            try:
                ast.parse("\n".join(candidate) + "\n")
            except (SyntaxError, ValueError) as error:
                if first_error is None and isinstance(error, SyntaxError):
                    first_error = error
                continue
            if any(_is_code(line) for line in candidate):
                return "\n".join(candidate) + "\n", _origins(raw, candidate), (*said, *more)
    raise first_error or SyntaxError("no Python code in the text")


def _readings(raw: list[str]) -> Iterator[tuple[list[str], tuple[str, ...]]]:
    """Yield which lines are code, by each way of telling, the plainest first."""
    plain = [line.translate(SPACES) for line in raw]
    ways: list[Callable[[list[str]], list[str]]] = [list]
    if any(FENCE.match(line) for line in plain):
        ways.append(_fenced)
    if sum(bool(PROMPT.match(line)) for line in plain) >= 2:
        ways.append(_prompted)
    if sum(bool(line.startswith(("    ", "\t"))) for line in plain) >= 3 and not _begins_at_the_margin(plain):
        ways.append(_indented)
    quoted = [line.translate(QUOTES) for line in plain]
    said = ("The typographic quotes and dashes of the pasted text are read as plain ones.",)
    for lines, more in ((plain, ()), (quoted, said)) if quoted != plain else ((plain, ()),):
        for way in ways:
            yield way(lines), more
        for way in reversed(ways):
            yield _without_prose(way(lines)), more


def _indentations(lines: list[str]) -> list[tuple[list[str], tuple[str, ...]]]:
    """Return the lines as they stand, dedented, with tabs expanded, modernised, and with indentation restored."""
    found: list[tuple[list[str], tuple[str, ...]]] = []
    for candidate in (lines, _dedent(lines), [x.expandtabs(8) for x in lines], [x.expandtabs(4) for x in lines]):
        if candidate not in (c for c, _ in found):
            found.append((candidate, ()))
        modern, said = modernise(candidate)
        if modern != candidate:
            found.append((modern, said))
    body = [x for x in lines if x.strip() and not x.strip().startswith("#")]
    flat = [x.expandtabs(4) for x in lines]
    if body and _lost(body):
        modern, said = modernise([x.strip() for x in flat])
        restored = restore_indentation(modern)
        if restored is not None:
            found.append((restored, (*said, "The indentation was lost and is restored by the likeliest reading.")))
    return found


def _lost(body: list[str]) -> bool:
    """Tell whether a line that opens a block is followed by one that is not deeper."""
    return any(
        re.match(r"\s*(def|for|while|if|class|else|elif|try|with)\b.*:\s*(#.*)?$", a) and _indent(b) <= _indent(a)
        for a, b in itertools.pairwise(body)
    )


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _fenced(lines: list[str]) -> list[str]:
    out, inside = [], False
    for line in lines:
        if FENCE.match(line):
            # "``` code" on the fence's own line is rare; a language name is not code
            inside = not inside
            out.append("")
        else:
            out.append(line if inside else "")
    return out


def _prompted(lines: list[str]) -> list[str]:
    out = []
    for line in lines:
        match = PROMPT.match(line)
        out.append(line[match.end() :] if match else "")
    return out


def _indented(lines: list[str]) -> list[str]:
    """Return only what is indented by four or a tab, as old markdown marks code."""
    return _dedent([line if line.startswith(("    ", "\t")) else "" for line in lines])


def _begins_at_the_margin(lines: list[str]) -> bool:
    """Tell whether what is indented belongs to headers that are not: the code itself is not indented then."""
    headers = re.compile(r"(class|def|for|while|if|with)\b.*:\s*(#.*)?$")
    filled = [line for line in lines if line.strip()]
    return any(headers.match(a) and _indent(b) > 0 and _is_code(a) for a, b in itertools.pairwise(filled))


def _dedent(lines: list[str]) -> list[str]:
    return textwrap.dedent("\n".join(lines)).split("\n")


def _without_prose(lines: list[str]) -> list[str]:
    """Empty every line that cannot be Python, alone or with the lines that its brackets span."""
    out = [""] * len(lines)
    i = 0
    while i < len(lines):
        span = _code_span(lines, i)
        for j in range(i, i + span):
            out[j] = lines[j]
        i += max(span, 1)
    return out


def _code_span(lines: list[str], start: int) -> int:
    """Return how many lines from ``start`` are one statement of code; 0 for prose."""
    first = lines[start].strip()
    if not first:
        return 1
    if first.startswith("#"):
        return 1
    for count in range(1, min(40, len(lines) - start) + 1):
        text = textwrap.dedent("\n".join([first, *lines[start + 1 : start + count]]))
        if _is_code(text):
            return count
        if count == 1 and not re.search(r"[(\[{\\]|\"\"\"|'''", first):
            return 0
    return 0


def _is_code(text: str) -> bool:
    """Tell whether a statement (a header counts with its body left out) is Python that does something."""
    stripped = text.strip()
    if not stripped or stripped.startswith("#"):
        return False
    if re.match(r"(else|try|finally|except[^:]*)\s*:\s*(#.*)?$", stripped):
        return True
    modern = "\n".join(modernise(stripped.split("\n"))[0])
    for body in (modern, modern + " pass", modern[2:] + " pass" if modern.startswith("elif") else modern):
        try:
            tree = ast.parse("async def f():\n while 1:\n" + textwrap.indent(body, "  "))
        except (SyntaxError, ValueError):
            continue
        loop = tree.body[0].body[0]  # type: ignore[attr-defined]
        return not all(isinstance(s, ast.Expr) and not isinstance(s.value, ast.Call | ast.Constant) for s in loop.body)
    return stripped.startswith("@")


def _origins(raw: list[str], code: list[str]) -> tuple[LineOrigin, ...]:
    origins = []
    for number, (before, after) in enumerate(zip(raw, code, strict=True), 1):
        body = after.strip()
        at = before.find(body.split()[0]) if body else -1
        shift = _indent(after) - (at if at >= 0 else _indent(before))
        origins.append(LineOrigin(None, number, shift if body else 0))
    return tuple(origins)
