"""Lines that are found by the effect of a change on the gradients, where no statement alone explains them."""

import ast

import pytest

from bptt.checking.diagnosing.diagnose import diagnose
from bptt.checking.loading.load import load_program
from bptt.checking.repairing.index_edits import other_ends, restated
from bptt.checking.report import Report
from checking_programs import planted

WORDS = """
import numpy as np

class Words:
    def __init__(self, size, hidden):
        self.U = np.random.randn(hidden, size)
        self.V = np.random.randn(size, hidden)
        self.W = np.random.randn(hidden, hidden)

    def forward(self, x):
        steps = len(x)
        s = np.zeros((steps + 1, len(self.W)))
        o = np.zeros((steps, len(self.V)))
        for t in range(steps):
            s[t] = np.tanh(self.U[:, x[t]] + self.W.dot(s[t - 1]))
            e = np.exp(self.V.dot(s[t]))
            o[t] = e / np.sum(e)
        return o, s

    def loss(self, x, y):
        o, s = self.forward(x)
        return -np.sum(np.log(o[np.arange(len(y)), y]))

    def bptt(self, x, y):
        o, s = self.forward(x)
        dU, dV, dW = np.zeros_like(self.U), np.zeros_like(self.V), np.zeros_like(self.W)
        delta_o = o
        delta_o[np.arange(len(y)), y] -= 1
        for t in range(len(y))[::-1]:
            dV += np.outer(delta_o[t], s[t])
            delta = self.V.T.dot(delta_o[t]) * (1 - s[t] ** 2)
            for k in range(0, t + 1)[::-1]:
                dW += np.outer(delta, s[k - 1])
                dU[:, x[k]] += delta
                delta = self.W.T.dot(delta) * (1 - s[k - 1] ** 2)
        return dU, dV, dW
"""
FAULTS = (
    [("self.V.T.dot(delta_o[t]) * (1 - s[t] ** 2)", "self.V.T.dot(delta_o[t])")],
    [
        ("dU[:, x[k]] += delta", "dU[:, x[t]] += delta"),
        ("dV += np.outer(delta_o[t], s[t])", "dV += np.outer(delta_o[t], s[t - 1])"),
    ],
    [("self.W.T.dot(delta)", "self.W.dot(delta)"), ("* (1 - s[t] ** 2)", "* (1 - s[t])")],
)


def _checked(text: str) -> Report:
    return diagnose(load_program(text, "words.py"))


def _lines(text: str, parts: list[str]) -> list[int]:
    return sorted(1 + text[: text.index(part)].count("\n") for part in parts)


@pytest.mark.parametrize("faults", FAULTS)
def test_every_fault_is_named_and_the_fix_is_proven(faults: list[tuple[str, str]]) -> None:
    text = planted(WORDS, *faults)
    report = _checked(text)
    assert report.verdict == "wrong"
    assert report.fix is not None
    assert report.fix.proven
    assert sorted(finding.line for finding in report.findings) == _lines(text, [wrong for _, wrong in faults])


def test_the_right_program_is_right() -> None:
    assert _checked(WORDS).verdict == "right"


def test_a_while_that_a_change_would_make_endless_ends() -> None:
    text = WORDS.replace("for t in range(len(y))[::-1]:\n", "t = len(y)\n        while t > 0:\n            t -= 1\n")
    assert _checked(text).verdict == "right"
    wrong = text.replace("dV += np.outer(delta_o[t], s[t])", "dV += np.outer(delta_o[t], s[t - 1])")
    report = _checked(wrong)
    assert [finding.line for finding in report.findings] == _lines(wrong, ["dV += np.outer(delta_o[t], s[t - 1])"])


CASE = """
import numpy as np
from types import SimpleNamespace

class Sum:
    def __init__(self, W):
        self.W, self.dW = W, np.zeros_like(W)

    def forward(self, x):
        self.x = x
        self.h = np.tanh(x @ self.W)
        return self.h.sum()

    def backward(self):
        self.dW += self.x.T @ (1 - self.h ** 2)
        return self.dW

def bptt_case(sizes, seed):
    rng = np.random.default_rng(seed)
    layer, x = Sum(rng.normal(size=(sizes.n_x, sizes.n_a))), rng.normal(size=(sizes.m, sizes.n_x))

    def gradients():
        layer.forward(x)
        return {"W": layer.backward()}

    return SimpleNamespace(parameters={"W": layer.W}, cost=lambda: layer.forward(x), gradients=gradients)
"""


def test_a_sum_that_the_next_run_goes_on_with_is_named() -> None:
    report = _checked(CASE)
    assert report.verdict == "wrong"
    assert [(finding.codes, finding.statement) for finding in report.findings] == [
        (("U1",), "self.dW += self.x.T @ (1 - self.h ** 2)")
    ]


def test_a_sum_that_another_method_clears_is_only_noted() -> None:
    cleared = CASE.replace("    def backward", "    def clear(self):\n        self.dW.fill(0)\n\n    def backward")
    report = _checked(cleared)
    assert report.verdict == "right"
    assert any("U1" in note.codes for note in report.notes)


@pytest.mark.parametrize(
    ("statement", "others"),
    [
        ("x, h = stack.pop(0)", ["x, h = stack.pop()"]),
        ("x, h = stack.pop()", ["x, h = stack.pop(0)"]),
        ("D = np.hstack(parts)", ["D = np.hstack(parts[::-1])"]),
        ("D = np.hstack(parts[::-1])", ["D = np.hstack(parts)"]),
    ],
)
def test_a_list_is_taken_from_its_other_end(statement: str, others: list[str]) -> None:
    node = ast.parse(statement).body[0]
    found = other_ends(node, {"parts": [1, 2]}, statement)
    assert [restated(statement, node, change) for _, change in found] == others
