"""Every example in docs/explain.md is run and says what it says."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bptt.cli.app import app

DOCS = Path(__file__).parent.parent / "docs" / "explain.md"
TEXT = DOCS.read_text(encoding="utf-8")
CONSOLE = re.findall(r"```console\n\$ bptt (.*?)\n(.*?)\n```", TEXT, re.DOTALL)


def comparable(text: str) -> str:
    text = re.sub(r"line \d+:", "line N:", text)
    return re.sub(r"largest difference \S+\.", "largest difference ROUNDING.", text).rstrip()


@pytest.mark.parametrize(("command", "shown"), CONSOLE, ids=[command for command, _ in CONSOLE])
def test_the_commands_print_what_the_page_shows(command: str, shown: str, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    result = CliRunner().invoke(app, command.split())
    assert result.exit_code == 0
    assert comparable(result.stdout) == comparable(shown)


def test_there_is_an_example_for_each_question() -> None:
    assert len(CONSOLE) >= 6


def test_the_python_examples(monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    code = "\n".join(re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL))
    test = doctest.DocTestParser().get_doctest(code, {}, "docs/explain.md", str(DOCS), 0)
    assert len(test.examples) > 15
    assert doctest.DocTestRunner(verbose=False).run(test).failed == 0
    assert (tmp_path / "arrays.npz").exists()


def test_every_option_named_is_there() -> None:
    result = CliRunner().invoke(app, ["explain", "--help"])
    for option in set(re.findall(r"--[a-z][a-z-]*", TEXT)):
        assert option in result.stdout
