"""What is not there: a mask, a line of another weight, a part of a sum; and faults that are mended as text."""

from __future__ import annotations

import ast

import numpy as np
import pytest

from bptt.checking.diagnosing.diagnose import diagnose
from bptt.checking.diagnosing.edit_labels import labels_of_edit
from bptt.checking.loading.load import load_program
from bptt.checking.repairing.comprehensions import within_comprehensions
from bptt.checking.repairing.lines_to_add import lines_of_other_gates
from bptt.checking.tracing.stepping import stepped_tree
from checking_programs import line_of, mended_lines, planted

TAGGER = """
import numpy as np

class Sums:
    def __init__(self, shape):
        self.grad = np.zeros(shape)

    def more(self, part, again):
        self.grad += part + 0 * again

def slope(a):
    return 1 - a ** 2

def sweep(W, U, xs, order):
    hs, h = {}, np.zeros((len(xs[0]), len(U)))
    for t in order:
        hs[t] = (h, np.tanh(xs[t] @ W + h @ U))
        h = hs[t][1]
    return hs

def sweep_back(W, U, xs, hs, dhs, order):
    dW, dU, dh = np.zeros_like(W), np.zeros_like(U), np.zeros_like(hs[0][0])
    for t in order:
        before, a = hs[t]
        dz = (dhs[t] + dh) * slope(a)
        dW += xs[t].T @ dz
        dU += before.T @ dz
        dh = dz @ U.T
    return dW, dU

def states(p, xs):
    T = len(xs)
    return sweep(p["W1"], p["U1"], xs, range(T)), sweep(p["W2"], p["U2"], xs, range(T - 1, -1, -1))

def outputs(p, xs):
    there, back = states(p, xs)
    return [there[t][1] @ p["V1"] + back[t][1] @ p["V2"] for t in range(len(xs))]

def cost(p, xs, ys, mask):
    return sum((mask[:, t, None] * (o - ys[t]) ** 2).sum() for t, o in enumerate(outputs(p, xs)))

def gradients(p, xs, ys, mask):
    T = len(xs)
    there, back = states(p, xs)
    dos = [2 * mask[:, t, None] * (o - ys[t]) for t, o in enumerate(outputs(p, xs))]
    g = {}
    v1 = sum(there[t][1].T @ dos[t] for t in range(T))
    g["V2"] = sum(back[t][1].T @ dos[t] for t in range(T))
    d1, d2 = [d @ p["V1"].T for d in dos], [d @ p["V2"].T for d in dos]
    g["W1"], g["U1"] = sweep_back(p["W1"], p["U1"], xs, there, d1, range(T - 1, -1, -1))
    g["W2"], g["U2"] = sweep_back(p["W2"], p["U2"], xs, back, d2, range(T))
    shrink = {"V1": lambda: p["V1"] * 0.0, "V2": lambda: p["V2"] * 0.0}
    total = Sums(p["V1"].shape)
    total.more(v1, shrink["V1"]())
    g["V1"] = total.grad
    return g

class Case:
    def __init__(self, s, seed):
        r = np.random.default_rng(seed)
        shapes = {"W1": (s.n_x, s.n_a), "U1": (s.n_a, s.n_a), "V1": (s.n_a, s.n_y)}
        self.parameters = {k: 0.5 * r.normal(size=v) for k, v in shapes.items()}
        self.parameters |= {k.replace("1", "2"): 0.5 * r.normal(size=v) for k, v in shapes.items()}
        self.mask = (r.random((s.m, s.T_x)) < 0.7).astype(float)
        self.mask[0, 0] = 1.0
        self.xs = [r.normal(size=(s.m, s.n_x)) for _ in range(s.T_x)]
        self.ys = [r.normal(size=(s.m, s.n_y)) for _ in range(s.T_x)]

    def cost(self):
        return cost(self.parameters, self.xs, self.ys, self.mask)

    def gradients(self):
        return gradients(self.parameters, self.xs, self.ys, self.mask)

def bptt_case(sizes, seed):
    return Case(sizes, seed)
"""

LEAKY = """
import numpy as np

class Net:
    LEAK = 0.3

    def __init__(self, s, seed):
        r = np.random.default_rng(seed)
        self.W, self.U = 0.5 * r.normal(size=(s.n_x, s.n_a)), 0.5 * r.normal(size=(s.n_a, s.n_a))
        self.V, self.h0 = 0.5 * r.normal(size=(s.n_a, s.n_y)), 0.5 * r.normal(size=(s.m, s.n_a))
        self.X, self.Y = r.normal(size=(s.T_x, s.m, s.n_x)), r.normal(size=(s.m, s.n_y))
        self.parameters = {"W": self.W, "U": self.U, "V": self.V, "h0": self.h0}

    def run(self):
        hs, cs = [self.h0], []
        for x in self.X:
            cs.append(np.tanh(x @ self.W + hs[-1] @ self.U))
            hs.append((1 - self.LEAK) * hs[-1] + self.LEAK * cs[-1])
        out = hs[-1] @ self.V
        length = np.sqrt((out * out).sum(axis=1, keepdims=True))
        return hs, cs, out / length, length

    def cost(self):
        return -(self.run()[2] * self.Y).sum()

    def unit_back(self, d, unit, length):
        return (d - unit * (d * unit).sum(axis=1, keepdims=True)) / length

    def last_state(self, dout):
        back = dout @ self.V.T
        return back

    def gradients(self):
        hs, cs, unit, length = self.run()
        dout = self.unit_back(-self.Y, unit, length)
        g = {k: np.zeros_like(v) for k, v in self.parameters.items()}
        dU = np.zeros_like(self.U)
        dhs = np.zeros((len(hs),) + hs[0].shape)
        g["V"] += hs[-1].T @ dout
        dhs[-1] = self.last_state(dout)
        for t in range(len(cs) - 1, -1, -1):
            dz = self.LEAK * dhs[t + 1] * (1 - cs[t] ** 2)
            g["W"] += self.X[t].T @ dz
            dU += hs[t].T @ dz
            dhs[t] = (1 - self.LEAK) * dhs[t + 1] + dz @ self.U.T
        g["U"] += dU
        g["h0"] += dhs[0]
        return g

def bptt_case(sizes, seed):
    return Net(sizes, seed)
"""

FAULTS = [
    ("a mask", TAGGER, "2 * mask[:, t, None] * (o - ys[t]) for", "2 * (o - ys[t]) for"),
    ("copied", TAGGER, 'sum(back[t][1].T @ dos[t]', 'sum(there[t][1].T @ dos[t]'),
    ("a range", TAGGER, "xs, back, d2, range(T))", "xs, back, d2, range(T - 1, -1, -1))"),
    ("a slope", TAGGER, "(dhs[t] + dh) * slope(a)", "(dhs[t] + dh) * (a > 0)"),
    ("an argument", TAGGER, 'total.more(v1, shrink', 'total.more(g["V2"], shrink'),
    ("a leak", LEAKY, "(1 - self.LEAK) * dhs[t + 1] + dz @ self.U.T", "dz @ self.U.T"),
    ("a projection", LEAKY, "(d - unit * (d * unit).sum(axis=1, keepdims=True)) / length", "d / length"),
    ("moved weights", LEAKY, "dU += hs[t].T @ dz", 'self.U -= 0.1 * (hs[t].T @ dz)'),
]  # fmt: skip


@pytest.mark.parametrize("text", [TAGGER, LEAKY], ids=["tagger", "leaky"])
def test_the_right_programs_are_right(text: str) -> None:
    assert diagnose(load_program(text, "net.py")).verdict == "right"


@pytest.mark.parametrize(("text", "right", "wrong"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS])
def test_what_is_missing_is_named_and_mended(text: str, right: str, wrong: str) -> None:
    assert mended_lines(planted(text, (right, wrong))) == [line_of(text, right)]


def test_the_cause_is_read_off_the_repair() -> None:
    text = planted(TAGGER, ("xs, back, d2, range(T))", "xs, back, d2, range(T - 1, -1, -1))"))
    (finding,) = diagnose(load_program(text, "net.py")).findings
    assert "T3" in finding.codes
    assert "go through the steps of `range(T)`" in finding.message
    assert finding.expected is None or "an operand of" not in finding.expected.name
    _, units = stepped_tree(ast.parse("def f(a, k):\n    g = np.zeros_like(a)\n    b[:] = a\n"))
    (label,) = labels_of_edit(units[0], "g = (1 - k) * a")
    assert (label.code, "set to zeros" in label.cause) == ("R1", True)
    (label,) = labels_of_edit(units[1], "b[-1] = a")
    assert label.code == "R4"


def test_a_line_is_missing_beside_that_of_another_weight() -> None:
    text = "def back(dz, da, dh, W, U):\n    dh += dz @ W['Uz'].T\n    return dh\n\nK = ['Ua']\n"
    tree = ast.parse(text)
    lines = [form.what for form in lines_of_other_gates(text, tree, tree.body[0])]  # type: ignore[arg-type]
    assert "another like this one: dh += da @ W['Ua'].T" in lines


def test_edits_within_a_comprehension_keep_its_own_variables() -> None:
    code = "g = [d @ W.T for d in ds]"
    names = {"W": np.ones((2, 3)), "V": np.zeros((2, 3)), "ds": [np.ones((4, 3))], "mask": np.array([[1.0, 0.0]])}
    tree = ast.parse(code)
    found = {change.text for _, change in within_comprehensions(tree.body[0], names, code, tree)}
    assert {"V", "W", "(d @ W.T) * mask"} <= found
    assert "W @ W.T" not in found
