"""bptt train and bptt sample in one process: what they write, say and refuse."""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from bptt.cli.app import app
from bptt.model import SimpleRNN
from bptt.tensorfile import read_tensors, write_tensors
from bptt.training.directory import RunDirectory
from bptt.training.threads import blas_threads, set_blas_threads

TEXT = "the cat sat on the mat and the rat sat on the cat.\n" * 30
QUICK = ["--n-a", "12", "--m", "4", "--T-x", "16", "--epochs", "3", "--seed", "5", "--log-every", "4"]


def call(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.txt").write_text(TEXT)
    return tmp_path


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    base = tmp_path_factory.mktemp("trained")
    (base / "t.txt").write_text(TEXT)
    result = call("train", base / "t.txt", "--out", base / "run", *QUICK)
    assert result.exit_code == 0
    return base / "run"


def log_of(run):
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def test_a_run_trains_samples_and_says_what_next(trained):
    result = call("train", "t.txt", *QUICK)
    assert result.exit_code == 0, result.output
    assert "Try next" in result.stdout
    assert "bptt sample --temperature" in result.stdout
    assert "bits/char" in result.stderr
    run = RunDirectory(Path("bptt-run"))
    assert SimpleRNN.load(run.best).vocabulary.characters == "".join(sorted(set(TEXT)))
    assert SimpleRNN.load(run.last).parameters["W_aa"].shape == (12, 12)
    for name in ("best.safetensors", "log.jsonl"):  # equal options, equal bytes, wherever it runs
        assert (run.path / name).read_bytes() == (trained / name).read_bytes()


def test_the_log_holds_every_fourth_step_and_every_evaluation(trained):
    log = log_of(trained)
    steps = log[-1]["step"]
    judged = [line["step"] for line in log if "validation" in line]
    assert [line["step"] for line in log] == sorted({*range(4, steps + 1, 4), *judged})
    assert judged[-1] == steps
    for line in log:
        assert line["bits"] == pytest.approx(line["cost"] / math.log(2))
        assert line.keys() >= {"epoch", "rate", "norm", "clipped"}
    best = min((line for line in log if "validation" in line), key=lambda line: line["validation"])
    _, about = read_tensors(trained / "best.safetensors", "test")
    assert (about["step"], about["cost"]) == (best["step"], best["validation"])
    assert log[-1]["cost"] < log[0]["cost"]


def test_json_is_one_document_that_a_script_can_read():
    result = call("train", "t.txt", *QUICK, "--json")
    summary = json.loads(result.stdout)
    assert summary["done"] is True
    assert summary["step"] == summary["steps"] == log_of(Path("bptt-run"))[-1]["step"]
    assert summary["best_bits"] == pytest.approx(summary["best_cost"] / math.log(2))
    result = call("sample", "--length", 30, "--seed", 3, "--json")
    drawn = json.loads(result.stdout)
    assert len(drawn["text"]) == 30
    assert call("sample", "--length", 30, "--seed", 3).stdout == drawn["text"] + "\n"


def test_a_run_is_never_overwritten_unasked():
    assert call("train", "t.txt", *QUICK).exit_code == 0
    before = {file.name: file.read_bytes() for file in Path("bptt-run").iterdir()}
    result = call("train", "t.txt", *QUICK)
    assert result.exit_code == 2
    assert "--resume" in result.stderr
    assert "--force" in result.stderr
    assert before == {file.name: file.read_bytes() for file in Path("bptt-run").iterdir()}
    assert call("train", "t.txt", *QUICK, "--n-a", 7, "--force").exit_code == 0
    assert SimpleRNN.load("bptt-run/best.safetensors").parameters["W_aa"].shape == (7, 7)


def test_a_finished_run_goes_on_with_more_epochs_only():
    call("train", "t.txt", *QUICK)
    result = call("train", "--resume")
    assert result.exit_code == 0
    assert "at its end already" in result.stdout
    end = log_of(Path("bptt-run"))[-1]["step"]
    result = call("train", "--resume", "--epochs", 4)
    assert result.exit_code == 0
    assert f"Going on from step {end}" in result.stderr
    assert log_of(Path("bptt-run"))[-1]["step"] > end
    assert call("train", "--resume", "--steps", 100).exit_code == 0
    assert log_of(Path("bptt-run"))[-1]["step"] == 100
    assert call("train", "--resume", "--epochs", 2).exit_code == 0  # it has gone further already
    assert log_of(Path("bptt-run"))[-1]["step"] == 100
    for option in (["--n-a", 9], ["--rate", 0.1], ["--seed", 1], ["--log-every", 2], ["--encoding", "ascii"]):
        result = call("train", "--resume", *option)
        assert result.exit_code == 2
        assert f"{option[0]} cannot change" in result.stderr


def test_a_changed_text_or_machine_is_warned_about(monkeypatch, place):
    call("train", "t.txt", *QUICK)
    (place / "t.txt").write_text(TEXT.replace("rat", "cat"))
    monkeypatch.setattr("bptt.training.environment.blas_threads", lambda: 77)
    result = call("train", "--resume", "--epochs", 4)
    assert result.exit_code == 0
    assert "has another hash" in result.stderr
    assert "the number of threads was" in result.stderr
    assert "not bit by bit" in result.stderr
    result = call("train", "--resume", "--epochs", 4)
    assert "warning" not in result.stderr  # the checkpoint now knows the new ones


def test_two_runs_do_not_share_a_directory(place):
    call("train", "t.txt", *QUICK)
    with RunDirectory(place / "bptt-run") as other:
        other.check_resumable()
        result = call("train", "--resume", "--epochs", 4)
    assert result.exit_code == 2
    assert "another run is at work" in result.stderr
    assert call("train", "--resume", "--epochs", 4).exit_code == 0


def test_a_run_works_with_one_thread_or_as_many_as_are_named(monkeypatch):
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    before = blas_threads()
    try:
        for arguments, wanted in [(["t.txt", *QUICK], 1), (["--resume", "--threads", 2], 2), (["--resume"], 2)]:
            set_blas_threads(before)
            assert call("train", *arguments).exit_code == 0
            _, about = read_tensors(Path("bptt-run/last.safetensors"), "test")
            assert about["run"]["environment"]["threads"] == str(blas_threads())
            assert blas_threads() in (wanted, before)  # before, where BLAS is not OpenBLAS
    finally:
        set_blas_threads(before)


@pytest.mark.parametrize("kind", ["ids", "dense", "a0"])
def test_arrays_are_trained_on(kind):
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 3, (40, 6))
    arrays = {"X": ids, "Y": ids}
    if kind != "ids":
        arrays = {"X": np.eye(3)[ids].transpose(2, 0, 1), "Y": np.eye(3)[ids].transpose(2, 0, 1)}
    if kind == "a0":
        arrays["a0"] = rng.normal(size=(9, 40))
    np.savez("a.npz", **arrays)
    size = [] if kind == "a0" else ["--n-a", 9]
    result = call("train", "a.npz", *size, "--epochs", 60, "--m", 8, "--rate", 0.02)
    assert result.exit_code == 0, result.stderr
    assert log_of(Path("bptt-run"))[-1]["validation"] < 0.3
    assert call("sample", "--prime", "0 2 1", "--length", 4).exit_code == 0
    result = call("sample", "--prime", "abc")
    assert result.exit_code == 2
    assert "such as '3 1 4'" in result.stderr


def test_a_plot_is_drawn(place, trained):
    pytest.importorskip("matplotlib", reason="the extra 'plot' is not installed")
    result = call("train", "--resume", "--out", shutil.copytree(trained, place / "run"), "--plot", "cost.png")
    assert result.exit_code == 0, result.stderr
    assert (place / "cost.png").read_bytes().startswith(b"\x89PNG")


def test_what_cannot_be_drawn_is_refused_before_the_training(monkeypatch, place):
    monkeypatch.setattr("bptt.training.plot.find_spec", lambda name: None)
    for file, words in [
        ("cost.xyz", "png, svg, pdf"),
        ("no/where.png", "there is no directory"),
        ("cost.png", "pip install 'bptt[plot]'"),
    ]:
        result = call("train", "t.txt", "--plot", file)
        assert result.exit_code == 2
        assert words in result.stderr
    assert [file.name for file in place.iterdir()] == ["t.txt"]


def test_early_stopping_ends_a_run():
    result = call("train", "t.txt", *QUICK, "--epochs", 500, "--rate", 0.5, "--patience", 2, "--clip-norm", 0)
    assert result.exit_code == 0
    assert "Stopped early" in result.stdout


def test_a_nan_stops_the_run_names_step_and_tensor_and_leaves_a_sound_checkpoint():
    result = call("train", "t.txt", *QUICK, "--rate", 1e38, "--optimizer", "sgd", "--clip-norm", 0)
    assert result.exit_code == 2
    assert "stopped at step" in result.stderr
    assert "last.safetensors is from before, as of step" in result.stderr
    SimpleRNN.load("bptt-run/last.safetensors")


BAD_CALLS = {
    "no file": (["none.txt"], "there is no file none.txt"),
    "a directory": (["."], "is a directory"),
    "resume nothing": (["--resume"], "no run to resume in bptt-run"),
    "resume and force": (["--resume", "--force"], "give one"),
    "a directory that is a file": (["t.txt", "--out", "t.txt"], "it is a file"),
    "m 0": (["t.txt", "--m", 0], "m is 0"),
    "too much": (["t.txt", "--m", 1000, "--T-x", 1000], "the text is too short"),
    "n_a -1": (["t.txt", "--n-a", -1], "n_a is -1"),
    "n_a huge": (["t.txt", "--n-a", 10**9], "numbers; at most"),
    "optimizer": (["t.txt", "--optimizer", "magic"], "adam or sgd is wanted"),
    "dtype": (["t.txt", "--dtype", "int8"], "float32 or float64 is wanted"),
    "activation": (["t.txt", "--activation", "sine"], "activation is 'sine'"),
    "encoding": (["t.txt", "--encoding", "klingon"], "no encoding 'klingon'"),
    "log_every 0": (["t.txt", "--log-every", 0], "log_every is 0"),
    "threads 0": (["t.txt", "--threads", 0], "threads is 0"),
    "save_every -1": (["t.txt", "--save-every", -1], "save_every is -1"),
    "no number": (["t.txt", "--m", "many"], "Invalid value"),
}


@pytest.mark.parametrize("name", BAD_CALLS)
def test_bad_calls_end_with_a_message_and_leave_nothing(name, place):
    arguments, words = BAD_CALLS[name]
    result = call("train", *arguments)
    assert result.exit_code == 2, result.output
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert sorted(file.name for file in place.iterdir()) == ["t.txt"]


def test_sample_says_what_it_lacks(place, trained):
    result = call("sample")
    assert result.exit_code == 2
    assert "`bptt train`" in result.stderr
    for arguments, words in [
        (["none.safetensors"], "there is no file"),
        (["t.txt"], "no whole safetensors file"),
        ([trained, "--prime", "Q"], "character 'Q' at 0"),
        ([trained, "--temperature", 0], "temperature is 0"),
        ([trained, "--top-k", 0], "top_k is 0"),
        ([trained, "--length", -1], "length is -1"),
        ([trained, "--seed", -1], "seed is -1"),
    ]:
        result = call("sample", *arguments)
        assert result.exit_code == 2
        assert words in result.stderr


def test_sample_begins_with_the_prime_and_follows_its_options(trained):
    assert call("sample", trained, "--prime", "the c", "--length", 10, "--seed", 1).stdout.startswith("the c")
    greedy = {call("sample", trained, "--greedy", "--seed", seed).stdout for seed in (1, 2)}
    assert len(greedy) == 1
    assert call("sample", trained, "--top-k", 1, "--seed", 1).stdout in greedy
    assert len({call("sample", trained, "--seed", seed).stdout for seed in (1, 2)}) == 2
    assert call("sample", trained / "last.safetensors", "--top-p", 0.9).exit_code == 0


def test_characters_that_command_a_terminal_are_not_printed(place):
    SimpleRNN.for_text("\x1b\x07", 3).save("wild.safetensors")
    out = call("sample", "wild.safetensors", "--length", 20).stdout
    assert "\x1b" not in out
    assert "\x07" not in out


DAMAGE = {
    "no state": (lambda t, a: a.pop("training"), "has no 'training'"),
    "no generator": (lambda t, a: a.pop("generator"), "has no 'generator'"),
    "a wild generator": (lambda t, a: a.update(generator={"bit_generator": "PCG64"}), "damaged"),
    "no run": (lambda t, a: a.pop("run"), "a model, but no checkpoint"),
    "a run of nonsense": (lambda t, a: a.update(run={"settings": 3}), "damaged"),
    "wild settings": (lambda t, a: a["run"]["settings"].update(rate="fast"), "rate is 'fast'"),
    "unknown settings": (lambda t, a: a["run"]["settings"].update(speed=1), "settings are damaged"),
    "a step of -1": (lambda t, a: a["training"].update(step=-1), "damaged"),
    "a cursor elsewhere": (lambda t, a: a["training"]["cursor"].update(start=10**9), "not in this text"),
    "a cursor of text": (lambda t, a: a["training"].update(cursor="x"), "damaged"),
    "a moment missing": (lambda t, a: t.pop("optimizer.m"), "has no 'optimizer.m'"),
    "a moment too long": (lambda t, a: t.update({"optimizer.m": np.zeros(9, np.float32)}), "optimizer.m is float32"),
    "a NaN in the best": (lambda t, a: t["best.W_aa"].__setitem__((0, 0), np.nan), "best.W_aa holds nan"),
    "a state of another size": (lambda t, a: t.update(carried=np.zeros((3, 3), np.float32)), "carried state"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_checkpoint_is_refused_and_left_as_it_is(trained, place, name):
    change, words = DAMAGE[name]
    tensors, about = read_tensors(trained / "last.safetensors", "test")
    change(tensors, about)
    (place / "run").mkdir()
    write_tensors(place / "run" / "last.safetensors", tensors, about)
    (place / "run" / "log.jsonl").write_text('{"step": 1}\n')
    before = (place / "run" / "last.safetensors").read_bytes()
    result = call("train", "--resume", "--out", "run", "--epochs", 9)
    assert result.exit_code == 2, result.output
    assert words in result.stderr
    assert (place / "run" / "last.safetensors").read_bytes() == before
    assert (place / "run" / "log.jsonl").read_text() == '{"step": 1}\n'
