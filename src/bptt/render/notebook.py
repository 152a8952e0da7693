"""The explanation in a notebook: static HTML that survives GitHub and nbviewer, and the live page in a frame.

The static form has no script and no style of its own; it is tables and text.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from bptt.dims import Array
from bptt.explaining.equations import Equation
from bptt.explaining.step import Step
from bptt.explaining.trace import Trace
from bptt.expressions import symbol
from bptt.notation import html, shape_line
from bptt.render.explain_text import operand_rows, step_sizes
from bptt.render.matrix_text import matrix_cells
from bptt.render.overview_text import sizes_lines, start


@dataclass(frozen=True, repr=False)
class Frame:
    """The page, in a frame that may run its own script and nothing else: no storage, no request, no notebook."""

    page: str
    height: int

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{escape(self.page)}" sandbox="allow-scripts" width="100%" height="{self.height:d}" '
            'title="bptt explain: every calculation, step by step"></iframe>'
        )

    def __repr__(self) -> str:
        """Return what the frame is; the page itself is too long to print."""
        return f"Frame(page of {len(self.page) / 1024:.0f} KB, height={self.height})"


def frame(trace: Trace, height: int) -> Frame:
    """Return the live page of a trace, to be shown by a notebook."""
    from bptt.render.html import page

    return Frame(page(trace), height)


def trace_html(trace: Trace) -> str:
    """Return the sizes, the table of equations and the step that is asked about most, without script."""
    t = start(trace)
    rows = "".join(_equation_row(row) for row in trace.equations)
    head = "<tr><th>id</th><th>equation</th><th>shapes</th><th>NumPy</th><th>why</th></tr>"
    return (
        f"<div><p><b>bptt explain</b>: {escape(' '.join(sizes_lines(trace)))}</p>"
        f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"
        f"{step_html(trace.step('B4', t))}{step_html(trace.step('B5', t))}"
        f'<p>One step: <code>trace["B5", {t}]</code>; one number: <code>trace["B5", {t}].cell(0, 1)</code>; '
        "the live page: <code>trace.frame()</code>.</p></div>"
    )


def step_html(step: Step) -> str:
    """Return one step: equation, shapes, why, code line and numbers, without script."""
    code = step.code
    line = "" if code is None else f"<p>Code: {code.file} line {code.line}: <code>{escape(code.text)}</code></p>"
    names, matrices = [], []
    for sign, name, array in operand_rows(step):
        names.append(f"<th>{escape(f'{sign} {name}'.strip())}</th>")
        matrices.append(f"<td>{_matrix(array)}</td>")
    return (
        f"<div><p><b>{step.id}</b> {escape(step.title)} (t = {step.t}, {step.phase})</p>"
        f"<p>{_equation(step.equation)}<br>"
        f"<code>{escape(shape_line(step.equation.expression, step_sizes(step)))}</code></p>"
        f"<p>{escape(step.why)}</p>{line}"
        f"<table><tr>{''.join(names)}</tr><tr>{''.join(matrices)}</tr></table></div>"
    )


def _equation_row(row: Equation) -> str:
    shapes, numpy = escape(shape_line(row.expression)), escape(str(row.to_json()["numpy"]))
    return (
        f'<tr><td>{row.id}</td><td align="left" nowrap>{_equation(row)}</td><td align="left"><code>{shapes}</code></td>'
        f'<td align="left"><code>{numpy}</code></td><td align="left">{escape(row.why)}</td></tr>'
    )


def _equation(row: Equation) -> str:
    later = " (for t-1)" if row.id == "B10" else ""
    return f"{html(symbol(row.target))}{later} {row.sign} {html(row.expression)}"


def _matrix(array: Array) -> str:
    cell = '<td align="right">{}</td>'.format
    lines = "".join(f"<tr>{''.join(cell(text) for text in line)}</tr>" for line in matrix_cells(array))
    return f"<table>{lines}</table>"
