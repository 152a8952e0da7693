"""The loader: programs of many styles are found without help, and their cost and gradients are theirs."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from bptt.checking.loading.load import PROBE, load_program
from bptt.checking.program import Case, Sizes
from bptt.checking.tracing.quiet import quiet
from bptt.errors import CannotCheckError
from checking_programs import left_out

HERE = Path(__file__).parent / "loader_programs"
SMALL = Sizes(n_x=4, n_a=3, n_y=5, m=2, T_x=3)
QUESTION = Path(__file__).parents[2] / "shared" / "question.txt"


def _programs() -> dict[str, str]:
    found = {path.name: path.read_text() for path in sorted(HERE.glob("*.py"))}
    for part in re.split(r"(?m)^=== ", (HERE / "short.txt").read_text())[1:]:
        name, text = part.split("\n", 1)
        found[name] = text
    return found


PROGRAMS = _programs()


def _differences(case: Case, name: str) -> np.ndarray:
    value = case.parameters[name]
    slope = np.zeros(value.shape)
    for index in np.ndindex(value.shape):
        kept, ends = value[index], []
        for h in (1e-5, -1e-5):
            value[index] = kept + h
            ends.append(float(np.asarray(case.cost()).reshape(())))
        value[index] = kept
        slope[index] = (ends[0] - ends[1]) / 2e-5
    return slope


def _build(text: str, file: str, sizes: Sizes = SMALL, **kwargs: str) -> Case:
    program = load_program(text, file, **kwargs)
    return program.build(program.load(program.tree), sizes, 1)


def test_the_programs_are_many() -> None:
    assert len(PROGRAMS) >= 54


LONG = (
    "gru_ids_tape.py", "weights_named_like_states.py", "suite_csv_francaise.py", "training_function.py",
    "fit_with_everything.py", "gates_and_readout_by_the_run.py", "global_lstm_lossfun.py", "lists_of_layers.py",
    "cost_and_slope_for_an_optimiser.py", "modules_and_parameters.py", "sequential_of_layers.py",
    "tests_begin_the_run.py",
    "words_of_a_vocabulary.py",
)  # fmt: skip
"""Each takes some seconds to read."""


@pytest.mark.parametrize("name", [pytest.param(n, marks=left_out) if n in LONG else n for n in PROGRAMS])
def test_each_style_loads_and_agrees_with_its_own_cost(name: str) -> None:
    with quiet():
        case = _build(PROGRAMS[name], name)
        assert len(case.parameters) >= 2 or "theta" in case.parameters  # all of them in one vector
        gradients = case.gradients()
        again = case.gradients()
        assert set(gradients) == set(case.parameters)
        for key in case.parameters:
            truth = _differences(case, key)
            assert gradients[key].shape == truth.shape
            assert np.array_equal(gradients[key], again[key])
            assert np.abs(gradients[key] - truth).max() <= 1e-6 * max(np.abs(truth).max(), 1e-3)


def test_sizes_follow_the_sizes_asked_for() -> None:
    with quiet():
        case = _build(PROGRAMS["min_char_rnn.py"], "min_char_rnn.py", Sizes(n_x=3, n_a=4, n_y=6, m=1, T_x=1))
    assert {k: v.shape for k, v in case.parameters.items()} == {
        "Wxh": (4, 6), "Whh": (4, 4), "Why": (6, 4), "bh": (4, 1), "by": (6, 1),
    }  # fmt: skip


def test_a_clip_hides_nothing_and_is_noted() -> None:
    program = load_program(PROGRAMS["min_char_rnn.py"], "min_char_rnn.py")
    line = 1 + PROGRAMS["min_char_rnn.py"].split("\n").index(
        "    np.clip(dparam, -5, 5, out=dparam) # clip to mitigate exploding gradients"
    )
    assert [n[1] for n in program.notes] == [line]
    tight = PROGRAMS["min_char_rnn.py"].replace("-5, 5", "-1e-6, 1e-6")
    with quiet():
        assert np.abs(_build(tight, "a.py").gradients()["Why"]).max() > 1e-3


def test_a_wrong_backward_is_read_like_the_right_one_and_stays_wrong() -> None:
    text = PROGRAMS["cs231n_layers.py"]
    wrong = text.replace("dh[:, t, :] + dprev_h, cache[t]", "dh[:, t, :], cache[t]")
    assert wrong != text
    with quiet():
        right_case, case = _build(text, "a.py"), _build(wrong, "a.py")
        assert float(right_case.cost()) == float(case.cost())
        assert np.abs(case.gradients()["Wh"] - _differences(case, "Wh")).max() > 1e-3


def test_a_backward_that_raises_still_gives_a_cost() -> None:
    text = PROGRAMS["min_char_rnn.py"].replace("dbh += dhraw", "dbh += dy")
    with quiet():
        case = _build(text, "a.py")
        assert np.isfinite(case.cost())
        with pytest.raises(ValueError, match="broadcast"):
            case.gradients()


def test_a_notebook_leads_back_to_cell_and_line() -> None:
    source = PROGRAMS["cs231n_layers.py"]
    half = source.index("def rnn_forward")
    cells = [
        {"cell_type": "markdown", "source": ["# An RNN"]},
        {"cell_type": "code", "source": ["%matplotlib inline\n", *source[:half].splitlines(keepends=True)]},
        {"cell_type": "code", "source": source[half:]},
    ]
    program = load_program(json.dumps({"cells": cells, "nbformat": 4}), "a.ipynb")
    first = next(s for s in program.tree.body if getattr(s, "name", "") == "rnn_forward")
    assert (program.origins[first.lineno - 1].cell, program.origins[first.lineno - 1].line) == (2, 1)
    with quiet():
        case = program.build(program.load(program.tree), SMALL, 0)
        assert set(case.gradients()) == {"Wx", "Wh", "b", "x", "h0"}


ADAPTER = """
import numpy as np
from types import SimpleNamespace
def bptt_case({arguments}):
    p = {{"W": np.random.default_rng(seed).normal(size=(sizes.n_a, sizes.n_x))}}
    x = np.ones(sizes.n_x)
    f = lambda: float(np.sum((p["W"] @ x) ** 2))
    return SimpleNamespace(parameters=p, cost=f, gradients=lambda: {{"W": 2 * np.outer(p["W"] @ x, x)}})
"""


def test_an_adapter_is_the_case() -> None:
    program = load_program("x = 1\n", "a.py", adapter=ADAPTER.format(arguments="module, sizes, seed"))
    assert program.adapter
    case = program.build(program.load(program.tree), SMALL, 0)
    assert np.allclose(case.gradients()["W"], _differences(case, "W"))


@pytest.mark.parametrize("arguments", ["sizes, seed", "module, sizes, seed"])
def test_a_program_may_hold_its_own_case(arguments: str) -> None:
    assert load_program(ADAPTER.format(arguments=arguments), "a.py").adapter


@pytest.mark.parametrize(
    ("adapter", "said"),
    [
        ("def f(:", "the adapter does not run: SyntaxError"),
        ("x = 1", "defines no function bptt_case"),
        ("def bptt_case(module, sizes, seed): return 3", "parameters is a dict of arrays, got NoneType"),
        ("def bptt_case(module, sizes, seed): return 1 / 0", "bptt_case raised ZeroDivisionError"),
    ],
)
def test_an_adapter_that_breaks_the_protocol_is_told_how(adapter: str, said: str) -> None:
    with pytest.raises(CannotCheckError, match=re.escape(said)):
        load_program("x = 1\n", "a.py", adapter=adapter)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\n", "no forward and backward pass were found"),
        ("Dear all, my gradient is wrong.\nWhat can I do?\n", "it is not Python"),
        ("def forward(x):\n    return missing(x)\ndef backward(dy, cache):\n    return dy\n", "missing"),
    ],
)
def test_what_is_missing_is_said_with_an_adapter_to_fill_in(text: str, said: str) -> None:
    with pytest.raises(CannotCheckError) as error:
        load_program(text, "a.py")
    assert said in str(error.value)
    assert "def bptt_case(module, sizes, seed):" in str(error.value)


def test_a_name_chooses_among_several() -> None:
    text = PROGRAMS["several_in_one_file.py"]
    both = text + text.replace("import numpy as np\n", "").replace("A_RNN", "B_RNN")
    program = load_program(both, "a.py", name="B_RNN")
    assert set(program.names) == {"B_RNN.forward", "B_RNN.backward"}


def test_nothing_is_run_printed_or_read(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = PROGRAMS["cs231n_layers.py"] + (
        "print('hello')\nopen('there.txt', 'w').write('x')\nimport matplotlib.pyplot as plt\nplt.show()\n"
        "while True:\n    pass\n"
    )
    load_program(text, "a.py")
    assert capsys.readouterr().out == ""
    assert not (tmp_path / "there.txt").exists()


@pytest.mark.skipif(not QUESTION.exists(), reason="the question itself is not beside this checkout")
def test_the_question_itself_loads() -> None:
    program = load_program(QUESTION.read_text(), "question.txt")
    assert [n[1] for n in program.notes] == [5, 15, 30]
    assert any("softmax_backward(z)" in a and "s * (1 - s)" in a for a in program.assumed)
    assert any("tanh_backward(z)" in a and "1 - tanh(z)**2" in a for a in program.assumed)
    case = program.build(program.load(program.tree), PROBE, 0)
    assert {k: v.shape for k, v in case.parameters.items()} == {
        "W_aa": (5, 5), "W_ax": (5, 3), "b_a": (5, 1), "W_ya": (7, 5), "b_y": (7, 1),
    }  # fmt: skip
    with quiet():
        assert np.isfinite(case.cost())
        assert case.cost() == case.cost()
        with pytest.raises(ValueError, match="not aligned"):
            case.gradients()
