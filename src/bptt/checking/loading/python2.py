"""Python 2 as it is still pasted: print statements, xrange, backticks gone, ``except E, e``; line for line."""

from __future__ import annotations

import re

PRINT = re.compile(
    r"^(?P<before>\s*(?:.*?[:;]\s*)?)print\b(?!\s*\()(?!\s*=)\s*(?P<rest>[^#]*?)(?P<comment>\s*(?:#.*)?)$"
)
EXCEPT = re.compile(r"^(\s*except\s+[\w.]+)\s*,\s*(\w+)\s*:")
RAISE = re.compile(r"^(\s*raise\s+[\w.]+)\s*,\s*(.+)$")


def modernise(lines: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """Return the lines as Python 3, and what was said about it (nothing where nothing changed).

    ``xrange``, ``raw_input`` and ``unicode`` stay: the namespace defines them.
    """
    out = []
    open_print = False
    for line in lines:
        new = line
        match = PRINT.match(line)
        if match and _is_statement(match["before"]):
            rest = match["rest"].rstrip()
            rest = re.sub(r"^>>\s*[\w.]+\s*,?", "", rest).rstrip(",").strip()
            if rest.endswith("\\"):
                new, open_print = f"{match['before']}print({rest[:-1]}", True
            elif rest.count("(") > rest.count(")"):
                new = line  # spans lines: left as it is
            else:
                new = f"{match['before']}print({rest}){match['comment']}"
        elif open_print:
            new, open_print = (line.rstrip()[:-1], True) if line.rstrip().endswith("\\") else (line + ")", False)
        else:
            new = EXCEPT.sub(r"\1 as \2:", new)
            new = RAISE.sub(r"\1(\2)", new)
        out.append(new)
    if out == lines:
        return lines, ()
    return out, ("The text is Python 2; its print statements are read as calls.",)


def _is_statement(before: str) -> bool:
    """Tell whether ``print`` stands where a statement begins."""
    head = before.strip()
    return head == "" or (head.endswith((":", ";")) and head.count("(") == head.count(")") and "#" not in head)
