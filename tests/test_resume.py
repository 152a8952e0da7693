"""A run that is interrupted, or killed at any moment, and resumed ends byte for byte like one that never was."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bptt.cli.begin import Options, begin
from bptt.training import log, run
from bptt.training.directory import RunDirectory

FILES = ("log.jsonl", "best.safetensors", "last.safetensors")


def contents(directory):
    return {name: (directory / name).read_bytes() for name in FILES}


# ------------------------------------------------------------------------- real processes, really killed

ARGUMENTS = ["--n-a", "40", "--m", "8", "--T-x", "16", "--steps", "3000", "--evaluate-every", "40",
             "--save-every", "0.05", "--log-every", "3", "--sample-every", "0"]  # fmt: skip


def start(out, *arguments):
    command = [sys.executable, "-m", "bptt", "train", *arguments, "--out", str(out)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process):
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "warning" not in err
    return out


def after_the_first_checkpoint(process, out, seconds):
    while not (out / "last.safetensors").exists() and process.poll() is None:
        time.sleep(0.005)
    time.sleep(seconds)


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    rng = random.Random(1)
    words = ["the ", "cat ", "sat ", "on ", "a mat.\n"]
    path = tmp_path_factory.mktemp("resume") / "t.txt"
    path.write_text("".join(rng.choice(words) for _ in range(2000)))
    return path


@pytest.fixture(scope="module")
def never_interrupted(text):
    out = text.parent / "whole"
    finish(start(out, str(text), *ARGUMENTS))
    return contents(out)


def test_killed_at_random_moments(text, never_interrupted):
    out, rng = text.parent / "killed", random.Random()
    process, kills = start(out, str(text), *ARGUMENTS), 0
    while kills < 3:
        after_the_first_checkpoint(process, out, rng.uniform(0, 0.25) if kills == 0 else rng.uniform(0.5, 1.0))
        if process.poll() is not None:
            break
        process.send_signal(signal.SIGKILL)
        process.communicate()
        kills += 1
        process = start(out, "--resume")
    finish(process)
    assert kills > 0
    assert contents(out) == never_interrupted
    assert sorted(os.listdir(out)) == sorted(FILES)


def test_ctrl_c_saves_ends_with_130_and_says_how_to_go_on(text, never_interrupted):
    out = text.parent / "interrupted"
    process = start(out, str(text), *ARGUMENTS)
    after_the_first_checkpoint(process, out, 0.2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Saved at step" in err
    assert f"bptt train --resume --out {out}" in err
    assert "Traceback" not in err
    finish(start(out, "--resume"))
    assert contents(out) == never_interrupted


# ------------------------------------------------ in this process, stopped at every call that touches the disk


class Killed(BaseException):
    """Ends a run at once."""


@pytest.fixture
def short(text, monkeypatch):
    """Return a text for runs of a blink, and make the disk as quick as one."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    path = text.parent / "short.txt"
    path.write_text(text.read_text()[:400])
    return path


def train(out, text, resume=False):
    options = Options(
        data=None if resume else text,
        save_every=0.0,
        log_every=None if resume else 1,
        settings={} if resume else {"m": 4, "T_x": 8, "steps": 7, "evaluate_every": 3},
        architecture={} if resume else {"n_a": 5},
    )
    with RunDirectory(out) as directory:
        begin(options, directory, resume=resume, force=False).run.go(lambda record: None, lambda: False)


def die_at(monkeypatch, number):
    """Let the process die just before, or in the middle of, one call that writes."""
    calls = 0

    def deadly(original):
        def call(*arguments, **options):
            nonlocal calls
            calls += 1
            if calls == number:
                raise Killed
            return original(*arguments, **options)

        return call

    for module, name in [
        (os, "fsync"),
        (os, "replace"),
        (run, "write_tensors"),
        (run, "cut_back"),
        (log.json, "dumps"),
    ]:
        monkeypatch.setattr(module, name, deadly(getattr(module, name)))
    return lambda: calls


def test_stopped_at_any_call_that_touches_the_disk(tmp_path, short, monkeypatch):
    train(tmp_path / "whole", short)
    expected = contents(tmp_path / "whole")
    with monkeypatch.context() as patch:
        count = die_at(patch, 0)
        train(tmp_path / "count", short)
        total = count()
    assert total > 50
    for number in range(1, total + 1):
        out = tmp_path / str(number)
        with monkeypatch.context() as patch:
            die_at(patch, number)
            with pytest.raises(Killed):
                train(out, short)
        train(out, short, resume=(out / "last.safetensors").exists())
        assert contents(out) == expected, number


@pytest.mark.parametrize(
    "end", [b'{"step": 5, "cost', b"\xff\xfe\n", b'{"step": 99}\n', b"[]\n", b"\n", b'{"step": "x"}\n']
)
def test_what_a_crash_left_at_the_log_s_end_is_cut_off(tmp_path, short, end):
    train(tmp_path / "whole", short)
    expected = contents(tmp_path / "whole")
    with open(tmp_path / "whole" / "log.jsonl", "ab") as file:
        file.write(end)
    train(tmp_path / "whole", short, resume=True)
    assert contents(tmp_path / "whole") == expected


def test_a_best_model_from_the_future_or_lost_is_put_right(tmp_path, short):
    out = tmp_path / "whole"
    train(out, short)
    expected = contents(out)
    for spoil in (lambda path: path.write_bytes(b"x"), Path.unlink):
        spoil(out / "best.safetensors")
        train(out, short, resume=True)
        assert contents(out) == expected
