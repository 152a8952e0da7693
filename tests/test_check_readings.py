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


LETTERS = """
import numpy as np

text = open("notes.txt").read()
known = sorted(set(text))
place = {c: i for i, c in enumerate(known)}
ids = [place[c] for c in text]
V, H, D, T = len(known), 24, 12, 20
rng = np.random.default_rng(0)
P = {"E": rng.normal(size=(V, D)), "W": rng.normal(size=(H, D)) * 0.3, "U": rng.normal(size=(H, H)) * 0.1,
     "O": rng.normal(size=(V, H)) * 0.3}

def forward(x, y, h, P):
    hs, ps, total = {-1: h}, [], 0.0
    for t, (i, j) in enumerate(zip(x, y)):
        hs[t] = np.tanh(P["W"] @ P["E"][i] + P["U"] @ hs[t - 1])
        s = P["O"] @ hs[t]
        e = np.exp(s - s.max())
        ps.append(e / e.sum())
        total -= np.log(ps[-1][j])
    return total, hs, ps

def backward(x, y, hs, ps, P):
    G = {k: np.zeros_like(v) for k, v in P.items()}
    after = np.zeros_like(hs[-1])
    for t in reversed(range(len(x))):
        d = ps[t].copy()
        d[y[t]] -= 1
        G["O"] += np.outer(d, hs[t])
        dz = (P["O"].T @ d + after) * (1 - hs[t] ** 2)
        G["W"] += np.outer(dz, P["E"][x[t]])
        G["U"] += np.outer(dz, hs[t - 1])
        G["E"][x[t]] += P["W"].T @ dz
        after = P["U"].T @ dz
    return G

at, h = 0, np.zeros(H)
for step in range(1000):
    if at + T + 1 >= len(ids):
        at, h = 0, np.zeros(H)
    x, y = ids[at:at + T], ids[at + 1:at + T + 1]
    total, hs, ps = forward(x, y, h, P)
    G = backward(x, y, hs, ps, P)
    for k in P:
        P[k] -= 0.01 * G[k]
    at, h = at + T, hs[len(x) - 1]
"""


def test_a_letter_that_comes_twice_is_in_every_text() -> None:
    """Wherever the run stands in its made-up text: where it counts once instead of twice, that is seen."""
    assert not _wrong(_case(LETTERS))
    assert {n.split(".")[-1] for n in _wrong(_case(LETTERS.replace('G["E"][x[t]] +=', 'G["E"][x[t]] =')))} == {"E"}


ONE_LOOP = """
import numpy as np

rng = np.random.default_rng(1)
X, Y = rng.normal(size=(5, 8, 3)), rng.normal(size=(5, 8, 2))
W, U, b = rng.normal(size=(3, 6)) * 0.4, rng.normal(size=(6, 6)) * 0.4, np.zeros((1, 6))
O, c = rng.normal(size=(6, 2)) * 0.4, np.zeros((1, 1))
lr = 0.01
for epoch in range(500):
    h = np.zeros((6, 8, 6))
    o = np.zeros((5, 8, 2))
    for t in range(5):
        h[t + 1] = np.tanh(X[t] @ W + h[t] @ U + b)
        o[t] = h[t + 1] @ O + c
    loss = 0.5 * np.sum((o - Y) ** 2)
    dW, dU, db, dO, dc = np.zeros_like(W), np.zeros_like(U), np.zeros_like(b), np.zeros_like(O), np.zeros_like(c)
    after = np.zeros((8, 6))
    for t in reversed(range(5)):
        d = o[t] - Y[t]
        dO += h[t + 1].T @ d
        dc += np.sum(d, keepdims=True)
        dz = (d @ O.T + after) * (1 - h[t + 1] ** 2)
        dW += X[t].T @ dz
        dU += h[t].T @ dz
        db += np.sum(dz, axis=0, keepdims=True)
        after = dz @ U.T
    W -= lr * dW
    U -= lr * dU
    b -= lr * db
    O -= lr * dO
    c -= lr * dc
    print(epoch, loss)
"""


def test_a_weight_that_another_gradient_moves_is_seen() -> None:
    """Its own gradient is right in a variable; what moves it is another one, spread over it."""
    assert not _wrong(_case(ONE_LOOP))
    assert _wrong(_case(ONE_LOOP.replace("b -= lr * db", "b -= lr * dc"))) == {"b"}


MASKED = """
import numpy as np

class Tagger:
    def __init__(self, n_in, n_hid, n_out):
        rng = np.random.default_rng(2)
        self.W, self.U = rng.normal(size=(n_in, n_hid)) * 0.4, rng.normal(size=(n_hid, n_hid)) * 0.4
        self.O = rng.normal(size=(n_hid, n_out)) * 0.4

    def forward(self, X, mask):
        h = np.zeros((X.shape[0], self.U.shape[0]))
        self.hs, self.made = [h], []
        for t in range(X.shape[1]):
            new, m = np.tanh(X[:, t] @ self.W + h @ self.U), mask[:, t:t + 1]
            h = m * new + (1 - m) * h
            self.made.append(new)
            self.hs.append(h)
        return h @ self.O

    def loss(self, out, Y):
        return 0.5 * np.sum((out - Y) ** 2)

    def backward(self, X, mask, out, Y):
        d = out - Y
        dO, dW, dU = self.hs[-1].T @ d, np.zeros_like(self.W), np.zeros_like(self.U)
        dh = d @ self.O.T
        for t in range(X.shape[1] - 1, -1, -1):
            m = mask[:, t:t + 1]
            dz = dh * m * (1 - self.made[t] ** 2)
            dW += X[:, t].T @ dz
            dU += self.hs[t].T @ dz
            dh = dz @ self.U.T + dh * (1 - m)
        return {"W": dW, "U": dU, "O": dO}

def data(n, steps=12):
    rng = np.random.default_rng(0)
    ends = rng.integers(4, steps + 1, n)
    mask = (np.arange(steps)[None, :] < ends[:, None]).astype(float)
    return rng.normal(size=(n, steps, 3)) * mask[:, :, None], mask, rng.normal(size=(n, 2))

if __name__ == "__main__":
    X, mask, Y = data(40)
    net = Tagger(3, 9, 2)
    for epoch in range(100):
        out = net.forward(X, mask)
        grads = net.backward(X, mask, out, Y)
        for k, g in grads.items():
            setattr(net, k, getattr(net, k) - 0.01 * g)
        print(net.loss(out, Y))
"""


def test_an_example_ends_before_the_others() -> None:
    """Also where the run, made small, has a mask of ones only."""
    assert not _wrong(_case(MASKED))
    assert _wrong(_case(MASKED.replace(" + dh * (1 - m)", "")))


def test_a_rate_by_default_is_one() -> None:
    text = MASKED.replace(
        'return {"W": dW, "U": dU, "O": dO}',
        'for k, g in (("W", dW), ("U", dU), ("O", dO)):\n            setattr(self, k, getattr(self, k) - rate * g)',
    ).replace("out, Y):\n        d =", "out, Y, rate=2e-2):\n        d =")
    text = (
        text[: text.index("        grads = net")]
        + "        net.backward(X, mask, out, Y)\n        print(net.loss(out, Y))\n"
    )
    assert not _wrong(_case(text))
