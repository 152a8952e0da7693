"""Data made up for a program's own run: texts and tables in place of the files that are not there."""

from __future__ import annotations

import ast
import contextlib
import io
import pickle
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from bptt.checking.loading.standins import TEXT
from bptt.dims import Array

ROWS = (7, 24, 90)  # few rows first: a whole file may be one sequence


@dataclass(frozen=True)
class Files:
    """What every file holds: letters, or a table of numbers.

    ``columns`` is 0 for a text; ``whole`` tells that the numbers are whole and small, as ids are.
    """

    columns: int = 0
    whole: bool = False
    rows: int = ROWS[0]
    between: str = ","
    heads: tuple[str, ...] = ()
    several: int = 0  # how many arrays one file holds, where it is unpacked
    seed: int = 0

    def table(self) -> Array:
        """Return the numbers."""
        rng = np.random.default_rng([self.seed, 6])
        shape = (self.rows, max(self.columns, 1))
        return np.asarray(rng.integers(0, 7, shape) if self.whole else np.round(rng.normal(size=shape), 4))

    def text(self, between: str | None = None) -> str:
        """Return what is read from a file."""
        if not self.columns:
            return TEXT
        between = self.between if between is None else between
        rows = [between.join(str(v) for v in row) for row in self.table().tolist()]
        if self.heads:
            width = max(self.columns, len(self.heads))
            rows = [between.join([*self.heads, *(f"x{i}" for i in range(width - len(self.heads)))]), *rows]
        return "\n".join(rows) + "\n"

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """Give the text for a file that is read, and memory for one that is written."""
        mode = str(args[1] if len(args) > 1 else kwargs.get("mode", "r"))
        if any(c in mode for c in "wax+"):
            return io.BytesIO() if "b" in mode else io.StringIO()
        return io.BytesIO(self.text().encode()) if "b" in mode else io.StringIO(self.text())

    @contextlib.contextmanager
    def in_numpy(self) -> Iterator[None]:
        """Let NumPy's readers read these files, and its writers write none."""

        def read(original: Any) -> Any:
            def reader(*args: Any, **kwargs: Any) -> Any:
                between = kwargs.get("delimiter") or " "
                return original(io.StringIO(self.text(between)), *args[1:], **kwargs)

            return reader

        def held(*args: Any, **kwargs: Any) -> Any:
            values = self.table()
            values = values[:, 0] if self.columns <= 1 else values
            return [values.copy() for _ in range(self.several)] if self.several else values

        def nothing(*args: Any, **kwargs: Any) -> None:
            return None

        unpickled = pickle.load
        kept = {n: getattr(np, n) for n in ("loadtxt", "genfromtxt", "load", "fromfile", "save", "savez", "savetxt")}
        try:
            pickle.load = held
            for name, original in kept.items():
                made = read(original) if name in ("loadtxt", "genfromtxt") else nothing if "save" in name else held
                setattr(np, name, made)
            yield
        finally:
            pickle.load = unpickled
            for name, original in kept.items():
                setattr(np, name, original)


def kinds_of_files(tree: ast.Module) -> list[Files]:
    """Return what a program's files may hold, the likeliest first; one where it reads none."""
    text = ast.unparse(tree)
    if not re.search(r"\bopen\(|loadtxt|genfromtxt|np\.load|fromfile|read_|load\(", text):
        return [Files()]
    split = re.search(r"(?:delimiter=|sep=|split\()'([,;\t|]|\\t)'", text)
    between = split.group(1).replace("\\t", "\t") if split else "," if "csv" in text else " "
    named = "DictReader" in text or "names=True" in text
    heads = tuple(dict.fromkeys(re.findall(r"\['(\w+)'\]", text))) if named else ()
    unpacked = re.search(r"\n *\(?(\w+(?:, \w+)+)\)? = [\w.]*load\(", text)
    several = unpacked.group(1).count(",") + 1 if unpacked else 0
    tables = [
        Files(columns, whole, rows, between, heads, several)
        for rows in ROWS for columns in (1, 5, 2, 3, 8) for whole in (False, True)
    ]  # fmt: skip
    numeric = re.search(r"csv|loadtxt|genfromtxt|np\.load|pickle|fromfile|float\(", text)
    return [*tables[:5], Files(), *tables[5:]] if numeric else [Files(), *tables[:4]]
