"""The report of a check as text: a headline, a block a finding, a row a parameter, the patch.

Code is never cut: a long statement is broken at its spaces for the display, and the line to write stands whole, so
that it can be copied.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence

from bptt.checking.report import Dims, Expected, Finding, Note, ParameterRow, Report, gradient_name

_COLOURS = {"wrong": "1;31", "right": "32", "code": "1;36", "mark": "33", "quiet": "2", "strong": "1"}
_LABEL = 12  # where the text of "wanted", "because", "write" begins

_LONGEST = 2000  # characters of a line of the patch that a terminal still shows

Style = Callable[[str, str], str]


def report_text(report: Report, width: int = 80, colour: bool = False) -> str:
    """Return the report as text.

    Parameters
    ----------
    report : Report
    width : int
        Columns; prose is broken there, lines to copy are not.
    colour : bool
        With the terminal's colours.

    Returns
    -------
    str
        Ends with a line break.

    Examples
    --------
    >>> print(report_text(Report("rnn.py", "", "right", "all 5 gradients are right")), end="")
    rnn.py · right · all 5 gradients are right
    """
    style = _coloured if colour else _plain
    width = max(width, 40)
    blocks = [_headline(report, width, style)]
    blocks += [_finding(finding, report, width, style) for finding in report.findings]
    if report.notes:
        blocks.append([line for note in report.notes for line in _note(note, width, style)])
    if report.assumed:
        labels = ["assumed", *[""] * len(report.assumed)]
        pairs = zip(labels, report.assumed, strict=False)
        blocks.append([line for label, text in pairs for line in _labelled(label, text, width, style)])
    if report.parameters:
        blocks.append(_table(report.parameters, report.fix is not None, width, style))
    if report.fix is not None and report.fix.diff:
        blocks.append(_patch(report.fix.diff, style))
    return "\n\n".join("\n".join(line.rstrip() for line in block) for block in blocks) + "\n"


def _plain(_: str, text: str) -> str:
    return text


def _coloured(name: str, text: str) -> str:
    return f"\x1b[{_COLOURS[name]}m{text}\x1b[0m" if text else text


def _headline(report: Report, width: int, style: Style) -> list[str]:
    verdict = report.verdict.replace("cannot-check", "cannot check")
    first, *more = report.reason.split("\n")
    parts = [report.file, verdict, first.rstrip(".") if not more else first]
    if report.fix is not None:
        count = len(report.fix.sizes)
        parts.append(
            f"fix proven (max relative error {report.fix.max_relative_error:.0e} "
            f"at {count} size{'s' if count != 1 else ''}, {report.fix.method})"
        )
    lines = _wrapped(" · ".join(part for part in parts if part), width, "")
    before, dot, after = lines[0].partition(f" · {verdict}")
    mark = "right" if report.verdict == "right" else "wrong"
    lines = [style("strong", before) + dot[:3] + style(mark, dot[3:]) + after, *lines[1:]]
    lines += [f"  {line}" for line in more]
    for condition in report.fix.preconditions if report.fix else ():
        lines += _labelled("holds if", condition, width, style)
    return lines


def _finding(finding: Finding, report: Report, width: int, style: Style) -> list[str]:
    headline, *reasons = [line.strip() for line in finding.message.split("\n") if line.strip()] or ["it is wrong"]
    place = f"line {finding.line}" if finding.cell is None else f"cell {finding.cell + 1}, line {finding.line}"
    lines = _wrapped(f"{' '.join(finding.codes)}  {place}: {headline}", width, "  ")
    codes = " ".join(finding.codes)
    lines[0] = style("wrong", codes) + style("strong", lines[0][len(codes) :])
    lines += _excerpt(finding, width, style)
    if finding.expected is not None:
        wanted = f"{finding.expected.name} {named(finding.expected.dims)}".rstrip()
        if finding.equations:
            wanted += f"   (equation{'s' if len(finding.equations) > 1 else ''} {', '.join(finding.equations)})"
        lines += _labelled("wanted", wanted, width, style)
    if finding.got is not None and finding.got.error and not finding.operands:
        lines += _labelled("got", finding.got.error, width, style)
    elif finding.got is not None and _other_shape(finding.got.dims, finding.expected):
        lines += _labelled("got", named(finding.got.dims or ()), width, style)
    for number, reason in enumerate(reasons):
        lines += _labelled("because" if number == 0 else "and", reason, width, style)
    return lines + _advice(finding, report, width, style)


def _advice(finding: Finding, report: Report, width: int, style: Style) -> list[str]:
    if finding.fix is None:
        text = "no right line could be proven for this statement; the reasons above say what it must compute."
        return _labelled("write", text, width, style)
    if finding.fix.kind == "delete":
        return _labelled("delete", "this statement", width, style)
    label = {"edit": "write", "rewrite": "rewrite", "insert": "add"}[finding.fix.kind]
    first, *more = textwrap.dedent(finding.fix.replacement).split("\n")
    head = f"   {label:<{_LABEL - 3}}"
    lines = [style("code", head) + style("right", first)]
    lines += [" " * _LABEL + style("right", line) for line in more]
    if finding.fix.kind == "rewrite":
        lines += _labelled("", _REWRITTEN, width, style)
    return lines


_REWRITTEN = "(written from the equations in your variables: no small change was enough)"


def _other_shape(dims: Dims | None, expected: Expected | None) -> bool:
    return dims is not None and (expected is None or [n for _, n in dims] != [n for _, n in expected.dims])


def _excerpt(finding: Finding, width: int, style: Style) -> Iterator[str]:
    """Show the statement under its line number, each operand underlined and named."""
    gutter = max(len(str(finding.end_line)), 3)
    room = max(width - gutter - 5, 20)
    operands = list(finding.operands)
    for number, text in enumerate(finding.statement.split("\n")):
        shown = text.strip() if number == 0 else text.rstrip()
        marks, after = [], 0
        while operands:
            found = shown.find(operands[0].text, after)
            if found < 0:
                break
            operand = operands.pop(0)
            marks.append((found, len(operand.text), named(operand.dims)))
            after = found + 1
        start = 0
        for piece in _pieces(shown, room):
            indent = "" if start == 0 else "    "
            label = str(finding.line + number) if start == 0 else ""
            yield f"  {style('quiet', f'{label:>{gutter}} |')} {indent}{piece}"
            for row in underlines(_marks_within(marks, start, start + len(piece), len(indent))):
                yield f"  {' ' * gutter} {style('quiet', '|')} {style('mark', row)}"
            start += len(piece)


Mark = tuple[int, int, str]  # column, length, label


def _marks_within(marks: Sequence[Mark], start: int, stop: int, indent: int) -> list[Mark]:
    """Return the marks that begin in a piece of the line, cut to it."""
    return [
        (column - start + indent, min(length, stop - column), label)
        for column, length, label in marks
        if start <= column < stop
    ]


def _pieces(text: str, room: int) -> Iterator[str]:
    """Break a line of code where it is least nested, so that each piece fits."""
    depths, depth, quoted = [], 0, ""
    for letter in text:
        if letter in "\"'":
            quoted = "" if quoted == letter else quoted or letter
        depth += not quoted and ((letter in "([{") - (letter in ")]}"))
        depths.append(depth + (99 if quoted else 0))
    start = 0
    while len(text) - start > room:
        room_here = room if start == 0 else room - 4
        places = [i + 1 for i in range(start + room_here // 3, start + room_here) if text[i] in " (["]
        stop = min(places, key=lambda i: (depths[i - 1], -i), default=start + room_here)
        yield text[start:stop]
        start = stop
    yield text[start:]


def underlines(marks: Sequence[Mark]) -> list[str]:
    r"""Return the rows under a line of code: carets, and each label right of its carets or below them.

    Parameters
    ----------
    marks : sequence of (column, length, label)
        From left to right.

    Examples
    --------
    >>> print("\n".join(underlines([(0, 3, "(n_y=7, m=2)"), (5, 2, "(n_a=5, m=2)")])))
    ^^^  ^^ (n_a=5, m=2)
    (n_y=7, m=2)
    """
    if not marks:
        return []
    rows = [""]
    below = []
    for number, (column, length, label) in enumerate(marks):
        rows[0] = rows[0].ljust(column)[:column] + "^" * max(length, 1)
        end = column + length + 1
        room = marks[number + 1][0] - end - 1 if number + 1 < len(marks) else len(label)
        if room >= len(label):
            rows[0] = f"{rows[0].ljust(end)}{label}"
        else:
            below.append((column, label))
    for column, label in reversed(below):
        for row in range(1, len(rows) + 1):
            if row == len(rows):
                rows.append("")
            if not rows[row][max(column - 1, 0) : column + len(label) + 1].strip():
                line = rows[row].ljust(column + len(label))
                rows[row] = line[:column] + label + line[column + len(label) :]
                break
    return rows


def _note(note: Note, width: int, style: Style) -> list[str]:
    place = f"line {note.line}: " if note.line is not None else ""
    codes = f"{' '.join(note.codes)} " if note.codes else ""
    return _labelled("note", f"{codes}{place}{note.message}", width, style)


def _table(rows: Sequence[ParameterRow], fixed: bool, width: int, style: Style) -> list[str]:
    names = max([len("gradient"), *(len(gradient_name(row.name)) for row in rows)])
    shapes = max(len(named(row.dims)) for row in rows)
    lines = [
        style("quiet", f"  {'gradient':<{names}}  {'':<{shapes}}  {'relative error':<14}" + "  after the fix" * fixed)
    ]
    for row in rows:
        before = _error(row.relative_error, row.status)
        after = _error(row.fixed_error, "right") if row.fixed_error is not None else ""
        mark = "right" if row.status == "right" else "wrong" if row.status == "wrong" else "mark"
        lines.append(
            f"  {gradient_name(row.name):<{names}}  {named(row.dims):<{shapes}}  "
            f"{style(mark, f'{before:<14}')}  {after:<13}  {style(mark, row.status)}"
        )
    return lines


def _error(error: float | None, status: str) -> str:
    if error is None:
        return {"wrong": "no number"}.get(status, "-")
    return "0" if error == 0 else f"{error:.1e}"


def _patch(diff: str, style: Style) -> list[str]:
    if max(map(len, diff.split("\n"))) > _LONGEST:
        return ["The patch changes one very long line (a notebook without line breaks): --diff prints it."]
    mark = {"+": "right", "-": "wrong", "@": "code"}
    return [style(mark[line[0]], line) if line[:1] in mark else line for line in diff.rstrip("\n").split("\n")]


def named(dims: Dims) -> str:
    """Write dimensions as every message does: ``(n_a=5, m=2)``."""
    return "(" + ", ".join(str(size) if name in ("", "1", str(size)) else f"{name}={size}" for name, size in dims) + ")"


def _labelled(label: str, text: str, width: int, style: Style) -> list[str]:
    lines = _wrapped(text, width - _LABEL, "") or [""]
    first = style("code", f"   {label:<{_LABEL - 3}}") + lines[0]
    return [first, *(" " * _LABEL + line for line in lines[1:])]


def _wrapped(text: str, width: int, hanging: str) -> list[str]:
    return textwrap.wrap(
        text, max(width, 20), subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False
    )
