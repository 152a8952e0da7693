"""The optimizers, the schedule and the clipping, against their formulas written plainly."""

import math
from itertools import pairwise

import numpy as np
import pytest

from bptt.training.clipping import clip_by_norm, clip_by_value, norm
from bptt.training.flat import FlatTensors
from bptt.training.optimizers import BLOCK, SGD, Adam
from bptt.training.schedule import Schedule

SIZES = [1, 7, BLOCK, 2 * BLOCK + 5]  # also across blocks


def gradients(n, steps):
    rng = np.random.default_rng(n)
    return rng.normal(size=n), [rng.normal(size=n) * 10.0 ** rng.integers(-6, 3, n) for _ in range(steps)]


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_adam_is_its_formula(n, decay):
    w, gs = gradients(n, 5)
    decayed = n // 2
    adam, ours = Adam(w, decayed, decay), w.copy()
    m = v = np.zeros(n)
    for k, g in enumerate(gs, start=1):
        adam.update(ours, g.copy(), 0.01, k - 1)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        w = w - 0.01 * decay * np.where(np.arange(n) < decayed, w, 0)
        w = w - 0.01 * (m / (1 - 0.9**k)) / (np.sqrt(v / (1 - 0.999**k)) + 1e-8)
    np.testing.assert_allclose(ours, w, rtol=1e-12)
    np.testing.assert_allclose(adam.state["v"], v, rtol=1e-12)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_sgd_is_its_formula(n, momentum):
    w, gs = gradients(n, 5)
    decayed = n // 2
    sgd, ours, v = SGD(w, decayed, momentum, 0.1), w.copy(), np.zeros(n)
    for k, g in enumerate(gs):
        sgd.update(ours, g.copy(), 0.01, k)
        v = momentum * v + g
        w = w - 0.01 * 0.1 * np.where(np.arange(n) < decayed, w, 0) - 0.01 * v
    np.testing.assert_allclose(ours, w, rtol=1e-12)


@pytest.mark.parametrize("kind", [Adam, SGD])
def test_an_update_works_in_place_and_in_float32(kind):
    flat = FlatTensors({"W": np.ones((3, 4), np.float32), "b": np.ones((3, 1), np.float32)})
    view = flat.views["W"]
    optimizer = kind(flat.values, 12)
    optimizer.update(flat.values, np.ones(15, np.float32), 0.1, 0)
    assert (view < 1).all()
    assert all(array.dtype == np.float32 for array in (flat.values, *optimizer.state.values()))


def test_adam_moves_by_the_rate_at_first_however_small_the_gradient():
    w = np.zeros(3)
    Adam(w, 0).update(w, np.array([1e-5, 1.0, -1e5]), 0.01, 0)
    np.testing.assert_allclose(w, [-0.01, -0.01, 0.01], rtol=2e-3)


@pytest.mark.parametrize("size", [1e-30, 1e-12, 1.0, 1e15, 1e30])
def test_norm_survives_squares_that_leave_float32(size):
    g = np.full(400, size, np.float32)
    assert norm(g) == pytest.approx(20 * float(np.float32(size)), rel=1e-6)


def test_norm_of_nothing_and_of_what_is_no_number():
    assert norm(np.zeros(3)) == 0.0
    assert math.isnan(norm(np.array([1.0, np.nan])))
    assert norm(np.array([1.0, -np.inf])) == math.inf


def test_clipping_by_norm_keeps_the_direction():
    g = np.array([3.0, 4.0])
    assert clip_by_norm(g, norm(g), 1.0)
    np.testing.assert_allclose(g, [0.6, 0.8])
    assert not clip_by_norm(g, norm(g), 1.5)
    np.testing.assert_allclose(g, [0.6, 0.8])


def test_clipping_by_value_limits_each_element():
    g = np.array([0.5, -2.0, 3.0])
    assert clip_by_value(g, 1.0)
    np.testing.assert_array_equal(g, [0.5, -1.0, 1.0])
    assert not clip_by_value(g, 1.0)


def test_the_schedule_warms_up_and_falls_along_half_a_cosine():
    schedule = Schedule("cosine", 2.0, 10, 110)
    rates = [schedule.rate(step) for step in range(120)]
    assert rates[0] == 0.2
    assert rates[9] == rates[10] == 2.0
    assert rates[60] == pytest.approx(1.0)
    assert all(a >= b for a, b in pairwise(rates[10:]))
    assert rates[110:] == [0.0] * 10
    assert Schedule("constant", 2.0, 2, 5).rate(99) == 2.0
