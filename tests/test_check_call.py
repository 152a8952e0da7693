"""``bptt.check(...)`` from Python, and the line that proves a backward pass in somebody's test suite."""

from __future__ import annotations

import importlib.util
import linecache
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

import bptt
from bptt.checking.diagnosing.reached import unreached
from bptt.checking.loading.load import load_program
from bptt.checking.loading.objects import source_of, split_name
from bptt.checking.report import Report
from bptt.checking.running.run import _narrowed
from bptt.errors import FileError, ValueRangeError
from check_examples import RIGHT, WRONG


def module_of(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("their_rnn", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cell(text: str, name: str = "<ipython-input-3-1f>") -> dict[str, Any]:
    """Run a text as a notebook's cell: its source is known to ``linecache`` alone."""
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(text, name, "exec"), space)
    return space


def test_a_path_right_and_wrong(tmp_path: Path) -> None:
    path = tmp_path / "rnn.py"
    path.write_text(RIGHT)
    assert bptt.check(path).verdict == "right"
    path.write_text(WRONG)
    report = bptt.check(str(path))
    assert report.verdict == "wrong"
    assert report.file == str(path)
    assert report.source == WRONG
    assert {row.name: row.status for row in report.parameters} == {"W_aa": "wrong", "W_ax": "wrong"}


def test_a_module_and_its_function(tmp_path: Path) -> None:
    path = tmp_path / "rnn.py"
    path.write_text(WRONG)
    module = module_of(path)
    assert source_of(module)[0].text == WRONG
    source, name = source_of(module.backward)
    assert (source.text, name) == (WRONG, "backward")


def test_the_same_file_and_seed_give_the_same_report(tmp_path: Path) -> None:
    first, second = (bptt.check(WRONG, seed=3).to_json() for _ in range(2))
    assert first["seconds"] > 0
    del first["seconds"], second["seconds"]
    assert first == second


def test_an_adapter_as_path_text_and_function(tmp_path: Path) -> None:
    head, _, tail = RIGHT.partition("class Case:")
    adapter = "import numpy as np\n\n\nclass Case:" + tail.replace("def bptt_case(module", "def my_case(module")
    adapter = adapter.replace("return cost(", "return MODULE.cost(").replace(
        "return backward(", "return MODULE.backward("
    )
    adapter = adapter.replace("    return Case(sizes", "    global MODULE\n    MODULE = module\n    return Case(sizes")
    path = tmp_path / "adapter.py"
    path.write_text(adapter.replace("my_case", "bptt_case"))
    assert bptt.check(head, case=path).verdict == "right"
    assert bptt.check(head, case=path.read_text()).verdict == "right"
    path.write_text(adapter)
    assert bptt.check(head, case=module_of(path).my_case).verdict == "right"


def test_an_object_of_a_notebook_takes_its_helpers_from_other_cells() -> None:
    helpers = cell(
        "import numpy as np\nSCALE = 0.5\n\ndef squash(z):\n    return SCALE * np.tanh(z)\n", "<ipython-input-1-aa>"
    )
    text = "class RNN:\n    def forward(self, x):\n        return squash(x) + other(x)\n"
    linecache.cache["<ipython-input-2-bb>"] = (len(text), None, text.splitlines(keepends=True), "<ipython-input-2-bb>")
    exec(compile(text, "<ipython-input-2-bb>", "exec"), helpers)
    source, name = source_of(helpers["RNN"])
    assert name == "RNN"
    assert source.text.startswith(text)  # the lines are those of the person's own cell
    for part in ("import numpy as np", "SCALE = 0.5", "def squash(z):"):
        assert part in source.text


def test_a_function_of_a_notebook_is_checked() -> None:
    space = cell(WRONG)
    report = bptt.check(space["backward"])
    assert report.verdict == "wrong"
    assert report.file == "<cell>"


def test_a_live_case_is_compared_in_this_process() -> None:
    class Square:
        def __init__(self, slope: float) -> None:
            self.parameters, self.slope = {"w": np.array([1.0, -2.0, 3.0])}, slope

        def cost(self) -> float:
            return float((self.parameters["w"] ** 2).sum())

        def gradients(self) -> dict[str, Any]:
            return {"w": self.slope * self.parameters["w"]}

    right, wrong = bptt.check(Square(2)), bptt.check(Square(2.001))
    assert (right.verdict, right.file) == ("right", "Square")
    assert wrong.verdict == "wrong"
    assert wrong.parameters[0].relative_error == pytest.approx(0.0005, rel=1e-3)
    big = Square(2)
    big.parameters = {"w": np.linspace(-1, 1, 10001)}
    assert bptt.check(big).verdict == "right"
    big.slope = 2.001
    assert bptt.check(big).verdict == "wrong"


def test_a_live_case_that_cannot_be_checked_says_why() -> None:
    def case(**parts: Any) -> SimpleNamespace:
        usual = {"parameters": {"w": np.ones(2)}, "cost": lambda: 1.0, "gradients": lambda: {"w": np.zeros(2)}}
        return SimpleNamespace(**{**usual, **parts})

    assert bptt.check(case()).verdict == "right"
    noise = iter(range(10))
    for parts, words in (
        ({"cost": lambda: 1 / 0}, "raises ZeroDivisionError"),
        ({"cost": lambda: np.nan}, "its cost is nan"),
        ({"cost": lambda: float(next(noise))}, "two runs of its cost() differ"),
        ({"gradients": dict}, "none of the parameters' gradients"),
    ):
        report = bptt.check(case(**parts))
        assert report.verdict == "cannot-check"
        assert words in report.reason
    assert bptt.check(case(gradients=lambda: {}["w"])).verdict == "wrong"
    with pytest.raises(ValueRangeError, match="a list"):
        bptt.check(case(parameters={"w": [1.0]}))
    with pytest.raises(ValueRangeError, match="no parameters"):
        bptt.check(case(parameters={}))


@pytest.mark.parametrize("target", [3, None, np.zeros(3), lambda: 0])
def test_what_is_nothing_to_check_is_refused(target: Any) -> None:
    with pytest.raises((ValueRangeError, FileError)):
        source_of(eval("lambda: 0") if callable(target) else target)


def test_bad_arguments_are_refused_before_anything_runs() -> None:
    for arguments in ({"seed": -1}, {"seed": 2**32}, {"seed": 1.5}, {"timeout": 0}, {"memory": 1}):
        with pytest.raises(ValueRangeError):
            bptt.check(RIGHT, **arguments)  # type: ignore[arg-type]
    with pytest.raises(FileError, match="there is no file"):
        bptt.check("no_such_file.py")


def test_names_are_split_off_a_path(tmp_path: Path) -> None:
    assert split_name("rnn.py::RNN") == ("rnn.py", "RNN")
    assert split_name("rnn.py") == ("rnn.py", None)
    odd = tmp_path / "a::b.py"
    odd.write_text("x")
    assert split_name(str(odd)) == (str(odd), None)


def test_one_line_proves_a_backward_pass(tmp_path: Path) -> None:
    path = tmp_path / "rnn.py"
    path.write_text(RIGHT)
    assert bptt.assert_gradients_right(path).verdict == "right"
    path.write_text(WRONG)
    with pytest.raises(AssertionError, match=r"rnn\.py\s+·\s+wrong") as caught:
        bptt.assert_gradients_right(path)
    assert "dW_aa" in str(caught.value)
    with pytest.raises(AssertionError, match="cannot check"):
        bptt.assert_gradients_right("x = 1\ny = 2\n")


def test_the_failing_line_is_the_one_that_pytest_shows(tmp_path: Path) -> None:
    (tmp_path / "rnn.py").write_text(WRONG)
    (tmp_path / "test_rnn.py").write_text(
        "import bptt\n\ndef test_backward():\n    bptt.assert_gradients_right('rnn.py')\n"
    )
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], cwd=tmp_path, capture_output=True, text=True
    )
    assert run.returncode == 1
    assert "rnn.py · wrong" in run.stdout
    assert "proving.py" not in run.stdout


def test_a_program_that_only_a_confined_process_survives(tmp_path: Path) -> None:
    report = bptt.check(RIGHT.replace("    A, a = [], a0\n", "    while True: pass\n"), timeout=1.5)
    assert report.verdict == "cannot-check"
    assert "still running in line 5 (forward) after 1.5 seconds" in report.reason
    report = bptt.check(RIGHT.replace("    A, a = [], a0\n", "    import os; os._exit(0)\n"))
    assert report.verdict == "cannot-check"
    assert "exit code 0" in report.reason


@pytest.mark.parametrize("line", ["np.abs = np.square", "import math; math.sqrt = math.exp", "np.dot = np.matmul"])
def test_a_program_that_replaces_our_tools_gets_no_verdict(line: str) -> None:
    report = bptt.check(RIGHT.replace("    A, a = [], a0\n", f"    {line}\n    A, a = [], a0\n"))
    assert report.verdict == "cannot-check"
    assert "replaces" in report.reason


def test_a_backward_function_that_never_ran_is_not_proven() -> None:
    dead = "\n\ndef dense_backward(p, d):\n    return p.T @ d\n\n\ndef tanh_backward(a):\n    return 1 - a**2\n"
    program = load_program(RIGHT + dead, "rnn.py")
    assert unreached(program) == (("dense_backward", RIGHT.count("\n") + 3),)
    assert unreached(load_program(RIGHT, "rnn.py")) == ()
    right = Report("rnn.py", "", "right", "all 2 gradients are right.")
    assert _narrowed(right, ()) is right
    narrowed = _narrowed(right, unreached(program))
    assert narrowed.verdict == "cannot-check"
    assert "dense_backward (line 49) never ran" in narrowed.reason


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("x = np.ones((1 << 33,))", "ran out of memory in line 17"),
        ("import sys; sys.exit(0)", "ends itself (sys.exit) in line 17"),
        ("raise KeyboardInterrupt", "raises KeyboardInterrupt in line 17"),
    ],
)
def test_a_backward_pass_that_ends_the_process_is_not_called_wrong(line: str, words: str) -> None:
    report = bptt.check(RIGHT.replace("    A = forward(p, X, a0)\n", f"    {line}\n    A = forward(p, X, a0)\n"))
    assert report.verdict == "cannot-check"
    assert words in report.reason


def test_an_exception_with_a_book_for_a_message_is_cut() -> None:
    text = RIGHT.replace(
        "    A = forward(p, X, a0)\n", "    raise ValueError('x' * 10**6)\n    A = forward(p, X, a0)\n"
    )
    report = bptt.check(text)
    assert report.verdict == "wrong"
    assert len(str(report)) < 20_000


def test_a_syntax_error_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "rnn.py"
    path.write_text(RIGHT.replace("def cost(p, X, a0):", "def cost(p, X, a0)"))
    report = bptt.check(path)
    assert report.verdict == "cannot-check"
    assert report.reason.startswith("line 12 is not Python: expected ':': def cost(p, X, a0)")
