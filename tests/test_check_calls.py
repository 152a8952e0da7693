"""Statements that compute another quantity in each chain of calls, and statements that are not there."""

from __future__ import annotations

import pytest

from bptt.checking.diagnosing.diagnose import diagnose
from bptt.checking.loading.load import load_program
from checking_programs import line_of, mended_lines, planted

CASE = """

def bptt_case(module, sizes, seed):
    rng = np.random.default_rng(seed)
    net = module.Net(sizes.n_x, sizes.n_a, rng)
    xs = [rng.normal(size=(sizes.m, sizes.n_x)) for _ in range(sizes.T_x)]
    ys = [rng.normal(size=(sizes.m, sizes.n_a)) for _ in range(sizes.T_x)]

    class Case:
        parameters = net.parameters()

        def cost(self):
            return net.loss(xs, ys)

        def gradients(self):
            net.loss(xs, ys)
            return net.backward(ys)

    return Case()
"""

LAYERS = (
    """import numpy as np


class Layer:
    def __init__(self, n_in, n, rng):
        self.W, self.U, self.b = rng.normal(size=(n_in, n)), rng.normal(size=(n, n)), rng.normal(size=n)

    def start(self, m):
        self.h, self.seen, self.carry = np.zeros((m, len(self.b))), [], 0.0
        self.dW, self.dU, self.db = np.zeros_like(self.W), np.zeros_like(self.U), np.zeros_like(self.b)

    def act(self, z):
        return np.tanh(z)

    def slope(self, z):
        return 1 - self.act(z) ** 2

    def forward(self, x):
        z = x @ self.W + self.h @ self.U + self.b
        self.seen.append((x, self.h, z))
        self.h = self.act(z)
        return self.h

    def backward(self, dout):
        x, h, z = self.seen.pop()
        dz = (dout + self.carry) * self.slope(z)
        self.dW += x.T @ dz
        self.dU += h.T @ dz
        self.db += dz.sum(axis=0)
        self.carry = dz @ self.U.T
        return dz @ self.W.T


class Net:
    def __init__(self, n_x, n, rng):
        self.layers = [Layer(n_x, n, rng), Layer(n, n, rng)]

    def parameters(self):
        return {f"{k}{i}": getattr(l, k) for i, l in enumerate(self.layers) for k in ("W", "U", "b")}

    def loss(self, xs, ys):
        for layer in self.layers:
            layer.start(len(xs[0]))
        self.out = []
        for x in xs:
            for layer in self.layers:
                x = layer.forward(x)
            self.out.append(x)
        return sum(0.5 * np.sum((o - y) ** 2) for o, y in zip(self.out, ys))

    def backward(self, ys):
        for o, y in zip(self.out[::-1], ys[::-1]):
            d = o - y
            for layer in reversed(self.layers):
                d = layer.backward(d)
        return {f"{k}{i}": getattr(l, "d" + k) for i, l in enumerate(self.layers) for k in ("W", "U", "b")}
"""
    + CASE
)

STEPS = (
    """import numpy as np


class Step:
    def __init__(self, net):
        self.net = net

    def forward(self, x, h):
        self.x, self.h0 = x, h
        self.h = np.tanh(x @ self.net.W + h @ self.net.U)
        return self.h

    def backward(self, dh, y):
        net = self.net
        da = (dh + self.h - y) * (1 - self.h ** 2)
        net.dW += self.x.T @ da
        net.dU += self.h0.T @ da
        return da @ net.U.T


class Net:
    def __init__(self, n_x, n, rng):
        self.W, self.U = rng.normal(size=(n_x, n)), rng.normal(size=(n, n))

    def parameters(self):
        return {"W": self.W, "U": self.U}

    def loss(self, xs, ys):
        self.steps, h = [], np.zeros_like(ys[0])
        for x in xs:
            self.steps.append(Step(self))
            h = self.steps[-1].forward(x, h)
        return sum(0.5 * np.sum((s.h - y) ** 2) for s, y in zip(self.steps, ys))

    def backward(self, ys):
        self.dW, self.dU = np.zeros_like(self.W), np.zeros_like(self.U)
        back = np.zeros_like(ys[0])
        t = len(ys) - 1
        back = self.steps[t].backward(back, ys[t])
        for t in range(len(ys) - 2, -1, -1):
            back = self.steps[t].backward(back, ys[t])
        return {"W": self.dW, "U": self.dU}
"""
    + CASE
)

GATED = (
    """import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


class Net:
    def __init__(self, n_x, n, rng):
        self.W, self.U, self.p = rng.normal(size=(n_x, n)), rng.normal(size=(n, n)), rng.normal(size=n)
        self.V, self.R = rng.normal(size=(n_x, n)), rng.normal(size=(n, n))

    def parameters(self):
        return {k: getattr(self, k) for k in "WUpVR"}

    def loss(self, xs, ys):
        h, self.seen, total = np.zeros_like(ys[0]), [], 0.0
        for x, y in zip(xs, ys):
            z = sigmoid(x @ self.W + h @ self.U + h * self.p)
            c = np.tanh(x @ self.V + h @ self.R)
            new = z * h + (1 - z) * c
            self.seen.append((x, h, z, c, new))
            h = new
            total += 0.5 * np.sum((h - y) ** 2)
        return total

    def backward(self, ys):
        g = {k: np.zeros_like(v) for k, v in self.parameters().items()}
        dnext = np.zeros_like(ys[0])
        for (x, h, z, c, new), y in zip(self.seen[::-1], ys[::-1]):
            dh = new - y + dnext
            dz = dh * (h - c) * z * (1 - z)
            dc = dh * (1 - z) * (1 - c ** 2)
            g["W"] += x.T @ dz
            g["U"] += h.T @ dz
            g["p"] += (dz * h).sum(axis=0)
            g["V"] += x.T @ dc
            g["R"] += h.T @ dc
            dnext = dh * z + dz * self.p
            dnext += dz @ self.U.T
            dnext += dc @ self.R.T
        return g
"""
    + CASE
)

FAULTS = {
    "of two layers": (LAYERS, "self.dU += h.T @ dz", "self.dU += x.T @ dz @ np.eye(len(dz.T))", "self.dU +="),
    "a slope inside": (LAYERS, "return 1 - self.act(z) ** 2", "return 1 - z ** 2", "return 1 - z ** 2"),
    "the last step apart": (STEPS, "(1 - self.h ** 2)", "(1 - self.h0 ** 2)", "da = (dh"),
    "no return": (STEPS, "        return da @ net.U.T\n", "", "net.dU += self.h0"),
    "a lost result": (
        STEPS,
        "            back = self.steps[t].b",
        "            self.steps[t].b",
        "            self.steps[t].b",
    ),
    "a part never added": (GATED, "            dnext += dz @ self.U.T\n", "", "dnext = dh * z"),
    "a part of a sum": (GATED, "dnext = dh * z + dz * self.p", "dnext = dh * z", "dnext = dh * z"),
}


@pytest.mark.parametrize("text", [LAYERS, STEPS, GATED], ids=["layers", "steps", "gated"])
def test_the_right_ones_are_right(text: str) -> None:
    assert diagnose(load_program(text, "net.py")).verdict == "right"


@pytest.mark.parametrize("name", FAULTS)
def test_the_line_is_named_and_its_fix_is_proven(name: str) -> None:
    program, right, wrong, where = FAULTS[name]
    text = planted(program, (right, wrong))
    accepted = {line_of(text, where)}
    if "a part" in name:
        accepted.add(line_of(text, "dnext += dc @ self.R.T"))
    assert set(mended_lines(text)) <= accepted
