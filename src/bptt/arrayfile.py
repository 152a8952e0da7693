"""Named arrays from an npz file, read with suspicion: nothing in it is run, and what is missing is said."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from bptt.dims import Array
from bptt.errors import FileError, message
from bptt.tensorfile import check_readable

LARGEST = 2**34
"""Bytes of all arrays together; more is refused before anything is unpacked."""

DAMAGED = (OSError, ValueError, EOFError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error, struct.error)
"""What reading a damaged archive raises, byte by byte tried; NotImplementedError is a RuntimeError."""


def read_arrays(path: str | Path, where: str, wanted: Sequence[str], optional: Sequence[str] = ()) -> dict[str, Array]:
    """Read arrays by name.

    Parameters
    ----------
    path : str or Path
        An npz file, as ``np.savez`` writes it.
    where : str
        The command or function at work, for the messages.
    wanted, optional : sequence of str
        The names; other arrays in the file are left alone.

    Returns
    -------
    dict of str to array
        All of ``wanted``, and those of ``optional`` that are there.

    Raises
    ------
    FileError
        If the file is missing, damaged or too large, if it holds pickled objects, or lacks a wanted array.
    """
    path = Path(path)
    check_readable(path, where)
    try:
        with open(path, "rb") as opened:
            if not zipfile.is_zipfile(opened):
                given = ", ".join(f"{name}={name}" for name in wanted)
                raise FileError(message(where, f"{path} is no npz file; np.savez({path.name!r}, {given}) writes one."))
            size = sum(entry.file_size for entry in zipfile.ZipFile(opened).infolist())
            if size > LARGEST:
                raise FileError(message(where, f"{path} unpacks to {size:,} bytes; at most {LARGEST:,} are read."))
            opened.seek(0)
            with np.load(opened, allow_pickle=False) as file:
                names = list(file.files)
                found = {name: file[name] for name in (*wanted, *optional) if name in names}
    except FileError:
        raise
    except MemoryError as error:
        raise FileError(message(where, f"{path} does not fit into this machine's memory.")) from error
    except DAMAGED as error:
        pickled = "pickle" in str(error)
        reason = "it holds pickled Python objects, which are never loaded: they could run any code."
        reason = reason if pickled else f"it is no whole npz file ({str(error)[:100]})."
        raise FileError(message(where, f"{path} cannot be read: {reason}")) from error
    missing = [name for name in wanted if name not in found]
    if missing:
        near = {name: get_close_matches(name, names, n=1, cutoff=0.6) for name in missing}
        renames = [f"{close[0]!r} is there: call it {name!r}." for name, close in near.items() if close]
        extra = f", and if you like {', '.join(optional)}" if optional else ""
        raise FileError(
            message(
                where,
                f"{path} lacks {', '.join(missing)}.",
                details=[
                    f"wanted: {', '.join(wanted)}{extra}",
                    f"given:  {', '.join(names)[:200] or 'nothing'}",
                    *renames,
                ],
            )
        )
    return found
