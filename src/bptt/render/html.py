"""The explanation as one self-contained web page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bptt.errors import FileError, message
from bptt.explaining.page_data import page_data
from bptt.explaining.trace import Trace
from bptt.render.page import assemble


def page(trace: Trace, report: dict[str, Any] | None = None, title: str = "") -> str:
    """Return the page: one HTML text that needs no other file and makes no request.

    Parameters
    ----------
    trace : Trace
    report : dict, optional
        The JSON of ``bptt check``, shown at the level "Your code".
    title : str, optional
        What is explained: a file's name.
    """
    return assemble(page_data(trace, report, title))


def write_page(path: str | Path, text: str) -> None:
    """Write the page whole: what stood there before stays if it cannot be written.

    Raises
    ------
    FileError
        If the directory is missing or may not be written to.
    """
    path = Path(path)
    if path.is_dir():
        raise FileError(message("explain", f"{path} cannot be written: it is a directory."))
    temporary = path.with_name(f".{path.name}.part")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise FileError(message("explain", f"{path} cannot be written: {error.strerror or error}.")) from error
