"""When a line acts and on whose array: tests that leave steps out, one step or all, two names for one array, moves."""

from __future__ import annotations

import pytest

from bptt.checking.diagnosing.diagnose import diagnose
from bptt.checking.loading.load import load_program
from bptt.checking.report import Report
from checking_programs import line_of, planted

CELL = """
import numpy as np

def sigmoid(v):
    return 1 / (1 + np.exp(-v))

def forward(p, xs, c):
    tape, outs = [], []
    for x in xs:
        f = sigmoid(p["F"] @ x + p["g"])
        i = np.tanh(p["I"] @ x + p["R"] @ c)
        before = c
        c = f * c + i
        tape.append((x, before, f, i))
        outs.append(p["O"] @ c)
    return outs, tape, c

def cost(p, xs, c, ys):
    outs, _, _ = forward(p, xs, c)
    return 0.5 * sum(np.sum((o - y) ** 2) for o, y in zip(outs, ys))

def backward(p, xs, c, ys):
    outs, tape, c = forward(p, xs, c)
    d = {k: np.zeros_like(v) for k, v in p.items()}
    dc = np.zeros_like(c)
    for t in range(len(xs) - 1, -1, -1):
        x, before, f, i = tape[t]
        e = outs[t] - ys[t]
        d["O"] += e @ (f * before + i).T
        dc = dc + p["O"].T @ e
        df = dc * before * f * (1 - f)
        di = dc * (1 - i ** 2)
        d["F"] += df @ x.T
        d["g"] += np.sum(df, axis=1, keepdims=True)
        d["I"] += di @ x.T
        d["R"] += di @ before.T
        dc = dc * f + p["R"].T @ di
    return d
"""

GATES = CELL[CELL.index("        df =") : CELL.index("    return d\n")]
LAST = (
    CELL[: CELL.index("def cost")]
    + """
def cost(p, xs, c, ys):
    outs, _, _ = forward(p, xs, c)
    return 0.5 * np.sum((outs[-1] - ys[-1]) ** 2)

def backward(p, xs, c, ys):
    outs, tape, c = forward(p, xs, c)
    d = {k: np.zeros_like(v) for k, v in p.items()}
    e = outs[-1] - ys[-1]
    d["O"] += e @ c.T
    enters = p["O"].T @ e
    dc = np.zeros_like(c)
    for x, before, f, i in reversed(tape):
        dh = enters + 0 * f
        dc = dc + dh
"""
    + GATES
    + """        enters = np.zeros_like(dc)
    return d
"""
)

ADAPTER = """
import types
import numpy as np

def bptt_case(module, sizes, seed):
    r = np.random.default_rng(seed)
    n, a, o = sizes.n_x, sizes.n_a, sizes.n_y
    shapes = {"F": (a, n), "g": (a, 1), "I": (a, n), "R": (a, a), "O": (o, a)}
    p = {k: 0.6 * r.normal(size=s) for k, s in shapes.items()}
    xs, ys = ([r.normal(size=(k, sizes.m)) for _ in range(sizes.T_x)] for k in (n, o))
    c = r.normal(size=(a, sizes.m))
    return types.SimpleNamespace(
        parameters=p,
        cost=lambda: float(module.cost(p, xs, c.copy(), ys)),
        gradients=lambda: module.backward(p, xs, c.copy(), ys),
    )
"""


def checked(code: str) -> Report:
    return diagnose(load_program(code, "cell.py", adapter=ADAPTER))


@pytest.mark.parametrize("code", [CELL, LAST], ids=["every step", "last step"])
def test_the_program_itself_is_right(code: str) -> None:
    assert checked(code).verdict == "right"


@pytest.mark.parametrize(
    ("old", "new", "code", "fixed"),
    [
        ('d["R"] += di @ before.T\n', 'if t > 0:\n            d["R"] += di @ before.T\n', "T1", "if t > 0"),
        ("        c = f * c + i\n", "        c *= f\n        c += i\n", "U1", "c"),
        ("dc * f + p", "p", "R1", "dc"),
    ],
    ids=["under a test", "changed in place", "past the gate"],
)
def test_lines_that_act_elsewhere(old: str, new: str, code: str, fixed: str) -> None:
    report = checked(planted(CELL, (old, new)))
    assert [f.codes[0] for f in report.findings] == [code]
    assert report.fix is not None
    assert fixed in report.findings[0].statement


def test_what_enters_at_every_step_enters_once() -> None:
    code = planted(LAST, ("        enters = np.zeros_like(dc)\n", ""))
    code = planted(code, ('    enters = p["O"].T @ e\n', ""))
    code = planted(code, ("        dh = enters + 0 * f\n", '        dh = p["O"].T @ e\n'))
    report = checked(code)
    assert [f.codes for f in report.findings] == [("R4",)]
    assert report.findings[0].line == line_of(code, "dh = p[")
    assert report.fix is not None


def test_weights_that_move_too_early_move_after_the_loop() -> None:
    line = 'd["O"] += e @ (f * before + i).T'
    code = planted(CELL, (line, 'p["O"] -= 1.0 * (e @ (f * before + i).T)'))
    adapter = ADAPTER.replace("module.backward(p, xs, c.copy(), ys)", "moved(module, p, xs, c, ys)")
    adapter += """
def moved(module, p, xs, c, ys):
    own = {k: v.copy() for k, v in p.items()}
    d = module.backward(own, xs, c.copy(), ys)
    return {**d, "O": p["O"] - own["O"]}
"""
    report = diagnose(load_program(code, "cell.py", adapter=adapter))
    assert [f.codes for f in report.findings] == [("U1",)]
    assert report.findings[0].line == line_of(code, 'p["O"] -=')
    assert report.fix is not None


def test_a_gradient_that_no_line_gives_gets_its_line() -> None:
    report = checked(planted(CELL, ('        d["g"] += np.sum(df, axis=1, keepdims=True)\n', "")))
    assert [f.codes[0] for f in report.findings] == ["W1"]
    assert report.findings[0].fix is not None
    assert "df" in report.findings[0].fix.replacement
