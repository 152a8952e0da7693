"""Forms of programs that are easily misread: each is read as what it is, and a fault in it stays one."""

import ast
from pathlib import Path

import numpy as np
import pytest

from bptt.checking.loading.bench import labels_of
from bptt.checking.loading.closures import pullbacks
from bptt.checking.loading.facts import facts_of
from bptt.checking.loading.links import gradients_by_use
from bptt.checking.loading.load import load_program
from bptt.checking.loading.made_up import Files
from bptt.checking.loading.parameters_found import held_by_object
from bptt.checking.loading.paste import read_code
from bptt.checking.loading.roles_by_name import is_rate
from bptt.checking.loading.starts import begin_anywhere
from bptt.checking.loading.tables import stand_in_for
from bptt.checking.loading.unrun import outermost_first
from bptt.checking.program import Case, Sizes
from bptt.checking.tracing.quiet import quiet

HERE = Path(__file__).parent / "loader_programs"
SMALL = Sizes(n_x=4, n_a=3, n_y=5, m=2, T_x=3)


def _case(text: str) -> Case:
    program = load_program(text, "a.py")
    return program.build(program.load(program.tree), SMALL, 1)


def _wrong(case: Case) -> set[str]:
    gradients = case.gradients()
    wrong = set()
    for name, value in case.parameters.items():
        direction = np.random.default_rng(3).normal(size=value.shape)
        before, ends = value.copy(), []
        for h in (1e-5, -1e-5):
            value[...] = before + h * direction
            ends.append(float(np.asarray(case.cost()).reshape(())))
        value[...] = before
        slope = (ends[0] - ends[1]) / 2e-5
        if abs(float(np.sum(gradients[name] * direction)) - slope) > 1e-5 * max(abs(slope), 1e-3):
            wrong.add(name.split(".")[-1])
    return wrong


FAULTS = [
    ("pullbacks", "d: d * (1 - y ** 2)", "d: d * (1 - y)", {"W", "R", "b"}),
    ("static_methods", "dh = g * (1 - z) + dv[:, -d:]", "dh = g * (1 - z)", {"W", "X"}),
    ("weights_by_the_first_call", "dh = dz @ p['R'].T", "dh = dz @ p['R']", {"W", "R", "b", "X"}),
    ("adagrad_inside", "grads['Whh'] += hs[t - 1].T.dot(dz)", "grads['Whh'] += hs[t].T.dot(dz)", {"Whh"}),
    ("config_dataclass", "dh = w['rec'].T @ da", "dh = w['rec'] @ da", {"emb", "rec", "bias"}),
    ("velocity_lists", "grads[1] += np.outer(h, delta)", "grads[1] += np.outer(hn, delta)", {"weights[1]"}),
    ("prices_from_a_table", "dW += dz @ states[t].T", "dW += dz @ states[t + 1].T", {"W"}),
    ("attention_readout", "g['Wh'] += H[:, t].T @ d", "g['Wh'] += H[:, t + 1].T @ d", {"Wh"}),
]


@pytest.mark.parametrize(("name", "line", "fault", "hit"), FAULTS, ids=[f[0] for f in FAULTS])
def test_a_fault_of_each_form_is_one(name: str, line: str, fault: str, hit: set[str]) -> None:
    text = (HERE / f"{name}.py").read_text()
    assert line in text
    with quiet():
        found = _wrong(_case(text.replace(line, fault)))
    assert found == hit


def test_the_network_among_functions_that_go_back_is_the_one_that_none_needs() -> None:
    found = {p.forward.name: p for p in pullbacks(facts_of(ast.parse((HERE / "pullbacks.py").read_text())))}
    assert set(found) == {"linear", "tanh", "cell", "regress"}
    assert max(found.values(), key=lambda p: p.score).forward.name == "regress"
    assert found["regress"].place == (("item", 1),)
    assert found["tanh"].backward.qualified == "tanh.<locals>.<lambda>"


def test_zeros_beside_weights_are_no_weights() -> None:
    class Net:
        def __init__(self) -> None:
            ones = np.ones((3, 2))
            self.p, self.m, self.v = {"W": ones, "U": ones * 2}, {"W": 0 * ones, "U": 0 * ones}, {}
            self.wi, self.wo = ones.copy(), ones.copy()
            self.gi, self.go = np.zeros((3, 2)), np.zeros((3, 2))
            self.bi, self.bo = np.zeros(2), np.zeros(2)

    assert {p.paths[0][-1][1] for p in held_by_object(Net())} == {"W", "U", "wi", "wo", "bi", "bo"}


def test_what_moves_a_velocity_is_the_gradient() -> None:
    text = "def f(self):\n    self.m = 0.9 * self.m - rate * self.g\n    self.W += self.m\n"
    assert gradients_by_use([ast.parse(text)], ["W"]) == {"g": "W", "rate": "W"}


def test_a_leak_is_no_learning_rate() -> None:
    assert is_rate("alpha", "W -= alpha * dW")
    assert not is_rate("alpha", "h = (1 - alpha) * h + alpha * a")
    assert not is_rate("alpha", "h = (1.0 - self.alpha) * h + self.alpha * a")


def test_states_of_zeros_begin_anywhere() -> None:
    state = {"given": {"h0": np.zeros((3, 1)), "x": np.zeros((3, 1)), "hprev": np.ones(2)}, "self": None}
    begin_anywhere(state, {}, 0)
    assert state["given"]["h0"].any()
    assert not state["given"]["x"].any()
    assert (state["given"]["hprev"] == 1).all()
    kept = {"given": {"h0": np.zeros((3, 1))}}
    begin_anywhere(kept, {"backward.h0": np.zeros((3, 1))}, 0)
    assert not kept["given"]["h0"].any()


def test_lists_of_gradients_go_by_their_elements() -> None:
    text = "def f(x):\n    grads = [dW, db]\n    return loss, grads, h\n"
    assert labels_of(facts_of(ast.parse(text)).functions["f"]) == ("loss", "dW,db", "h")


def test_tables_and_scalers_stand_in() -> None:
    files = Files(3, rows=7)
    frame = stand_in_for("read_csv", lambda: files)("a.csv")
    assert frame.shape == (7, 3)
    assert type(frame["Close"].values) is np.ndarray
    assert frame[["Open", "Close"]].values.shape == (7, 2)
    assert frame.dropna().iloc[:, 1:2].values.shape == (7, 1)
    frame["Date"] = "a day"
    scaler = stand_in_for("MinMaxScaler", lambda: files)(feature_range=(0, 1))
    scaled = scaler.fit_transform(frame.values)
    assert (scaled.min(axis=0), scaled.max(axis=0)) == (pytest.approx(0), pytest.approx(1))
    assert np.allclose(scaler.inverse_transform(scaled), frame.values)
    a, b, c, d = stand_in_for("train_test_split", lambda: files)(np.arange(10), np.arange(10), test_size=0.2)
    assert (len(a), len(b), len(c), len(d)) == (8, 2, 8, 2)
    assert stand_in_for("nothing", lambda: files) is None


def test_a_class_at_the_margin_keeps_its_header() -> None:
    code, _, _ = read_code(
        "Hi, what is wrong?\n\nclass Net:\n    def forward(self, x):\n        return x\n\n    def backward(self, d):\n"
        "        return d\n\nnet = Net()\nprint net\n\nThanks a lot!\n"
    )
    assert [type(s).__name__ for s in ast.parse(code).body] == ["ClassDef", "Assign", "Expr"]


def test_layers_come_before_the_steps_that_they_call() -> None:
    text = (
        "def step_backward(d):\n    return d @ w\ndef rnn_backward(d):\n    return [step_backward(x) for x in d]\n"
        "def tanh_backward(d):\n    return d\n"
    )
    assert [n for n, _ in outermost_first(ast.parse(text))] == ["rnn_backward", "step_backward"]


ONE_LAYER = """
import numpy as np

class Net:
    def __init__(self, n_in, n_hid, n_out):
        shapes = ((n_hid, n_in), (n_hid, n_hid), (n_out, n_hid))
        self.W, self.U, self.V = [np.random.randn(*s) for s in shapes]

    def forward(self, seq):
        h = np.zeros(len(self.U))
        self.tape, self.out = [], []
        for x in seq:
            new = np.tanh(self.W @ x + self.U @ h)
            self.tape.append((x, h, new))
            self.out.append(self.V @ new)
            h = new
        return self.out

    def error(self, targets):
        return 0.5 * sum(np.sum((o - t) ** 2) for o, t in zip(self.out, targets))

    def backward(self, targets):
        self.dW, self.dU, self.dV = [np.zeros_like(w) for w in (self.W, self.U, self.V)]
        later = 0
        for (x, h, new), o, t in reversed(list(zip(self.tape, self.out, targets))):
            self.dV += np.outer(o - t, new)
            d = (self.V.T @ (o - t)) * (1 - new ** 2) + later
            self.dW += np.outer(d, x)
            self.dU += np.outer(d, h)
            later = self.U.T @ d
"""


def test_one_step_alone_settles_nothing() -> None:
    with quiet():
        assert _wrong(_case(ONE_LAYER)) == {"W", "U"}  # with one step, it would be right
