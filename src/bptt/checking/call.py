"""``bptt.check``: a program in, a report out; whatever happens to the program is an answer."""

from __future__ import annotations

import ast
import signal
import time
from typing import Any

import bptt.errors
from bptt.checking.loading.objects import adapter_text, is_case, source_of
from bptt.checking.loading.sources import Source
from bptt.checking.report import Report
from bptt.checking.running import sandbox
from bptt.checking.running.late import too_late
from bptt.checking.running.sandbox import MEMORY, TIMEOUT, Limits, Outcome
from bptt.errors import BpttError, CannotCheckError, ValueRangeError, message


def check(
    target: Any,
    *,
    case: Any = None,
    name: str | None = None,
    timeout: float = TIMEOUT,
    memory: int = MEMORY,
    seed: int = 0,
) -> Report:
    """Find every wrong line of a hand-written backward pass, and prove the fix.

    The code is **executed**, in a process of its own with limits on time, memory and output.  The limits are against
    accidents, not against malice.

    Parameters
    ----------
    target : path, str, function, class, module, or case
        A file (``.py``, ``.ipynb`` or a text with pasted code; ``"FILE::Name"`` where it holds several), the code
        itself (a str of several lines), an object whose source is known, also from a notebook's cell, or a case: an
        object with ``parameters``, ``cost()`` and ``gradients()``, whose numbers are compared in this process.
    case : path, str or function, optional
        The adapter ``bptt_case(module, sizes, seed)``, where the check cannot find its way by itself.
    name : str, optional
        The class or function to check, where the file holds several.
    timeout : float
        Seconds.
    memory : int
        MiB.
    seed : int
        Of the random values; the same file and seed give the same report.

    Returns
    -------
    Report
        ``report.verdict`` is ``"right"``, ``"wrong"`` or ``"cannot-check"``; ``print(report)`` shows all of it, and so
        does a notebook's cell.

    Raises
    ------
    FileError
        If the file is missing, empty or no text.
    ValueRangeError
        If the target is none of the above, or a limit makes no sense.

    Examples
    --------
    >>> import bptt
    >>> bptt.check("rnn.py")                                   # doctest: +SKIP
    rnn.py · right · all 5 gradients are the gradient of its cost
    """
    limits = Limits(timeout, memory)
    seed_checked(seed)
    if is_case(target):
        from bptt.checking.live import check_live

        return check_live(target, seed)
    source, found = source_of(target)
    return check_source(source, adapter=adapter_text(case), name=name or found, limits=limits, seed=seed)


def check_source(
    source: Source, *, adapter: str | None = None, name: str | None = None, limits: Limits | None = None, seed: int = 0
) -> Report:
    """Check a text that was read already; as :func:`check`, and the report says ``cannot-check`` where it must."""
    limits, start = limits or Limits(), time.perf_counter()
    folder = str(source.path.resolve().parent) if source.path is not None else None
    request = {
        "text": source.text,
        "file": source.file,
        "adapter": adapter,
        "name": name,
        "seed": seed,
        "folder": folder,
    }
    outcome = sandbox.run(request, limits)
    answer = outcome.answer or {}
    if "report" in answer:
        return Report.from_json(answer["report"])
    reason = why_not(outcome, source.file, limits)
    if "error" in answer:
        reason = _syntax_error(source) + reason
    return Report(source.file, source.text, "cannot-check", reason, seconds=time.perf_counter() - start)


def _syntax_error(source: Source) -> str:
    """Say where a file that should be Python is none; a pasted text may hold anything."""
    if source.path is None or source.path.suffix not in (".py", ".pyw"):
        return ""
    try:
        ast.parse(source.text)
    except SyntaxError as error:
        shown = (error.text or "").strip()
        return f"line {error.lineno} is not Python: {error.msg}" + (f": {shown[:80]}" if shown else "") + "\n"
    except (ValueError, RecursionError, MemoryError):
        return "it is nested too deeply for Python to read.\n"
    return ""


def seed_checked(seed: int) -> int:
    """Return a seed that NumPy takes, or say what is wanted."""
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise ValueRangeError(message("bptt check", f"seed is {seed!r}; a whole number from 0 to 2**32 - 1 is wanted."))
    return seed


def why_not(outcome: Outcome, file: str, limits: Limits) -> str:
    """Say in words how a run ended that brought no report."""
    answer = outcome.answer or {}
    if "error" in answer:
        kind = getattr(bptt.errors, answer["error"], BpttError)
        text = str(answer["message"]).removeprefix("check: ").removeprefix(f"{file}: ")
        text = "\n".join(dict.fromkeys(text.split("\n")))  # several readings may fail for one reason
        return text if issubclass(kind, CannotCheckError) else f"{kind.__name__}: {text}"
    line = outcome.last_line(file)
    place = f" in line {line[0]}" + (f" ({line[1]})" if not line[1].startswith("<") else "") if line else ""
    if "raised" in answer:
        what, at = answer["raised"], f" in line {answer['line']}" if answer["line"] else ""
        if what.startswith("SystemExit"):
            return f"the program ends itself (sys.exit){at}.\n" + _TAKE_OUT
        if what.startswith("MemoryError"):
            return _out_of_memory(at or what.removeprefix("MemoryError").replace(":", ""), limits)
        return f"the program raises {what}{at}, and the check could not go on."
    if outcome.timed_out or outcome.exit_code == -signal.SIGXCPU:
        return too_late(line, limits.timeout)
    if outcome.exit_code is not None and outcome.exit_code < 0:
        number = -outcome.exit_code
        if number == signal.SIGKILL:
            return _out_of_memory(place, limits)
        known = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
        return f"the program crashed{place} ({known}): its process ended without an answer."
    if outcome.exit_code is None:
        return "the process of the check was ended from outside, without an answer."
    return (
        f"the program ends its own process with exit code {outcome.exit_code} (os._exit, or a fork),\n"
        f"or damages the files of the check.\n{_TAKE_OUT}"
    )


_TAKE_OUT = "Take that out of the way of the forward and backward pass, and check it again."


def _out_of_memory(place: str, limits: Limits) -> str:
    return (
        f"the program ran out of memory{place}: {limits.memory} MiB are allowed.\n"
        "A check uses sizes below 10, so something allocates more than the sizes ask for; if it must: --memory MIB."
    )
