from __future__ import annotations

from bptt.checking.diagnosing.diagnose import diagnose
from checking_programs import hand_built

RNN = """
import numpy as np

def softmax(z):
    e = np.exp(z - z.max(axis=0))
    return e / e.sum(axis=0)

def forward(P, X, Y, a0):
    A, Yp, a, J = [a0], [], a0, 0.0
    for t in range(X.shape[2]):
        a = np.tanh(P["Waa"] @ a + P["Wax"] @ X[:, :, t] + P["ba"])
        yp = softmax(P["Wya"] @ a + P["by"])
        J += -np.sum(Y[:, :, t] * np.log(yp))
        A.append(a)
        Yp.append(yp)
    return J, A, Yp

def backward(P, X, Y, A, Yp):
    g = {k: np.zeros_like(v) for k, v in P.items()}
    da_next = np.zeros_like(A[0])
    for t in reversed(range(X.shape[2])):
        dzy = Yp[t] - Y[:, :, t]
        g["Wya"] += dzy @ A[t + 1].T
        g["by"] += dzy.sum(axis=1, keepdims=True)
        da = P["Wya"].T @ dzy + da_next
        dz = da * (1 - A[t + 1] ** 2)
        g["Waa"] += dz @ A[t].T
        g["Wax"] += dz @ X[:, :, t].T
        g["ba"] += dz.sum(axis=1, keepdims=True)
        da_next = P["Waa"].T @ dz
    return g

class Case:
    def __init__(self, s, seed):
        r = np.random.default_rng(seed)
        self.parameters = {"Waa": r.normal(size=(s.n_a, s.n_a)) * .5, "Wax": r.normal(size=(s.n_a, s.n_x)) * .5,
            "Wya": r.normal(size=(s.n_y, s.n_a)) * .5, "ba": r.normal(size=(s.n_a, 1)) * .5, "by": r.normal(size=(s.n_y, 1)) * .5}
        self.X = r.normal(size=(s.n_x, s.m, s.T_x))
        Y = r.uniform(0.1, 1, size=(s.n_y, s.m, s.T_x))
        self.Y = Y / Y.sum(axis=0)
        self.a0 = r.normal(size=(s.n_a, s.m))
    def cost(self):
        return forward(self.parameters, self.X, self.Y, self.a0)[0]
    def gradients(self):
        J, A, Yp = forward(self.parameters, self.X, self.Y, self.a0)
        return backward(self.parameters, self.X, self.Y, A, Yp)

def bptt_case(sizes, seed):
    return Case(sizes, seed)
"""


def test_a_right_program_is_right():
    report = diagnose(hand_built(RNN))
    assert report.verdict == "right"
    assert {row.status for row in report.parameters} == {"right"}


def test_a_wrong_program_is_wrong_with_the_rows_that_show_it():
    report = diagnose(hand_built(RNN.replace('P["Waa"].T @ dz', 'P["Waa"] @ dz')))
    assert report.verdict == "wrong"
    assert {row.name for row in report.parameters if row.status == "right"} == {"Wya", "by"}


IN_FLOAT32 = RNN.replace(
    "self.parameters = {",
    "self.parameters = as_float32({",
).replace(
    "r.normal(size=(s.n_y, 1)) * .5}",
    "r.normal(size=(s.n_y, 1)) * .5})",
).replace(
    "class Case:",
    "def as_float32(P):\n    return {k: v.astype(np.float32) for k, v in P.items()}\n\nclass Case:",
)  # fmt: skip


def test_right_code_in_float32_is_never_called_wrong():
    for seed in range(3):
        report = diagnose(hand_built(IN_FLOAT32), seed=seed)
        assert report.verdict != "wrong", report.reason
        if report.verdict == "cannot-check":
            assert "float32" in report.reason


def test_a_fault_in_float32_is_still_seen():
    assert diagnose(hand_built(IN_FLOAT32.replace('P["Waa"].T @ dz', 'P["Waa"] @ dz'))).verdict == "wrong"
