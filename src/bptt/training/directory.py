"""The directory of a run: its last and its best model, and its log; nothing in it is overwritten unasked."""

from __future__ import annotations

import os
from pathlib import Path

from bptt.errors import FileError, message

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


class RunDirectory:
    """Where a run keeps its files; a context manager that keeps other runs out.

    Attributes
    ----------
    last : Path
        The checkpoint, and a model at once.  It holds the best model too, so that this one file is the whole state.
    best : Path
        The best model.
    log : Path
        A line a record.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor: int | None = None
        self.path = path
        self.last = path / "last.safetensors"
        self.best = path / "best.safetensors"
        self.log = path / "log.jsonl"

    def __enter__(self) -> RunDirectory:
        """Return itself; leaving lets other runs in again."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let other runs in again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def begin(self, force: bool) -> None:
        """Make the directory for a new run.

        Raises
        ------
        FileError
            If a run is there already and ``force`` is not given, or if the directory cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = "it is a file" if self.path.exists() else str(error.strerror)
            raise FileError(message("train", f"{self.path} cannot be a run's directory: {reason}.")) from error
        self._lock()
        files = [file for file in (self.last, self.best, self.log) if file.exists()]
        if files and not force:
            raise FileError(
                message(
                    "train",
                    f"there is a run in {self.path} already.",
                    details=["--resume goes on with it, --force throws it away, --out DIR leaves it alone."],
                )
            )
        try:
            for file in files:
                file.unlink()
        except OSError as error:
            raise FileError(message("train", f"{file} cannot be replaced: {error.strerror}.")) from error

    def check_resumable(self) -> None:
        """Refuse a directory without a checkpoint."""
        if not self.last.exists():
            raise FileError(
                message(
                    "train",
                    f"there is no run to resume in {self.path}.",
                    hint="Without --resume, a new one begins.",
                )
            )
        self._lock()

    def _lock(self) -> None:
        """Keep other runs out of the directory until this process ends, however it ends."""
        if fcntl is None:
            return
        try:
            self._descriptor = os.open(self.path, os.O_RDONLY)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FileError(message("train", f"another run is at work in {self.path}.")) from error
        except OSError:
            return  # a file system without locks
