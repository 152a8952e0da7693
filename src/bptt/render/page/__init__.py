"""The web page: one self-contained HTML file, joined from the template, the style and the modules beside this file.

The page asks nobody for anything: its Content-Security-Policy forbids every request and allows exactly this one script
and this one style, by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from importlib import resources

_COMMENT = re.compile(r"(?:^|[ \t]+)//[ ][^\n]*$|/\*\*.*?\*/[ \n]?", re.MULTILINE | re.DOTALL)
_JOINT = re.compile(r"(?<=[,;({\[])\n")  # where a line goes on, or has ended, without its line break
_INDENT = re.compile(r"^\s+", re.MULTILINE)
_CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_SPACE = re.compile(r"\s*([{};,])\s*")
_STRING = re.compile(r'("(?:[^"\\]|\\.)*")')
_BETWEEN = re.compile(r"\s*(=>|===|!==|&&|\|\||[=,;:?(){}\[\]<>])\s*")
_IMPORT = re.compile(r"^import\s[^;]*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export\s+", re.MULTILINE)


def assemble(data: Mapping[str, object]) -> str:
    """Join template, style, modules and data into the text of one HTML file.

    Parameters
    ----------
    data : mapping
        What the page shows: sizes, tensors, equations, presets, a report of ``bptt check`` or None.  Plain numbers,
        strings, lists and mappings only.

    Returns
    -------
    str
        The whole page.  It needs no other file and makes no request.

    Raises
    ------
    ValueError
        If `data` holds a NaN or an infinity, which JSON cannot carry.

    Examples
    --------
    >>> assemble({"version": 1}).startswith("<!doctype html>")
    True
    """
    script = "\n" + "\n".join(_module(name) for name in _read("modules.txt").split())
    style = _SPACE.sub(r"\1", _CSS_COMMENT.sub("", _read("page.css")))
    parts = {"data": _escaped(data), "script": script, "style": style, "csp": _policy(script, style)}
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], _read("index.html"))


def _read(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text("utf-8")


def _module(name: str) -> str:
    """Return a module as a part of the one script: without imports, exports, comments and indentation."""
    text = _read(f"js/{name}")
    for pattern in (_COMMENT, _IMPORT, _EXPORT, _INDENT):
        text = pattern.sub("", text)
    return _JOINT.sub("", "\n".join(_tight(line) for line in text.splitlines()) + "\n")


def _tight(line: str) -> str:
    """Return a line of code without spaces that nothing needs; one with a template or a slash stays as it is."""
    if "`" in line or "/" in line:
        return line
    pieces = _STRING.split(line)
    pieces[::2] = [_BETWEEN.sub(r"\1", piece) for piece in pieces[::2]]
    return "".join(pieces)


def _escaped(data: Mapping[str, object]) -> str:
    """Return JSON in which nothing can end the script element it stands in."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return re.sub("[<>&\u2028\u2029]", lambda match: f"\\u{ord(match[0]):04x}", text)


def _policy(script: str, style: str) -> str:
    def source(text: str) -> str:
        return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"

    return (
        f"default-src 'none'; script-src {source(script)}; style-src {source(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
