"""A run: the loop, its checkpoints and its log, kept together so that it can be killed at any moment."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from bptt.errors import NotFiniteError
from bptt.tensorfile import write_tensors
from bptt.training.checkpoint import pack
from bptt.training.directory import RunDirectory
from bptt.training.log import Log, cut_back
from bptt.training.loop import Loop, Record

BITS = 1.0 / math.log(2.0)
"""Bits in a nat."""


class Run:
    """Train with checkpoints and a log in a directory.

    The order of writing is what makes it safe to kill: the log reaches the disk before the checkpoint that counts
    its lines, and the checkpoint holds the best model too, so that ``best.safetensors`` is only its copy.

    Parameters
    ----------
    loop : Loop
    directory : RunDirectory
        Claimed already.
    model : mapping
        What makes the parameters a model.
    about : mapping
        What a later run needs to go on: settings, data, environment.
    log_every : int
        Steps.
    save_every : float
        Seconds between checkpoints; the end writes one, too.
    """

    def __init__(
        self,
        loop: Loop,
        directory: RunDirectory,
        model: Mapping[str, Any],
        about: Mapping[str, Any],
        *,
        log_every: int = 10,
        save_every: float = 10.0,
    ) -> None:
        self.loop, self.directory = loop, directory
        self.model, self.about = dict(model), dict(about)
        self.log_every, self.save_every = log_every, save_every
        self._best_written = -1

    def start(self) -> None:
        """Write the first checkpoint; after a resumed one, put log and best model into its state."""
        self._saved, self._saved_step = time.monotonic(), self.loop.step
        if self.loop.step == 0:
            self.save_last()
        cut_back(self.directory.log, self.loop.step)
        self._log = Log(self.directory.log)
        if self.loop.best_step == 0:
            self.directory.best.unlink(missing_ok=True)
        self.save_best()

    def go(self, watch: Callable[[Record], None], stop: Callable[[], bool]) -> bool:
        """Train until the end or until ``stop()``; return whether it is the end.

        Parameters
        ----------
        watch : function
            Called with each step's record.
        stop : function
            Asked after each step.
        """
        try:
            while not self.loop.finished and not stop():
                record = self.loop.advance()
                if record.step % self.log_every == 0 or record.validation is not None:
                    self._log.write(as_line(record))
                if time.monotonic() - self._saved > self.save_every:
                    self.save()
                watch(record)
            self.save()
        except NotFiniteError as error:
            kept = f"{self.directory.last} is from before, as of step {self._saved_step}."
            raise NotFiniteError(f"{error}\n  {kept}") from error
        finally:
            self._log.close()
        return self.loop.finished

    def save(self) -> None:
        """Write the log, the checkpoint and, if it is a new one, the best model."""
        self._log.sync()
        self.save_last()
        self.save_best()

    def save_last(self) -> None:
        """Write the checkpoint."""
        tensors, state = pack(self.loop)
        write_tensors(self.directory.last, tensors, {**self.model, **state, "run": self.about})
        self._saved, self._saved_step = time.monotonic(), self.loop.step

    def save_best(self) -> None:
        """Write the best model, if it is not there yet."""
        if self.loop.best_step != self._best_written and self.loop.best_step > 0:
            write_tensors(
                self.directory.best,
                self.loop.best.views,
                {**self.model, "step": self.loop.best_step, "cost": self.loop.best_cost},
            )
            self._best_written = self.loop.best_step


def as_line(record: Record) -> dict[str, Any]:
    """Return a record as the log holds it; costs in nats, ``bits`` the same in bits."""
    line: dict[str, Any] = {
        "step": record.step,
        "epoch": round(record.epoch, 6),
        "cost": record.cost,
        "bits": record.cost * BITS,
        "rate": record.rate,
        "norm": record.norm,
        "clipped": record.clipped,
    }
    if record.validation is not None:
        line |= {"validation": record.validation, "validation_bits": record.validation * BITS, "best": record.best}
    return line
