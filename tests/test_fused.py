"""The fast twin equals the reference, whatever the sizes, the layout and the way the work is cut."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bptt
from bptt import fused, timemajor
from bptt.errors import BpttError, DimensionError, DtypeError, NotFiniteError, ValueRangeError
from problems import SIZES, draw


def reference(p, reduction, activation, a0):
    A, _, cache = bptt.rnn_forward(p["X"], a0, p["parameters"], activation)
    return bptt.rnn_cost(p["Y"], cache, reduction), bptt.rnn_backward(p["Y"], cache, reduction), A[:, :, -1]


def assert_equal_to_the_reference(p, reduction="mean", activation="tanh", with_a0=True, rtol=1e-12):
    a0 = p["a0"] if with_a0 else None
    cost, gradients, last = fused.step_with_state(p["parameters"], p["X"], p["Y"], a0, reduction, activation)
    cost_, gradients_, last_ = reference(p, reduction, activation, a0)
    assert cost == pytest.approx(cost_, rel=rtol)
    assert set(gradients) == {f"d{name}" for name in p["parameters"]} | ({"da0"} if with_a0 else set())
    scale = max(np.abs(g).max() for g in gradients_.values())
    for name, gradient in gradients.items():
        assert gradient.shape == gradients_[name].shape
        assert gradient.dtype == p["parameters"]["W_aa"].dtype
        assert gradient.flags.c_contiguous or 1 in gradient.shape
        np.testing.assert_allclose(gradient, gradients_[name], rtol=0, atol=rtol * scale + 1e-15, err_msg=name)
    np.testing.assert_allclose(last, last_, rtol=0, atol=rtol)
    forward_cost, forward_last = fused.cost_and_state(p["parameters"], p["X"], p["Y"], a0, reduction, activation)
    assert forward_cost == pytest.approx(cost_, rel=rtol)
    np.testing.assert_allclose(forward_last, last_, rtol=0, atol=rtol)
    Y_pred = fused.predict_proba(p["parameters"], p["X"], a0, activation)
    expected = bptt.rnn_forward(p["X"], a0, p["parameters"], activation)[1]
    np.testing.assert_allclose(Y_pred, expected, rtol=0, atol=rtol)


@pytest.mark.parametrize("ways", [("sum", "tanh", True), ("mean", "relu", True), ("mean", "tanh", False)], ids=str)
@pytest.mark.parametrize("kinds", [(False, True), (False, False), (True, True), (True, False)], ids=str)
@pytest.mark.parametrize("cut", [(512, 512), (4, 1024), (4, 1)], ids=str)
def test_equal_to_the_reference(sizes, kinds, ways, cut, monkeypatch):
    monkeypatch.setattr(timemajor, "CHUNK_ROWS", cut[0])
    monkeypatch.setattr(timemajor, "WIDE", cut[1])
    ids, soft = kinds
    assert_equal_to_the_reference(draw(sizes, ids=ids, soft=soft), *ways)


@settings(max_examples=40, deadline=None)
@given(st.tuples(*[st.integers(1, 9)] * 4, st.integers(1, 40)), st.integers(0, 2**16), st.booleans(), st.booleans())
def test_equal_to_the_reference_at_sizes_nobody_chose(sizes, seed, ids, soft):
    before = timemajor.CHUNK_ROWS
    timemajor.CHUNK_ROWS = 24
    try:
        assert_equal_to_the_reference(draw(sizes, seed, ids=ids, soft=soft), rtol=1e-11)
    finally:
        timemajor.CHUNK_ROWS = before


def test_equal_to_the_complex_step(sizes):
    p = draw(sizes)
    gradients = fused.step(p["parameters"], p["X"], p["Y"], p["a0"])[1]

    def cost(q):
        return bptt.rnn_cost(p["Y"], bptt.rnn_forward(p["X"], q["a0"], q)[2], "mean")

    point = {**p["parameters"], "a0": p["a0"]}
    compared = bptt.check_gradients(cost, point, {name: gradients[f"d{name}"] for name in point})
    assert compared.ok, str(compared)


def test_float32_is_as_exact_as_float32_is():
    p = draw((7, 20, 9, 30, 400), dtype=np.float32, soft=False)
    exact = {name: value.astype(np.float64) for name, value in p["parameters"].items()}
    cost, gradients = fused.step(p["parameters"], p["X"], p["Y"])
    cost_, gradients_ = fused.step(exact, p["X"].astype(np.float64), p["Y"])
    assert cost == pytest.approx(cost_, rel=1e-5)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, gradients_[name], rtol=0, atol=2e-5 * np.abs(gradients_[name]).max())


@pytest.mark.parametrize("size", [1e2, 1e4, 1e30])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_any_logits(size, dtype):
    p = draw(SIZES[0], dtype=dtype, soft=False)
    p["parameters"]["b_y"] = (size * np.array([[1.0], [-1.0]])).astype(dtype)
    cost, gradients = fused.step(p["parameters"], p["X"], p["Y"], p["a0"], "sum")
    assert cost == pytest.approx(reference(p, "sum", "tanh", p["a0"])[0], rel=1e-5)
    assert all(np.isfinite(g).all() for g in gradients.values())


@pytest.mark.parametrize(
    "layout", [np.asfortranarray, np.ascontiguousarray, lambda a: np.repeat(a, 2, axis=-1)[..., ::2]]
)
def test_any_memory_layout(layout):
    p = draw((3, 5, 2, 7, 6), soft=False)
    other = {**p, "X": layout(p["X"]), "Y": layout(p["Y"]), "a0": layout(p["a0"])}
    other["parameters"] = {name: layout(value) for name, value in p["parameters"].items()}
    one = fused.step(p["parameters"], p["X"], p["Y"], p["a0"])
    two = fused.step(other["parameters"], other["X"], other["Y"], other["a0"])
    assert one[0] == pytest.approx(two[0], rel=1e-14)
    for name in one[1]:
        np.testing.assert_allclose(one[1][name], two[1][name], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("id_type", [np.int8, np.uint8, np.int16, np.int32, np.uint32, np.int64, np.uint64])
def test_any_type_of_ids(id_type):
    p = draw((6, 5, 4, 7, 6), ids=True, soft=False)
    one = fused.step(p["parameters"], p["X"], p["Y"])
    two = fused.step(p["parameters"], p["X"].astype(id_type), p["Y"].astype(id_type))
    assert one[0] == two[0]
    np.testing.assert_array_equal(one[1]["dW_ax"], two[1]["dW_ax"])


def test_more_ids_than_sixteen_bits():
    p = draw((70_000, 3, 2, 2, 3), ids=True)
    p["X"][0, 0] = 69_999
    gradients = fused.step(p["parameters"], p["X"], p["Y"])[1]
    assert np.abs(gradients["dW_ax"][:, 69_999]).max() > 0
    assert set(np.flatnonzero(np.abs(gradients["dW_ax"]).max(axis=0))) == set(p["X"].ravel())


def test_two_calls_are_bit_equal_and_nothing_given_is_written_to():
    p = draw(SIZES[0])
    given_ = {**p["parameters"], "X": p["X"], "Y": p["Y"], "a0": p["a0"]}
    before = {name: value.copy() for name, value in given_.items()}
    one, two = (fused.step(p["parameters"], p["X"], p["Y"], p["a0"]) for _ in range(2))
    assert one[0] == two[0]
    for name in one[1]:
        np.testing.assert_array_equal(one[1][name], two[1][name])
        assert not any(np.shares_memory(one[1][name], value) for value in given_.values())
    for name, value in given_.items():
        np.testing.assert_array_equal(value, before[name])


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_the_cell_generates_what_the_forward_pass_computes(activation):
    p = draw((6, 5, 4, 1, 8), ids=True)
    A, _, cache = bptt.rnn_forward(p["X"], p["a0"], p["parameters"], activation)
    advance, a = fused.cell(p["parameters"], activation), p["a0"][:, 0]
    for t in range(8):
        a, z_y = advance(int(p["X"][0, t]), a)
        np.testing.assert_allclose(a, A[:, 0, t], rtol=1e-13)
        np.testing.assert_allclose(z_y, cache.head.Z_y[:, 0, t], rtol=1e-12)


# ---- errors


def test_nothing_is_cast_silently():
    p = draw(SIZES[0])
    with pytest.raises(DtypeError, match="X is float32, but W_aa is float64"):
        fused.step(p["parameters"], p["X"].astype(np.float32), p["Y"])
    with pytest.raises(DtypeError, match="W_ya is float32, but W_aa is float64"):
        fused.step(p["parameters"] | {"W_ya": p["parameters"]["W_ya"].astype(np.float32)}, p["X"], p["Y"])
    for kind in (np.complex128, np.float16, ">f8", np.int64):
        wrong = {name: value.astype(kind) for name, value in p["parameters"].items()}
        with pytest.raises(DtypeError, match="float32 or float64 is wanted"):
            fused.step(wrong, p["X"], p["Y"])


@pytest.mark.parametrize("name", ["W_aa", "W_ax", "W_ya", "b_a", "b_y", "X", "a0", "Y"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_not_finite_is_named(name, value):
    p = draw((3, 5, 2, 7, 6))
    target = p["parameters"].get(name, p.get(name))
    target[tuple(n - 1 for n in target.shape)] = value
    with pytest.raises(NotFiniteError, match=f"{name} holds {value} at"):
        fused.step(p["parameters"], p["X"], p["Y"], p["a0"])


def test_an_overflow_on_the_way_is_named_with_its_step():
    p = draw((3, 5, 2, 7, 6))
    weights = p["parameters"] | {"W_aa": np.eye(5) * 1e200}
    with pytest.raises(NotFiniteError, match="A is not finite from step t = 1 on"):
        fused.step(weights, np.abs(p["X"]) + 1, p["Y"], np.ones((5, 7)), activation="relu")


def test_large_and_finite_is_no_error():
    p = draw((3, 5, 2, 7, 6))
    weights = p["parameters"] | {"W_ax": p["parameters"]["W_ax"] * 1e200}  # tanh saturates; squares overflow
    assert np.isfinite(fused.step(weights, p["X"], p["Y"])[0])


@pytest.mark.parametrize("name", ["W_aa", "W_ax", "W_ya", "b_a", "b_y", "X", "a0", "Y"])
def test_every_wrong_operand_is_refused_by_name(name):
    wrongs = [np.ones(3), np.ones((9, 9)), np.ones((2, 2, 2)), np.ones((0, 3)), np.float64(1.0), [1.0], "text", None]
    for wrong in wrongs:
        if name == "a0" and wrong is None:
            continue
        p = draw((3, 5, 2, 7, 6))
        arguments = {"parameters": p["parameters"], "X": p["X"], "Y": p["Y"], "a0": p["a0"]}
        if name in arguments:
            arguments[name] = wrong
        else:
            arguments["parameters"] = p["parameters"] | {name: wrong}
        with pytest.raises(BpttError) as caught:
            fused.step(**arguments)
        assert name in str(caught.value)


def test_ids_and_targets_out_of_range():
    p = draw((3, 5, 2, 7, 6), ids=True, soft=False)
    X = p["X"].copy()
    X[-1, -1] = -1
    with pytest.raises(ValueRangeError, match=r"X holds the id -1 at \[6, 5\]"):
        fused.step(p["parameters"], X, p["Y"])
    with pytest.raises(ValueRangeError, match="Y holds the id 2"):
        fused.step(p["parameters"], p["X"], np.full((7, 6), 2))
    with pytest.raises(DimensionError, match="X and Y disagree on T_x"):
        fused.step(p["parameters"], p["X"], p["Y"][:, :-1])
    with pytest.raises(ValueRangeError, match="sums to"):
        fused.step(p["parameters"], p["X"], np.ones((2, 7, 6)))
