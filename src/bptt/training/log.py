"""The log of a run: one JSON object a line, the same bytes for the same run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


class Log:
    """A file to which records are appended, one a line.

    It holds no clock time, so that the log of a run that was interrupted and resumed is, byte for byte, that of a
    run that never was.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = open(path, "a", encoding="utf-8")

    def write(self, record: dict[str, Any]) -> None:
        """Append a record."""
        self._file.write(json.dumps(record, ensure_ascii=False) + "\n")

    def sync(self) -> None:
        """Force what was written to the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Write out what is left and close the file."""
        self._file.close()


def read_log(path: Path) -> list[dict[str, Any]]:
    """Return the records of a log, up to the first line that is not whole (a crash leaves at most one)."""
    records = []
    if path.exists():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True):
            record = _whole(line)
            if record is None:
                break
            records.append(record)
    return records


def cut_back(path: Path, step: int) -> None:
    """Cut a log back to the records up to a step; what came later is trained, and logged, again."""
    end = 0
    if path.exists():
        with open(path, "rb+") as file:
            for line in file:
                record = _whole(line.decode("utf-8", errors="replace"))
                if record is None or record["step"] > step:
                    break
                end += len(line)
            file.truncate(end)
            file.flush()
            os.fsync(file.fileno())


def _whole(line: str) -> dict[str, Any] | None:
    if not line.endswith("\n"):
        return None
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) and type(record.get("step")) is int else None
