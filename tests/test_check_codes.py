"""The page on each code: its wrong line is wrong, its right line is right, by numbers."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bptt.checking.codes import codes, explanation, overview
from bptt.errors import ValueRangeError
from bptt.gradcheck import check_gradients

SOFTMAX = "def softmax(z):\n    e = np.exp(z - z.max(axis=0))\n    return e / e.sum(axis=0)\n"

MANY_TO_MANY = """
def forward(p, X, a0):
    W_aa, W_ax, W_ya = p['W_aa'], p['W_ax'], p['W_ya']
    b_a, b_y = p['b_a'], p['b_y']
    n_a, m, T_x = a0.shape[0], X.shape[1], X.shape[2]
    A, Y_pred, a_prev = np.zeros((n_a, m, T_x)), np.zeros((b_y.size, m, T_x)), a0
    for t in range(T_x):
        z_a = W_aa @ a_prev + W_ax @ X[:, :, t] + b_a
        A[:, :, t] = a_prev = np.tanh(z_a)
        Y_pred[:, :, t] = softmax(W_ya @ A[:, :, t] + b_y)
    return A, Y_pred

def cost(p, X, Y, a0):
    return -np.sum(Y * np.log(forward(p, X, a0)[1]))

def gradients(p, X, Y, a0):
    W_aa, W_ax, W_ya = p['W_aa'], p['W_ax'], p['W_ya']
    A, Y_pred = forward(p, X, a0)
    n_a, m, T_x = A.shape
    dW_aa, dW_ax, dW_ya = np.zeros_like(W_aa), np.zeros_like(W_ax), np.zeros_like(W_ya)
    db_a, db_y = np.zeros_like(p['b_a']), np.zeros_like(p['b_y'])
    da_next = np.zeros((n_a, m))
    for t in reversed(range(T_x)):
        a_prev = A[:, :, t - 1] if t > 0 else a0
        dz_y = Y_pred[:, :, t] - Y[:, :, t]
        dW_ya += dz_y @ A[:, :, t].T
        db_y += dz_y.sum(axis=1, keepdims=True)
        da = W_ya.T @ dz_y + da_next
        dz_a = da * (1 - A[:, :, t] ** 2)
        dW_aa += dz_a @ a_prev.T
        dW_ax += dz_a @ X[:, :, t].T
        db_a += dz_a.sum(axis=1, keepdims=True)
        da_next = W_aa.T @ dz_a
    return dict(W_aa=dW_aa, W_ax=dW_ax, W_ya=dW_ya, b_a=db_a, b_y=db_y)
"""

MANY_TO_ONE = """
def forward(p, X, a0):
    a, A = a0, []
    for t in range(X.shape[2]):
        a = np.tanh(p['W_aa'] @ a + p['W_ax'] @ X[:, :, t] + p['b_a'])
        A.append(a)
    return A, softmax(p['W_ya'] @ a + p['b_y'])

def cost(p, X, Y, a0):
    return -np.sum(Y[:, :, -1] * np.log(forward(p, X, a0)[1]))

def gradients(p, X, Y, a0):
    W_aa, W_ya = p['W_aa'], p['W_ya']
    A, y_pred = forward(p, X, a0)
    n_a, m, T_x = *a0.shape, X.shape[2]
    dW_aa, dW_ax, db_a = np.zeros_like(W_aa), np.zeros_like(p['W_ax']), np.zeros_like(p['b_a'])
    dz_y = y_pred - Y[:, :, -1]
    dW_ya, db_y = dz_y @ A[-1].T, dz_y.sum(axis=1, keepdims=True)
    da_next = W_ya.T @ dz_y
    for t in reversed(range(T_x)):
        da = da_next
        dz_a = da * (1 - A[t] ** 2)
        dW_aa += dz_a @ (A[t - 1] if t > 0 else a0).T
        dW_ax += dz_a @ X[:, :, t].T
        db_a += dz_a.sum(axis=1, keepdims=True)
        da_next = W_aa.T @ dz_a
    return dict(W_aa=dW_aa, W_ax=dW_ax, W_ya=dW_ya, b_a=db_a, b_y=db_y)
"""

STACKED = """
def forward(p, X, a0):
    W, a, A = np.hstack([p['W_aa'], p['W_ax']]), a0, []
    for t in range(X.shape[2]):
        a = np.tanh(W @ np.vstack([a, X[:, :, t]]) + p['b_a'])
        A.append(a)
    return A, [softmax(p['W_ya'] @ a + p['b_y']) for a in A]

def cost(p, X, Y, a0):
    return -sum(np.sum(Y[:, :, t] * np.log(y)) for t, y in enumerate(forward(p, X, a0)[1]))

def gradients(p, X, Y, a0):
    W = np.hstack([p['W_aa'], p['W_ax']])
    A, Y_pred = forward(p, X, a0)
    n_a, m = a0.shape
    dW, dW_ya, db_a, db_y = np.zeros_like(W), np.zeros_like(p['W_ya']), np.zeros_like(p['b_a']), np.zeros_like(p['b_y'])
    da_next = np.zeros((n_a, m))
    for t in reversed(range(len(A))):
        dz_y = Y_pred[t] - Y[:, :, t]
        dW_ya += dz_y @ A[t].T
        db_y += dz_y.sum(axis=1, keepdims=True)
        dz_a = (p['W_ya'].T @ dz_y + da_next) * (1 - A[t] ** 2)
        dW += dz_a @ np.vstack([A[t - 1] if t > 0 else a0, X[:, :, t]]).T
        db_a += dz_a.sum(axis=1, keepdims=True)
        da_next = (W.T @ dz_a)[:n_a]
    return dict(W_aa=dW[:, :n_a], W_ax=dW[:, n_a:], W_ya=dW_ya, b_a=db_a, b_y=db_y)
"""

PROGRAMS = {"R4": MANY_TO_ONE, "M2": STACKED}
RAISES = {"M1": ValueError, "K": KeyError}  # the others are wrong without a word
VALUE_RIGHT = {"S2", "FWD", "X"}  # shown below, or no mistake of the gradient


def planted(code: str) -> str:
    """Return the program with the page's wrong line in the place of its right one."""
    program, page = PROGRAMS.get(code, MANY_TO_MANY), codes()[code]
    for indent in ("    ", "        "):
        right = textwrap.indent(page.right, indent) + "\n"
        if program.count("\n" + right) == 1 or (code == "W2" and right in program):
            return program.replace(right, textwrap.indent(page.wrong, indent) + "\n")
        if program.count("\n" + right) == 2:  # the names are unpacked in forward and in backward: the last is meant
            head, _, tail = program.rpartition(right)
            return head + textwrap.indent(page.wrong, indent) + "\n" + tail
    raise AssertionError(f"the right line of {code} stands in no program:\n{page.right}")


def compiled(program: str) -> dict[str, Callable[..., Any]]:
    space: dict[str, Any] = {"np": np}
    exec(SOFTMAX + program, space)
    return space


def inputs() -> tuple[dict[str, Any], Any, Any, Any]:
    rng = np.random.default_rng(0)
    n_x, n_a, n_y, m, T_x = 3, 5, 7, 2, 4
    shapes = {"W_aa": (n_a, n_a), "W_ax": (n_a, n_x), "W_ya": (n_y, n_a), "b_a": (n_a, 1), "b_y": (n_y, 1)}
    p = {name: rng.normal(size=shape) * 0.5 for name, shape in shapes.items()}
    Y = np.zeros((n_y, m, T_x))
    for j in range(m):
        for t in range(T_x):
            Y[rng.integers(n_y), j, t] = 1
    return p, rng.normal(size=(n_x, m, T_x)), Y, rng.normal(size=(n_a, m))


def is_right(program: str) -> bool:
    space, (p, X, Y, a0) = compiled(program), inputs()
    theirs = space["gradients"]({k: v.copy() for k, v in p.items()}, X, Y, a0)
    if any(np.shape(theirs[k]) != p[k].shape for k in p):
        return False
    return check_gradients(lambda q: space["cost"](q, X, Y, a0), p, theirs, method="central").ok


@pytest.mark.parametrize("program", [MANY_TO_MANY, MANY_TO_ONE, STACKED])
def test_the_programs_are_right_before_anything_is_planted(program: str) -> None:
    assert is_right(program)


@pytest.mark.parametrize("code", [c for c in codes() if c not in VALUE_RIGHT and c not in RAISES])
def test_the_wrong_line_is_wrong_by_numbers(code: str) -> None:
    assert not is_right(planted(code))


@pytest.mark.parametrize("code", RAISES)
def test_the_wrong_line_raises(code: str) -> None:
    with pytest.raises(RAISES[code]):
        is_right(planted(code))


def test_s2_is_right_until_a_probability_underflows() -> None:
    assert is_right(planted("S2"))
    p, X, Y, a0 = inputs()
    p["b_y"][0] = 800.0  # every other class has probability 0
    with np.errstate(all="ignore"):
        assert not np.isfinite(compiled(planted("S2"))["gradients"](p, X, Y, a0)["b_y"]).all()
    assert np.isfinite(compiled(MANY_TO_MANY)["gradients"](p, X, Y, a0)["b_y"]).all()


def test_fwd_leaves_a_slice_unwritten() -> None:
    p, X, _, a0 = inputs()
    assert not compiled(planted("FWD"))["forward"](p, X, a0)[1][:, :, -1].any()
    assert compiled(MANY_TO_MANY)["forward"](p, X, a0)[1][:, :, -1].all()


@pytest.mark.parametrize("code", codes())
def test_every_page_is_whole_and_80_columns_wide(code: str) -> None:
    page, text = codes()[code], explanation(code.lower())
    assert text.startswith(f"{code} · {page.title}\n")
    for part in ("What it is", "Why it is wrong", "How it shows", "Reference"):
        assert part in text
    prose = [line for line in text.split("\n") if not line.startswith("    ")]
    assert max(map(len, prose)) <= 80
    assert code in overview()


def test_an_unknown_code_is_refused_with_all_codes() -> None:
    with pytest.raises(ValueRangeError, match="there is no code 'T9'") as caught:
        explanation("T9")
    assert "FWD" in str(caught.value)
    assert "Did you mean T" in str(caught.value)


def test_the_documentation_lists_every_code() -> None:
    text = (Path(__file__).parent.parent / "docs" / "check.md").read_text("utf-8")
    for page in codes().values():
        assert f"| {page.code} | {page.title} |" in text
