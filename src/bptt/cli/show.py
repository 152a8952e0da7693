"""What a training shows while it goes on: a progress bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from bptt.cli.begin import Job
from bptt.sampling import Choice
from bptt.training.loop import Record
from bptt.training.run import BITS

REFRESH = 0.1  # seconds between changes of the bar
LINE = 5.0  # seconds between plain lines


class Show:
    """Show a run as it goes; a context manager whose :meth:`watch` takes each step's record."""

    def __init__(self, job: Job, sample_every: float) -> None:
        self.job, self.sample_every = job, sample_every
        self.console = Console(stderr=True, highlight=False, markup=False)
        self.cost = 0.0  # nats, smoothed over about 50 steps
        self.first_step = job.run.loop.step
        self.unit = "bits/char" if job.source.text is not None else "bits/step"
        self.items = "char/s" if job.source.text is not None else "steps/s"
        self.validation: float | None = None
        self.predictions = job.data.batches.m * job.data.batches.T_x  # a step
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[cost]}"),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(compact=True),
            TextColumn("left"),
            console=self.console,
            disable=not self.console.is_terminal,
        )

    def __enter__(self) -> Show:
        """Say what is trained on, and begin."""
        job = self.job
        self.console.print(_heading(job), soft_wrap=True)
        self.began = self._shown = self._sampled = time.monotonic()
        loop = job.run.loop
        self.progress.start()
        self.task = self.progress.add_task("training", total=loop.steps, completed=loop.step, cost="", speed="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away."""
        self.seconds = time.monotonic() - self.began
        self.progress.stop()

    def watch(self, record: Record) -> None:
        """Show a step."""
        self.cost = record.cost if not self.cost else 0.98 * self.cost + 0.02 * record.cost
        now = time.monotonic()
        if record.validation is not None:
            self.validation = record.validation
        pause = REFRESH if not self.progress.disable else LINE if record.validation is None else LINE / 5
        if now - self._shown < pause and record.step < self.job.run.loop.steps:
            return
        self._shown = now
        speed = self.speed(record.step, now)
        cost = f"{self.cost * BITS:.2f} {self.unit}"
        if self.validation is not None:
            cost += f", {self.validation * BITS:.2f} held back"
        if self.progress.disable:
            left = (self.job.run.loop.steps - record.step) * (now - self.began) / (record.step - self.first_step)
            self.console.print(
                f"step {record.step}/{self.job.run.loop.steps}  epoch {record.epoch:.2f}  {cost}"
                f"  {speed:,.0f} {self.items}  {left:.0f} s left",
                soft_wrap=True,
            )
        else:
            self.progress.update(
                self.task,
                completed=record.step,
                description=f"epoch {record.epoch:.1f}",
                cost=cost,
                speed=f"{speed / 1000:.0f}k {self.items}",
            )
        if self.sample_every and record.validation is not None and now - self._sampled > self.sample_every:
            self._sampled = now
            self.show_sample(record.step)

    def speed(self, step: int, now: float) -> float:
        """Return the predictions a second since this command began."""
        return (step - self.first_step) * self.predictions / max(now - self.began, 1e-9)

    def show_sample(self, step: int) -> None:
        """Show a short sample of the model as it is; its chance is the step's own and disturbs nothing."""
        text = sample_text(self.job, 160, step)
        if text:
            self.console.print(Text("  | " + text.replace("\n", "\n  | "), style="dim"))


def sample_text(job: Job, length: int, seed: int) -> str:
    """Return a sample that is safe to print, or nothing if the model knows no characters."""
    vocabulary = job.model.vocabulary
    if vocabulary is None:
        return ""
    return printable(vocabulary.decode(list(job.model.stream(length, "", Choice(temperature=0.7), seed))))


def printable(text: str) -> str:
    """Return a text without characters that command a terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)


def _heading(job: Job) -> str:
    n_a, n_x = job.model.parameters["W_ax"].shape
    n_y = len(job.model.parameters["W_ya"])
    loop, text = job.run.loop, job.source.text
    start = f"Going on from step {loop.step:,} with" if loop.step else "Training on"
    size = f": {len(text):,} characters, {n_x} different" if text is not None else ""
    return (
        f"{start} {job.source.name}{size}\n"
        f"n_x={n_x} n_a={n_a} n_y={n_y} m={job.data.batches.m} T_x={job.data.batches.T_x}:"
        f" {loop.parameters.values.size:,} parameters, {loop.steps:,} steps\n"
        f"into {job.run.directory.path}/; Ctrl-C saves, --resume goes on"
    )


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C, or request to end, into a flag that is asked after each step; a second ends at once."""
    asked = threading.Event()

    def handler(number: int, frame: Any) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked.is_set
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def to_stdout(text: str) -> None:
    """Write to standard output, whatever its encoding can hold."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
