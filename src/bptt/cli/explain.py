"""``bptt explain``: every calculation of one forward and one backward pass."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from bptt.explaining.step import Step
    from bptt.explaining.trace import Trace


def explain(
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="[MODEL | ARRAYS.npz]",
            help="A trained model (.safetensors; give --prime), or an npz file with X, Y, W_aa, W_ax, W_ya, b_a, b_y "
            "and, if you like, a0.  Without it: an embedded example.",
            show_default=False,
        ),
    ] = None,
    prime: Annotated[
        str | None, typer.Option(metavar="TEXT", help="The text that a model reads: each character predicts the next.")
    ] = None,
    by_hand: Annotated[bool, typer.Option("--by-hand", help="The embedded example small enough for a pencil.")] = False,
    t: Annotated[
        str | None,
        typer.Option("--t", metavar="N|all", help="The time step, from 0; negative ones count from the end."),
    ] = None,
    step: Annotated[
        str | None, typer.Option(metavar="ID", help="One equation, F1 to F5, B1 to B11, B1.1 to B1.5, or some: B4,B5.")
    ] = None,
    phase: Annotated[
        Literal["forward", "backward", "detail"] | None,
        typer.Option(help="All equations of one pass; detail: why y_pred - y."),
    ] = None,
    cell: Annotated[
        str | None, typer.Option(metavar="I,J", help="One number of a step's result, written out term by term.")
    ] = None,
    through_time: Annotated[
        bool, typer.Option("--through-time", help="What each loss says about each step, and why gradients vanish.")
    ] = False,
    activation: Annotated[
        Literal["tanh", "relu"] | None, typer.Option(help="Of the cell; a model knows its own.", show_default="tanh")
    ] = None,
    reduction: Annotated[
        Literal["sum", "mean"], typer.Option(help="J as the sum over steps and examples, or as the mean.")
    ] = "sum",
    json_: Annotated[bool, typer.Option("--json", help="One JSON object with all numbers.")] = False,
    html: Annotated[str | None, typer.Option(metavar="FILE", help="Write the explanation as one web page.")] = None,
    report: Annotated[
        str | None, typer.Option(metavar="FILE", help="For the page: what bptt check --json wrote about your own code.")
    ] = None,
) -> int:
    """Explain every calculation of a forward and a backward pass: equation, shapes, numbers, code line, and why.

    Without an argument it explains an embedded example; start there.
    """
    from bptt.cli.app import ExitCode
    from bptt.cli.explained import explanation, printable, read_report

    checked = None if report is None else read_report(report, html)
    trace, title = explanation(file, prime, by_hand, activation, reduction)
    place = None if cell is None else _cell(cell)
    if html is not None:
        from bptt.render.html import page, write_page
        from bptt.render.terminal import print_text

        write_page(html, page(trace, checked, title))
        done = f"{printable(html)}: open it in a browser.  It needs no network."
        print_text(done, sys.stderr if json_ else sys.stdout)
        if not json_ and (t, step, phase, cell, through_time) == (None, None, None, None, False):
            return ExitCode.OK
    if json_:
        import json

        from bptt.render.explain_json import explanation_json

        filtered = not (t is None and step is None and phase is None)
        steps = _chosen(trace, "all" if t is None else t, step, phase) if filtered else iter(trace)
        print(json.dumps(explanation_json(trace, steps, place), allow_nan=False))
        return ExitCode.OK
    _print(_text(trace, title, t, step, phase, place, through_time))
    return ExitCode.OK


def _text(
    trace: Trace,
    title: str,
    t: str | None,
    step: str | None,
    phase: str | None,
    cell: tuple[int, ...] | None,
    through_time: bool,
) -> Iterator[str]:
    from bptt.render import overview_text
    from bptt.render.explain_text import block, cell_text
    from bptt.render.terminal import terminal_width

    width = terminal_width()
    if through_time:
        yield overview_text.through_time(trace)
    if through_time and (t, step, phase, cell) == (None, None, None, None):
        return
    if (t, step, phase, cell) == (None, None, None, None):
        yield overview_text.overview(trace, title, width)
        return
    when = str(overview_text.start(trace)) if t is None else t
    if cell is not None and (t, step, phase) == (None, None, None):
        step = "B4,B5"  # the asker's step, as on the first page
    for chosen in _chosen(trace, when, step, phase):
        if cell is None:
            yield block(chosen, width)
        elif step is not None or chosen.has_cell(*cell):  # of a whole pass, those steps that have such a number
            yield cell_text(chosen, chosen.cell(*cell), width)
    if t is None and trace.sizes["T_x"] > 1:
        yield f"(t = {when}; --t 0 to --t {trace.sizes['T_x'] - 1} for another step, --t all for all of them)"


def _chosen(trace: Trace, t: str, step: str | None, phase: str | None) -> Iterator[Step]:
    """Yield the steps in the order of execution."""
    from bptt.errors import ValueRangeError, message

    T_x = trace.sizes["T_x"]
    try:
        times = range(T_x) if t == "all" else [int(t)]
    except ValueError:
        shown = t if len(t) < 20 else f"{t[:20]}…"
        wrong = f"--t is {shown!r}; a step from 0 to {T_x - 1}, or all, is wanted."
        raise ValueRangeError(message("explain", wrong)) from None
    if step is not None:
        ids = [part.strip().upper() for part in step.split(",")]
        forward = [(id, k) for k in times for id in ids if id.startswith("F")]
        backward = [(id, k) for k in reversed(times) for id in ids if not id.startswith("F")]
        yield from (trace.step(id, k) for id, k in (*forward, *backward))
        return
    if phase == "detail":
        for k in times:
            yield from trace.detail(trace.step("B1", k).t)
        return
    if t == "all":
        yield from (found for found in trace if phase in (None, found.phase))
        return
    yield from (trace.step(row.id, times[0]) for row in trace.equations if phase in (None, row.phase))


def _cell(text: str) -> tuple[int, ...]:
    from bptt.errors import ValueRangeError, message

    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        wrong = f"--cell is {text!r}; row and column are wanted, for example --cell 0,1."
        raise ValueRangeError(message("explain", wrong)) from None


def _print(blocks: Iterator[str]) -> None:
    from bptt.render.terminal import print_text

    for n, text in enumerate(blocks):
        print_text(("\n" if n else "") + text)
