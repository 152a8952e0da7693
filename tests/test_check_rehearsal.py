"""Readings off the program's own run: what it passes, what it moves, and what stands in for its files."""

import ast
from pathlib import Path

import numpy as np
import pytest

from bptt.checking.loading.copies import copied
from bptt.checking.loading.facts import facts_of
from bptt.checking.loading.knobs import PLAIN, Knobs
from bptt.checking.loading.load import load_program
from bptt.checking.loading.made_up import Files, kinds_of_files
from bptt.checking.loading.training_loops import as_step, line_of, training_loops
from bptt.checking.loading.unrun import backward_functions
from bptt.checking.program import Case, Program, Sizes
from bptt.checking.tracing.quiet import quiet
from bptt.errors import CannotCheckError
from checking_programs import left_out

HERE = Path(__file__).parent / "loader_programs"
SMALL = Sizes(n_x=4, n_a=3, n_y=5, m=2, T_x=3)


def _text(name: str) -> str:
    return (HERE / f"{name}.py").read_text()


def _built(text: str) -> tuple[Program, Case]:
    program = load_program(text, "a.py")
    return program, program.build(program.load(program.tree), SMALL, 2)


FAULTS = [
    ("fit_with_everything", "dW += S[t].T.dot(dz)", "dW = S[t].T.dot(dz)", {"self.W_"}),
    ("suite_csv_francaise", "gPr += np.outer(local", "gPr = np.outer(local", {"Pr"}),
    ("closures_that_share", "grads['W'] += np.outer(da, x)", "grads['W'] = np.outer(da, x)", {"W"}),
    ("everything_global", "dWx += dh.dot(xs[:, :, t].T)", "dWx = dh.dot(xs[:, :, t].T)", {"Wx"}),
    ("dataclasses_and_trainer", "g.rec += h[t].T @ da", "g.rec = h[t].T @ da", {"rec"}),
]


@left_out
@pytest.mark.parametrize(("name", "line", "fault", "hit"), FAULTS, ids=[f[0] for f in FAULTS])
def test_a_fault_is_seen_also_where_it_makes_a_gradient_zero(
    name: str, line: str, fault: str, hit: set[str] | None
) -> None:
    text = _text(name)
    assert line in text
    with quiet():
        _, right = _built(text)
        _, wrong = _built(text.replace(line, fault))
        assert list(right.parameters) == list(wrong.parameters)
        assert float(np.asarray(right.cost())) == float(np.asarray(wrong.cost()))
        good, bad = right.gradients(), wrong.gradients()
    differ = {name for name in good if not np.allclose(good[name], bad[name])}
    assert differ == hit if hit is not None else differ


def test_what_is_taken_from_the_run_is_said() -> None:
    program, _ = _built(_text("suite_csv_francaise"))
    assert any("what the program's own run gives them" in said for said in program.assumed)
    assert any("numbers in 5 columns" in said for said in program.assumed)
    text = _text("gates_and_readout_by_the_run")
    program, _ = _built(text)
    line = 1 + next(i for i, shown in enumerate(text.split("\n")) if "print(episode" in shown)
    assert any(f"the number that line {line} shows" in said for said in program.assumed)


def test_sizes_of_the_run_follow_the_sizes_asked_for() -> None:
    _, case = _built(_text("everything_global"))
    assert {name: value.shape for name, value in case.parameters.items()} == {
        "Wx": (3, 2), "Wh": (3, 3), "Wy": (1, 3), "bh": (3, 1), "by": (1, 1),
    }  # fmt: skip


def test_large_numbers_are_made_small_and_those_of_one_value_alike() -> None:
    tree = ast.parse("hidden = 100\nx = np.zeros(100)\nwidth = 40\nlr = 3\nn_epochs = 50\n")
    knobs = Knobs(tree, facts_of(tree))
    first = ast.unparse(knobs.turned(0, SMALL)).split("\n")
    assert first[:2] == ["hidden = 3", "x = np.zeros(3)"]
    assert int(first[2].split(" = ")[1]) < 40
    assert first[3:] == ["lr = 3", "n_epochs = 50"]
    assert knobs.turned(PLAIN, SMALL) is tree


def test_a_training_loop_becomes_a_function_that_keeps_its_lines() -> None:
    tree = ast.parse(_text("fit_with_everything"))
    where = training_loops(tree)[0]
    assert where.holder == "RNNModel.fit"
    step = next(s for s in as_step(tree, where).body if isinstance(s, ast.FunctionDef))
    assert step.lineno == line_of(tree, where)
    assert [a.arg for a in step.args.args] == ["n_samples", "n_steps", "self", "X", "y"]
    methods = {f.name for f in ast.walk(as_step(tree, where)) if isinstance(f, ast.FunctionDef)}
    assert "fit" not in methods
    assert "predict" in methods


def test_files_that_are_not_there_are_made_up() -> None:
    tree = ast.parse("import csv\nrows = list(csv.DictReader(open('a.csv')))\nx = [r['rain'] for r in rows]\n")
    kinds = kinds_of_files(tree)
    assert kinds[0].heads == ("rain",)
    assert kinds[0].open("a.csv").readline() == "rain\n"
    with Files(5).in_numpy():
        assert np.loadtxt("a.csv", delimiter=",", usecols=1).shape == (7,)
        np.save("never-written.npy", np.zeros(3))
    assert not Path("never-written.npy").exists()
    with pytest.raises(OSError, match=r"a\.csv"):
        np.loadtxt("a.csv")


def test_copies_of_closures_share_their_variables() -> None:
    def make() -> tuple[dict[str, int], object, object]:
        held = {"n": 0}
        return held, lambda: held["n"], lambda n: held.update(n=n)

    held, read, write = make()
    mine = copied({"held": held, "read": read, "write": write})
    mine["write"](7)
    assert (mine["read"](), mine["held"]["n"], read()) == (7, 7, 0)  # type: ignore[operator]


ENDLESS = """
import numpy as np
def forward(x, w):
    return missing(x, w)
def backward(dy, cache):
    return dy
n = 0
while True:
    n += 1
    out, cache = forward(np.ones(3), np.ones(3))
    backward(out, cache)
"""


def test_what_ends_the_own_run_is_said() -> None:
    with pytest.raises(CannotCheckError, match="its own run ends before its first gradients with NameError"):
        load_program(ENDLESS, "a.py")
    with pytest.raises(CannotCheckError):
        load_program(ENDLESS.replace("    out,", "    continue\n    out,"), "a.py")


def test_what_makes_the_upstream_gradient_is_checked_with_the_class_that_takes_it() -> None:
    text = _text("labels_of_phrases")
    program, case = _built(text)
    assert program.names == {"learn_one": "forward"}
    right = case.gradients()
    assert all(
        gradient.any() for gradient in right.values()
    )  # also of the recurrent weight: a phrase of one word hides it
    _, wrong = _built(text.replace("dscore[label] -= 1", "dscore[label] -= 2"))
    assert all(not np.allclose(gradient, right[name]) for name, gradient in wrong.gradients().items())


def test_of_two_sweeps_the_one_that_is_gone_back_through_is_read() -> None:
    program, _ = _built(_text("scanned_both_ways"))
    assert program.names["derivatives"] == "backward"
    sweep = load_program(_text("scanned_both_ways"), "a.py", name="sweep_back")
    case = sweep.build(sweep.load(sweep.tree), SMALL, 2)
    h = 1e-6
    for name, gradient in case.gradients().items():
        value = case.parameters[name]
        value.flat[0] += h
        after = float(np.asarray(case.cost()))
        value.flat[0] -= 2 * h
        before = float(np.asarray(case.cost()))
        value.flat[0] += h
        assert np.isclose((after - before) / (2 * h), gradient.flat[0], rtol=1e-5)


def test_of_ids_that_are_inputs_and_targets_one_more_is_made() -> None:
    program = load_program(_text("words_from_pictures"), "a.py")
    case = program.build(program.load(program.tree), Sizes(n_x=4, n_a=3, n_y=5, m=2, T_x=1), 2)
    assert all(case.gradients()[name].any() for name in "EUbVc")


def test_a_whole_model_that_was_not_run_is_no_right_one() -> None:
    functions = {name for name, _ in backward_functions(ast.parse(_text("words_from_pictures")))}
    assert functions == {"words_back", "rnn_back", "Describer.loss"}
