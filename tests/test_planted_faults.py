"""A wrong gradient cannot pass: faults are planted in the source of both backward passes, and the checks must fail.

Each fault changes one line of the package's own source, loads the changed module beside the real one, and asks the
same comparison that the other tests use.  It must say "wrong".
"""

import importlib.util
import inspect
import sys
from types import ModuleType

import numpy as np
import pytest

import bptt
from bptt import cell, fused, head, rnn, timemajor
from problems import draw

CELL_FAULTS = [
    ("dz_a = da * (1 - a_t * a_t)", "dz_a = da * (1 - a_t)"),
    ("dz_a = da * (1 - a_t * a_t)", "dz_a = da * 1.001 * (1 - a_t * a_t)"),
    ("dW_aa = dz_a @ a_prev.T", "dW_aa = dz_a @ a_t.T"),
    ("dW_ax = dz_a @ x_t.T", "dW_ax = 2 * dz_a @ x_t.T"),
    ("db_a = dz_a.sum(axis=1, keepdims=True)", "db_a = dz_a.mean(axis=1, keepdims=True)"),
    ("da_prev = W_aa.T @ dz_a", "da_prev = W_aa @ dz_a"),
    ("dx_t = W_ax.T @ dz_a", "dx_t = W_ax.T @ da"),
]
RNN_FAULTS = [
    ("da = dA[:, :, t] + da_from_future", "da = dA[:, :, t]"),
    ("da = dA[:, :, t] + da_from_future", "da = dA[:, :, t] - da_from_future"),
    ("a_prev = A[:, :, t - 1] if t > 0 else cache.a0", "a_prev = A[:, :, t - 1]"),
    ("a_prev = A[:, :, t - 1] if t > 0 else cache.a0", "a_prev = A[:, :, t]"),
    ("for t in reversed(range(A.shape[2])):", "for t in reversed(range(1, A.shape[2])):"),
    ("for t in reversed(range(A.shape[2])):", "for t in range(A.shape[2]):"),
    ("gradients[name] += step[name]", "gradients[name] = step[name]"),
    ('dX[:, :, t] = step["dx_t"]', 'dX[:, :, 0] = step["dx_t"]'),
    ('da_from_future = step["da_prev"]', "pass"),
]
HEAD_FAULTS = [
    ("dz_y = (Y_pred[:, :, t] - Y[:, :, t]) * scale", "dz_y = (Y[:, :, t] - Y_pred[:, :, t]) * scale"),
    ("dz_y = (Y_pred[:, :, t] - Y[:, :, t]) * scale", "dz_y = Y_pred[:, :, t] - Y[:, :, t] * scale"),
    ("dW_ya += dz_y @ A[:, :, t].T", "dW_ya += dz_y @ A[:, :, t - 1].T"),
    ("dW_ya += dz_y @ A[:, :, t].T", "dW_ya = dz_y @ A[:, :, t].T"),
    ("db_y += dz_y.sum(axis=1, keepdims=True)", "db_y += dz_y.sum()"),
    ("dA[:, :, t] = W_ya.T @ dz_y", "dA[:, :, t] = W_ya.T @ dz_y * (1 + 1e-6)"),
    ("for t in reversed(range(Y.shape[2])):", "for t in reversed(range(Y.shape[2] - 1)):"),
]
FUSED_FAULTS = [
    ("dW_ya += np.dot(dz_y.T, a)", "dW_ya = np.dot(dz_y.T, a)"),
    ("db_y += np.dot(net.ones[: len(dz_y)], dz_y)", "db_y += np.dot(net.ones[: len(dz_y)], dz_y) / 1.001"),
    ("np.dot(dz_y, net.W_ya, out=", "np.dot(-dz_y, net.W_ya, out="),
    ("for t0, t1 in reversed(net.chunks):", "for t0, t1 in net.chunks:"),
    ("for t0, t1 in reversed(net.chunks):", "for t0, t1 in reversed(net.chunks[1:]):"),
    ("dA[t0:t1], da_from_future)", "dA[t0:t1], 0 * da_from_future)"),
    ("net.recur_backward(A[t0 + 1 : t1 + 1]", "net.recur_backward(A[t0:t1]"),
    ("np.dot(dz_a.T, A[t0:t1].reshape", "np.dot(dz_a.T, A[t0 + 1 : t1 + 1].reshape"),
    ("dW_aa += np.dot(dz_a.T", "dW_aa = np.dot(dz_a.T"),
    ("net.add_input_gradient(dz_a, t0, t1)", "pass"),
    ('gradients["da0"] = da_from_future.T.copy()', 'gradients["da0"] = dA[0].T.copy()'),
]
TIMEMAJOR_FAULTS = [
    ("np.multiply(A, A, out=slope)", "np.multiply(A, 1, out=slope)"),
    ("np.subtract(1, slope, out=slope)", "np.subtract(1.001, slope, out=slope)"),
    ("np.sign(A, out=slope)", "np.copyto(slope, A)"),
    ("add(da, future, out=da)", "pass"),
    ("dot(da, W, out=future)", "dot(da, W.T, out=future)"),
    ("z_y *= total[:, None]", "z_y *= total[0]"),
    ("flat[target] -= self.scale", "flat[target] -= 1"),
    ("flat[target] -= self.scale", "pass"),
    ("z_y -= y * self.scale", "z_y -= y"),
    ("self.dW_in += np.dot(", "self.dW_in = np.dot("),
    ('"dW_ax": self.dW_in[:, :-1].copy()', '"dW_ax": self.dW_in[:, :-1] * 2'),
    ('"db_a": self.dW_in[:, -1:].copy()', '"db_a": self.dW_in[:, :1].copy()'),
    ("self.d_table[ids[starts]] += np.add.reduceat", "self.d_table[ids[starts]] = np.add.reduceat"),
    ('"db_a": self.d_table.sum(axis=0)[:, None]', '"db_a": self.d_table.mean(axis=0)[:, None]'),
    ('order = np.argsort(ids, kind="stable")', "order = np.arange(len(ids))"),
]
WIDE_FAULTS = [  # the same lines where the weights are the left operand
    ("add(da, future.T, out=da)", "pass"),
    ("dot(W, da.T, out=future)", "dot(W.T, da.T, out=future)"),
    ("W, future = self.W_aaT, da_from_future.T.copy()", "W, future = self.W_aa, da_from_future.T.copy()"),
    ("        return future.T\n", "        return 0 * future.T\n"),
]
BOTH_LOOPS = [
    ("zip(dA[::-1], slope[::-1], strict=True)", "zip(dA[::-1], slope, strict=True)"),
    ("zip(dA[::-1], slope[::-1], strict=True)", "zip(dA, slope, strict=True)"),
    ("multiply(da, slope_t, out=da)", "pass"),
]


def changed(module: ModuleType, old: str, new: str, times: int = 1) -> ModuleType:
    """Load a copy of a module in whose source one line (or its two twins) is changed."""
    source = inspect.getsource(module)
    assert source.count(old) == times, f"{old!r} stands {source.count(old)} times in {module.__name__}"
    spec = importlib.util.spec_from_loader(f"planted_{module.__name__.split('.')[-1]}", loader=None)
    copy = importlib.util.module_from_spec(spec)
    copy.__dict__["__file__"] = module.__file__
    sys.modules[spec.name] = copy  # dataclasses look their module up
    try:
        exec(compile(source.replace(old, new), module.__file__, "exec"), copy.__dict__)
    finally:
        del sys.modules[spec.name]
    return copy


def is_right(gradients_of, p, reduction, activation) -> bool:
    """Compare a step's gradients with the complex step through the real forward pass."""
    point = {**p["parameters"], "a0": p["a0"]}
    gradients = gradients_of(p, reduction, activation)
    if "dX" in gradients:
        point["X"] = p["X"]

    def cost(q):
        return bptt.rnn_cost(p["Y"], bptt.rnn_forward(q.get("X", p["X"]), q["a0"], q, activation)[2], reduction)

    return bptt.check_gradients(cost, point, {name: gradients[f"d{name}"] for name in point}).ok


def equals_the_reference(gradients_of, p, reduction, activation) -> bool:
    """Compare a fused step's gradients with the reference's."""
    cache = bptt.rnn_forward(p["X"], p["a0"], p["parameters"], activation)[2]
    right, gradients = bptt.rnn_backward(p["Y"], cache, reduction), gradients_of(p, reduction, activation)
    return all(np.abs(g - right[name]).max() <= 1e-9 * np.abs(right[name]).max() for name, g in gradients.items())


def cases():
    for ids, soft in ((False, True), (True, False)):
        for reduction, activation in (("sum", "tanh"), ("mean", "relu"), ("mean", "tanh")):
            yield draw((3, 4, 2, 5, 6), ids=ids, soft=soft), reduction, activation


def all_right(gradients_of, judge=is_right) -> bool:
    """Ask every case; a crash counts as found."""
    try:
        return all(judge(gradients_of, *case) for case in cases())
    except (bptt.BpttError, ValueError, IndexError, TypeError):
        return False


def reference_gradients(rnn_module, head_module):
    def gradients_of(p, reduction, activation):
        cache = bptt.rnn_forward(p["X"], p["a0"], p["parameters"], activation)[2]
        dA, head_gradients = head_module.softmax_head_backward(p["Y"], cache.head, reduction)
        gradients = {**rnn_module.rnn_layer_backward(dA, cache.layer), **head_gradients}
        if p["X"].ndim == 2:
            del gradients["dX"]
        return gradients

    return gradients_of


def fused_gradients(module):
    return lambda p, reduction, activation: module.step(
        p["parameters"], p["X"], p["Y"], p["a0"], reduction, activation
    )[1]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(timemajor, "CHUNK_ROWS", 16)


def test_nothing_planted_is_right():
    assert all_right(reference_gradients(rnn, head))
    assert all_right(fused_gradients(fused), equals_the_reference)


@pytest.mark.parametrize(("old", "new"), CELL_FAULTS)
def test_a_fault_in_the_cell_fails(old, new, monkeypatch):
    monkeypatch.setattr(rnn, "cell_backward", changed(cell, old, new).cell_backward)
    assert not all_right(reference_gradients(rnn, head))


@pytest.mark.parametrize(("old", "new"), RNN_FAULTS)
def test_a_fault_in_the_recurrence_fails(old, new):
    assert not all_right(reference_gradients(changed(rnn, old, new), head))


@pytest.mark.parametrize(("old", "new"), HEAD_FAULTS)
def test_a_fault_in_the_head_fails(old, new):
    assert not all_right(reference_gradients(rnn, changed(head, old, new)))


@pytest.mark.parametrize(("old", "new"), FUSED_FAULTS)
def test_a_fault_in_the_fused_step_fails(old, new):
    assert not all_right(fused_gradients(changed(fused, old, new)), equals_the_reference)


def is_seen(planted, wide, monkeypatch) -> bool:
    planted.CHUNK_ROWS, planted.WIDE = 16, wide
    monkeypatch.setattr(fused, "network", planted.network)
    return not all_right(fused_gradients(fused), equals_the_reference)


@pytest.mark.parametrize(("old", "new"), TIMEMAJOR_FAULTS)
def test_a_fault_in_its_layout_fails(old, new, monkeypatch):
    assert is_seen(changed(timemajor, old, new), 1024, monkeypatch)


@pytest.mark.parametrize(("old", "new"), WIDE_FAULTS)
def test_a_fault_in_the_wide_loop_fails(old, new, monkeypatch):
    assert is_seen(changed(timemajor, old, new), 1, monkeypatch)


@pytest.mark.parametrize("wide", [1, 1024])
@pytest.mark.parametrize(("old", "new"), BOTH_LOOPS)
def test_a_fault_in_either_loop_fails(old, new, wide, monkeypatch):
    assert is_seen(changed(timemajor, old, new, times=2), wide, monkeypatch)


def test_the_lines_of_a_backward_pass_are_all_covered():
    """Every line marked with an equation B1 ... B11 has a fault planted in it."""
    planted = " ".join(old for old, _ in CELL_FAULTS + RNN_FAULTS + HEAD_FAULTS)
    for module in (cell, rnn, head):
        for line in inspect.getsource(module).splitlines():
            code, _, comment = line.strip().partition("  # ")
            if comment.startswith("B"):
                assert code.split(" if ")[0].split(" = ")[0] in planted, line


def test_a_wrong_gradient_of_a_saturated_unit_is_found():
    """A gradient of 1e-8 beside others of 1 is wrong if it is wrong by a factor."""
    p = draw((3, 5, 2, 7, 4))
    p["parameters"]["W_ax"] *= 1e-8
    p["X"] *= 1e-8
    gradients = bptt.rnn_backward(p["Y"], bptt.rnn_forward(p["X"], p["a0"], p["parameters"])[2])
    assert 0 < np.abs(gradients["dW_ax"]).max() < 1e-6

    def cost(q):
        return bptt.rnn_cost(p["Y"], bptt.rnn_forward(p["X"], p["a0"], q)[2])

    right = {name: gradients[f"d{name}"] for name in p["parameters"]}
    assert bptt.check_gradients(cost, p["parameters"], right).ok
    right["W_ax"] = right["W_ax"] * 1.001
    assert bptt.check_gradients(cost, p["parameters"], right)["W_ax"].status == "wrong"
