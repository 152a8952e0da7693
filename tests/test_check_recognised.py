"""What a statement is meant to be is recognised where its own value tells nothing: by an edit, by who is handed it.

Each program is right as it stands, and one line of it is changed; the adapters are written as people write them, with
functions that have no name.
"""

import ast

import pytest

from bptt.checking.diagnosing.diagnose import diagnose
from bptt.checking.loading.load import load_program
from bptt.checking.repairing.index_edits import restated, subscripts
from checking_programs import line_of, mended_lines, planted

LEAKY = """import numpy as np
from types import SimpleNamespace


def simulate(W, U, V, x0, u, a):
    xs, rs, zs = [x0], [np.tanh(x0)], []
    for u_t in u:
        xs.append((1 - a) * xs[-1] + a * (rs[-1] @ W.T + u_t @ U.T))
        rs.append(np.tanh(xs[-1]))
        zs.append(rs[-1] @ V.T)
    return rs, zs


def loss(zs, ys):
    return 0.5 * sum(np.sum((z - y) ** 2) for z, y in zip(zs, ys))


def gradients(W, U, V, x0, u, ys, a):
    rs, zs = simulate(W, U, V, x0, u, a)
    dW, dU, dV = np.zeros_like(W), np.zeros_like(U), np.zeros_like(V)
    lam = np.zeros_like(x0)
    for t in reversed(range(len(u))):
        dz = zs[t] - ys[t]
        lam = lam + (dz @ V) * (1 - rs[t + 1] ** 2)
        dV += dz.T @ rs[t + 1]
        dW += a * lam.T @ rs[t]
        dU += a * lam.T @ u[t]
        lam = (1 - a) * lam + a * (lam @ W) * (1 - rs[t] ** 2)
    return {"W": dW, "U": dU, "V": dV}


def bptt_case(module, sizes, seed):
    rng = np.random.default_rng(seed)
    p = {
        "W": rng.normal(size=(sizes.n_a, sizes.n_a)),
        "U": rng.normal(size=(sizes.n_a, sizes.n_x)),
        "V": rng.normal(size=(sizes.n_y, sizes.n_a)),
    }
    x0 = rng.normal(size=(sizes.m, sizes.n_a))
    u = rng.normal(size=(sizes.T_x, sizes.m, sizes.n_x))
    ys = rng.normal(size=(sizes.T_x, sizes.m, sizes.n_y))
    return SimpleNamespace(
        parameters=p,
        cost=lambda: loss(simulate(**p, x0=x0, u=u, a=0.3)[1], ys),
        gradients=lambda: gradients(**p, x0=x0, u=u, ys=ys, a=0.3),
    )
"""

ERRORS = """import numpy as np
from types import SimpleNamespace


def forward(W, U, V, xs, h0):
    hs = {"h0": h0}
    for i in range(len(xs)):
        hs["h" + str(i + 1)] = np.tanh(xs[i] @ U + hs["h" + str(i)] @ W)
    return hs, [hs["h" + str(i + 1)] @ V for i in range(len(xs))]


def cost(outs, ys):
    return 0.5 * sum(np.sum((o - y) ** 2) for o, y in zip(outs, ys)) / len(ys[0])


def cell_error(out_error, next_error, h, W, V):
    error = out_error @ V.T
    error = error + next_error
    error = error * (1 - h ** 2)
    return error, error @ W.T


def backward(W, U, V, xs, ys, h0):
    hs, outs = forward(W, U, V, xs, h0)
    m = len(h0)
    dW, dU, dV = np.zeros_like(W), np.zeros_like(U), np.zeros_like(V)
    back = np.zeros_like(h0)
    for i in range(len(xs), 0, -1):
        out_error = outs[i - 1] - ys[i - 1]
        error, back = cell_error(out_error, back, hs["h" + str(i)], W, V)
        dV += hs["h" + str(i)].T @ out_error / m
        dU += xs[i - 1].T @ error / m
        dW += hs["h" + str(i - 1)].T @ error / m
    return {"W": dW, "U": dU, "V": dV}


def bptt_case(module, sizes, seed):
    rng = np.random.default_rng(seed)
    m = sizes.m + 2
    p = {
        "W": rng.normal(size=(sizes.n_a, sizes.n_a)),
        "U": rng.normal(size=(sizes.n_x, sizes.n_a)),
        "V": rng.normal(size=(sizes.n_a, sizes.n_y)),
    }
    xs = rng.normal(size=(sizes.T_x, m, sizes.n_x))
    ys = rng.normal(size=(sizes.T_x, m, sizes.n_y))
    h0 = rng.normal(size=(m, sizes.n_a))
    return SimpleNamespace(
        parameters=p,
        cost=lambda: cost(forward(**p, xs=xs, h0=h0)[1], ys),
        gradients=lambda: backward(**p, xs=xs, ys=ys, h0=h0),
    )
"""

NUMBERS = """import math
import random
import numpy as np
from types import SimpleNamespace


def run(w, u, xs, n):
    states, previous = [], [0.1] * n
    for x in xs:
        state = []
        for j in range(n):
            s = u[j] * x
            for i in range(n):
                s += w[i, j] * previous[i]
            state.append(math.tanh(s))
        states.append((previous, state))
        previous = state
    return states


def error(states, ys, n):
    return sum(0.5 * (state[j] - y[j]) ** 2 for (_, state), y in zip(states, ys) for j in range(n))


def back(w, u, xs, ys, n):
    states = run(w, u, xs, n)
    gw, gu = np.zeros_like(w), np.zeros_like(u)
    later = [0.0] * n
    for t in range(len(xs) - 1, -1, -1):
        before, now = states[t]
        d = [0.0] * n
        for j in range(n):
            d[j] = (now[j] - ys[t][j] + later[j]) * (1 - now[j] ** 2)
        for j in range(n):
            gu[j] += d[j] * xs[t]
            for i in range(n):
                gw[i, j] += d[j] * before[i]
        later = [sum(d[j] * w[i, j] for j in range(n)) for i in range(n)]
    return {"w": gw, "u": gu}


def bptt_case(module, sizes, seed):
    rng = np.random.default_rng(seed)
    n = sizes.n_a
    w, u = rng.normal(size=(n, n)), rng.normal(size=n)
    xs, ys = rng.normal(size=sizes.T_x), rng.normal(size=(sizes.T_x, n))
    return SimpleNamespace(
        parameters={"w": w, "u": u},
        cost=lambda: error(run(w, u, xs, n), ys, n),
        gradients=lambda: back(w, u, xs, ys, n),
    )
"""

ROWS = """import numpy as np
from types import SimpleNamespace


def forward(E, W, b, ids):
    h, cache = np.zeros((ids.shape[0], E.shape[1])), []
    for t in range(ids.shape[1]):
        z = np.hstack([np.ones((len(h), 1)), E[ids[:, t]], h])
        h_next = np.tanh(z @ W)
        cache.append((z, h_next))
        h = h_next
    return h + b, cache


def loss(h, y):
    return 0.5 * np.sum((h - y) ** 2)


def backward(E, W, b, ids, y):
    h, cache = forward(E, W, b, ids)
    n = E.shape[1]
    dE, dW = np.zeros_like(E), np.zeros_like(W)
    dh = h - y
    db = dh.sum(axis=0)
    for t in reversed(range(ids.shape[1])):
        z, h_t = cache[t]
        da = dh * (1 - h_t ** 2)
        dW += z.T @ da
        dz = da @ W.T
        np.add.at(dE, ids[:, t], dz[:, 1:n + 1])
        dh = dz[:, n + 1:]
    return {"E": dE, "W": dW, "b": db}


def bptt_case(module, sizes, seed):
    rng = np.random.default_rng(seed)
    n = sizes.n_a
    p = {"E": rng.normal(size=(3, n)), "W": rng.normal(size=(2 * n + 1, n)), "b": rng.normal(size=n)}
    ids = rng.integers(0, 3, size=(sizes.m + 3, sizes.T_x))
    y = rng.normal(size=(sizes.m + 3, n))
    return SimpleNamespace(
        parameters=p, cost=lambda: loss(forward(**p, ids=ids)[0], y), gradients=lambda: backward(**p, ids=ids, y=y)
    )
"""

FAULTS = {
    "a leak": (LEAKY, "lam = (1 - a) * lam + a * (lam", "lam = a * (lam", "lam = a *"),
    "an argument": (ERRORS, 'back, hs["h" + str(i)], W', 'back, hs["h" + str(i - 1)], W', "error, back ="),
    "a sum in its function": (ERRORS, "error = error + next_error", "error = error + next_error * h", "* h\n"),
    "a factor of one side": (
        NUMBERS,
        "(now[j] - ys[t][j] + later[j]) * (1 - now[j] ** 2)",
        "(now[j] - ys[t][j]) * (1 - now[j] ** 2) + later[j]",
        "d[j] = (now",
    ),
    "a number of another list": (NUMBERS, "d[j] * before[i]", "d[j] * now[i]", "gw[i, j] +="),
    "rows that come twice": (
        ROWS,
        "np.add.at(dE, ids[:, t], dz[:, 1:n + 1])",
        "dE[ids[:, t]] += dz[:, 1:n + 1]",
        "dE[ids",
    ),
    "a slice by one": (ROWS, "dz[:, 1:n + 1]", "dz[:, :n]", "np.add.at"),
}


@pytest.mark.parametrize("text", [LEAKY, ERRORS, NUMBERS, ROWS], ids=["leaky", "errors", "numbers", "rows"])
def test_the_right_ones_are_right(text: str) -> None:
    assert diagnose(load_program(text, "net.py")).verdict == "right"


@pytest.mark.parametrize("name", FAULTS)
def test_the_line_is_named_and_its_fix_is_proven(name: str) -> None:
    program, right, wrong, where = FAULTS[name]
    text = planted(program, (right, wrong))
    assert mended_lines(text) == [line_of(text, where)]


WIDTHS = """import numpy as np
from types import SimpleNamespace


def forward(Ws, Us, xs):
    hs = [[np.zeros((len(xs[0]), len(U)))] for U in Us]
    for x in xs:
        for l in range(len(Ws)):
            x = np.tanh(x @ Ws[l] + hs[l][-1] @ Us[l])
            hs[l].append(x)
    return hs


def backward(Ws, Us, xs, y):
    hs = forward(Ws, Us, xs)
    dWs, dUs = [np.zeros_like(W) for W in Ws], [np.zeros_like(U) for U in Us]
    later = [np.zeros_like(h[0]) for h in hs]
    for t in range(len(xs) - 1, -1, -1):
        above = hs[-1][t + 1] - y[t]
        for l in range(len(Ws) - 1, -1, -1):
            da = (above + later[l]) * (1 - hs[l][t + 1] ** 2)
            below = hs[l - 1][t + 1] if l > 0 else xs[t]
            dWs[l] += below.T @ da
            dUs[l] += hs[l][t].T @ da
            later[l] = da @ Us[l].T
            above = da @ Ws[l].T
    return dWs + dUs


def bptt_case(module, sizes, seed):
    rng = np.random.default_rng(seed)
    widths = [sizes.n_x, sizes.n_a, sizes.n_y]
    Ws = [rng.normal(size=pair) for pair in zip(widths, widths[1:])]
    Us = [rng.normal(size=(n, n)) for n in widths[1:]]
    xs = rng.normal(size=(sizes.T_x, sizes.m, sizes.n_x))
    y = rng.normal(size=(sizes.T_x, sizes.m, sizes.n_y))
    names = ["W0", "W1", "U0", "U1"]
    return SimpleNamespace(
        parameters=dict(zip(names, Ws + Us)),
        cost=lambda: 0.5 * sum(np.sum((h - d) ** 2) for h, d in zip(forward(Ws, Us, xs)[-1][1:], y)),
        gradients=lambda: dict(zip(names, backward(Ws, Us, xs, y))),
    )
"""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("above = da @ Ws[l].T", "above = da @ Ws[l - 1].T"),
        ("dUs[l] += hs[l][t].T @ da", "dUs[l] += hs[l - 1][t].T @ da"),
    ],
)
def test_another_layer_of_another_width(right: str, wrong: str) -> None:
    """The shapes fit no longer, and lines below the wrong one raise."""
    text = WIDTHS.replace(right, wrong)
    assert mended_lines(text) == [line_of(text, wrong)]


def test_the_letters_of_an_einsum_are_exchanged() -> None:
    code = 'g = np.einsum("tbj,tbk->kj", da, h)\n'
    node = ast.parse(code).body[0]
    texts = {restated(code, node, change) for _, change in subscripts(node, code)}
    assert 'g = np.einsum("tbj,tbk->jk", da, h)' in texts
