"""Begin a run, or go on with one: from the command's options to a loop that is ready."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from bptt.dims import Array
from bptt.errors import FileError, ValueRangeError, message
from bptt.model import SimpleRNN
from bptt.tensorfile import read_tensors
from bptt.training.checkpoint import unpack
from bptt.training.data import Data, check_arrays, classes, read_arrays
from bptt.training.directory import RunDirectory
from bptt.training.environment import differences, environment
from bptt.training.run import Run
from bptt.training.settings import Settings
from bptt.training.text import default_text, read_text
from bptt.training.threads import set_blas_threads
from bptt.training.vocabulary import Vocabulary

N_A = 128
"""The hidden size where none is named: the best after a minute, see docs/training.md."""

EXTENDABLE = {"epochs", "steps", "patience"}
"""Settings that a resumed run may change: they say how long it goes on, not what it does."""


@dataclass(frozen=True)
class Options:
    """What the command was given; settings and architecture hold only what was named."""

    data: Path | None = None
    encoding: str | None = None
    log_every: int | None = None
    save_every: float = 10.0
    threads: int | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    architecture: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """A run that is ready to go."""

    run: Run
    model: SimpleRNN
    data: Data
    settings: Settings
    source: Source
    warnings: list[str]


@dataclass(frozen=True)
class Source:
    """The data as they were read."""

    name: str
    sha256: str
    text: str | None = None
    arrays: tuple[Array, Array, Array | None] | None = None


def begin(options: Options, directory: RunDirectory, *, resume: bool, force: bool) -> Job:
    """Return a run that is ready to go.

    Raises
    ------
    BpttError
        If an option, the data or the run's directory forbid it.
    """
    if options.log_every is not None and options.log_every < 1:
        raise ValueRangeError(message("train", f"log_every is {options.log_every}; at least 1 step is wanted."))
    if not options.save_every >= 0:
        raise ValueRangeError(message("train", f"save_every is {options.save_every}; 0 or more seconds are wanted."))
    if resume and force:
        raise ValueRangeError(message("train", "--resume goes on with a run, --force throws it away: give one."))
    if options.threads is not None and options.threads < 1:
        raise ValueRangeError(message("train", f"threads is {options.threads}; at least 1 is wanted."))
    return _resumed(options, directory) if resume else _new(options, directory, force)


@contextmanager
def enough_memory() -> Iterator[None]:
    """Say in our words that the memory does not reach."""
    try:
        yield
    except MemoryError as error:
        raise ValueRangeError(
            message("train", "this takes more memory than there is.", hint="A smaller n_a, m or T_x takes less.")
        ) from error


def read_source(path: Path | None, encoding: str) -> Source:
    """Read a text, arrays, or the default text."""
    if path is None:
        text = default_text("train")
        return Source(text.source, text.sha256, text.content)
    if path.suffix == ".npz":
        arrays = read_arrays(path, "train")
        return Source(str(path), hashlib.sha256(path.read_bytes()).hexdigest(), arrays=arrays)
    text = read_text(path, encoding, "train")
    return Source(text.source, text.sha256, text.content)


def _use_threads(named: int | None, recorded: str = "1") -> None:
    """Let BLAS work with the threads that were named, else with those of its variables, else of the run, else one.

    More than one are slower at small sizes, many times so where other programs want the cores, too.
    """
    if named is not None:
        set_blas_threads(named)
    elif "OPENBLAS_NUM_THREADS" not in os.environ and recorded.isdigit():
        set_blas_threads(max(1, int(recorded)))


def _new(options: Options, directory: RunDirectory, force: bool) -> Job:
    _use_threads(options.threads)
    settings = Settings(**_without_zero_limits(options.settings))
    encoding = options.encoding or "utf-8"
    source = read_source(options.data, encoding)
    model = _model(source, options.architecture, settings.seed)
    data = _data(model, source, settings)
    settings = replace(
        settings, m=data.batches.m, T_x=data.batches.T_x, rate=settings.peak(len(model.parameters["W_aa"]))
    )
    directory.begin(force)
    about = {
        "settings": settings.to_json(),
        "log_every": options.log_every or 10,
        "data": {
            "path": None if options.data is None else str(options.data.resolve()),
            "encoding": encoding,
            "sha256": source.sha256,
        },
        "environment": environment(),
    }
    return _job(options, model, data, settings, source, directory, about, [])


def _resumed(options: Options, directory: RunDirectory) -> Job:
    directory.check_resumable()
    tensors, saved = read_tensors(directory.last, "resume")
    model = SimpleRNN.from_tensors(tensors, saved, str(directory.last))
    about = _about(saved, directory.last)
    fixed = [name for name in {**options.settings, **options.architecture} if name not in EXTENDABLE]
    fixed += [name for name in ("log_every", "encoding") if getattr(options, name) is not None]
    if fixed:
        names = ", ".join("--" + name.replace("_", "-") for name in fixed)
        raise ValueRangeError(
            message("resume", f"{names} cannot change in a run that goes on; it keeps what it began with.")
        )
    longer = {"steps": None, **options.settings} if "epochs" in options.settings else options.settings
    settings = replace(Settings.from_json(about["settings"]), **longer)
    recorded = about["data"]
    path = options.data or (None if recorded["path"] is None else Path(recorded["path"]))
    source = read_source(path, recorded["encoding"])
    _use_threads(options.threads, str(about["environment"].get("threads")))
    now = environment()
    warnings = differences(about["environment"], now)
    if source.sha256 != recorded["sha256"]:
        warnings.append(f"the data are not those that the run began with: {source.name} has another hash")
    if warnings:
        warnings.append("the run goes on, but not bit by bit as it would have")
    data = _data(model, source, settings)
    about |= {
        "settings": settings.to_json(),
        "data": {**recorded, "path": None if path is None else str(path.resolve()), "sha256": source.sha256},
        "environment": now,
    }
    return _job(options, model, data, settings, source, directory, about, warnings, (tensors, saved))


def _job(
    options: Options,
    model: SimpleRNN,
    data: Data,
    settings: Settings,
    source: Source,
    directory: RunDirectory,
    about: dict[str, Any],
    warnings: list[str],
    checkpoint: tuple[dict[str, Array], dict[str, Any]] | None = None,
) -> Job:
    loop = model.training_loop(data, settings)
    if checkpoint is not None:
        unpack(loop, *checkpoint)
    run = Run(
        loop,
        directory,
        model.about(),
        about,
        log_every=about["log_every"],
        save_every=options.save_every,
    )
    run.start()
    return Job(run, model, data, settings, source, warnings)


def _model(source: Source, architecture: dict[str, Any], seed: int) -> SimpleRNN:
    chosen = {"n_a": N_A, **architecture}
    dtype = chosen.pop("dtype", "float32")
    if dtype not in ("float32", "float64"):
        raise ValueRangeError(message("train", f"dtype is {dtype!r}; float32 or float64 is wanted."))
    chosen |= {"dtype": np.dtype(dtype), "seed": seed}
    if source.text is not None:
        vocabulary = Vocabulary.of(source.text)
        return SimpleRNN(len(vocabulary), chosen.pop("n_a"), len(vocabulary), vocabulary=vocabulary, **chosen)
    assert source.arrays is not None
    X, Y, a0 = source.arrays
    check_arrays("train", X, Y, a0)
    if a0 is not None:
        if "n_a" in architecture and architecture["n_a"] != a0.shape[0]:
            raise ValueRangeError(message("train", f"--n-a is {chosen['n_a']}, but a0 has n_a={a0.shape[0]}."))
        chosen["n_a"] = a0.shape[0]
    return SimpleRNN(classes(X), chosen.pop("n_a"), classes(Y), **chosen)


def _data(model: SimpleRNN, source: Source, settings: Settings) -> Data:
    if source.text is not None:
        return model.data(source.text, None, None, settings)
    assert source.arrays is not None
    return model.data(*source.arrays, settings)


def _about(saved: dict[str, Any], path: Path) -> dict[str, Any]:
    if "run" not in saved:
        raise FileError(message("resume", f"{path} is a model, but no checkpoint that a run can go on from."))
    about = saved["run"]
    try:
        assert isinstance(about, dict)
        data, log_every = about["data"], about["log_every"]
        whole = (
            isinstance(about["settings"], dict)
            and isinstance(about["environment"], dict)
            and isinstance(data["path"], str | None)
            and isinstance(data["encoding"], str)
            and isinstance(data["sha256"], str)
            and type(log_every) is int
            and log_every > 0
        )
    except (AssertionError, KeyError, TypeError):
        whole = False
    if not whole:
        raise FileError(message("resume", f"what {path} says about its run is damaged."))
    return dict(about)


def _without_zero_limits(settings: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if name in ("clip_norm", "clip_value") and value == 0 else value for name, value in settings.items()
    }
