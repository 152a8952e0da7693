"""The tape: whatever people write in a forward pass, its derivative is that of the untraced program."""

from __future__ import annotations

import numpy as np
import pytest

from bptt.checking.diagnosing.diagnose import FIRST
from bptt.checking.tracing import tape_rules
from bptt.checking.tracing.numeric import fresh
from bptt.checking.tracing.truth import NoTruth, find_truth
from checking_programs import hand_built

HEAD = """
import numpy as np
import math

class Case:
    def __init__(self, seed):
        r = np.random.default_rng(seed)
        self.parameters = {"W": r.normal(size=(3, 3)), "b": r.normal(size=3)}
    def cost(self):
        return cost(self.parameters["W"], self.parameters["b"])
    def gradients(self):
        return {}

def bptt_case(sizes, seed):
    return Case(seed)
"""

FORWARDS = {
    "transposed write": "A = np.zeros((3, 3)); A.T[:] = np.tanh(W); return np.sum(A * np.arange(9.0).reshape(3, 3))",
    "write through reshape": "A = np.zeros(9); A.reshape(3, 3)[1] = np.sin(b); return float(A[3:6] @ W[0])",
    "stack and concatenate": "return np.sum(np.stack([W[0], b]) * np.concatenate([[b], [W[1]]])) + np.hstack([b, b]).sum()",
    "append": "return np.sum(np.append(b, W[2])[1:4] * np.vstack([W, b])[3])",
    "out": "A = np.empty(3); np.multiply(b, W[0], out=A); np.exp(A, out=A); return A.sum()",
    "in place": "a = b.copy(); a += W[0]; a *= W[1]; a -= b; a /= 1 + W[2] ** 2; return np.sum(a ** 2)",
    "float and item": "return float(b[0]) * W[0, 1].item() + math.exp(float(W[2, 2]))",
    "masks": "m = b > 0; c = b.copy(); c[m] = np.exp(b[m]); return np.sum(c * W[0]) + np.where(W > 0, W, 0.1 * W).sum()",
    "fancy": "i = np.array([2, 0, 2]); return np.sum(W[i, [0, 1, 2]] * b[i])",
    "einsum and tensordot": "return np.einsum('ij,jk,k->', W, W, b) + np.tensordot(W, W, axes=([0, 1], [1, 0]))",
    "outer and inner": "return np.sum(np.outer(b, W[0]) ** 2) + np.inner(W, b).sum() + np.dot(b, b)",
    "lists and dicts": "h = {-1: b}\n    s = []\n    for t in range(3):\n        h[t] = np.tanh(W @ h[t - 1])\n        s.append(h[t])\n    return sum(s).sum()",
    "max and mean": "z = W - W.max(axis=0); e = np.exp(z); p = e / e.sum(0); return -np.log(p[0]).mean() + np.maximum(W, 0).sum()",
    "scalars": "J = 0.0\n    for x in b:\n        J += x * x\n    return J + max(b[0], -9.0) + abs(b[1])",
    "comprehension": "return sum(np.sum(np.log(1 + np.exp(row))) for row in W) - b.sum()",
    "moves": "A = np.flip(np.roll(W, 1, axis=0).T, 0); return np.sum(A[:, ::-1] * np.tile(b, (3, 1))) + np.repeat(b, 2) @ np.arange(6.)",
    "var and norm": "return W.var() + np.linalg.norm(b) + np.prod(b)",
    "clip": "return np.sum(np.clip(W, -0.5, 0.5) * b)",
    "own function by value": "f = np.vectorize(lambda x: x * x); return f(b).sum() + W.sum()",
    "zeros_like and buffer of steps": "A = np.zeros((3, 4)); A[:, 0] = b\n    for t in range(3):\n        A[:, t + 1] = np.tanh(W @ A[:, t])\n    return (A ** 2).sum()",
    "an integer buffer cuts off the decimals": "A = np.zeros(3, dtype=int); A[:] = 10 * b; return np.sum(A * W[0]) + b.sum()",
    "add.at": "A = np.zeros(3); np.add.at(A, [0, 1, 0], b); return np.sum(A * W[0])",
}


def prove(body: str) -> None:
    program = hand_built(HEAD + f"def cost(W, b):\n    {body}\n")
    _, case = fresh(program, program.tree, FIRST, 3)
    find_truth(program, FIRST, 3, case)


@pytest.mark.parametrize("body", FORWARDS.values(), ids=FORWARDS)
def test_the_tape_agrees_with_the_untraced_program(body):
    prove(body)


@pytest.mark.parametrize("name", ["tanh", "multiply", "exp", "divide"])
def test_a_planted_fault_in_a_derivative_is_caught(monkeypatch, name):
    slopes = tape_rules.ELEMENTWISE[name]
    wrong = tuple(lambda *given, slope=slope: 1.0001 * np.asarray(slope(*given)) for slope in slopes)
    monkeypatch.setitem(tape_rules.ELEMENTWISE, name, wrong)
    with pytest.raises(NoTruth):
        prove("return np.sum(np.tanh(W * b) / (2 + np.exp(W)))")
