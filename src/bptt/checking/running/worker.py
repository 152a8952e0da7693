"""The child side of a check: two processes, so that whatever the program does, somebody is left to end it.

The *guard* leaves the network, starts the *runner*, waits for it no longer than its time, and ends every process
that descends from it.  The runner executes the program.  While it does, no file descriptor leads to our answer: the
report's pipe is opened only when the report is ready, under a path and with a token that came through standard
input.  The guard says on its standard output how the runner ended.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from importlib import import_module
from typing import Any, NoReturn

from bptt.checking.running.confine import (
    adopt_orphans,
    die_with_parent,
    end_descendants,
    limit_resources,
    own_namespaces,
)
from bptt.errors import BpttError

PROGRAM = "program.py"  # what the loader calls every program when it compiles it


def main() -> None:
    """Guard one run.  The request is JSON on standard input, written by :mod:`bptt.checking.running.sandbox`."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, signal.SIGTERM})
    die_with_parent()
    adopt_orphans()
    no_network, small_disk = own_namespaces(os.getcwd())
    with contextlib.suppress(Exception):  # now, while the request is not here yet; the runner inherits it
        import_module(sys.argv[1].partition(":")[0])
    text = sys.stdin.buffer.read()
    if not text:
        return  # the check was given up before it began
    request = json.loads(text)
    until = time.monotonic() + request["timeout"]
    runner = os.fork()
    if runner == 0:
        _run(request)
    ended = _wait(runner, until)
    if ended is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(runner, signal.SIGUSR1)  # the runner's stack goes to the trace file: which line it was in
            time.sleep(0.05)
    end_descendants(runner)
    status = {"no_network": no_network, "small_disk": small_disk, "timed_out": ended is None, "ended": ended}
    print(json.dumps(status), flush=True)


def _wait(runner: int, until: float) -> int | None:
    """Return the runner's exit code (negative: its signal), or None where the time is over or the parent gave up."""
    while True:
        pid, status = os.waitpid(runner, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        remaining = until - time.monotonic()
        if remaining <= 0:
            return None
        signalled = _next_signal(remaining)
        if signalled == signal.SIGTERM:
            return None


def _next_signal(seconds: float) -> int | None:
    if hasattr(signal, "sigtimedwait"):
        got = signal.sigtimedwait({signal.SIGCHLD, signal.SIGTERM}, seconds)
        return got.si_signo if got else None
    time.sleep(min(seconds, 0.02))  # macOS has no sigtimedwait
    return signal.SIGTERM if signal.SIGTERM in signal.sigpending() else None


def _run(request: dict[str, Any]) -> NoReturn:
    """Be the runner: confine this process, work, answer, and end without the program's own farewells."""
    try:
        send = _sender(request)
        _confine(request)
        send(_answer(request))
    finally:
        os._exit(0)  # no atexit, no waiting for threads


def _sender(request: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    """Return the function that delivers the answer; it keeps what it needs, whatever the program replaces."""
    path, token, owner = request.pop("pipe"), request.pop("token").encode(), os.getpid()
    open_, write, close, getpid, dumps, flags = os.open, os.write, os.close, os.getpid, json.dumps, os.O_WRONLY

    def send(answer: dict[str, Any]) -> None:
        if getpid() != owner:
            return  # a copy that the program forked
        text = dumps(answer, allow_nan=False).encode()
        data = token + b"%016d" % len(text) + text
        descriptor = open_(path, flags)
        while data:
            data = data[write(descriptor, data) :]
        close(descriptor)

    return send


def _confine(request: dict[str, Any]) -> None:
    os.setsid()
    die_with_parent()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD, signal.SIGTERM})
    trace = open(request["trace"], "w")
    faulthandler.enable(trace)
    faulthandler.register(signal.SIGUSR1, trace)
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.chdir(os.getcwd())  # by its path: what is mounted there is the program's own folder
    limit_resources(request["timeout"], request["memory"])


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    try:
        module, _, function = sys.argv[1].partition(":")
        work: Callable[[dict[str, Any]], dict[str, Any]] = getattr(import_module(module), function)
        sys.dont_write_bytecode = True  # from here on only the program's own imports are new
        sys.argv[:] = [PROGRAM]
        return {"report": work(request)}
    except BpttError as error:
        return {"error": type(error).__name__, "message": str(error)}
    except BaseException as error:
        theirs = _line_of(error, (request["file"], PROGRAM))
        exhausted = isinstance(error, MemoryError | RecursionError)  # in our own code too, by what the program took
        if theirs is None and not exhausted:
            return {"fault": f"{type(error).__name__}: {error}", "traceback": traceback.format_exc()}
        return {"raised": f"{type(error).__name__}: {error}".removesuffix(": "), "line": theirs}


def _line_of(error: BaseException, files: tuple[str, ...]) -> int | None:
    """Return the innermost line of the program that an exception went through."""
    line, step = None, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename in files:
            line = step.tb_lineno
        step = step.tb_next
    return line
