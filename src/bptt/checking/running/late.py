"""A check's own end: shortly before its process is ended from outside, it stops searching and reports what it has."""

from __future__ import annotations

import signal
from types import FrameType

AGAIN = 0.25  # seconds: somebody's bare ``except:`` may swallow the first


class Late(BaseException):
    """The time is nearly over; no ``except Exception`` takes it for a fault of the program."""


def arm(seconds: float) -> None:
    """Raise :class:`Late` in the main thread after some seconds, again and again until :func:`disarm`."""
    signal.signal(signal.SIGALRM, _raise)
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)


def disarm() -> None:
    """Let there be no more of them."""
    signal.setitimer(signal.ITIMER_REAL, 0)


def too_late(place: tuple[int, str] | None, seconds: float) -> str:
    """Say what took the time: a line of the program and its function, where one was running."""
    if place is None:
        return f"the check was not done after {seconds:g} seconds.  More time: --timeout SECONDS."
    function = "" if place[1].startswith("<") else f" ({place[1]})"
    return (
        f"the program was still running in line {place[0]}{function} after {seconds:g} seconds.\n"
        "If it is a loop that trains or waits, take it out of the way of the forward and backward pass;\n"
        "if it only needs longer: --timeout SECONDS."
    )


def _raise(number: int, frame: FrameType | None) -> None:
    raise Late
