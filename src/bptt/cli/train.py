"""``bptt train``: train on a text, on arrays, or on the text that every Python brings."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bptt.cli.app import ExitCode

DEFAULT_OUT = Path("bptt-run")


def train(
    data: Annotated[
        Path | None,
        typer.Argument(
            metavar="TEXT | ARRAYS.npz",
            help="A text file, or an npz file with X, Y and optionally a0. Without one: the help topics of Python.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Where last and best model and the log go.")] = DEFAULT_OUT,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Throw away the run in --out, if there is one.")] = False,
    n_a: Annotated[int | None, typer.Option("--n-a", help="Hidden size.", show_default="128")] = None,
    m: Annotated[
        int | None, typer.Option("--m", help="Batch: streams through the text, or sequences.", show_default="16")
    ] = None,
    T_x: Annotated[
        int | None,
        typer.Option("--T-x", help="Steps that gradients go back.", show_default="64; arrays: their length"),
    ] = None,
    epochs: Annotated[
        float | None, typer.Option(help="Passes over the data.", show_default="16, or 1000 steps")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Training steps, in place of epochs.", show_default=False)] = None,
    optimizer: Annotated[str | None, typer.Option(help="adam or sgd.", show_default="adam")] = None,
    rate: Annotated[
        float | None,
        typer.Option(help="Learning rate at its peak.", show_default="0.008, less from --n-a 128 on; sgd: 0.5"),
    ] = None,
    momentum: Annotated[float | None, typer.Option(help="Momentum of sgd.", show_default="0.9")] = None,
    weight_decay: Annotated[float | None, typer.Option(help="Decoupled decay of weights.", show_default="0")] = None,
    schedule: Annotated[str | None, typer.Option(help="cosine or constant.", show_default="cosine")] = None,
    warm_up: Annotated[int | None, typer.Option(help="Steps of linear warm-up.", show_default="0")] = None,
    clip_norm: Annotated[
        float | None, typer.Option(help="Limit of the gradient's norm; 0 for none.", show_default="1")
    ] = None,
    clip_value: Annotated[
        float | None, typer.Option(help="Limit of its elements; 0 for none.", show_default="none")
    ] = None,
    validation: Annotated[
        float | None, typer.Option(help="Share of the data that is held back.", show_default="0.05")
    ] = None,
    evaluate_every: Annotated[
        int | None, typer.Option(help="Steps between evaluations.", show_default="an epoch, at most 1000")
    ] = None,
    patience: Annotated[
        int | None, typer.Option(help="Stop after so many evaluations without a new best.", show_default="never")
    ] = None,
    activation: Annotated[str | None, typer.Option(help="tanh or relu.", show_default="tanh")] = None,
    initialisation: Annotated[
        str | None,
        typer.Option(help="orthogonal, identity, glorot, torch or normal.", show_default="orthogonal"),
    ] = None,
    scale: Annotated[float | None, typer.Option(help="Scale of the initialisation.", show_default="its own")] = None,
    dtype: Annotated[str | None, typer.Option(help="float32 or float64.", show_default="float32")] = None,
    seed: Annotated[int | None, typer.Option(help="Equal seeds train equal models.", show_default="0")] = None,
    threads: Annotated[
        int | None, typer.Option(help="Of the matrix products; more pay where n_a is large.", show_default="1")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of the text file.", show_default="utf-8")] = None,
    log_every: Annotated[int | None, typer.Option(help="Steps between lines of the log.", show_default="10")] = None,
    save_every: Annotated[float, typer.Option(help="Seconds between checkpoints, at most.")] = 10.0,
    sample_every: Annotated[float, typer.Option(help="Seconds between samples to look at; 0 for none.")] = 15.0,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the costs into this file (png, svg, pdf).", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> int:
    """Train a simple RNN, with checkpoints from which it can go on after any interruption."""
    from bptt.cli.begin import Options, begin, enough_memory
    from bptt.cli.report import finish
    from bptt.cli.show import Show, interruptible
    from bptt.training.directory import RunDirectory

    chosen = {
        "m": m, "T_x": T_x, "epochs": epochs, "steps": steps, "optimizer": optimizer, "rate": rate,
        "momentum": momentum, "weight_decay": weight_decay, "schedule": schedule, "warm_up": warm_up,
        "clip_norm": clip_norm, "clip_value": clip_value, "validation": validation,
        "evaluate_every": evaluate_every, "patience": patience, "seed": seed,
    }  # fmt: skip
    architecture = {
        "n_a": n_a, "activation": activation, "initialisation": initialisation, "scale": scale, "dtype": dtype,
    }  # fmt: skip
    if plot is not None:
        from bptt.training.plot import check_plot

        check_plot(plot)
    options = Options(
        data=data,
        encoding=encoding,
        log_every=log_every,
        save_every=save_every,
        threads=threads,
        settings={name: value for name, value in chosen.items() if value is not None},
        architecture={name: value for name, value in architecture.items() if value is not None},
    )
    with enough_memory(), RunDirectory(out) as directory:
        job = begin(options, directory, resume=resume, force=force)
        for warning in job.warnings:
            print(f"warning: {warning}", file=sys.stderr)
        with interruptible() as interrupted, Show(job, sample_every) as show:
            done = job.run.go(show.watch, interrupted)
    finish(job, show, done=done, plot=plot, as_json=as_json)
    return ExitCode.OK if done else ExitCode.INTERRUPTED
