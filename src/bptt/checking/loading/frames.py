"""The local variables of somebody's function, where it raises or returns nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def locals_at(error: BaseException, function: str, after: int) -> dict[str, Any] | None:
    """Return a function's local variables where an exception passed through it below a line; None elsewhere."""
    trace = error.__traceback__
    found = None
    while trace is not None:
        if trace.tb_frame.f_code.co_name == function and trace.tb_lineno > after:
            found = dict(trace.tb_frame.f_locals)
        trace = trace.tb_next
    return found


def with_locals(run: Callable[[], Any], function: str) -> tuple[Any, dict[str, Any]]:
    """Run something; return its result, and the local variables with which a function of that name returned last."""
    kept: dict[str, Any] = {}
    before = sys.getprofile()

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        if event == "return" and frame.f_code.co_name == function:
            kept.clear()
            kept.update(frame.f_locals)

    sys.setprofile(watch)
    try:
        result = run()
    finally:
        sys.setprofile(before)
    return result, kept
