"""Several faults at once, and single ones that need an edit of their own kind: what was found by fresh programs."""

from __future__ import annotations

import ast

import pytest

from bptt.checking.diagnosing.diagnose import diagnose
from bptt.checking.diagnosing.stages import changed, joined
from bptt.checking.loading.load import load_program
from bptt.checking.repairing import patch
from bptt.checking.repairing.alternatives import Alternative
from checking_programs import line_of, mended_lines, planted

GRU = """
import numpy as np

def sigmoid(x):
    return 1 / (1 + np.exp(-x))

def forward(p, xs, h):
    steps = []
    for x in xs:
        z = sigmoid(p["Wz"] @ x + p["Uz"] @ h)
        r = sigmoid(p["Wr"] @ x + p["Ur"] @ h)
        c = np.tanh(p["Wc"] @ x + p["Uc"] @ (r * h))
        steps.append((x, h, z, r, c))
        h = (1 - z) * h + z * c
    return steps, h

def loss(p, xs, h, y):
    steps, h = forward(p, xs, h)
    return 0.5 * np.sum((p["V"] @ h - y) ** 2) / y.shape[1]

def gradients(p, xs, h, y):
    steps, h = forward(p, xs, h)
    g = {k: np.zeros_like(v) for k, v in p.items()}
    err = (p["V"] @ h - y) / y.shape[1]
    g["V"] += err @ h.T
    dh = p["V"].T @ err
    for x, h, z, r, c in reversed(steps):
        dz = dh * (c - h) * z * (1 - z)
        dc = dh * z * (1 - c ** 2)
        drh = p["Uc"].T @ dc
        dr = drh * h * r * (1 - r)
        g["Wz"] += dz @ x.T
        g["Wr"] += dr @ x.T
        g["Wc"] += dc @ x.T
        g["Uz"] += dz @ h.T
        g["Ur"] += dr @ h.T
        g["Uc"] += dc @ (r * h).T
        dh = dh * (1 - z) + drh * r + p["Uz"].T @ dz + p["Ur"].T @ dr
    return g

def bptt_case(sizes, seed):
    from types import SimpleNamespace

    r = np.random.default_rng(seed)
    a, f, o = sizes.n_a, sizes.n_x, sizes.n_y
    p = {k: r.normal(size=(a, f if k[0] == "W" else a)) for k in ("Wz", "Wr", "Wc", "Uz", "Ur", "Uc")}
    p["V"] = r.normal(size=(o, a))
    xs = [r.normal(size=(f, sizes.m)) for _ in range(sizes.T_x)]
    h, y = r.normal(size=(a, sizes.m)), r.normal(size=(o, sizes.m))
    return SimpleNamespace(parameters=p, cost=lambda: loss(p, xs, h, y), gradients=lambda: gradients(p, xs, h, y))
"""
FAULTS = {
    "one gate in the way of another, a missing factor": [
        ('p["Ur"].T @ dr\n', 'p["Uz"].T @ dr\n'),
        ("dh * z * (1 - c ** 2)", "dh * z"),
    ],
    "a factor everywhere, and another fault": [
        ('err = (p["V"] @ h - y) / y.shape[1]', 'err = (p["V"] @ h - y)'),
        ("dr = drh * h * r * (1 - r)", "dr = drh * h * r"),
    ],
    "three gates": [
        ("dz = dh * (c - h)", "dz = dh * (h - c)"),
        ('g["Uc"] += dc @ (r * h).T', 'g["Uc"] += dc @ h.T'),
        ("drh * r + p", "drh + p"),
    ],
    "another gate's part is missing": [(' + p["Ur"].T @ dr\n', "\n")],
    "a derivative too many": [('err = (p["V"] @ h - y) / y', 'err = (p["V"] @ h - y) * h.sum() * (1 - h.sum()) / y')],
}


def _wrong(faults: list[tuple[str, str]]) -> tuple[str, list[int]]:
    return planted(GRU, *faults), sorted({line_of(GRU, right) for right, _ in faults})


def test_the_right_program_is_right() -> None:
    assert diagnose(load_program(GRU, "net.py")).verdict == "right"


@pytest.mark.parametrize("faults", FAULTS.values(), ids=list(FAULTS))
def test_every_fault_is_mended_at_its_line(faults: list[tuple[str, str]]) -> None:
    text, lines = _wrong(faults)
    assert sorted(mended_lines(text)) == lines


ATTENTION = """
import numpy as np
from types import SimpleNamespace

def scores(H, v):
    e = H @ v
    e = np.exp(e - e.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)

def states(W, X):
    h, H = np.zeros((X.shape[1], W.shape[0])), []
    for x in X:
        h = np.tanh(x + h @ W)
        H.append(h)
    return np.stack(H, axis=1)

def loss(W, v, X, Y):
    H = states(W, X)
    return 0.5 * np.sum((np.einsum("nt,nta->na", scores(H, v), H) - Y) ** 2)

def gradients(W, v, X, Y):
    H = states(W, X)
    alpha = scores(H, v)
    d = np.einsum("nt,nta->na", alpha, H) - Y
    d_alpha = np.einsum("na,nta->nt", d, H)
    dH = alpha[:, :, None] * d[:, None, :]
    de = alpha * (d_alpha - np.sum(d_alpha * alpha, axis=1, keepdims=True))
    dv = np.einsum("nt,nta->a", de, H)
    dH = dH + de[:, :, None] * v
    dW, back = np.zeros_like(W), np.zeros_like(d)
    for t in reversed(range(len(X))):
        dz = (dH[:, t] + back) * (1 - H[:, t] ** 2)
        if t > 0:
            dW += H[:, t - 1].T @ dz
        back = dz @ W.T
    return {"W": dW, "v": dv}

def bptt_case(sizes, seed):
    r = np.random.default_rng(seed)
    W, v = r.normal(size=(sizes.n_a, sizes.n_a)), r.normal(size=sizes.n_a)
    X, Y = r.normal(size=(sizes.T_x, sizes.m, sizes.n_a)), r.normal(size=(sizes.m, sizes.n_a))
    return SimpleNamespace(
        parameters={"W": W, "v": v}, cost=lambda: loss(W, v, X, Y), gradients=lambda: gradients(W, v, X, Y)
    )
"""


def test_what_comes_back_through_a_softmax_is_written() -> None:
    right = "alpha * (d_alpha - np.sum(d_alpha * alpha, axis=1, keepdims=True))"
    text = ATTENTION.replace(right, "alpha * (1 - alpha) * d_alpha")
    assert mended_lines(text) == [line_of(text, "de = ")]


def test_the_slope_of_a_cost_is_no_clipping() -> None:
    huber = (
        ATTENTION.replace("0.5 * np.sum((np.ein", "bend(np.ein").replace("H) - Y) ** 2)", "H) - Y)")
        .replace('alpha, H) - Y\n', 'alpha, H) - Y\n    d = np.clip(d, -DELTA, DELTA)\n')
        .replace(
            "def states",
            "DELTA = 0.3\n\ndef bend(e):\n    r = np.abs(e)\n    q = np.minimum(r, DELTA)\n"
            "    return np.sum(0.5 * q ** 2 + DELTA * (r - q))\n\ndef states",
        )
    )  # fmt: skip
    assert diagnose(load_program(huber, "net.py")).verdict == "right"


def test_what_is_kept_for_the_backward_pass_is_looked_at() -> None:
    text = GRU.replace("steps.append((x, h, z, r, c))", "cache = (x, c, z, r, c)\n        steps.append(cache)")
    assert mended_lines(text) == [line_of(text, "cache = ")]


SOFTMAX = """
import numpy as np

class Net:
    def forward(self, X):
        h = np.zeros((X.shape[0], self.U.shape[0]))
        self.steps = []
        for t in range(X.shape[1]):
            self.steps.append((X[:, t], h))
            h = np.tanh(X[:, t] @ self.W + h @ self.U)
        self.h, self.p = h, softmax(h @ self.V)
        return self.p

    def loss(self, y):
        return -np.mean(np.log(self.p[range(len(y)), y]))

    def backward(self, y):
        d = self.p.copy()
        d[range(len(y)), y] -= 1
        d /= len(y)
        g = {"V": self.h.T @ d, "W": np.zeros_like(self.W), "U": np.zeros_like(self.U)}
        dh, h = d @ self.V.T, self.h
        for x, before in reversed(self.steps):
            dz = dh * (1 - h ** 2)
            g["W"] += x.T @ dz
            g["U"] += before.T @ dz
            dh, h = dz @ self.U.T, before
        return g
"""
ADAPTER = """
import numpy as np
from types import SimpleNamespace

def bptt_case(module, sizes, seed):
    {given}
    r = np.random.default_rng(seed)
    net = module.Net()
    p = {{"W": r.normal(size=(sizes.n_x, sizes.n_a)), "U": r.normal(size=(sizes.n_a, sizes.n_a)),
          "V": r.normal(size=(sizes.n_a, sizes.n_y))}}
    vars(net).update(p)
    X, y = r.normal(size=(sizes.m, sizes.T_x, sizes.n_x)), r.integers(0, sizes.n_y, sizes.m)

    def cost():
        net.forward(X)
        return float(net.loss(y))

    def gradients():
        net.forward(X)
        return net.backward(y)

    return SimpleNamespace(parameters=p, cost=cost, gradients=gradients)
"""
OWN = """if not hasattr(module, "softmax"):
        module.softmax = lambda z: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)"""


@pytest.mark.parametrize("given", ["", OWN], ids=["supplied", "the adapter's"])
def test_a_softmax_that_is_not_shown_goes_over_rows_where_examples_are_rows(given: str) -> None:
    program = load_program(SOFTMAX, "net.py", adapter=ADAPTER.format(given=given))
    assert diagnose(program).verdict == "right"
    assert any("softmax" in said for said in program.assumed) == (not given)


def test_changes_of_two_stages_are_changes_of_the_text_as_given() -> None:
    text, _ = _wrong(FAULTS["three gates"])
    program = load_program(text, "net.py")

    def statement(code: str, part: str) -> ast.stmt:
        nodes = [n for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Assign | ast.AugAssign)]
        return next(n for n in nodes if n.lineno == line_of(code, part))

    first = statement(text, "dz = dh")
    insertion = patch.insert_after(program.code, first, "dz = -dz")
    one = Alternative((insertion,), 1.0, first, "dz = -dz")
    once = changed(program, [insertion])
    second = statement(once.code, 'g["Uc"] +=')
    replaced = patch.replace(once.code, second, 'g["Uc"] += dc @ (r * h).T')
    both = joined(program, [one], [Alternative((replaced,), 1.0, second, 'g["Uc"] += dc @ (r * h).T')])
    assert both is not None
    changes = [change for alternative in both for change in alternative.changes]
    assert patch.patched_code(program, changes) == once.code.replace("dc @ h.T", "dc @ (r * h).T")
    assert both[1].statement.lineno == line_of(text, 'g["Uc"] +=')
