"""What the kernel lets us do so that a program can hurt neither the machine nor our answer.

All of it is against accidents (an endless loop, a huge array, a full disk), not against malice: somebody's code is
executed as the user who runs the check.  Each part that the kernel refuses is left out, and said to be left out.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
import time

_NEW_MOUNTS, _NEW_IPC, _NEW_USER, _NEW_PID, _NEW_NET = 0x00020000, 0x08000000, 0x10000000, 0x20000000, 0x40000000
_DIE_WITH_PARENT, _ADOPT_ORPHANS = 1, 36  # PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER
_RECURSIVE, _PRIVATE, _NO_SUID, _NO_DEVICES = 0x4000, 0x40000, 0x2, 0x4

DISK_MIB = 64  # what the program may write in its directory
FILE_MIB = 32  # and in one file, wherever it is
PROCESSES = 64  # threads included; the kernel does not hold the superuser to it


def own_namespaces(work: str) -> tuple[bool, bool]:
    """Leave the network, and let processes started from now on live in a process namespace of their own.

    Parameters
    ----------
    work : str
        The directory of the program; it becomes a small file system in memory, so that the disk cannot fill.

    Returns
    -------
    no_network, small_disk : bool
        What the kernel granted.
    """
    if not sys.platform.startswith("linux"):
        return False, False
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(_NEW_USER | _NEW_PID | _NEW_NET | _NEW_IPC | _NEW_MOUNTS) != 0:
        return False, False
    for file, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with contextlib.suppress(OSError), open(f"/proc/self/{file}", "w") as map_file:
            map_file.write(text)
    private = libc.mount(b"none", b"/", None, _RECURSIVE | _PRIVATE, None) == 0
    options = f"size={DISK_MIB}m,nr_inodes=4096,mode=0700".encode()
    small = private and libc.mount(b"tmpfs", os.fsencode(work), b"tmpfs", _NO_SUID | _NO_DEVICES, options) == 0
    return True, small


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, so that none escapes by detaching."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_ADOPT_ORPHANS, 1, 0, 0, 0)


def die_with_parent() -> None:
    """End this process when its parent ends, however that happens."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)


def limit_resources(seconds: float, memory_mib: int) -> None:
    """Limit this process's memory, CPU time, file sizes and number of processes; no core dumps."""
    cpu = int(seconds) + 2  # behind the clock's own limit: it ends what a lost clock would not
    for what, limit in (
        (resource.RLIMIT_AS, memory_mib * 2**20),
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_FSIZE, FILE_MIB * 2**20),
        (resource.RLIMIT_NPROC, PROCESSES),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        with contextlib.suppress(OSError, ValueError):  # macOS knows RLIMIT_AS and does not hold it
            resource.setrlimit(what, (limit, limit))
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")  # where memory runs out all the same, this process goes first


def end_descendants(leader: int, patience: float = 2.0) -> None:
    """Kill and reap all that descends from this process: a process group, and what has left it or its session.

    Parameters
    ----------
    leader : int
        Of the process group; where the kernel does not list children (macOS), the group is all that can be found.
    patience : float
        Seconds; a process that hangs in the kernel is left to it after that.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
    until = time.monotonic() + patience
    while time.monotonic() < until:
        for pid in _children():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return  # nobody is left: the children of the dead became ours, and died in their turn
        time.sleep(0.005)


def _children() -> list[int]:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as listing:
            return [int(pid) for pid in listing.read().split()]
    except (OSError, ValueError):
        return []
