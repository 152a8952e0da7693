"""``bptt explain``: what it shows, what it selects, and that bad input ends with a message and exit code 2."""

from __future__ import annotations

import json
import os
import pickle
import re
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from typer.testing import CliRunner

import bptt
from bptt.cli.app import app
from explain_cases import case, traced


@pytest.fixture(autouse=True)
def _wide_as_usual(monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["explain", *arguments])
    return result.exit_code, result.stdout, result.stderr


def ids(text: str) -> list[tuple[str, int]]:
    return [(i, int(t)) for i, t in re.findall(r"^([FB][\d.]+)  .* t = (\d+), ", text, flags=re.MULTILINE)]


@pytest.fixture
def arrays(tmp_path):
    """Return a function that writes an npz file of a random case, with changes."""
    c = case((3, 4, 2, 5, 6), 1)
    right = {"X": c.X, "Y": c.Y, "a0": c.a0, **c.parameters}

    def write(**changes):
        path = tmp_path / "arrays.npz"
        np.savez(path, **{k: v for k, v in (right | changes).items() if v is not None})
        return str(path)

    return write


# ------------------------------------------------------------------------------------------------ what is shown


def test_without_an_argument_it_answers_the_newcomer_s_questions() -> None:
    code, out, _ = run()
    assert code == 0
    assert ids(out) == [("B4", 4), ("B5", 4)]
    for question in ("Which two terms make da?", "Why is W_ya transposed?", "Why sum over m?", "gradient vanish?"):
        assert question in out
    for option in ("--step B5", "--step B4", "--step B6", "--step B3,B9", "--step B7", "--through-time",
                   "--phase detail", "--step B10 --t 0", "--t 3", "--cell 0,1", "--by-hand"):  # fmt: skip
        assert option in out  # and it works:
        assert run(*option.split())[0] == 0


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["--step", "B5"], [("B5", 4)]),
        (["--step", "b4,B5,F1"], [("F1", 4), ("B4", 4), ("B5", 4)]),
        (["--step", "B5", "--t", "0"], [("B5", 0)]),
        (["--step", "B5", "--t", "-1"], [("B5", 5)]),
        (["--step", "F2,B5", "--t", "all"], [("F2", t) for t in range(6)] + [("B5", t) for t in reversed(range(6))]),
        (["--phase", "forward", "--t", "2"], [(f"F{i}", 2) for i in range(1, 6)]),
        (["--phase", "backward"], [(f"B{i}", 4) for i in range(1, 12)]),
        (["--phase", "detail", "--t", "-1"], [(f"B1.{i}", 5) for i in range(1, 6)]),
        (["--t", "1"], [(f"F{i}", 1) for i in range(1, 6)] + [(f"B{i}", 1) for i in range(1, 12)]),
        (["--step", "B1.2", "--by-hand"], [("B1.2", 2)]),
    ],
)
def test_selecting(arguments, wanted) -> None:
    code, out, _ = run(*arguments)
    assert (code, ids(out)) == (0, wanted)


def test_all_of_it() -> None:
    code, out, _ = run("--t", "all")
    assert code == 0
    assert len(ids(out)) == 96


def test_a_cell_of_one_step_and_of_a_whole_time_step() -> None:
    code, out, _ = run("--step", "B7", "--t", "2", "--cell", "1,3")
    assert code == 0
    assert out.startswith("dW_aa[1, 3], term by term (B7, t = 2): dW_aa += dz_a a_prevᵀ\n")
    code, out, _ = run("--t", "2", "--cell", "3,4")
    assert code == 0
    assert re.findall(r"\((\w+), t = 2\)", out) == ["F1", "F2", "B4", "B5", "B6", "B10"]
    code, out, err = run("--step", "B7", "--cell", "7,7")
    assert (code, out) == (2, "")
    assert "dW_aa (B7) has no cell 7, 7." in err


def test_json_is_one_object_with_the_numbers_of_python(arrays) -> None:
    trace = traced((3, 4, 2, 5, 6), 1)
    code, out, _ = run(arrays(), "--json")
    assert code == 0
    data = json.loads(out)
    assert [(s["id"], s["t"]) for s in data["steps"]] == [(s.id, s.t) for s in trace]
    assert data["gradients"]["dW_aa"] == trace.gradients["dW_aa"].tolist()
    code, out, _ = run(arrays(), "--json", "--step", "B5", "--cell", "0,1")
    steps = json.loads(out)["steps"]
    assert [(s["id"], s["t"]) for s in steps] == [("B5", t) for t in reversed(range(6))]
    assert steps[0]["cell"]["value"] == trace["B5", 5].output.array[0, 1]


def test_arrays_from_a_file_relu_and_mean(arrays) -> None:
    code, out, _ = run(arrays(), "--activation", "relu", "--reduction", "mean")
    assert code == 0
    assert "bptt explain: arrays.npz" in out
    assert f"J = {traced((3, 4, 2, 5, 6), 1, activation='relu', reduction='mean').cost:.6g} nats, the mean" in out
    assert "a_t = relu(z_a)" in out
    assert "scale · (y_pred_t - y_t)" in out
    code, out, _ = run(arrays(a0=None))
    assert code == 0


def test_ids_and_float32_are_taken(arrays) -> None:
    X = np.array([[0, 1, 2, 0, 1, 2]] * 5)
    code, _, _ = run(arrays(X=X, W_aa=np.eye(4, dtype=np.float32)), "--step", "F1")
    assert code == 0


def test_a_long_sequence_of_many_units_is_no_flood(tmp_path) -> None:
    c = case((33, 64, 33, 2, 90), 1)
    np.savez(tmp_path / "a.npz", X=c.X, Y=c.Y, **c.parameters)
    for arguments in ([], ["--t", "3"], ["--through-time"], ["--step", "F1,F4", "--cell", "5,1"]):
        code, out, _ = run(str(tmp_path / "a.npz"), *arguments)
        assert code == 0
        assert len(out.splitlines()) < 700
        assert max(len(line) for line in out.splitlines()) <= 80


# ----------------------------------------------------------------------------------------------- what is wrong


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--t", "9"], "there is no step t = 9; t runs from 0 to 5"),
        (["--t", "x"], "--t is 'x'; a step from 0 to 5, or all, is wanted"),
        (["--t", "--"], "--t is '--'"),
        (["--t", "²"], "--t is '²'"),
        (["--t", "1" * 5000], "--t is '11111111111111111111…'"),
        (["--t", "1" * 30], "there is no step t = 1111"),
        (["--step", "B12"], "there is no equation 'B12'"),
        (["--step", ","], "there is no equation ''"),
        (["--step", ""], "there is no equation ''"),
        (["--cell", "a,b"], "--cell is 'a,b'; row and column are wanted, for example --cell 0,1."),
        (["--phase", "detail", "--t", "77"], "there is no step t = 77"),
        (["--prime", "hello"], "a model file is wanted"),
        (["--by-hand", "x.npz"], "it takes no file"),
        (["nowhere.npz"], "there is no file nowhere.npz"),
        (["."], ". is a directory"),
        (["--html", "no/such/place.html"], "no/such/place.html cannot be written"),
        (["--html", "."], ". cannot be written"),
        (["--report", "r.json"], "--report is shown by the page; --html FILE is wanted with it."),
        (["--html", "x.html", "--report", "no.json"], "there is no file no.json"),
    ],
)
def test_wrong_options_end_with_a_message_and_2(arguments, words) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"W_aa": None}, "lacks W_aa."),
        ({"W_aa": None, "Waa": np.eye(4)}, "'Waa' is there: call it 'W_aa'."),
        ({"X": None, "Y": None}, "lacks X, Y."),
        ({"W_ax": np.ones((3, 4))}, "W_ax.T has that shape"),
        ({"X": np.full((3, 5, 6), np.nan)}, "X holds nan at [0, 0, 0]"),
        ({"b_a": np.full((4, 1), np.inf)}, "b_a holds inf"),
        ({"Y": np.full((2, 5, 6), 0.7)}, "sums to 1.4, not to 1"),
        ({"Y": np.ones((2, 5, 5))}, "disagree"),
        ({"X": np.ones((3, 5))}, "X has 2 axes, 3 are wanted"),
        ({"X": np.full((3, 5, 6), "a")}, "X has dtype"),
        ({"X": np.zeros((3, 5, 0))}, "X is empty"),
        ({"X": np.array([[None]])}, "pickled Python objects, which are never loaded"),
        ({"X": np.array([[7]])}, "X holds the id 7"),
        ({"W_aa": np.ones((4, 4), complex)}, "W_aa is complex"),
    ],
)
def test_wrong_arrays_end_with_a_message_and_2(arrays, changes, words) -> None:
    code, out, err = run(arrays(**changes))
    assert (code, out) == (2, "")
    assert words in err
    assert "Traceback" not in err


def test_a_file_that_is_none(tmp_path) -> None:
    class Bomb:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "ran"),))

    files = {
        "empty.npz": b"",
        "text.npz": b"hello",
        "pickle.npz": pickle.dumps(Bomb()),
        "half.npz": b"PK\x03\x04" + bytes(60),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with zipfile.ZipFile(tmp_path / "members.npz", "w") as archive:
        archive.writestr("X.npy", b"\x93NUMPY\x01\x00v\x00{'descr': '<f8'")
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999,), }"
        header += b" " * (118 - len(header) - 1) + b"\n"
        archive.writestr("X.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    np.save(tmp_path / "one.npy", np.ones(3))
    (tmp_path / "one.npz").write_bytes((tmp_path / "one.npy").read_bytes())
    for path in sorted(tmp_path.glob("*.npz")):
        code, out, err = run(str(path))
        assert (code, out) == (2, ""), path.name
        assert path.name in err
        assert "Traceback" not in err
    assert not (tmp_path / "ran").exists()


def test_a_file_too_large_to_unpack_is_refused_before_it_is(tmp_path, monkeypatch, arrays) -> None:
    monkeypatch.setattr("bptt.arrayfile.LARGEST", 1000)
    code, _, err = run(arrays())
    assert code == 2
    assert "unpacks to" in err


def test_a_hostile_file_name_sends_no_control_character_to_the_terminal(tmp_path, arrays) -> None:
    hostile = tmp_path / "a\x1b[31m<b>.npz"
    os.replace(arrays(), hostile)
    code, out, _ = run(str(hostile))
    assert code == 0
    assert "\x1b" not in out


@pytest.mark.parametrize(
    "content",
    [b"hello", b"[1]", b'{"schema": 2}', b'{"schema": 1, "source": "", "findings": 3}', b"\xff\xfe", b"[" * 100000,
     b'{"schema": 1, "source": "", "findings": [NaN]}'],
)  # fmt: skip
def test_a_report_that_is_none(tmp_path, content) -> None:
    (tmp_path / "r.json").write_bytes(content)
    code, out, err = run("--html", str(tmp_path / "x.html"), "--report", str(tmp_path / "r.json"))
    assert (code, out) == (2, "")
    assert "r.json is no report of bptt check (bptt check FILE --json writes one)." in err
    assert not (tmp_path / "x.html").exists()


def test_a_report_comes_into_the_page(tmp_path) -> None:
    report = {"schema": 1, "file": "f.py", "source": "</script>", "verdict": "wrong", "findings": []}
    (tmp_path / "r.json").write_text(json.dumps(report))
    code, _, _ = run("--html", str(tmp_path / "x.html"), "--report", str(tmp_path / "r.json"))
    assert code == 0
    text = (tmp_path / "x.html").read_text(encoding="utf-8")
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])
    assert data["report"] == report


# ---------------------------------------------------------------------------------------- pipes, colour, encoding


def shell(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    keep = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM")}
    return subprocess.run(
        [sys.executable, "-m", "bptt", "explain", *arguments],
        env={**keep, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        timeout=60,
    )


def test_a_pipe_gets_plain_text_and_a_terminal_colour_unless_no_color_is_set() -> None:
    plain = shell("--step", "B5")
    assert plain.returncode == 0
    assert b"\x1b" not in plain.stdout
    coloured = shell("--step", "B5", FORCE_COLOR="1", TERM="xterm-256color").stdout
    assert b"\x1b[36mda_from_output" in coloured
    assert re.sub(rb"\x1b\[\d+m", b"", coloured) == plain.stdout
    assert shell("--step", "B5", FORCE_COLOR="1", TERM="xterm-256color", NO_COLOR="1").stdout == plain.stdout


def test_an_encoding_without_the_signs_gets_ascii() -> None:
    result = shell("--step", "B4", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert result.returncode == 0
    text = result.stdout.decode("ascii")
    assert "da_from_output = W_ya.T dz_y" in text
    assert "?" not in text


def test_help_names_every_option_and_what_may_be_explained() -> None:
    code, out, _ = run("--help")
    assert code == 0
    for word in (
        "--prime",
        "--t",
        "--step",
        "--phase",
        "--cell",
        "--through-time",
        "--json",
        "--html",
        "a0",
        "Exit codes",
    ):
        assert word in out


def test_the_python_call_is_public() -> None:
    assert "explain" in dir(bptt)
    assert bptt.explain.__module__ == "bptt.explaining.explain"
