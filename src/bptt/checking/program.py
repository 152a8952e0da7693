"""A person's program, ready to be run: its text, its syntax tree, and the way from there to cost and gradients."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from bptt.dims import Array


@dataclass(frozen=True)
class Sizes:
    """The sizes that a case is built at; pairwise different where the program lets them be."""

    n_x: int
    n_a: int
    n_y: int
    m: int
    T_x: int
    dtype: type[np.floating[Any]] = np.float64

    def as_dict(self) -> dict[str, int]:
        """Return the five sizes by name."""
        return {name: getattr(self, name) for name in ("n_x", "n_a", "n_y", "m", "T_x")}


class Case(Protocol):
    """One run of a program at given sizes: the protocol of ``bptt_case``."""

    parameters: dict[str, Array]
    """Live arrays: written in place, they change the cost.  They may include a0 or X."""

    def cost(self) -> float:
        """Run their own forward and cost."""
        ...

    def gradients(self) -> dict[str, Array]:
        """Run their own forward and backward; the keys are those of ``parameters``."""
        ...


@dataclass(frozen=True)
class LineOrigin:
    """Where a line of ``Program.code`` stands in the text as given."""

    cell: int | None
    """The notebook cell, from 0; None elsewhere."""
    line: int
    """The person's own line, from 1 (within the cell for a notebook)."""
    shift: int
    """Column in ``code`` minus column in the text as given (indentation that was restored or removed)."""


@dataclass(frozen=True)
class Program:
    """What the loader found, and all that diagnosing needs.

    ``code`` has one line for each line of the text as given (prose becomes empty lines), so that the line numbers
    of ``tree`` are the person's own; for a notebook, ``origins`` leads back to cell and line.
    """

    file: str
    source: str
    code: str
    tree: ast.Module
    origins: tuple[LineOrigin, ...]
    load: Callable[[ast.Module], ModuleType]
    """Execute a tree (``tree``, or an instrumented or repaired copy) in a fresh module: definitions and constants,
    never the run at module level; assumed helpers are in place.  The module is registered nowhere."""
    build: Callable[[ModuleType, Sizes, int], Case]
    """``bptt_case``: written by the person, or found by the loader."""
    assumed: tuple[str, ...] = ()
    """What the loader supplied or took for granted, each a sentence."""
    notes: tuple[tuple[str, int | None, str], ...] = ()
    """Lints that the loader saw: (code, line, message)."""
    adapter: bool = False
    """Whether ``build`` is the person's own."""
    names: dict[str, str] = field(default_factory=dict)
    """The role of the person's own functions, as far as known: qualified name -> "forward", "backward", "cost"."""
    doubt: str = ""
    """Why nothing can be said if no gradient is right: the cost that was found may be another one."""
