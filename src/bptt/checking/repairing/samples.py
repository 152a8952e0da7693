"""What repair is given and what it returns, as plain data: executions of a statement, a budget, candidates."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Sample:
    """One execution of a statement, fed the true upstream values.

    Attributes
    ----------
    env : mapping of str to value
        The names that the statement can see: local variables, and the globals that it may use (``np``, their own
        functions).  Objects and dicts are reached through their names (``self.cache['X']``).  Values are frozen:
        nothing may change them afterwards.
    before : value
        The target's value before the execution; None where it had none.  ``+=`` needs it.
    target : value
        The target's true value after the execution: for ``x[:, t] = e`` that of ``x[:, t]``.
    """

    env: Mapping[str, Any]
    before: Any
    target: Any


@dataclass(frozen=True)
class Candidate:
    """A statement that gives the true value in every sample.

    ``replacement`` is the whole statement; ``cost`` is smaller the closer it is to the person's own text, the more
    idiomatic and the safer numerically; ``kind`` is "rewrite" where little of their expression is left.
    """

    replacement: str
    kind: Literal["edit", "rewrite", "insert", "delete"]
    cost: float
    preconditions: tuple[str, ...] = ()


@dataclass
class Budget:
    """How long and how far a search may go.  One budget may serve several statements.

    ``candidates`` is the number of expressions that may be looked at; it alone decides in the normal case, so that
    the same search has the same end.  ``seconds``, from the first use, is for a machine that is far too slow.
    """

    seconds: float = 10.0
    candidates: int = 60_000
    pool: int = 1500
    spent: int = 0
    _start: float | None = field(default=None, repr=False)

    def spend(self, candidates: int = 1) -> None:
        """Count evaluated candidates."""
        self.spent += candidates

    @property
    def left(self) -> bool:
        """Whether the search may go on."""
        if self._start is None:
            self._start = time.process_time()
        return self.spent < self.candidates and time.process_time() - self._start < self.seconds
