"""The report of a check in a notebook's cell: the same text, in the cell's own fonts and colours."""

from __future__ import annotations

import html
import re

from bptt.checking.report import Report
from bptt.render.report_text import report_text

_STYLES = {
    "1;31": "color:#c62828;font-weight:600",
    "32": "color:#2e7d32",
    "1;36": "color:#00707f;font-weight:600",
    "33": "color:#9a6700",
    "2": "opacity:.65",
    "1": "font-weight:600",
}
_MARKED = re.compile(r"\x1b\[([\d;]+)m(.*?)\x1b\[0m", re.S)


def report_html(report: Report, width: int = 110) -> str:
    """Return the report as one ``<pre>`` block; it needs no style sheet and no script.

    Parameters
    ----------
    report : Report
    width : int
        Columns.

    Examples
    --------
    >>> report_html(Report("rnn.py", "", "right", "all 5 gradients are right"))[:4]
    '<pre'
    """
    text = html.escape(report_text(report, width, colour=True), quote=False)
    body = _MARKED.sub(lambda m: f'<span style="{_STYLES[m[1]]}">{m[2]}</span>', text)
    return f'<pre style="line-height:1.35;white-space:pre;overflow-x:auto">{body}</pre>'
