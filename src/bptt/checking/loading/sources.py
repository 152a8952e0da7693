"""A person's text, read as it was given: encoding, byte order mark and line ends are kept for the fix."""

from __future__ import annotations

import codecs
import io
import tokenize
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from bptt.errors import FileError, ValueRangeError, message

LARGEST = 8 * 2**20
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


@dataclass(frozen=True)
class Source:
    r"""A text and how its bytes were written.

    ``text`` keeps its line ends (``\r\n`` stays ``\r\n``); ``mark`` is the byte order mark that came before it.
    """

    file: str
    text: str
    path: Path | None = None
    encoding: str = "utf-8"
    mark: bytes = b""

    def encode(self, text: str) -> bytes:
        """Return another text as bytes, as this one was written.

        Raises
        ------
        ValueRangeError
            If the text holds a character that the encoding lacks.
        """
        try:
            return self.mark + text.encode(self.encoding)
        except UnicodeEncodeError as error:
            raise ValueRangeError(
                message(
                    "bptt check --fix",
                    f"{text[error.start]!r} cannot be written in {self.file}'s encoding, {self.encoding}.",
                    hint="Save the file as UTF-8 and run it again.",
                )
            ) from None


def read_file(name: str, where: str = "bptt check") -> Source:
    """Read a file of code: Python, a notebook or a pasted text.

    Parameters
    ----------
    name : str
        The path, as the person gave it.
    where : str
        The command at work, for messages.

    Returns
    -------
    Source

    Raises
    ------
    FileError
        If it is missing, a folder, too large, empty, binary, or not in the encoding that it says.
    """
    path = Path(name)
    try:
        if path.is_dir():
            raise _folder(where, name, path)
        with path.open("rb") as stream:
            data = _limited(stream, name, where)
    except FileNotFoundError:
        raise _missing(where, name, path) from None
    except (OSError, ValueError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(message(where, f"{name!r} cannot be read: {_reason(error)}.")) from None
    return decode(data, name, path, where)


def read_stream(stream: BinaryIO, name: str = "<stdin>", where: str = "bptt check") -> Source:
    """Read standard input to its end."""
    return decode(_limited(stream, name, where), name, None, where)


def decode(data: bytes, name: str, path: Path | None, where: str = "bptt check") -> Source:
    """Decode the bytes of a file by its byte order mark, its coding line, or as UTF-8."""
    if not data.strip(b" \t\r\n\f\0" + codecs.BOM_UTF8):
        raise FileError(message(where, f"{name} is empty: there is no code in it."))
    marked = [(mark, encoding) for mark, encoding in _MARKS if data.startswith(mark)]
    mark, encoding = marked[0] if marked else (b"", _declared(data, name, where))
    try:
        text = data[len(mark) :].decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise _undecodable(where, name, data, encoding, error) from None
    if "\0" in text:
        raise FileError(
            message(
                where,
                f"{name} is not a text: line {text[: text.index(chr(0))].count(chr(10)) + 1} holds a NUL byte.",
                hint="Give a .py file, a notebook, or a text with the code pasted into it.",
            )
        )
    return Source(name, text, path, encoding, mark)


def _declared(data: bytes, name: str, where: str) -> str:
    try:
        return tokenize.detect_encoding(io.BytesIO(data).readline)[0]
    except SyntaxError as error:
        if "unknown encoding" in str(error):
            raise FileError(
                message(where, f"{name}: its coding line names an encoding that Python does not know ({error}).")
            ) from None
        return "utf-8"


def _limited(stream: BinaryIO, name: str, where: str) -> bytes:
    data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise FileError(
            message(
                where,
                f"{name} is larger than {LARGEST // 2**20} MiB; that is no hand-written program.",
                hint="Give the file with the forward and backward pass alone.",
            )
        )
    return data


def _undecodable(where: str, name: str, data: bytes, encoding: str, error: Exception) -> FileError:
    place = ""
    if isinstance(error, UnicodeDecodeError):
        place = f": line {data[: error.start].count(10) + 1} holds the byte 0x{data[error.start]:02x}"
    if b"\0" in data:
        return FileError(
            message(
                where,
                f"{name} is not a text: it holds NUL bytes.",
                hint="Give a .py file, a notebook, or a text with the code pasted into it.",
            )
        )
    return FileError(
        message(
            where,
            f"{name} is not {encoding}{place}.",
            hint="Save it as UTF-8, or name its encoding in the first line: # -*- coding: latin-1 -*-",
        )
    )


def _folder(where: str, name: str, path: Path) -> FileError:
    programs = sorted(p.name for p in path.iterdir() if p.suffix in (".py", ".ipynb"))
    return FileError(
        message(
            where,
            f"{name} is a folder; one file is wanted.",
            details=[f"In it: {', '.join(programs[:8])}{', ...' if len(programs) > 8 else ''}"] if programs else [],
        )
    )


def _missing(where: str, name: str, path: Path) -> FileError:
    import difflib

    beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    close = difflib.get_close_matches(path.name, beside, 1, 0.6)
    return FileError(
        message(
            where,
            f"there is no file {name!r}.",
            hint=f"Did you mean {path.with_name(close[0])}?" if close else "",
        )
    )


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
