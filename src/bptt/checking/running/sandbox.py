"""The parent side of a check: run somebody's program in a process that cannot hang, fill or fool us.

The program's standard output is never read.  The answer comes through a private named pipe that exists for this run
alone; what does not begin with this run's token is not an answer.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import re
import secrets
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from bptt.errors import BpttError, ValueRangeError, message

TIMEOUT = 60.0
MEMORY = 2048
GRACE = 15.0  # what the guard may need beyond the runner's time: a busy machine imports slowly
LARGEST_ANSWER = 64 * 2**20
CHECK = "bptt.checking.running.run:check_program"
_START = "import bptt.checking.running.worker as worker; worker.main()"


@dataclass(frozen=True)
class Limits:
    """What a program may use: seconds by the clock, MiB of memory."""

    timeout: float = TIMEOUT
    memory: int = MEMORY

    def __post_init__(self) -> None:
        """Refuse limits that no check can run under."""
        if not 0.1 <= self.timeout <= 86400:
            raise ValueRangeError(
                message("bptt check", f"--timeout {self.timeout:g}: 0.1 to 86400 seconds are wanted.")
            )
        if not 256 <= self.memory <= 2**20:
            raise ValueRangeError(
                message(
                    "bptt check",
                    f"--memory {self.memory}: 256 to {2**20} MiB are wanted.",
                    details=["Python and NumPy alone take about 100 MiB of address space."],
                )
            )


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes
    ----------
    answer : dict or None
        What the runner answered: ``{"report": ...}``, ``{"error": ...}``, ``{"raised": ...}`` or ``{"fault": ...}``.
    timed_out : bool
    exit_code : int or None
        Of the runner; negative for a signal; None where the guard itself was lost.
    no_network : bool
        Whether the kernel cut the program off from the network.
    trace : str
        The stack at a crash or at the end of the time, as ``faulthandler`` writes it.
    """

    answer: dict[str, Any] | None
    timed_out: bool
    exit_code: int | None
    no_network: bool
    trace: str

    def last_line(self, file: str) -> tuple[int, str] | None:
        """Return the line of the program that was running, and its function, where the trace shows one."""
        for match in re.finditer(r'File "(.*)", line (\d+) in (.*)', self.trace):
            if match[1] in (file, "program.py"):  # the loader compiles every program under that name
                return int(match[2]), match[3]
        return None


class WorkerFault(RuntimeError):
    """The worker itself failed: a bug of ours."""


class Sandbox:
    """One confined process: started early, it imports what a check needs while the request is still being prepared.

    Parameters
    ----------
    work_function : str
        ``"module:function"``; takes the request and returns the answer, both JSON data.

    Raises
    ------
    BpttError
        If this platform has no named pipes (Windows outside WSL).
    """

    def __init__(self, work_function: str = CHECK) -> None:
        if not hasattr(os, "mkfifo"):
            raise BpttError(
                message(
                    "bptt check",
                    "this platform cannot confine a program.",
                    hint="Run it under Linux or macOS; on Windows, in WSL.",
                )
            )
        self._asked = False  # before it is, nothing but the guard itself is there to be ended
        self._folder = tempfile.TemporaryDirectory(prefix="bptt-check-", ignore_cleanup_errors=True)
        self._pipe, self._work, self._trace = (os.path.join(self._folder.name, n) for n in ("report", "work", "trace"))
        os.mkdir(self._work, 0o700)
        os.mkfifo(self._pipe, 0o600)
        self._listening = os.open(self._pipe, os.O_RDWR | os.O_NONBLOCK)  # for writing too: so it never reads as closed
        self._guard = subprocess.Popen(
            [sys.executable, "-s", "-P", "-c", _START, work_function],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._work,
            env=_environment(self._work),
            start_new_session=True,
        )

    def run(self, request: dict[str, Any], limits: Limits) -> Outcome:
        """Run the function once, and return how that ended.

        Parameters
        ----------
        request : dict
            JSON data for the function; ``"file"`` is the program's name.
        limits : Limits

        Raises
        ------
        WorkerFault
            If the function failed outside the program's own code.
        """
        assert self._guard.stdin is not None  # it was asked for as a pipe
        token = secrets.token_hex(16)
        own = {"pipe": self._pipe, "trace": self._trace, "token": token}
        whole = {**request, **own, "timeout": limits.timeout, "memory": limits.memory}
        self._asked = True
        with contextlib.suppress(BrokenPipeError):
            self._guard.stdin.write(json.dumps(whole).encode())
            self._guard.stdin.close()
        data, status = _listen(self._guard, self._listening, limits.timeout + GRACE)
        answer = _authentic(data, token.encode())
        if answer is not None and "fault" in answer:
            fault = WorkerFault(answer["fault"])
            fault.add_note(answer["traceback"])  # shown with our traceback, under BPTT_DEBUG
            raise fault
        trace = Path(self._trace).read_text(errors="replace") if os.path.exists(self._trace) else ""
        status = status or {}
        timed_out, cut_off = bool(status.get("timed_out")), bool(status.get("no_network"))
        return Outcome(answer, timed_out, status.get("ended"), cut_off, trace)

    def close(self) -> None:
        """End the process and all that it started; delete its folder."""
        guard = self._guard
        if self._asked and guard.poll() is None:
            guard.terminate()  # the guard ends its descendants first
            with contextlib.suppress(subprocess.TimeoutExpired):
                guard.wait(3.0)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(guard.pid, signal.SIGKILL)
        guard.wait()
        for stream in (guard.stdin, guard.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        os.close(self._listening)
        self._folder.cleanup()


_warm: list[Sandbox] = []


def warm() -> None:
    """Start a process for the next :func:`run`; it is ended with us if no run takes it."""
    with contextlib.suppress(BpttError, OSError):  # the run itself will say it
        _warm.append(Sandbox())
        atexit.register(_close_unused)


def _close_unused() -> None:
    while _warm:
        _warm.pop().close()


def run(request: dict[str, Any], limits: Limits, work_function: str = CHECK) -> Outcome:
    """Run one function in a confined process of its own; see :class:`Sandbox`."""
    sandbox = _warm.pop() if _warm and work_function == CHECK else Sandbox(work_function)
    try:
        return sandbox.run(request, limits)
    finally:
        sandbox.close()


def _environment(work: str) -> dict[str, str]:
    """Return what the program sees: the same packages, one thread, no display, no home, no secrets."""
    kept = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "COVERAGE_PROCESS_START")
    own = {
        "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)),
        "PYTHONHASHSEED": "0",  # the same file and seed give the same report
        "PYTHONUTF8": "1",
        "HOME": work,
        "TMPDIR": work,
        "MPLBACKEND": "Agg",  # a plot is drawn and never shown
        "MPLCONFIGDIR": work,
        **{f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "OMP", "MKL", "NUMEXPR", "VECLIB_MAXIMUM")},
    }
    return {name: os.environ[name] for name in kept if name in os.environ} | own


def _listen(guard: subprocess.Popen[bytes], listening: int, seconds: float) -> tuple[bytes, dict[str, Any] | None]:
    """Collect what comes through the pipe until the guard has said how the run ended."""
    assert guard.stdout is not None
    output: IO[bytes] = guard.stdout
    until, data, said = time.monotonic() + seconds, bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(listening, selectors.EVENT_READ)
        selector.register(output, selectors.EVENT_READ)
        while (remaining := until - time.monotonic()) > 0 and len(data) <= LARGEST_ANSWER:
            ready = {key.fd for key, _ in selector.select(remaining)}
            if listening in ready:
                data += _available(listening)
            if output.fileno() in ready:
                chunk = os.read(output.fileno(), 4096)
                said += chunk
                if not chunk:
                    break
    data += _available(listening)
    try:
        return bytes(data), json.loads(said)
    except ValueError:
        return bytes(data), None


def _available(descriptor: int) -> bytes:
    chunks = []
    with contextlib.suppress(BlockingIOError):
        while chunk := os.read(descriptor, 65536):
            chunks.append(chunk)
            if sum(map(len, chunks)) > LARGEST_ANSWER:
                break
    return b"".join(chunks)


def _authentic(data: bytes, token: bytes) -> dict[str, Any] | None:
    """Return the answer that carries this run's token, whole, or None."""
    start = data.find(token)
    if start < 0:
        return None
    start += len(token)
    try:
        length = int(data[start : start + 16])
        answer = json.loads(data[start + 16 : start + 16 + length])
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None
