"""Why a line is wrong: the cause that a repair shows, in the words and with the code that a learner would look for."""

from __future__ import annotations

import ast

import pytest

from bptt.checking.diagnosing.diagnose import diagnose
from bptt.checking.diagnosing.edit_labels import labels_of_edit
from bptt.checking.loading.load import load_program
from bptt.checking.tracing.stepping import stepped_tree
from checking_programs import line_of, planted

PAIRS = [
    ("dz = y - p", "dz = p - y", "L1", "its sign is wrong"),
    ("dz = g @ h", "dz = h @ g", "M1", "wrong order"),
    ("dz = np.outer(h, g)", "dz = np.outer(g, h)", "M1", "wrong order"),
    ("dz = np.dot(g, x)", "dz = np.outer(g, x)", "M1", "inner product"),
    ("dz = g * 2", "dz = g * 3", "L1", "constant"),
    ("dz = g / x.shape[0]", "dz = g / x.size", "L1", "divided by"),
    ("dz = g / n", "dz = g", "L1", "divided by"),
    ("dz = h[t]", "dz = h[t - 1]", "T2", "another step"),
    ("dz = W[:, a[t]]", "dz = W[:, b[t]]", "W1", "taken at"),
    ("dz = d['Wx']", "dz = d['Wh']", "W1", "the key is"),
    ("dz = g * (1 - a ** 2)", "dz = g * (1 - h ** 2)", "A1", "wrong argument"),
    ("dz = g * f", "dz = g * f * (1 - f)", "A2", "`1 - f` is missing"),
    ("dz = (p - y) * p * (1 - p)", "dz = p - y", "L2", "another cost"),
    ("dz = g + u", "dz = g", "W1", "does not belong"),
    ("dz = g", "dz = g + u", "R1", "left out"),
    ("dz = W @ g", "dz = W.T @ g", "M1", "`W.T` is meant"),
    ("dz = W.T.dot(g)", "dz = W.T.dot(g)[:n]", "M2", "stacked"),
    ("dz = W.T.dot(g)[:n]", "dz = V.T.dot(g)[:n]", "W1", "`W` stands where `V` is meant"),
    ("dz = g", "dz += g", "W1", "`+=`"),
    ("dz = z[t]", "dz = 1 - z[t]", "W1", "one less"),
    ("dz = hs[t - 1]", "dz = hs[t - 1] if t > 0 else h0", "T1", "first step"),
]


@pytest.mark.parametrize(("theirs", "right", "code", "words"), PAIRS, ids=[f"{a} | {b}" for a, b, _, _ in PAIRS])
def test_the_difference_tells_the_kind_of_mistake(theirs: str, right: str, code: str, words: str) -> None:
    _, units = stepped_tree(ast.parse(f"def f(n):\n    {theirs}\n"))
    (label,) = labels_of_edit(next(u for u in units if not u.nameless), right)
    assert label.code == code
    assert words in label.cause


NET = """
import numpy as np

def init(n_x, n_h, n_y):
    return {"Wx": np.random.randn(n_h, n_x), "Wh": np.random.randn(n_h, n_h), "bh": np.zeros((n_h, 1)),
            "Wy": np.random.randn(n_y, n_h), "by": np.zeros((n_y, 1))}

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def forward(p, xs, h0):
    hs, ys = [h0], []
    for x in xs:
        hs.append(sigmoid(p["Wx"] @ x + p["Wh"] @ hs[-1] + p["bh"]))
        ys.append(p["Wy"] @ hs[-1] + p["by"])
    return hs, ys

def cost(ys, ts):
    return 0.5 * sum(np.sum((y - t) ** 2) for y, t in zip(ys, ts)) / ts[0].shape[1]

def backward(p, xs, ts, hs, ys):
    g = {k: np.zeros_like(v) for k, v in p.items()}
    carry = np.zeros_like(hs[0])
    for t in range(len(xs) - 1, -1, -1):
        dy = (ys[t] - ts[t]) / ts[0].shape[1]
        g["Wy"] += dy @ hs[t + 1].T
        g["by"] += dy.sum(axis=1, keepdims=True)
        dh = p["Wy"].T @ dy + carry
        dz = dh * hs[t + 1] * (1 - hs[t + 1])
        g["Wx"] += dz @ xs[t].T
        g["Wh"] += dz @ hs[t].T
        g["bh"] += dz.sum(axis=1, keepdims=True)
        carry = p["Wh"].T @ dz
    return g

def bptt_case(sizes, seed):
    from types import SimpleNamespace
    rng = np.random.RandomState(seed)
    np.random.seed(seed)
    p = init(sizes.n_x, sizes.n_a, sizes.n_y)
    for v in p.values():
        v += 0.1 * rng.randn(*v.shape)
    xs = [rng.randn(sizes.n_x, sizes.m) for _ in range(sizes.T_x)]
    ts = [rng.randn(sizes.n_y, sizes.m) for _ in range(sizes.T_x)]
    h0 = rng.rand(sizes.n_a, sizes.m)
    def gradients():
        hs, ys = forward(p, xs, h0)
        return backward(p, xs, ts, hs, ys)
    return SimpleNamespace(parameters=p, cost=lambda: cost(forward(p, xs, h0)[1], ts), gradients=gradients)
"""
FAULTS = [
    ("cost", "dy = (ys[t] - ts[t]) / ts[0].shape[1]", "dy = ys[t] - ts[t]", "L1"),
    ("sign", "dy = (ys[t] - ts[t]) /", "dy = (ts[t] - ys[t]) /", "L1"),
    ("slope", "* hs[t + 1] * (1 - hs[t + 1])", "* (1 - hs[t + 1] ** 2)", "A1"),
    ("factor", "* hs[t + 1] * (1 - hs[t + 1])", "* (1 - hs[t + 1])", "A2"),
    ("carry", 'dh = p["Wy"].T @ dy + carry', 'dh = p["Wy"].T @ dy', "R1"),
    ("output", 'dh = p["Wy"].T @ dy + carry', "dh = carry", "R2"),
    ("bias", '        g["bh"] += dz.sum(axis=1, keepdims=True)\n', "", "W1"),
    ("key", 'g["Wh"] += dz', 'g["W_h"] += dz', "K"),
    ("arguments", "g = {k: np.zeros_like(v) for", "hs, ys = forward(p, xs)\n    g = {k: np.zeros_like(v) for", "K"),
    ("transpose", 'carry = p["Wh"].T @ dz', 'carry = p["Wh"] @ dz', "R3"),
]


def test_the_right_program_is_right() -> None:
    assert diagnose(load_program(NET, "net.py")).verdict == "right"


@pytest.mark.parametrize(("right", "wrong", "code"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS])
def test_each_fault_is_told_by_its_cause(right: str, wrong: str, code: str) -> None:
    report = diagnose(load_program(planted(NET, (right, wrong)), "net.py"))
    assert report.fix is not None
    (finding,) = report.findings
    assert code in finding.codes
    assert "`p" not in finding.message.split("\n")[0] or finding.fix is not None


def test_three_faults_are_judged_one_after_the_other() -> None:
    pairs = [
        ("range(len(xs) - 1, -1, -1)", "range(len(xs) - 1, 0, -1)"),
        ('        g["bh"] += dz.sum(axis=1, keepdims=True)\n', ""),
        ("* hs[t + 1] * (1 - hs[t + 1])", "* (1 - hs[t + 1] ** 2)"),
    ]
    report = diagnose(load_program(planted(NET, *pairs), "net.py"))
    assert report.fix is not None
    assert line_of(NET, "for t in range(len(xs)") in {f.line for f in report.findings}
    assert {"T3", "A1", "W1"} <= {code for f in report.findings for code in f.codes}
