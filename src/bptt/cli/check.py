"""``bptt check``: somebody's own backward pass, its wrong lines, why, and the proven fix."""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

if TYPE_CHECKING:
    from bptt.checking.loading.sources import Source
    from bptt.checking.report import Report

EXIT = {"right": 0, "wrong": 1, "cannot-check": 2}


def check(
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE|-|FILE::Name]",
            help="A .py file, a notebook, a text with pasted code, - for standard input, or FILE::Name where the "
            "file holds several.  Without it: an example of somebody who is stuck.",
            show_default=False,
        ),
    ] = None,
    case: Annotated[
        str | None,
        typer.Option(metavar="ADAPTER", help="A file with bptt_case(module, sizes, seed); see docs/check.md."),
    ] = None,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="End the program after that time.")] = 60.0,
    memory: Annotated[int, typer.Option(metavar="MIB", help="The memory that the program may use.")] = 2048,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the random values: same file and seed, same report.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Print only the patch, for `patch -p0`.")] = False,
    fix: Annotated[
        bool,
        typer.Option(
            "--fix",
            help="Write the proven fix: into the .py or the notebook (FILE.orig keeps the original), to "
            "NAME.fixed.py for a pasted text, to standard output for standard input.",
        ),
    ] = False,
    html: Annotated[str | None, typer.Option(metavar="FILE", help="Write the report as a page that explains.")] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print the page on a code: --explain T2.  Without a code: all of them.")
    ] = False,
) -> int:
    """Find every wrong line of a hand-written backward pass, say why, and prove the fix.

    The truth is the numeric gradient of your own cost through your own forward pass.

    Your code is EXECUTED, in a process of its own with limits on time, memory and output, in a folder of its own, and
    without network where the kernel allows it.  The limits are against accidents, not against malice: do not
    check code that you would not run.
    """
    if explain:
        from bptt.checking.codes import explanation, overview

        print(overview() if target is None else explanation(target), end="")
        return 0
    from bptt.checking.call import check_source, seed_checked
    from bptt.checking.running.sandbox import Limits
    from bptt.errors import ValueRangeError, message

    if as_json and diff:
        raise ValueRangeError(message("bptt check", "--json and --diff both want standard output; give one of them."))
    limits = Limits(timeout, memory)
    seed_checked(seed)
    source, name = _read(target)
    adapter = _adapter(case)
    streaming = fix and source.path is None
    if streaming and (as_json or diff):
        raise ValueRangeError(
            message("bptt check", "--fix writes this fix to standard output: give no --json or --diff.")
        )
    report = check_source(source, adapter=adapter, name=name, limits=limits, seed=seed)
    if as_json:
        print(json.dumps(report.to_json(), ensure_ascii=False, allow_nan=False, indent=2))
    elif diff:
        _print_diff(report)
    else:
        _print_report(report, sys.stderr if streaming else sys.stdout)
    if html is not None:
        _write_page(report, html)
    if fix:
        _write_fix(source, report, streaming)
    return EXIT[report.verdict]


def _read(target: str | None) -> tuple[Source, str | None]:
    from bptt.checking.loading.objects import split_name
    from bptt.checking.loading.sources import Source, read_file, read_stream

    if target is None:
        from importlib.resources import files

        print(
            "No FILE was given: this is somebody's question, with our answer.  Yours: bptt check FILE\n",
            file=sys.stderr,
        )
        return Source("example.txt", files("bptt.checking").joinpath("example.txt").read_text("utf-8")), None
    if target == "-":
        if sys.stdin is None or sys.stdin.isatty():
            print("Paste the code, then end it with Ctrl-D on a line of its own.", file=sys.stderr)
        return read_stream(sys.stdin.buffer), None
    file, name = split_name(target)
    return read_file(file), name


def _adapter(case: str | None) -> str | None:
    from bptt.checking.loading.sources import read_file

    return None if case is None else read_file(case, "bptt check --case").text


def _print_report(report: Report, stream: TextIO) -> None:
    from bptt.render.report_text import report_text

    colour = not os.environ.get("NO_COLOR") and (
        (stream.isatty() and os.environ.get("TERM") != "dumb") or os.environ.get("FORCE_COLOR", "0") not in ("", "0")
    )
    width = shutil.get_terminal_size((80, 24)).columns
    print(report_text(report, min(width, 120), colour), end="", file=stream)


def _print_diff(report: Report) -> None:
    if report.fix is not None:
        print(report.fix.diff, end="")
    elif report.verdict != "right":
        print(f"{report.file}: no patch: {report.reason}", file=sys.stderr)


def _write_page(report: Report, file: str) -> None:
    """Write the page whose level "Your code" is this report, beside the calculations of the embedded example."""
    from bptt.cli.explained import explanation
    from bptt.render.html import page, write_page

    trace, _ = explanation(None, None, False, None, "sum")
    write_page(file, page(trace, report.to_json(), title=report.file))
    print(f"{file}: open it in a browser.  It needs no network.", file=sys.stderr)


def _emit(source: Source, text: str) -> None:
    """Write code to standard output in the encoding that it came in."""
    sys.stdout.flush()
    sys.stdout.buffer.write(source.encode(text))
    sys.stdout.buffer.flush()


def _write_fix(source: Source, report: Report, streaming: bool) -> None:
    from bptt.checking import fixes

    if report.fix is None:
        if streaming:
            _emit(source, source.text)
        what = "nothing to fix" if report.verdict == "right" else "no fix could be proven, and nothing was written"
        print(f"{source.file}: {what}.", file=sys.stderr)
        return
    new = fixes.fixed_text(source.text, report.fix.diff)
    pasted = not (source.file.endswith((".py", ".pyw", ".ipynb")) or fixes.is_code(source.text))
    if pasted:
        from bptt.checking.runnable import runnable_code

        new = runnable_code(new)
    if source.path is None:
        _emit(source, new)
    elif pasted or source.path.suffix not in (".py", ".pyw", ".ipynb"):
        path = fixes.write_beside(source, new)
        print(f"{source.file}: the fixed code is in {path.name}.", file=sys.stderr)
    else:
        kept = fixes.write_in_place(source, new)
        print(f"{source.file}: fixed; the original is {kept.name}.", file=sys.stderr)
