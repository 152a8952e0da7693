"""One line in a test suite that proves a backward pass."""

from __future__ import annotations

from typing import Any

from bptt.checking.call import check
from bptt.checking.report import Report
from bptt.checking.running.sandbox import MEMORY, TIMEOUT


def assert_gradients_right(
    target: Any,
    *,
    case: Any = None,
    name: str | None = None,
    timeout: float = TIMEOUT,
    memory: int = MEMORY,
    seed: int = 0,
) -> Report:
    """Fail unless every gradient of a backward pass is the gradient of its own cost.

    Parameters
    ----------
    target, case, name, timeout, memory, seed
        As for :func:`bptt.check`.

    Returns
    -------
    Report
        Its notes may be worth a look.

    Raises
    ------
    AssertionError
        If a gradient is wrong, or if the program cannot be checked: what is not proven does not pass.  The message is
        the report.
    BpttError
        If the target cannot be read.

    Examples
    --------
    In a test suite, under pytest or unittest::

        def test_backward():
            bptt.assert_gradients_right("my_rnn.py")
    """
    __tracebackhide__ = True
    report = check(target, case=case, name=name, timeout=timeout, memory=memory, seed=seed)
    if report.verdict != "right":
        raise AssertionError(f"\n{report}")
    return report
