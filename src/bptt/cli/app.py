"""The command ``bptt``: it dispatches to the verbs and turns what they raise into messages and exit codes.

A verb is a plain function in a module of its own, with its options as annotated parameters; it imports what it
needs when it runs, so that ``bptt --help`` starts at once, and it returns an exit code.
"""

from __future__ import annotations

import functools
import io
import sys
from collections.abc import Callable
from enum import IntEnum
from typing import Annotated, Any

import typer

from bptt.errors import BpttError


class ExitCode(IntEnum):
    """What every command ends with."""

    OK = 0
    WRONG = 1
    USAGE = 2
    OUR_FAULT = 3
    INTERRUPTED = 130


EXIT_CODES = (
    "Exit codes: 0 right or done, 1 wrong (check), 2 bad input or cannot check, 3 our own fault, 130 interrupted."
)

app = typer.Typer(
    name="bptt",
    help="Backpropagation through time that you can see, check and trust.",
    epilog=EXIT_CODES,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def run_verb(verb: Callable[..., int], *args: Any, **kwargs: Any) -> int:
    """Run a verb; turn expected errors, Ctrl-C and our own bugs into a message and an exit code."""
    try:
        return verb(*args, **kwargs)
    except BpttError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return ExitCode.USAGE
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()  # the reader has gone (bptt ... | head): nobody is left to tell
        return ExitCode.OK
    except Exception as error:
        if "BPTT_DEBUG" in __import__("os").environ:
            raise
        print(
            f"bptt {verb.__name__}: our own fault ({type(error).__name__}: {error}).\n"
            "  Nothing of yours is to blame.  Set BPTT_DEBUG=1 and run it again for the full traceback,\n"
            "  and please report it with the command that you ran.",
            file=sys.stderr,
        )
        return ExitCode.OUR_FAULT


def add(verb: Callable[..., int]) -> None:
    """Register a verb under its function's name."""

    @functools.wraps(verb)
    def command(*args: Any, **kwargs: Any) -> None:
        raise typer.Exit(run_verb(verb, *args, **kwargs))

    app.command(epilog=EXIT_CODES)(command)


def show_version(wanted: bool) -> None:
    """Print the version and end."""
    if wanted:
        from bptt import __version__

        print(f"bptt {__version__}")
        raise typer.Exit()


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Take the options of the command itself."""


# The verbs need ExitCode from above; their own imports are few, what they work with is imported when they run.
from bptt.cli.check import check
from bptt.cli.explain import explain
from bptt.cli.sample import sample
from bptt.cli.train import train

add(train)
add(sample)
add(explain)
add(check)


def main() -> None:
    """Run the command; the entry point of the package."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a console that lacks Σ gets a ? and not our failure
    app()
