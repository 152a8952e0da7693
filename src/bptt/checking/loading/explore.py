"""Trying choices of arguments in order of plausibility, and learning from each failure which others must fail too."""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from bptt.checking.loading.facts import Function
from bptt.checking.loading.namespace import Exhausted, within_budget
from bptt.checking.loading.options import Option, best_first
from bptt.checking.tracing.quiet import quiet

COMBINATIONS = 20_000
IN_ALL = 1000  # how many tries may fail in a whole search; it is counted, so that it ends where it ended before
SECONDS = 6.0  # of the processor that a search may take at the most

Choice = tuple[Option, ...]


class Log(list[str]):
    """What was tried in vain; it is full when the search has to end."""

    def __init__(self, most: int = IN_ALL, seconds: float = SECONDS) -> None:
        super().__init__()
        self.most, self.end = most, time.process_time() + seconds

    @property
    def full(self) -> bool:
        """Whether enough has been tried."""
        return len(self) > self.most or time.process_time() > self.end


def explore(
    function: Function,
    options: Sequence[Sequence[Option]],
    tries: int,
    run: Callable[[Choice], Any],
    log: Log,
    limit: list[float],
) -> Iterator[tuple[Choice, Any]]:
    """Yield the choices under which ``run`` raises nothing and returns something, with what it returned.

    A failure rules out every choice that gives the same values to the arguments which the function had read by
    then.  Choices less plausible than ``limit[0]``, which the caller lowers as it learns, are not tried.
    """
    ruled_out: list[tuple[tuple[int, Option], ...]] = []
    for choice in best_first(options, COMBINATIONS) if options else iter([()]):
        penalty = sum(o.penalty for o in choice)
        if tries <= 0 or penalty > limit[0] or log.full:
            return
        if any(all(choice[i] is o for i, o in rule) for rule in ruled_out):
            continue
        tries -= 1
        seen: dict[str, set[int]] = {}
        try:
            with quiet():
                value = within_budget(lambda choice=choice: run(choice), seen=seen)  # type: ignore[misc]
        except (Exception, Exhausted, SystemExit) as error:
            log.append(f"{function.qualified} raises {type(error).__name__}: {error}")
            read = _read_before(function, seen.get(function.name, set()))
            if seen.get(function.name):
                ruled_out.append(tuple((i, choice[i]) for i, name in enumerate(function.arguments) if name in read))
            continue
        if value is not None:
            yield choice, value


def _read_before(function: Function, lines: set[int]) -> set[str]:
    """Return the names that the statements on these lines read."""
    names: set[str] = set()
    for node in ast.walk(function.node):
        if not isinstance(node, ast.stmt) or isinstance(node, ast.FunctionDef):
            continue
        parts: list[ast.AST] = [node]
        if isinstance(node, ast.For | ast.While | ast.If | ast.With | ast.Try):
            parts = [getattr(node, name) for name in ("iter", "test") if hasattr(node, name)]
        for part in parts:
            first, last = getattr(part, "lineno", 0), getattr(part, "end_lineno", 0)
            if any(first <= line <= last for line in lines):
                names |= {n.id for n in ast.walk(part) if isinstance(n, ast.Name)}
    return names
