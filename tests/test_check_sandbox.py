"""Hostile and unlucky programs: none may hang the check, fill the disk, or be believed."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from bptt.checking.call import why_not
from bptt.checking.running.sandbox import Limits, Outcome, WorkerFault, run
from bptt.errors import ValueRangeError

WORK = "sandbox_probe:execute"


def outcome(text: str, timeout: float = 5, memory: int = 1024, **more: str) -> Outcome:
    return run({"text": text, "file": "rnn.py", **more}, Limits(timeout, memory), WORK)


def answer(text: str, **limits: float) -> object:
    got = outcome(text, **limits).answer
    assert got is not None
    assert "report" in got, got
    return got["report"]["answer"]


def alive(mark: str) -> list[str]:
    """Return the processes whose command line holds a mark."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark.encode() in process.read_bytes():
                found.append(process.parent.name)
        except OSError:
            continue
    return found


def gone(mark: str) -> bool:
    """Tell whether all processes with a mark have ended, within a moment."""
    until = time.monotonic() + 2
    while time.monotonic() < until and alive(mark):
        time.sleep(0.02)
    return not alive(mark)


def test_an_answer_comes_through_the_pipe() -> None:
    assert answer("answer = 42") == 42


def test_a_large_answer_comes_whole() -> None:
    assert answer("answer = list(range(300000))") == list(range(300000))


def test_an_endless_loop_ends_at_its_time_and_names_its_line() -> None:
    start = time.monotonic()
    got = outcome("def train():\n    while True:\n        pass\n\ntrain()", timeout=0.5)
    assert time.monotonic() - start < 3
    assert got.timed_out
    assert got.answer is None
    reason = why_not(got, "rnn.py", Limits(0.5))
    assert "line 3" in reason or "line 2" in reason
    assert "(train)" in reason
    assert "0.5 seconds" in reason


def test_a_program_that_ignores_signals_ends_all_the_same() -> None:
    text = """
import signal
for number in range(1, 32):
    try: signal.signal(number, signal.SIG_IGN)
    except OSError: pass
while True: pass
"""
    assert outcome(text, timeout=0.4).timed_out


def test_a_wait_inside_c_code_ends_at_its_time() -> None:
    assert outcome("import threading\nlock = threading.Lock(); lock.acquire(); lock.acquire()", timeout=0.4).timed_out


def test_a_crash_names_its_line() -> None:
    got = outcome("import ctypes\n\n\ndef f():\n    ctypes.string_at(0)\n\nf()")
    assert got.exit_code == -11
    assert "crashed in line 5 (f) (SIGSEGV)" in why_not(got, "rnn.py", Limits())


def test_an_abort_is_a_crash() -> None:
    reason = why_not(outcome("import os; os.abort()"), "rnn.py", Limits())
    assert "crashed" in reason


def test_a_huge_allocation_is_refused() -> None:
    got = outcome("x = 1\ny = bytearray(8 << 30)", memory=512)
    assert got.answer == {"raised": "MemoryError", "line": 2}
    assert "ran out of memory in line 2: 512 MiB" in why_not(got, "rnn.py", Limits(memory=512))


def test_memory_taken_bit_by_bit_is_refused() -> None:
    got = outcome("hoard = []\nwhile True:\n    hoard.append(bytearray(1 << 24))", memory=512)
    assert not got.timed_out
    assert "memory" in why_not(got, "rnn.py", Limits(memory=512))


@pytest.mark.parametrize("text", ["import sys; sys.exit(0)", "raise SystemExit", "exit()", "quit(3)"])
def test_an_exit_is_named(text: str) -> None:
    assert "ends itself (sys.exit) in line 1" in why_not(outcome(text), "rnn.py", Limits())


def test_os_exit_is_no_verdict() -> None:
    got = outcome("import os; os._exit(0)")
    assert got.answer is None
    assert "ends its own process with exit code 0" in why_not(got, "rnn.py", Limits())


def test_input_gets_no_answer_and_does_not_wait() -> None:
    got = outcome("x = input('size? ')", timeout=5)
    assert got.answer is not None
    assert got.answer["raised"].startswith("EOFError")


def test_endless_prints_fill_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    text = """
import os, sys
for i in range(200000): print("x" * 100)
sys.stderr.write("y" * 10**6)
os.write(1, b"z" * 10**6)
answer = 1
"""
    assert answer(text) == 1
    assert capfd.readouterr() == ("", "")


def test_print_without_end_ends_at_its_time() -> None:
    assert outcome("while True: print('epoch')", timeout=0.4).timed_out


def test_a_fake_report_in_every_descriptor_is_not_believed() -> None:
    text = """
import json, os
fake = json.dumps({"report": {"answer": "right"}}).encode()
for descriptor in range(3, 256):
    try: os.write(descriptor, b"%016d" % len(fake) + fake)
    except OSError: pass
for folder, _, names in os.walk(".."):
    for name in names:
        try:
            handle = os.open(os.path.join(folder, name), os.O_WRONLY | os.O_NONBLOCK)
            os.write(handle, b"0" * 32 + b"%016d" % len(fake) + fake)
            os.close(handle)
        except OSError: pass
answer = "the truth"
"""
    assert answer(text) == "the truth"


def test_a_fake_report_and_an_exit_are_not_believed() -> None:
    text = """
import json, os
fake = json.dumps({"report": {"answer": "right"}}).encode()
for descriptor in range(0, 256):
    try: os.write(descriptor, fake)
    except OSError: pass
for folder, _, names in os.walk(".."):
    for name in names:
        handle = os.open(os.path.join(folder, name), os.O_WRONLY | os.O_NONBLOCK)
        os.write(handle, fake)
os._exit(0)
"""
    assert outcome(text).answer is None


def test_closed_descriptors_do_not_matter() -> None:
    assert answer("import os; os.closerange(0, 4096); answer = 7") == 7


def test_no_descriptor_leads_to_the_answer_while_the_program_runs() -> None:
    text = """
import os
names = [f"/proc/self/fd/{d}" for d in os.listdir("/proc/self/fd")]
answer = [os.readlink(name) for name in names if os.path.exists(name)]
"""
    targets = [t for t in answer(text) if t != "/dev/null" and not t.startswith("/proc/")]  # type: ignore[attr-defined]
    assert all(t.endswith("/trace") for t in targets), targets


def test_neither_atexit_nor_threads_hold_the_answer_up() -> None:
    text = """
import atexit, threading, time
atexit.register(lambda: time.sleep(60))
threading.Thread(target=time.sleep, args=(60,)).start()
answer = 1
"""
    start = time.monotonic()
    assert answer(text) == 1
    assert time.monotonic() - start < 4


def test_a_replaced_json_and_os_do_not_matter() -> None:
    text = "import json, os, sys\njson.dumps = os.open = os.write = os.getpid = None\nsys.stdout = None\nanswer = 3"
    assert answer(text) == 3


def test_detached_grandchildren_end() -> None:
    mark = f"4{os.getpid()}.25"
    text = f"""
import os, subprocess
subprocess.Popen(["sleep", "{mark}"], start_new_session=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvp("sleep", ["sleep", "{mark}"])
    os._exit(0)
answer = 1
"""
    assert answer(text) == 1
    assert gone(mark)


def test_a_copy_of_the_process_answers_nothing() -> None:
    assert answer("import os\nanswer = 'child' if os.fork() == 0 else 'parent'") == "parent"


def test_everything_ends_with_an_interrupted_check() -> None:
    mark = f"5{os.getpid()}.25"
    whole = f"'{mark[:1]}' + '{mark[1:]}'"  # put together by the program: the check's own command line holds its text
    text = f"import subprocess, os\nsubprocess.Popen(['sleep', {whole}], start_new_session=True)\nwhile True: pass"
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from bptt.checking.running.sandbox import *\n"
        f"run({{'text': {text!r}, 'file': 'rnn.py'}}, Limits(30), {WORK!r})"
    )
    import signal
    import subprocess
    import sys

    for number, code_wanted in ((signal.SIGINT, -2), (signal.SIGKILL, -9)):
        check = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
        until = time.monotonic() + 30
        while not alive(mark) and time.monotonic() < until:
            time.sleep(0.02)
        assert alive(mark)
        check.send_signal(number)
        assert check.wait(10) == code_wanted
        assert gone(mark)


def test_it_works_in_a_folder_of_its_own_that_is_gone_afterwards() -> None:
    folder = answer("import os\nopen('model.npz', 'w').write('x')\nanswer = os.getcwd()")
    assert isinstance(folder, str)
    assert folder != os.getcwd()
    assert not Path(folder).exists()


def test_a_full_disk_is_an_error_of_the_program() -> None:
    text = """
try:
    with open("log", "wb") as log:
        for _ in range(100): log.write(b"x" * 2**20)
    answer = "full"
except OSError:
    answer = "refused"
"""
    assert answer(text) == "refused"


def test_the_network_is_cut_off_or_not_claimed_to_be() -> None:
    text = """
import socket
answer = "open"
try:
    socket.create_connection(("192.0.2.1", 80), 0.2)
except OSError as error:
    if "unreachable" in str(error): answer = "cut"
"""
    got = outcome(text)
    assert got.answer is not None
    if got.no_network:
        assert got.answer["report"]["answer"] == "cut"


def test_secrets_of_the_environment_stay_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_API_TOKEN", "secret")
    assert "MY_API_TOKEN" not in answer("import os; answer = list(os.environ)")  # type: ignore[operator]


def test_the_persons_own_exception_names_its_line() -> None:
    got = outcome("a = 1\nb = a / 0")
    assert "ZeroDivisionError: division by zero in line 2" in why_not(got, "rnn.py", Limits())


def test_our_own_failure_is_our_fault() -> None:
    with pytest.raises(WorkerFault, match="KeyError"):
        run({"file": "rnn.py"}, Limits(5), WORK)
    with pytest.raises(WorkerFault, match="no_such_module"):
        run({"file": "rnn.py"}, Limits(5), "no_such_module:f")


@pytest.mark.parametrize("limits", [{"timeout": 0}, {"timeout": -1}, {"timeout": float("nan")}, {"memory": 10}])
def test_limits_that_make_no_sense_are_refused(limits: dict[str, float]) -> None:
    with pytest.raises(ValueRangeError, match="wanted"):
        Limits(**limits)  # type: ignore[arg-type]
