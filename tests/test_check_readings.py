"""The loader's readings: a wrong program is read like the right one, and nothing wrong is left out."""

import ast
from pathlib import Path

import numpy as np
import pytest

from bptt.checking.diagnosing.reached import unreached
from bptt.checking.loading.displayed import squared
from bptt.checking.loading.load import load_program
from bptt.checking.program import Case, Sizes
from bptt.checking.tracing.quiet import quiet

HERE = Path(__file__).parent / "loader_programs"
SMALL = Sizes(n_x=4, n_a=3, n_y=5, m=2, T_x=3)


def _text(name: str) -> str:
    return (HERE / f"{name}.py").read_text()


def _case(text: str) -> Case:
    program = load_program(text, "a.py")
    return program.build(program.load(program.tree), SMALL, 1)


def _slope(case: Case, name: str, direction: np.ndarray) -> float:
    value = case.parameters[name]
    before, ends = value.copy(), []
    for h in (1e-5, -1e-5):
        value[...] = before + h * direction
        ends.append(float(np.asarray(case.cost()).reshape(())))
    value[...] = before
    return (ends[0] - ends[1]) / 2e-5


def _wrong(case: Case) -> set[str]:
    """Return the parameters whose gradient is not the cost's along a random direction."""
    gradients = case.gradients()
    found = set()
    for name, value in case.parameters.items():
        direction = np.random.default_rng(3).normal(size=value.shape)
        slope = _slope(case, name, direction)
        if name not in gradients or abs(np.sum(gradients[name] * direction) - slope) > 1e-6 * max(abs(slope), 1e-2):
            found.add(name)
    return found


FAULTS = [
    ("batch_first_call_sites", 'grads["v"] = h_last.T @ e', 'grads["v"] = cache[-1][1].T @ e', {"v"}),
    ("time_layers", "self.grads[i][...] = grad", "self.grads[i] = grad", {"layers.0.0", "layers.0.1", "layers.0.2"}),
    ("layers_only", "dx_flat /= N", "pass", {"temporal_softmax_loss.x"}),
    ("fed_step_by_step", "self.weights.bf_diff += df", "self.weights.bf_diff += dg", {"bf"}),
    ("char_lstm_lossfun", "dc = dh*os_[t]*(1-np.tanh(cs[t])**2) + dcnext", "dc = dh*os_[t] + dcnext", None),
    ("model_of_layers", "dn = dz @ self.params['Wh'].T", "dn = dz @ self.params['Wh']", None),
    ("rows_in_parameter_list", "dH = np.dot(dZ, W_hh.T)", "dH = dZ", None),
    ("peephole_gate_dicts", "+ self.p['i'] * di + self.p['f'] * df", "", None),
    ("step_with_its_backward", "dz = dout * (1 - out ** 2)", "dz = dout * (1 - out)", None),
    ("andere_sprache", "dz = dh * (h[t - 1] - n)", "dz = dh * (n - h[t - 1])", None),
]


@pytest.mark.parametrize(("name", "line", "fault", "hit"), FAULTS, ids=[f"{f[0]}: {f[2]}" for f in FAULTS])
def test_a_fault_does_not_change_the_reading(name: str, line: str, fault: str, hit: set[str] | None) -> None:
    text = _text(name)
    assert line in text
    with quiet():
        right, wrong = _case(text), _case(text.replace(line, fault))
        assert list(right.parameters) == list(wrong.parameters)
        assert float(np.asarray(right.cost()).reshape(())) == float(np.asarray(wrong.cost()).reshape(()))
        assert not _wrong(right)
        found = _wrong(wrong)
    assert found == hit if hit is not None else found


def test_call_sites_tell_what_the_backward_is_given() -> None:
    case = _case(_text("batch_first_call_sites"))
    given = dict(case.plan.backward.arguments)  # type: ignore[attr-defined]
    assert [given[n].path for n in ("prob", "h_last", "cache")] == [(("item", i),) for i in range(3)]


def test_every_layer_is_reached_and_the_report_says_so() -> None:
    program = load_program(_text("layers_only"), "a.py")
    assert unreached(program) == ()
    assert any("each is checked by itself" in said for said in program.assumed)


def test_gradients_of_inputs_and_states_are_checked_where_they_are_returned() -> None:
    case = _case(_text("cs231n_layers"))
    assert {"x", "h0"} <= set(case.parameters)
    assert {"x", "h0"} <= set(case.gradients())


SCRIPT = """
import numpy as np
n_hidden, n_steps, lr = 6, 5, 0.1
x = np.random.randn(n_steps, 3)
y = np.random.randn(2)
W = np.random.randn(n_hidden, n_hidden)
U = np.random.randn(n_hidden, 3)
V = np.random.randn(2, n_hidden)
{before}
for it in range(100):
    {inside}
    h = [np.zeros(n_hidden)]
    for t in range(n_steps):
        h.append(np.tanh(U @ x[t] + W @ h[-1]))
    e = V @ h[-1] - y
    loss = 0.5 * np.sum(e ** 2)
    dh = V.T @ e
    dV = np.outer(e, h[-1])
    for t in reversed(range(n_steps)):
        dz = dh * (1 - h[t + 1] ** 2)
        dU += np.outer(dz, x[t])
        dW += np.outer(dz, h[t])
        dh = W.T @ dz
    U -= lr * dU
    W -= lr * dW
    V -= lr * dV
"""
ZEROS = "dU = np.zeros_like(U); dW = np.zeros_like(W)"


def test_accumulators_that_no_pass_resets_are_seen() -> None:
    with quiet():
        assert _wrong(_case(SCRIPT.format(before="", inside=ZEROS))) == set()
        assert _wrong(_case(SCRIPT.format(before=ZEROS, inside="pass"))) == {"U", "W"}


def test_an_absolute_error_that_is_only_shown_is_not_taken_for_the_cost() -> None:
    text = _text("binary_addition_flat")
    line = 1 + text.split("\n").index("        overallError += np.abs(layer_2_error[0])")
    program = load_program(text, "a.py")
    assert any(f"Line {line} adds up absolute errors" in said for said in program.assumed)
    assert squared(ast.parse(text))[1] == (line,)
    assert squared(ast.parse(text + "\ndef slope(e):\n    return np.sign(e)\n"))[1] == ()


def test_a_layer_that_cannot_be_read_for_certain_is_not_called_right() -> None:
    program = load_program(_text("layers_only").replace("np.add.at(dW, x, dout)", "dW[x] += 2 * dout"), "a.py")
    case = program.build(program.load(program.tree), SMALL, 1)
    with quiet():
        assert unreached(program) or _wrong(case)


def test_two_arguments_are_never_the_same_data() -> None:
    text = _text("char_lstm_lossfun").replace("dy[targets[t]] -= 1", "dy[inputs[t]] -= 1")
    with quiet():
        assert _wrong(_case(text))


@pytest.mark.parametrize("right", [True, False])
def test_predictions_of_one_unit_are_predictions(right: bool) -> None:
    text = _text("reader_one_output")
    if not right:
        text = text.replace("* (1 - self.trail[t + 1] ** 2)", "* (1 - self.trail[t] ** 2)")
    case = _case(text)
    assert sorted(name.split(".")[-1] for name in case.parameters) == ["U", "W", "v"]
    with quiet():
        assert _wrong(case) == (set() if right else {"U", "W"})
