"""Faults at the edges of a backward pass: where it begins, what it hands out, what it moves, where it raises."""

from __future__ import annotations

import pytest

from bptt.checking.diagnosing.diagnose import diagnose
from bptt.checking.loading.load import load_program
from bptt.checking.report import Report
from checking_programs import line_of, planted

LAYER = """
import numpy as np

class Net:
    def __init__(self, n_x, n_a, n_y):
        rng = np.random.default_rng(3)
        self.Wx = rng.normal(size=(n_a, n_x)) * 0.5
        self.Wh = rng.normal(size=(n_a, n_a)) * 0.5
        self.b = rng.normal(size=(n_a, 1)) * 0.5
        self.Wy = rng.normal(size=(n_y, n_a)) * 0.5
        self.c = rng.normal(size=(n_y, 1)) * 0.5
        self.held = [np.zeros_like(self.Wx), np.zeros_like(self.Wh)]

    def forward(self, xs):
        h = np.zeros((self.Wh.shape[0], xs[0].shape[1]))
        self.xs, self.hs = xs, [h]
        for x in xs:
            h = np.tanh(self.Wx @ x + self.Wh @ h + self.b)
            self.hs.append(h)
        return self.Wy @ h + self.c

    def loss(self, xs, y):
        return 0.5 * np.sum((self.forward(xs) - y) ** 2) / y.shape[1]

    def backward(self, y):
        n = len(self.xs)
        d = (self.Wy @ self.hs[n] + self.c - y) / y.shape[1]
        dWy = d @ self.hs[n].T
        dc = d.sum(axis=1, keepdims=True)
        dWx, dWh, db = np.zeros_like(self.Wx), np.zeros_like(self.Wh), np.zeros_like(self.b)
        dh = self.Wy.T @ d
        for t in range(n, 0, -1):
            prev = self.hs[t - 1]
            dz = dh * (1 - self.hs[t] ** 2)
            dWx += dz @ self.xs[t - 1].T
            dWh += dz @ prev.T
            db += np.sum(dz, axis=1, keepdims=True)
            dh = self.Wh.T @ dz
        self.held[0][...] = dWx
        self.held[1][...] = dWh
        return dWx, dWh, db, dWy, dc

    def step(self, y, rate=0.05):
        dWx, dWh, db, dWy, dc = self.backward(y)
        self.Wx -= rate * dWx
        self.Wh -= rate * dWh
        self.b -= rate * db
        self.Wy -= rate * dWy
        self.c -= rate * dc
"""

NAMES = ("Wx", "Wh", "b", "Wy", "c")
ADAPTER = f"""
import types
import numpy as np

def bptt_case(module, sizes, seed):
    r = np.random.default_rng(seed)
    net = module.Net(sizes.n_x, sizes.n_a, sizes.n_y)
    live = {{k: getattr(net, k) for k in {NAMES}}}
    for v in live.values():
        v[...] = 0.6 * r.normal(size=v.shape)
    given = tuple(net.held)
    xs = [r.normal(size=(sizes.n_x, sizes.m)) for _ in range(sizes.T_x)]
    y = r.normal(size=(sizes.n_y, sizes.m))

    def gradients():
        net.forward(xs)
        GRADIENTS

    return types.SimpleNamespace(parameters=live, cost=lambda: float(net.loss(xs, y)), gradients=gradients)
"""
RETURNED = f"return dict(zip({NAMES}, net.backward(y)))"
HELD = 'net.backward(y)\n        return {"Wx": given[0], "Wh": given[1]}'
MOVED = """kept = {k: v.copy() for k, v in live.items()}
        net.step(y, 1.0)
        moved = {k: kept[k] - live[k] for k in live}
        for k, v in live.items():
            v[...] = kept[k]
        return moved"""


def checked(code: str, gradients: str = RETURNED) -> Report:
    return diagnose(load_program(code, "net.py", adapter=ADAPTER.replace("GRADIENTS", gradients)))


@pytest.mark.parametrize("gradients", [RETURNED, HELD, MOVED], ids=["returned", "held", "moved"])
def test_the_program_itself_is_right(gradients: str) -> None:
    assert checked(LAYER, gradients).verdict == "right"


@pytest.mark.parametrize(
    ("old", "new", "at", "codes", "gradients"),
    [
        ("        dh = self.Wy.T @ d\n", "", "dWx, dWh, db = np", {"R2"}, RETURNED),
        ("            dh = self.Wh.T @ dz\n", "", "db += np.sum", {"R1"}, RETURNED),
        ("dc = d.sum(axis=1, keepdims=True)", "dc = d", "dc = d", {"M3"}, RETURNED),
        ("self.held[1][...] = dWh", "self.held[1] = dWh", "self.held[1] =", {"U1"}, HELD),
        ("        self.b -= rate * db\n", "", "self.c -= rate", {"W1"}, MOVED),
        ("self.Wh -= rate", "self.Wh += rate", "self.Wh += rate", {"L1"}, MOVED),
        ("prev = self.hs[t - 1]", "prev = self.hs[t]", "prev = self.hs[t]", {"T2"}, RETURNED),
        ("dWy = d @ self.hs[n].T", "dWy = d @ self.last.T", "dWy = d", {"K"}, RETURNED),
        ("dh = self.Wh.T @ dz", "dh = self.Wx.T @ dz", "dh = self.Wx", {"W1"}, RETURNED),
    ],
    ids=[
        "no line before the loop", "no last line in it", "no sum", "another array", "never moved", "moved back",
        "where a variable is set", "misspelt", "raises a step later",
    ],
)  # fmt: skip
def test_single_faults(old: str, new: str, at: str, codes: set[str], gradients: str) -> None:
    code = planted(LAYER, (old, new))
    report = checked(code, gradients)
    assert [f.line for f in report.findings] == [line_of(code, at)], report.reason
    assert codes & set(report.findings[0].codes)
    assert report.fix is not None


def test_what_is_off_by_one_factor_is_mended_where_it_arises() -> None:
    code = planted(
        LAYER, ("- y) / y.shape[1]\n        dWy", "- y)\n        dWy"), ("1 - self.hs[t] ** 2", "1 - self.hs[t]")
    )
    report = checked(code)
    assert [f.line for f in report.findings] == [line_of(code, "d = (self.Wy"), line_of(code, "dz = dh")]
    assert report.fix is not None


def test_a_missed_step_beside_another_fault() -> None:
    code = planted(LAYER, ("range(n, 0, -1)", "range(n, 1, -1)"), ("1 - self.hs[t] ** 2", "1 - self.hs[t]"))
    report = checked(code)
    assert [f.line for f in report.findings] == [line_of(code, "for t in range(n"), line_of(code, "dz = dh")]
    assert report.findings[0].fix is not None
    assert report.findings[0].fix.replacement == "for t in range(n, 0, -1):"


def test_units_that_are_zero_throughout_are_what_they_are_meant_to_be() -> None:
    """The output's term is never added: nothing has a value to go by."""
    code = planted(LAYER, ("        dh = self.Wy.T @ d\n", "        back = np.zeros_like(self.hs[0])\n"))
    code = planted(code, ("            dz = dh *", "            dh = back\n            dz = dh *"))
    code = planted(code, ("            dh = self.Wh.T @ dz\n", "            back = self.Wh.T @ dz\n"))
    code = code.replace("0.5 * np.sum((self.forward(xs) - y) ** 2) / y.shape[1]", "self.total(xs, y)")
    code = code.replace(
        "        return self.Wy @ h + self.c\n", "        return [self.Wy @ h + self.c for h in self.hs[1:]]\n"
    )
    code += """
    def total(self, xs, y):
        return 0.5 * sum(np.sum((o - y) ** 2) for o in self.forward(xs)) / y.shape[1]
"""
    code = planted(
        code,
        ("            prev =", "            d = (self.Wy @ self.hs[t] + self.c - y) / y.shape[1]\n            prev ="),
    )
    code = code.replace("        dWy = d @ self.hs[n].T\n        dc = d.sum(axis=1, keepdims=True)\n", "")
    code = code.replace("        d = (self.Wy @ self.hs[n] + self.c - y) / y.shape[1]\n", "")
    code = planted(code, ("        return dWx, dWh, db, dWy, dc\n", "        return dWx, dWh, db\n"))
    code = planted(
        code, ("        dWx, dWh, db, dWy, dc = self.backward(y)", "        dWx, dWh, db = self.backward(y)")
    )
    report = checked(code)
    assert [f.line for f in report.findings] == [line_of(code, "dh = back")], report.reason
    assert report.findings[0].codes == ("R2",)
    assert report.fix is not None


BOTH = """
import numpy as np

def loss_and_grads(W, U, V, xs, ys, h0):
    hs, total = {-1: h0}, 0.0
    for t in range(len(xs)):
        hs[t] = np.tanh(W @ xs[t] + U @ hs[t - 1])
        total += 0.5 * np.sum((V @ hs[t] - ys[t]) ** 2)
    dW, dU, dV = np.zeros_like(W), np.zeros_like(U), np.zeros_like(V)
    after = np.zeros_like(h0)
    for t in reversed(range(len(xs))):
        e = V @ hs[t] - ys[t]
        dV += np.outer(e, hs[t])
        dz = (V.T @ e + after) * (1 - hs[t] ** 2)
        dW += np.outer(dz, xs[t])
        dU += np.outer(dz, hs[t - 1])
        after = U.T @ dz
    return total, dW, dU, dV
"""
BOTH_CASE = """
import types
import numpy as np

def bptt_case(module, sizes, seed):
    r = np.random.default_rng(seed)
    p = [0.6 * r.normal(size=s) for s in ((sizes.n_a, sizes.n_x), (sizes.n_a, sizes.n_a), (sizes.n_y, sizes.n_a))]
    xs, ys = ([r.normal(size=k) for _ in range(sizes.T_x)] for k in (sizes.n_x, sizes.n_y))
    run = lambda: module.loss_and_grads(*p, xs, ys, np.full(sizes.n_a, 0.3))
    return types.SimpleNamespace(
        parameters=dict(zip("WUV", p)), cost=lambda: float(run()[0]), gradients=lambda: dict(zip("WUV", run()[1:]))
    )
"""


@pytest.mark.parametrize(
    ("old", "new"), [("V.T @ e + after", "V @ e + after"), ("np.outer(dz, xs[t])", "np.outer(dz, x[t])")]
)
def test_the_cost_of_a_function_that_raises_behind_it(old: str, new: str) -> None:
    code = planted(BOTH, (old, new))
    report = diagnose(load_program(code, "both.py", adapter=BOTH_CASE))
    assert [f.line for f in report.findings] == [line_of(code, new)], report.reason
    assert report.fix is not None


def test_a_forward_that_raises_has_no_cost() -> None:
    from bptt.errors import CannotCheckError

    with pytest.raises(CannotCheckError, match="cost"):
        load_program(planted(BOTH, ("W @ xs[t] + U", "W.T @ xs[t] + U")), "both.py", adapter=BOTH_CASE)


@pytest.mark.parametrize(("right", "wrong"), [("bm,bn->mn", "bm,bn->nm"), ("bm->m", "bm->")])
def test_the_letters_of_einsum(right: str, wrong: str) -> None:
    code = LAYER.replace("dz @ prev.T", "np.einsum('bm,bn->mn', dz.T, prev.T)")
    code = code.replace("np.sum(dz, axis=1, keepdims=True)", "np.einsum('bm->m', dz.T)[:, None]")
    assert checked(code).verdict == "right"
    if wrong == "bm->":
        code = code.replace("np.einsum('bm->m', dz.T)[:, None]", "np.einsum('bm->m', dz.T).reshape(-1, 1)")
    code = planted(code, (right, wrong))
    report = checked(code)
    assert [f.line for f in report.findings] == [line_of(code, wrong)], report.reason
    assert report.fix is not None
