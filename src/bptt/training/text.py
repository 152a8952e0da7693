"""Text to train on: read from a file, or the one that every Python brings."""

from __future__ import annotations

import hashlib
import importlib
import platform
from dataclasses import dataclass
from pathlib import Path

from bptt.errors import FileError, message
from bptt.tensorfile import check_readable

DEFAULT = "pydoc_data.topics"
LARGEST = 2**31
"""Bytes; a larger text file is refused: it is held in memory as characters and as ids."""


@dataclass(frozen=True)
class Text:
    """A text, where it came from, and the hash by which a later run knows it again."""

    content: str
    source: str
    sha256: str


def default_text(where: str = "default_text") -> Text:
    """Return the text of Python's own ``help()`` topics, about half a million characters of real prose.

    Raises
    ------
    FileError
        If this Python was installed without them.
    """
    try:
        topics: dict[str, str] = importlib.import_module(DEFAULT).topics
    except (ImportError, AttributeError) as error:
        raise FileError(
            message(
                where,
                f"this Python {platform.python_version()} came without {DEFAULT}, the default text.",
                hint="Give a text file of your own: bptt train FILE",
            )
        ) from error
    content = "\n\n".join(topics[name].strip() for name in sorted(topics))
    return _text(content, f"{DEFAULT} of Python {platform.python_version()}")


def read_text(path: Path, encoding: str = "utf-8", where: str = "read_text") -> Text:
    r"""Read a text file; every kind of line end becomes ``\n``.

    Raises
    ------
    FileError
        If it is missing, empty, too large, binary, or not in this encoding.
    """
    check_readable(path, where, LARGEST)
    content = path.read_bytes()
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) and encoding == "utf-8":
        raise FileError(message(where, f"{path} is UTF-16 text.", hint="Give --encoding utf-16."))
    try:
        text = content.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except LookupError as error:
        raise FileError(message(where, f"there is no encoding {encoding!r}.")) from error
    except UnicodeError as error:
        raise _undecodable(path, content, encoding, error, where) from error
    if "\0" in text:
        at = text.index("\0")
        raise FileError(message(where, f"{path} is no text: it holds a NUL character, the first at {at}."))
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise FileError(message(where, f"{path} holds nothing but white space."))
    return _text(text, str(path))


def _undecodable(path: Path, content: bytes, encoding: str, error: UnicodeError, where: str) -> FileError:
    at = getattr(error, "start", 0)
    if b"\0" in content[:65536] and encoding.lower().replace("-", "") != "utf16":
        return FileError(message(where, f"{path} is no text: it holds NUL bytes, like a program or an archive."))
    try:
        content.decode("cp1252")
        hint = "It can be read as Windows Western text: --encoding cp1252."
    except UnicodeError:
        hint = "Give its encoding with --encoding NAME."
    byte = f" is 0x{content[at]:02x}, which" if at < len(content) else ""
    return FileError(message(where, f"{path} is not in {encoding}: byte {at}{byte} does not belong there.", hint=hint))


def _text(content: str, source: str) -> Text:
    return Text(content, source, hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest())
