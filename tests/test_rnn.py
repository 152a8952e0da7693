"""The reference: every gradient against the complex step, the cells, the layer alone, the course's values."""

import numpy as np
import pytest

import bptt
from bptt import rnn
from bptt.errors import BpttError, DimensionError, DtypeError, NotFiniteError, ValueRangeError
from problems import SIZES, draw

ALL = ("W_aa", "W_ax", "W_ya", "b_a", "b_y", "a0", "X")


def gradient_rows(problem, activation="tanh", reduction="sum", method="complex"):
    X, Y, a0 = problem["X"], problem["Y"], problem["a0"]
    point = {**problem["parameters"], "a0": a0}
    if X.ndim == 3:
        point["X"] = X

    def cost(p):
        _, _, cache = bptt.rnn_forward(p.get("X", X), p["a0"], p, activation)
        return bptt.rnn_cost(Y, cache, reduction)

    gradients = bptt.rnn_backward(Y, bptt.rnn_forward(X, a0, problem["parameters"], activation)[2], reduction)
    return bptt.check_gradients(cost, point, {name: gradients[f"d{name}"] for name in point}, method=method)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_every_gradient_is_the_complex_step(sizes, activation, reduction):
    rows = gradient_rows(draw(sizes), activation, reduction)
    assert {row.name for row in rows.rows} == set(ALL)
    assert rows.ok, str(rows)
    assert max(row.relative_error for row in rows.rows) < 1e-13


def test_central_differences_say_the_same():
    rows = gradient_rows(draw(SIZES[0]), method="central")
    assert rows.ok, str(rows)


def test_ids_are_their_one_hot_columns(sizes):
    n_x, _, n_y, _, _ = sizes
    p = draw(sizes, ids=True, soft=False)
    dense = {"X": bptt.one_hot(p["X"], n_x), "Y": bptt.one_hot(p["Y"], n_y)}
    A, Y_pred, cache = bptt.rnn_forward(p["X"], p["a0"], p["parameters"])
    A2, Y_pred2, cache2 = bptt.rnn_forward(dense["X"], p["a0"], p["parameters"])
    np.testing.assert_array_equal(A, A2)
    np.testing.assert_array_equal(Y_pred, Y_pred2)
    assert bptt.rnn_cost(p["Y"], cache) == bptt.rnn_cost(dense["Y"], cache2)
    one, two = bptt.rnn_backward(p["Y"], cache), bptt.rnn_backward(dense["Y"], cache2)
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])
    assert gradient_rows(p).ok


def test_mean_is_the_sum_per_predicted_step(sizes):
    p = draw(sizes)
    cache = bptt.rnn_forward(p["X"], p["a0"], p["parameters"])[2]
    _, _, _, m, T_x = sizes
    assert bptt.rnn_cost(p["Y"], cache, "mean") == pytest.approx(bptt.rnn_cost(p["Y"], cache) / (m * T_x), rel=1e-15)
    total, mean = bptt.rnn_backward(p["Y"], cache), bptt.rnn_backward(p["Y"], cache, "mean")
    for name in total:
        np.testing.assert_allclose(mean[name] * m * T_x, total[name], rtol=1e-12, atol=1e-14)


def test_no_a0_is_zeros():
    p = draw(SIZES[0])
    none = bptt.rnn_forward(p["X"], None, p["parameters"])[0]
    np.testing.assert_array_equal(none, bptt.rnn_forward(p["X"], 0 * p["a0"], p["parameters"])[0])


def test_the_layer_alone_with_a_cost_of_its_own():
    p = draw(SIZES[0])
    R = np.random.default_rng(9).normal(size=(5, 7, 4))
    point = {name: p["parameters"][name] for name in rnn.LAYER} | {"a0": p["a0"], "X": p["X"]}
    A, cache = bptt.rnn_layer_forward(p["X"], p["a0"], p["parameters"])
    gradients = bptt.rnn_layer_backward(3 * R * A**2, cache)

    def cost(q):
        return (R * bptt.rnn_layer_forward(q["X"], q["a0"], q)[0] ** 3).sum()

    assert bptt.check_gradients(cost, point, {name: gradients[f"d{name}"] for name in point}).ok


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_the_cell(activation):
    p = draw((3, 5, 2, 7, 1))
    x_t, weights, R = p["X"][:, :, 0], p["parameters"], np.random.default_rng(3).normal(size=(5, 7))
    a_t, y_pred_t, cache = bptt.rnn_cell_forward(x_t, p["a0"], weights, activation)
    A, Y_pred, _ = bptt.rnn_forward(p["X"], p["a0"], weights, activation)
    np.testing.assert_allclose(a_t, A[:, :, 0], rtol=1e-15)
    np.testing.assert_allclose(y_pred_t, Y_pred[:, :, 0], rtol=1e-14)
    g = bptt.rnn_cell_backward(R, cache)
    point = {"W_aa": weights["W_aa"], "W_ax": weights["W_ax"], "b_a": weights["b_a"], "a_prev": p["a0"], "x_t": x_t}

    def cost(q):
        return (R * bptt.rnn_cell_forward(q["x_t"], q["a_prev"], {**weights, **q}, activation)[0]).sum()

    assert bptt.check_gradients(cost, point, {name: g[f"d{name}"] for name in point}).ok


def test_course_values_of_the_cell():
    np.random.seed(1)
    draw_ = np.random.randn
    xt, a_prev = draw_(3, 10), draw_(5, 10)
    Waa, Wax, Wya, ba, by = draw_(5, 5), draw_(5, 3), draw_(2, 5), draw_(5, 1), draw_(2, 1)
    a_next, yt_pred, _ = bptt.rnn_cell_forward(
        xt, a_prev, {"W_aa": Waa, "W_ax": Wax, "W_ya": Wya, "b_a": ba, "b_y": by}
    )
    assert a_next[4][0] == pytest.approx(0.59584544, abs=5e-9)
    assert yt_pred[1][0] == pytest.approx(0.9888161, abs=5e-8)


def test_course_values_of_the_sequence_and_its_backward():
    np.random.seed(1)
    draw_ = np.random.randn
    x, a0 = draw_(3, 10, 4), draw_(5, 10)
    Waa, Wax, Wya, ba, by = draw_(5, 5), draw_(5, 3), draw_(2, 5), draw_(5, 1), draw_(2, 1)
    parameters = {"W_aa": Waa, "W_ax": Wax, "W_ya": Wya, "b_a": ba, "b_y": by}
    a, y_pred, _ = bptt.rnn_forward(x, a0, parameters)
    np.testing.assert_allclose(a[4][1], [-0.99999375, 0.77911235, -0.99861469, -0.99833267], atol=5e-9)
    np.testing.assert_allclose(y_pred[1][3], [0.79560373, 0.86224861, 0.11118257, 0.81515947], atol=5e-9)
    # the course's rnn_backward(da, caches) is our layer alone
    _, caches = bptt.rnn_layer_forward(x, a0, parameters)
    da = draw_(5, 10, 4)
    g = bptt.rnn_layer_backward(da, caches)
    assert {name: g[name].shape for name in g} == {
        "dX": (3, 10, 4), "da0": (5, 10), "dW_ax": (5, 3), "dW_aa": (5, 5), "db_a": (5, 1),
    }  # fmt: skip
    np.testing.assert_allclose(np.sum(da * a), np.sum(da * np.asarray(a)))
    point = {"W_aa": Waa, "W_ax": Wax, "b_a": ba, "a0": a0, "X": x}
    compared = bptt.check_gradients(
        lambda q: (da * bptt.rnn_layer_forward(q["X"], q["a0"], q)[0]).sum(), point, {n: g[f"d{n}"] for n in point}
    )
    assert compared.ok, str(compared)


@pytest.mark.parametrize("size", [1e2, 1e30, 1e300])
def test_any_logits_give_a_finite_cost_and_gradient(size):
    p = draw(SIZES[0], soft=False)
    weights = p["parameters"] | {"b_y": size * np.array([[1.0], [-1.0]])}
    cache = bptt.rnn_forward(p["X"], p["a0"], weights)[2]
    assert np.isfinite(bptt.rnn_cost(p["Y"], cache))
    gradients = bptt.rnn_backward(p["Y"], cache)
    assert all(np.isfinite(g).all() for g in gradients.values())
    assert np.abs(gradients["db_y"]).max() <= p["Y"].size


def test_float32_stays_float32():
    p = draw(SIZES[0], dtype=np.float32)
    A, Y_pred, cache = bptt.rnn_forward(p["X"], p["a0"], p["parameters"])
    assert A.dtype == Y_pred.dtype == np.float32
    assert {g.dtype for g in bptt.rnn_backward(p["Y"], cache).values()} == {np.dtype(np.float32)}


def test_nothing_given_is_written_to():
    p = draw(SIZES[0])
    before = {k: v.copy() for k, v in {**p["parameters"], "X": p["X"], "Y": p["Y"], "a0": p["a0"]}.items()}
    cache = bptt.rnn_forward(p["X"], p["a0"], p["parameters"])[2]
    first = bptt.rnn_backward(p["Y"], cache)
    second = bptt.rnn_backward(p["Y"], cache)
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])
    for k, v in {**p["parameters"], "X": p["X"], "Y": p["Y"], "a0": p["a0"]}.items():
        np.testing.assert_array_equal(v, before[k])


# ---- errors: the voice of the product


def test_two_operands_that_disagree_are_both_named():
    p = draw((3, 5, 2, 7, 6))
    with pytest.raises(DimensionError) as caught:
        bptt.rnn_forward(np.ones((4, 7, 6)), p["a0"], p["parameters"])
    assert str(caught.value) == (
        "rnn_forward: W_ax and X disagree on n_x.\n"
        "  W_ax  (n_a=5, n_x=3)\n"
        "  X     (n_x=4, m=7, T_x=6)\n"
        "  n_x is 3 by W_ax axis 1, but X axis 0 has 4.\n"
        "  X is expected as (n_x=3, m, T_x); no transpose of yours has that shape."
    )


def test_a_transpose_that_fits_is_offered():
    p = draw((3, 5, 2, 7, 6))
    with pytest.raises(DimensionError, match=r"X.T has that shape"):
        bptt.rnn_forward(p["X"].T, p["a0"], p["parameters"])


def corruptions():
    wrong = [np.ones(3), np.ones((9, 9)), np.ones((2, 2, 2)), np.ones((0, 3)), np.ones((1, 1, 1, 1)), np.float64(1.0)]
    return [*wrong, [1.0], None, "text", np.array(["a"]), np.array([{}]), np.array([True, False])]


@pytest.mark.parametrize("name", ["W_aa", "W_ax", "W_ya", "b_a", "b_y", "X", "a0", "Y"])
def test_every_wrong_operand_is_refused_by_name(name):
    for wrong in corruptions():
        if name == "a0" and wrong is None:
            continue  # None is zeros
        p = draw((3, 5, 2, 7, 6))
        parameters = {**p["parameters"], **({name: wrong} if name in p["parameters"] else {})}
        with pytest.raises(BpttError) as caught:
            X = wrong if name == "X" else p["X"]
            _, _, cache = bptt.rnn_forward(X, wrong if name == "a0" else p["a0"], parameters)
            Y = wrong if name == "Y" else p["Y"]
            bptt.rnn_cost(Y, cache)
        assert name in str(caught.value)
        assert "array([" not in str(caught.value)


@pytest.mark.parametrize("name", ["W_aa", "W_ax", "W_ya", "b_a", "b_y", "X", "a0", "Y"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_not_finite_is_named_with_its_place(name, value):
    p = draw((3, 5, 2, 7, 6))
    target = p["parameters"].get(name, p.get(name))
    place = tuple(n - 1 for n in target.shape)
    target[place] = value
    with pytest.raises(NotFiniteError) as caught:
        _, _, cache = bptt.rnn_forward(p["X"], p["a0"], p["parameters"])
        bptt.rnn_backward(p["Y"], cache)
    assert f"{name} holds {value} at {list(place)}" in str(caught.value)


def test_ids_out_of_range_targets_that_do_not_sum_to_one_and_near_names():
    p = draw((3, 5, 2, 7, 6))
    with pytest.raises(ValueRangeError, match=r"X holds the id 3 at .*n_x = 3 allows 0 to 2"):
        bptt.rnn_forward(np.full((7, 6), 3), p["a0"], p["parameters"])
    cache = bptt.rnn_forward(p["X"], p["a0"], p["parameters"])[2]
    with pytest.raises(ValueRangeError, match=r"Y\[:, \d, \d\] sums to"):
        bptt.rnn_backward(2 * p["Y"], cache)
    with pytest.raises(ValueRangeError, match="negative probability"):
        bptt.rnn_backward(np.stack([np.full((7, 6), 1.5), np.full((7, 6), -0.5)]), cache)
    with pytest.raises(ValueRangeError, match='"sum" or "mean" is wanted'):
        bptt.rnn_backward(p["Y"], cache, "average")
    with pytest.raises(ValueRangeError, match='"tanh" or "relu" is wanted'):
        bptt.rnn_forward(p["X"], p["a0"], p["parameters"], "sigmoid")
    course = {name.replace("_", ""): value for name, value in p["parameters"].items()}
    with pytest.raises(ValueRangeError, match="'Wax' is there: call it 'W_ax'"):
        bptt.rnn_forward(p["X"], p["a0"], course)
    with pytest.raises(ValueRangeError, match="parameters is a list"):
        bptt.rnn_forward(p["X"], p["a0"], [])


def test_an_overflow_names_its_step():
    p = draw((3, 5, 2, 7, 6))
    weights = p["parameters"] | {"W_aa": np.eye(5) * 1e200}
    with pytest.raises(NotFiniteError, match="A is not finite from step t = 1 on"):
        bptt.rnn_forward(np.abs(p["X"]) + 1, np.ones((5, 7)), weights, "relu")


def test_backward_refuses_a_gradient_of_another_shape():
    p = draw((3, 5, 2, 7, 6))
    _, cache = bptt.rnn_layer_forward(p["X"], p["a0"], p["parameters"])
    with pytest.raises(DimensionError, match="A and dA disagree on m"):
        bptt.rnn_layer_backward(np.ones((5, 6, 6)), cache)
    with pytest.raises(DtypeError, match="dA is a list"):
        bptt.rnn_layer_backward([1.0], cache)
