"""The report as text: what a person reads in a terminal, a pipe and a notebook."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bptt.checking.report import Expected, Finding, Fix, Got, Note, Operand, ParameterRow, Replacement, Report
from bptt.render.report_html import report_html
from bptt.render.report_text import report_text, underlines

STATEMENT = (
    "da_prev = np.dot(self.cache['dY_pred'][:, :, t], np.dot(self.parameters['W_ya'].T, "
    "softmax_backward(np.dot(self.parameters['W_ya'], self.cache['A'][:, :, t]) + self.parameters['b_y']))) + da_next"
)
WRITE = (
    "da_prev = np.dot(self.parameters['W_ya'].T, self.cache['Y_pred'][:, :, t] - self.cache['Y'][:, :, t]) + da_next"
)
REPORT = Report(
    "question.txt",
    "",
    "wrong",
    "7 of 9 statements of rnn_backward are wrong",
    notes=(Note(("FWD",), 5, "the last step is never run."),),
    parameters=(
        ParameterRow("W_aa", (("n_a", 5), ("n_a", 5)), 1.23, "wrong", fixed_error=3e-16),
        ParameterRow("b_y", (("n_y", 7), ("1", 1)), None, "not computed", fixed_error=0.0),
        ParameterRow("W_ya", (("n_y", 7), ("n_a", 5)), 2e-11, "right", [[1.0]], [[1.0]], 2e-16),
    ),
    findings=(
        Finding(
            ("M1", "S1"),
            27,
            27,
            STATEMENT,
            "da_prev is not dJ/da\nnp.dot sums m=2 of the left against n_a=5 of the right\n"
            "softmax_backward is a diagonal",
            Expected("da", (("n_a", 5), ("m", 2))),
            Got(error="ValueError: shapes (7,2) and (5,2) not aligned"),
            ("B4", "B5"),
            Replacement(WRITE, "edit"),
            operands=(
                Operand("self.cache['dY_pred'][:, :, t]", (("n_y", 7), ("m", 2))),
                Operand("da_next", (("n_a", 5), ("m", 2))),
            ),
        ),
        Finding(("W1",), 3, 4, "dba = (\n    dz)", "dba has no term", got=Got((("m", 2),)), cell=1),
        Finding(("R1",), 9, 9, "for t in x:", "never updated", fix=Replacement("    a = 1\n    b = 2", "insert")),
        Finding(("U1",), 10, 10, "W -= dW", "the weights change", fix=Replacement("", "delete")),
        Finding(
            ("X",),
            11,
            11,
            "x = y",
            "it is not dJ/dx",
            got=Got(error="KeyError: 'Wya'"),
            fix=Replacement("x = z", "rewrite"),
        ),
    ),
    fix=Fix(True, "--- f\n+++ f\n@@ -1 +1 @@\n-a\n+b\n", 2e-15, "complex step", ({"n_x": 3},) * 6, ("Y sums to 1",)),
    assumed=("`softmax(z)` is not shown; the usual one is assumed.", "`np` is NumPy."),
)


def test_the_whole_report_of_a_finding() -> None:
    text = report_text(REPORT, 100)
    assert text.startswith(
        "question.txt · wrong · 7 of 9 statements of rnn_backward are wrong · fix proven (max relative error\n"
        "2e-15 at 6 sizes, complex step)\n"
        "   holds if Y sums to 1\n\n"
        "M1 S1  line 27: da_prev is not dJ/da\n"
        "   27 | da_prev = np.dot(self.cache['dY_pred'][:, :, t],"
    )
    for part in (
        "   wanted   da (n_a=5, m=2)   (equations B4, B5)\n",
        "   got      KeyError: 'Wya'\n",
        "   because  np.dot sums m=2 of the left against n_a=5 of the right\n",
        "   and      softmax_backward is a diagonal\n",
        f"   write    {WRITE}\n",
        "W1  cell 2, line 3: dba has no term\n    3 | dba = (\n    4 |     dz)\n   got      (m=2)\n",
        "   write    no right line could be proven",
        "   add      a = 1\n            b = 2\n",
        "   delete   this statement\n",
        "   rewrite  x = z\n            (written from the equations",
        "   note     FWD line 5: the last step is never run.\n",
        "   assumed  `softmax(z)` is not shown; the usual one is assumed.\n            `np` is NumPy.\n",
        "  dW_aa     (n_a=5, n_a=5)  1.2e+00         3.0e-16        wrong\n",
        "  db_y      (n_y=7, 1)      -               0              not computed\n",
        "\n\n--- f\n+++ f\n@@ -1 +1 @@\n-a\n+b\n",
    ):
        assert part in text
    assert "not aligned" not in text  # the operands' named dimensions say it better


def test_carets_stand_under_their_operand_and_carry_its_dimensions() -> None:
    lines = report_text(REPORT, 100).split("\n")
    code = next(n for n, line in enumerate(lines) if "da_prev = np.dot(" in line)
    start = lines[code].index("self.cache['dY_pred'][:, :, t]")
    assert lines[code + 1][start:] == "^" * len("self.cache['dY_pred'][:, :, t]") + " (n_y=7, m=2)"
    last = next(n for n, line in enumerate(lines) if line.endswith("+ da_next") and "|" in line)
    assert lines[last + 1][lines[last].index("da_next") :] == "^^^^^^^ (n_a=5, m=2)"


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_prose_and_code_keep_to_the_width_and_nothing_is_lost(width: int) -> None:
    text = report_text(REPORT, width)
    kept_whole = ("write", "delete", "add", "rewrite", "-", "+", "@", "d", "gradient")
    for line in text.split("\n"):
        if not line.strip().startswith(kept_whole) and "^" not in line and "(n_" not in line:
            assert len(line) <= width, line
    shown = "".join(m[1] for m in re.finditer(r"^ *(?:27)? +\| ( *[^ ^(].*)$", text, re.M))
    assert STATEMENT.replace(" ", "") in shown.replace(" ", "")
    assert WRITE in text


def test_colour_changes_nothing_but_colour() -> None:
    coloured = report_text(REPORT, 100, colour=True)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == report_text(REPORT, 100)
    assert "\x1b[" not in str(REPORT)


def test_a_notebook_shows_the_same_text_escaped() -> None:
    shown = report_html(Report("<cell>", "", "wrong", "a < b", findings=(REPORT.findings[1],)))
    assert "&lt;cell&gt;" in shown
    assert "\x1b" not in shown
    assert "<script" not in shown
    assert REPORT._repr_html_().startswith("<pre")
    import html

    assert html.unescape(re.sub(r"</?(pre|span)[^>]*>", "", REPORT._repr_html_())) == report_text(REPORT, 110)


def test_cannot_check_says_why_over_several_lines() -> None:
    text = report_text(Report("a.py", "", "cannot-check", "no cost was found.\nwrite this:\n    def bptt_case(...)"))
    assert text == "a.py · cannot check · no cost was found.\n  write this:\n      def bptt_case(...)\n"


def test_the_report_survives_its_json() -> None:
    data = json.loads(json.dumps(REPORT.to_json(), allow_nan=False))
    assert data["schema"] == 1
    assert Report.from_json(data) == REPORT


@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.integers(1, 20), st.sampled_from(["(n_a=5, m=2)", "(m=2)", ""])), max_size=6
    )
)
def test_underlines_never_cover_each_other(gaps: list[tuple[int, int, str]]) -> None:
    marks, at = [], 0
    for gap, length, label in gaps:
        marks.append((at + gap, length, label))
        at += gap + length
    rows = underlines(marks)
    carets = rows[0] if rows else ""
    for column, length, label in marks:
        assert carets[column : column + length] == "^" * length
        assert any(label in row for row in rows)
    assert sum(row.count(text) for row in rows for text in ("(n_a=5, m=2)",)) == sum(
        label == "(n_a=5, m=2)" for _, _, label in marks
    )
