"""Writing a proven fix: the patch applied to the text as given, the original kept, all or nothing."""

from __future__ import annotations

import ast
import contextlib
import os
import re
import shutil
import tempfile
from pathlib import Path

from bptt.checking.loading.sources import Source
from bptt.errors import FileError, message

MARK = "# Fixed by bptt check --fix from "
_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


def fixed_text(text: str, diff: str) -> str:
    r"""Apply a unified diff of one text to that text.

    Parameters
    ----------
    text : str
        With its own line ends.
    diff : str
        As ``--diff`` prints it.

    Returns
    -------
    str

    Raises
    ------
    FileError
        If the diff is not one of this text.

    Examples
    --------
    >>> fixed_text("a\nb\n", "--- f\n+++ f\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n")
    'a\nc\n'
    """
    old = _lines(text)
    new: list[str] = []
    at, hunk, last = 0, False, ""
    for line in _lines(diff):
        if (header := _HUNK.match(line)) is not None:
            start = int(header[1]) - (0 if header[2] == "0" else 1)
            new += old[at:start]
            at, hunk = start, True
        elif not hunk:
            continue
        elif line.startswith("\\"):  # "\ No newline at end of file" belongs to the line before it
            if last == "+":
                new[-1] = new[-1].removesuffix("\n")
        else:
            last, body = line[:1], line[1:]
            if last in (" ", "-"):
                if at >= len(old) or old[at].rstrip("\n") != body.rstrip("\n"):
                    raise FileError(message("bptt check --fix", f"the patch does not fit line {at + 1} of the text."))
                if last == " ":
                    new.append(old[at])
                at += 1
            elif last == "+":
                new.append(body)
    return "".join(new + old[at:])


def is_code(text: str) -> bool:
    """Tell whether a text is Python or a notebook as it stands, with no prose around it."""
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return text.lstrip().startswith("{")
    return True


def write_in_place(source: Source, new: str) -> Path:
    """Write the fixed text over its file; return where the original is kept.

    The encoding, the byte order mark and the file's mode stay.  A failure at any point leaves the file as it was.

    Raises
    ------
    FileError
        If the file has changed since it was read, or cannot be written.
    ValueRangeError
        If the fix needs a character that the file's encoding lacks.
    """
    if source.path is None:
        raise FileError(message("bptt check --fix", f"{source.file} is no file."))
    path = source.path.resolve()
    data, old = source.encode(new), source.encode(source.text)
    try:
        if path.read_bytes() != old:
            raise FileError(
                message("bptt check --fix", f"{source.file} has changed while it was checked; it is left as it is.")
            )
        if not os.access(path, os.W_OK):
            raise FileError(message("bptt check --fix", f"{source.file} is write-protected; it is left as it is."))
        kept = _place_for_original(path, old)
        if not kept.exists():
            _write(kept, old, path)
        _write(path, data, path)
    except OSError as error:
        raise _unwritable(source.file, error) from None
    return kept


def write_beside(source: Source, code: str) -> Path:
    """Write runnable code made from a pasted text to ``NAME.fixed.py`` beside it.

    Raises
    ------
    FileError
        If a file of that name is there already that is not ours, or it cannot be written.
    """
    if source.path is None:
        raise FileError(message("bptt check --fix", f"{source.file} is no file."))
    path = source.path.with_name(f"{source.path.stem}.fixed.py")
    try:
        if path.exists() and not path.read_text("utf-8", "replace").startswith(MARK):
            raise FileError(
                message("bptt check --fix", f"{path} is there already and is not ours; it is left as it is.")
            )
        _write(path, f"{MARK}{source.path.name}\n{code}".encode(), None)
    except OSError as error:
        raise _unwritable(str(path), error) from None
    return path


def _place_for_original(path: Path, data: bytes) -> Path:
    for number in range(1000):
        kept = path.with_name(f"{path.name}.orig" + (f".{number}" if number else ""))
        if not kept.exists() or kept.read_bytes() == data:
            return kept
    raise FileError(message("bptt check --fix", f"{path.name}.orig and 999 more of them are taken."))


def _write(path: Path, data: bytes, like: Path | None) -> None:
    """Write a file whole or not at all."""
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if like is not None:
            shutil.copymode(like, temporary)
        else:
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _unwritable(name: str, error: OSError) -> FileError:
    if isinstance(error, FileError):
        return error
    return FileError(
        message("bptt check --fix", f"{name} cannot be written: {(error.strerror or str(error)).lower()}.")
    )


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)  # splitlines() would break at form feeds as well
