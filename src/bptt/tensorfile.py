"""Named tensors in one file: written whole or not at all, and read with suspicion."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from bptt.dims import Array
from bptt.errors import FileError, message

KEY = "bptt"
LARGEST = 2**32
"""Bytes; a larger file is refused before anything of it is read.  n_a = 16 384 fits in float32."""


def write_tensors(path: Path, tensors: Mapping[str, Array], about: Mapping[str, Any]) -> None:
    """Write tensors, and what is to be known about them, as safetensors, atomically.

    A reader, and whoever comes after a crash at any moment, finds the old file or the new one, never a part: the
    bytes go to a temporary file beside it, are forced to the disk, and take the old file's name in one step.

    Parameters
    ----------
    path : Path
    tensors : mapping of str to array
        Of any memory order: safetensors stores the raw buffer, so each is made contiguous first.
    about : mapping
        Plain values.  They go as JSON under one metadata key: safetensors stores strings only, a generator's
        numbers have 128 bits, and several keys would come out in another order in every process.

    Raises
    ------
    FileError
        If the file cannot be written; the old one is then untouched.
    """
    contiguous = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    write_atomically(path, save(contiguous, {KEY: json.dumps(about)}))


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file's content in one step that survives a crash."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        sync_directory(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise FileError(message("save", f"{path} cannot be written: {error.strerror}.")) from error


def sync_directory(directory: Path) -> None:
    """Force a directory's entries to the disk, where the system can do that."""
    if os.name == "posix":
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read_tensors(path: Path, where: str) -> tuple[dict[str, Array], dict[str, Any]]:
    """Read the tensors of a safetensors file, and what :func:`write_tensors` was told about them.

    Parameters
    ----------
    path : Path
    where : str
        The command or function at work, for the message.

    Returns
    -------
    tensors : dict of str to array
    about : dict
        Empty if the file was written by somebody else.

    Raises
    ------
    FileError
        If the file is missing, empty, too large, or no whole safetensors file.
    """
    check_readable(path, where, LARGEST)
    try:
        with safe_open(path, framework="numpy") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}
            metadata = file.metadata() or {}
    except MemoryError as error:
        raise FileError(message(where, f"{path} does not fit into this machine's memory.")) from error
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FileError(
            message(
                where,
                f"{path} is no whole safetensors file.",
                details=[f"safetensors says: {str(error)[:200]}"],
                hint="It may be cut off or of another kind; `bptt train` writes such files as best.safetensors.",
            )
        ) from error

    about = parse_json(metadata[KEY], f"what {path} says about itself", where) if KEY in metadata else {}
    if not isinstance(about, dict):
        raise FileError(message(where, f"what {path} says about itself is damaged."))
    return tensors, about


def check_readable(path: Path, where: str, largest: int | None = None) -> None:
    """Refuse a path that is missing, no file, empty, unreadable or too large."""
    try:
        if path.is_dir():
            raise FileError(message(where, f"{path} is a directory, a file is wanted."))
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
    except FileNotFoundError as error:
        raise FileError(message(where, f"there is no file {path}.")) from error
    except (OSError, ValueError) as error:
        if isinstance(error, FileError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise FileError(message(where, f"{path} cannot be read: {reason}.")) from error
    if size == 0:
        raise FileError(message(where, f"{path} is empty."))
    if largest is not None and size > largest:
        raise FileError(message(where, f"{path} has {size:,} bytes; at most {largest:,} are read."))


def parse_json(text: str, what: str, where: str) -> object:
    """Return the value of a JSON text from a file's metadata, or say that it is damaged."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileError(message(where, f"{what} is no valid JSON: {str(error)[:100]}.")) from error
