"""The directory of a run: its last and its best model, and its log; nothing in it is overwritten unasked."""

from __future__ import annotations

from pathlib import Path

from bptt.errors import FileError, message


class RunDirectory:
    """Where a run keeps its files.

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
        self.path = path
        self.last = path / "last.safetensors"
        self.best = path / "best.safetensors"
        self.log = path / "log.jsonl"

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
