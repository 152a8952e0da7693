"""``bptt check``: its faces, files and exit codes."""

from __future__ import annotations

import difflib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bptt.checking.report import Finding, Fix, Replacement, Report
from bptt.cli import check as command
from bptt.cli.app import run_verb
from check_examples import RIGHT, WRONG

DIFF = "".join(difflib.unified_diff(WRONG.splitlines(True), RIGHT.splitlines(True), "{file}", "{file}"))


def bptt(*arguments: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "bptt", "check", *arguments],
        input=stdin,
        capture_output=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", **environment},
    )


def program(folder: Path, text: str, name: str = "rnn.py") -> str:
    (folder / name).write_text(text)
    return str(folder / name)


def fixed_report(file: str, source: str) -> Report:
    finding = Finding(("R3",), 27, 27, 'da_next = p["W_aa"] @ dz', "no transpose", fix=Replacement("", "edit"))
    return Report(
        file,
        source,
        "wrong",
        "1 of 9 statements is wrong",
        findings=(finding,),
        fix=Fix(True, DIFF.replace("{file}", file), 1e-15, "complex step", ({"n_x": 3},) * 6),
    )


def invoke(monkeypatch: pytest.MonkeyPatch, *, target: str | None, **options: object) -> int:
    """Run the verb in this process with a fix that the engine would have proven."""
    monkeypatch.setattr("bptt.checking.call.check_source", lambda source, **_: fixed_report(source.file, source.text))
    return run_verb(command.check, target, **options)


@pytest.mark.parametrize(
    ("text", "code", "verdict"), [(RIGHT, 0, "right"), (WRONG, 1, "wrong"), ("x = 1\n", 2, "cannot check")]
)
def test_exit_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, code: int, verdict: str) -> None:
    assert run_verb(command.check, program(tmp_path, text)) == code
    assert f"rnn.py · {verdict} · " in capsys.readouterr().out.replace("\n", " ")


def test_a_missing_file_is_an_error_without_a_traceback() -> None:
    run = bptt("missing.py")
    assert run.returncode == 2
    assert run.stdout == b""
    assert run.stderr.startswith(b"FileError: bptt check: there is no file 'missing.py'.")
    assert b"Traceback" not in run.stderr


def test_json_is_one_object_of_schema_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_verb(command.check, program(tmp_path, WRONG), as_json=True) == 1
    data = json.loads(capsys.readouterr().out, parse_constant=lambda name: pytest.fail(name))
    assert {"schema", "file", "source", "verdict", "reason", "notes", "parameters", "findings", "fix"} <= set(data)
    assert (data["schema"], data["verdict"], data["source"]) == (1, "wrong", WRONG)


def test_standard_input_in_any_encoding() -> None:
    run = bptt("-", stdin=WRONG.encode(), PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert run.returncode == 1
    assert run.stdout.startswith(b"<stdin>")
    assert b"wrong" in run.stdout
    assert b"\x1b" not in run.stdout
    assert bptt("-", stdin=b"").returncode == 2


@pytest.mark.parametrize(("forced", "no_color", "coloured"), [("", "", False), ("1", "", True), ("1", "1", False)])
def test_a_pipe_gets_colour_only_where_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], forced: str, no_color: str, coloured: bool
) -> None:
    monkeypatch.setenv("FORCE_COLOR", forced)
    monkeypatch.setenv("NO_COLOR", no_color)
    invoke(monkeypatch, target=None)
    assert ("\x1b[" in capsys.readouterr().out) == coloured


def test_no_argument_checks_an_example() -> None:
    run = bptt("--json")
    assert run.returncode == 1
    assert b"No FILE was given" in run.stderr
    report = Report.from_json(json.loads(run.stdout))
    assert report.reason.startswith("7 of 9 statements of backward_pass are wrong")
    assert [finding.line for finding in report.findings] == [27, 28, 29, 30, 31, 32, 33]
    due = [
        {"M1", "S1", "T2"},
        {"M1", "S1", "T2"},
        {"K", "S1", "M3"},
        {"M1", "T1"},
        {"M1", "T1"},
        {"M1", "T1", "M3"},
        {"M1", "T1"},
    ]
    for finding, codes in zip(report.findings, due, strict=True):
        assert codes <= set(finding.codes)
        assert finding.fix is not None
    assert [note.line for note in report.notes if note.codes == ("FWD",)] == [7, 17, 30]
    assert report.fix is not None
    assert report.fix.proven
    assert report.fix.max_relative_error < 1e-8
    assert len(report.fix.sizes) == 6
    assert report.fix.preconditions == ("each column of Y sums to 1",)


def test_explain_prints_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_verb(command.check, "T2", explain=True) == 0
    assert capsys.readouterr().out.startswith("T2 · ")
    assert run_verb(command.check, None, explain=True) == 0
    assert "FWD" in capsys.readouterr().out
    assert run_verb(command.check, "T9", explain=True) == 2


def test_help_starts_without_numpy_and_rich() -> None:
    code = """
import sys
sys.argv = ["bptt", "check", "--help"]
from bptt.cli.app import main
try:
    main()
except SystemExit:
    pass
assert not {"numpy", "rich"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_help_says_that_the_code_is_executed() -> None:
    text = " ".join(bptt("--help").stdout.decode().split())
    assert "Your code is EXECUTED" in text
    assert "against accidents, not against malice" in text


@pytest.mark.parametrize(
    "options",
    [{"as_json": True, "diff": True}, {"timeout": 0.0}, {"memory": 1}, {"seed": -1}, {"fix": True, "diff": True}],
)
def test_options_that_make_no_sense_are_usage_errors(
    capsys: pytest.CaptureFixture[str], options: dict[str, object]
) -> None:
    assert run_verb(command.check, None, **options) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "want" in err or "give no" in err


def test_fix_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rnn.py"
    path.write_bytes(WRONG.replace("\n", "\r\n").encode())
    monkeypatch.setattr(
        "bptt.checking.call.check_source",
        lambda source, **_: Report(
            source.file, source.text, "wrong", "", fix=Fix(True, DIFF.replace("\n", "\r\n"), 0, "", ())
        ),
    )
    assert run_verb(command.check, str(path), fix=True) == 1
    assert path.read_bytes() == RIGHT.replace("\n", "\r\n").encode()
    assert (tmp_path / "rnn.py.orig").read_bytes() == WRONG.replace("\n", "\r\n").encode()
    assert "the original is rnn.py.orig" in capsys.readouterr().err


def test_fix_of_a_pasted_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "question.txt"
    path.write_text(WRONG)
    assert invoke(monkeypatch, target=str(path), fix=True) == 1
    assert path.read_text() == WRONG
    written = (tmp_path / "question.fixed.py").read_text()
    assert written.startswith("# Fixed by bptt check --fix from question.txt\n")
    assert 'da_next = p["W_aa"].T @ dz' in written
    compile(written, "question.fixed.py", "exec")


def test_fix_of_standard_input(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    class Stdin:
        buffer = io.BytesIO(WRONG.encode())

        @staticmethod
        def isatty() -> bool:
            return False

    monkeypatch.setattr(sys, "stdin", Stdin())
    assert invoke(monkeypatch, target="-", fix=True) == 1
    out, err = capfd.readouterr()
    assert out == RIGHT
    assert "R3" in err


def test_diff_is_a_patch_that_patch_applies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rnn.py").write_text(WRONG)
    assert invoke(monkeypatch, target="rnn.py", diff=True) == 1
    patch = capsys.readouterr().out
    assert patch == DIFF.replace("{file}", "rnn.py")
    subprocess.run(["patch", "-p0"], input=patch.encode(), check=True, capture_output=True)
    assert Path("rnn.py").read_text() == RIGHT


def test_nothing_is_written_without_a_proven_fix(tmp_path: Path) -> None:
    path = tmp_path / "rnn.py"
    path.write_text(RIGHT)
    assert run_verb(command.check, str(path), fix=True) == 0
    assert [p.name for p in tmp_path.iterdir()] == ["rnn.py"]
    assert path.read_text() == RIGHT


def test_an_interrupt_ends_with_130(tmp_path: Path) -> None:
    import signal
    import time

    path = tmp_path / "slow.py"
    path.write_text(RIGHT.replace("    A, a = [], a0\n", "    while True: pass\n"))
    run = subprocess.Popen([sys.executable, "-m", "bptt", "check", str(path)], stderr=subprocess.PIPE)
    children = Path(f"/proc/{run.pid}/task/{run.pid}/children")
    until = time.monotonic() + 10
    while not children.read_text() and time.monotonic() < until:
        time.sleep(0.01)
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=10)
    assert run.returncode == 130
    assert b"Traceback" not in err


def test_our_own_fault_is_3_and_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("BPTT_DEBUG", raising=False)
    monkeypatch.setattr("bptt.checking.call.check_source", lambda *_, **__: 1 / 0)
    assert run_verb(command.check, None) == 3
    assert "our own fault" in capsys.readouterr().err


def test_the_page_holds_the_report(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    assert invoke(monkeypatch, target=program(tmp_path, WRONG), html=str(page)) == 1
    text = page.read_text("utf-8")
    assert "1 of 9 statements is wrong" in text
    assert invoke(monkeypatch, target=program(tmp_path, WRONG), html=str(tmp_path / "no" / "report.html")) == 2
