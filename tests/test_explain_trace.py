"""Steps as plain data, one number written out, and what each loss contributes through each step."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bptt
from bptt.errors import DimensionError, DtypeError, NotFiniteError, ValueRangeError
from explain_cases import case, relative, traced

SIZES = (3, 4, 2, 5, 6)
IDS = [f"F{i}" for i in range(1, 6)] + [f"B{i}" for i in range(1, 12)]


def test_steps_come_in_the_order_of_execution() -> None:
    trace = traced(SIZES)
    steps = list(trace)
    assert len(steps) == len(trace) == 16 * 6
    assert [(s.id, s.t) for s in steps[:30]] == [(id, t) for t in range(6) for id in IDS[:5]]
    assert [(s.id, s.t) for s in steps[30:]] == [(id, t) for t in reversed(range(6)) for id in IDS[5:]]


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_a_step_found_by_its_id_is_the_step_of_the_iteration(activation) -> None:
    trace = traced(SIZES, activation=activation)
    for step in trace:
        found = trace[step.id, step.t]
        assert found.equation is step.equation
        np.testing.assert_array_equal(found.output.array, step.output.array)
        for mine, other in zip(found.inputs, step.inputs, strict=True):
            assert (mine.name, mine.dims) == (other.name, other.dims)
            np.testing.assert_array_equal(mine.array, other.array)


def test_a_step_is_what_its_inputs_make() -> None:
    for step in traced(SIZES):
        value = step.equation.expression.evaluate(step.values)
        expected = value if step.before is None else step.before + value
        np.testing.assert_array_equal(step.output.array, expected)
        assert step.output.array.shape == tuple(traced(SIZES).sizes.get(d, d) for d in step.output.dims)


def test_the_output_of_one_step_is_the_input_of_the_next() -> None:
    trace = traced(SIZES)
    for t in range(5):
        np.testing.assert_array_equal(trace["F1", t + 1].values["a_prev"], trace["F2", t].output.array)
        np.testing.assert_array_equal(trace["B5", t].values["da_from_future"], trace["B10", t + 1].output.array)
        np.testing.assert_array_equal(trace["B7", t].before, trace["B7", t + 1].output.array)
    assert not trace["B5", 5].values["da_from_future"].any()
    np.testing.assert_array_equal(trace["B10", 0].output.array, trace.gradients["da0"])
    for id in ("B2", "B3", "B7", "B8", "B9"):
        np.testing.assert_array_equal(trace[id, 0].output.array, trace.gradients[trace[id, 0].output.name])


def test_indexing() -> None:
    trace = traced(SIZES)
    assert [step.t for step in trace["B5"]] == list(range(6))
    assert trace["B5", -1].t == 5
    assert trace["B1.2", 3].output.array.shape == (2, 2)
    with pytest.raises(ValueRangeError, match=r"there is no step t = 6; t runs from 0 to 5"):
        trace["B5", 6]
    with pytest.raises(ValueRangeError, match="there is no equation 'B12'"):
        trace["B12", 0]


def test_the_terms_of_a_step_add_up_to_its_output() -> None:
    trace = traced(SIZES)
    names = {}
    for step in trace:
        if step.terms:
            names[step.id] = [term.name for term in step.terms]
            total = sum(term.array for term in step.terms)
            np.testing.assert_allclose(np.broadcast_to(total, step.output.array.shape), step.output.array, rtol=1e-13)
    assert names["B5"] == ["da_from_output", "da_from_future"]
    assert names["F1"] == ["W_ax x_t", "W_aa a_prev", "b_a"]
    assert names["B7"] == ["so far", "dz_a a_prevᵀ"]


# ----------------------------------------------------------------------------------------- one number written out


@pytest.mark.parametrize("options", [{}, {"activation": "relu"}, {"reduction": "mean"}])
def test_the_terms_of_every_cell_add_up_to_it(options) -> None:
    trace = traced((3, 4, 2, 5, 3), **options)
    steps = [*trace, *trace.detail(1), *trace.detail(2)]
    for step in steps:
        for index in np.ndindex(step.output.array.shape):
            cell = step.cell(*index)
            assert cell.value == step.output.array[index]
            assert cell.running[-1] == pytest.approx(cell.value, rel=1e-12, abs=1e-14)


def test_the_terms_of_a_product_are_the_numbers_that_were_multiplied() -> None:
    trace = traced(SIZES)
    step = trace["B4", 2]
    W_ya, dz_y = step.values["W_ya"], step.values["dz_y"]
    cell = step.cell(3, 1)
    assert [term.symbols for term in cell.terms] == ["W_ya[0, 3] · dz_y[0, 1]", "W_ya[1, 3] · dz_y[1, 1]"]
    assert [term.value for term in cell.terms] == [W_ya[k, 3] * dz_y[k, 1] for k in range(2)]


def test_the_numbers_in_the_text_are_those_of_the_arrays() -> None:
    trace = traced(SIZES)
    for id in ("F1", "F3", "B2", "B4", "B6", "B8", "B10", "B11"):
        step = trace[id, 2]
        for term in step.cell(1, 1).terms:
            for name, place in re.findall(r"(\w+)\[([\d, ]+)\]", term.symbols):
                value = step.values[name][tuple(int(i) for i in place.split(","))]
                assert f"{value:.4g}" in term.numbers.replace("(", "").replace(")", "")


@pytest.mark.parametrize(
    ("id", "index", "symbols"),
    [
        ("F2", (0, 1), ["tanh(z_a[0, 1])"]),
        ("F4", (1, 0), ["exp(z_y[1, 0]) / (exp(z_y[0, 0]) + exp(z_y[1, 0]))"]),
        ("F5", (2,), ["-y_t[0, 2] log y_pred_t[0, 2]", "-y_t[1, 2] log y_pred_t[1, 2]"]),
        ("B1", (0, 1), ["y_pred_t[0, 1]", "-y_t[0, 1]"]),
        ("B5", (0, 1), ["da_from_output[0, 1]", "da_from_future[0, 1]"]),
        ("B6", (0, 1), ["da[0, 1] · (1 - a_t[0, 1]²)"]),
        ("B9", (3, 0), ["so far", *[f"dz_a[3, {j}]" for j in range(5)]]),
        ("B1.2", (0, 1), ["0", "-s[0, 0] · s[1, 0]"]),
    ],
)
def test_how_a_cell_is_written(id, index, symbols) -> None:
    assert [term.symbols for term in traced(SIZES)[id, 2].cell(*index).terms] == symbols


def test_a_softmax_over_many_classes_is_not_a_flood() -> None:
    term = traced((3, 4, 65, 1, 2))["F4", 0].cell(7, 0).terms[0]
    assert term.symbols == "exp(z_y[7, 0]) / Σ_k exp(z_y[k, 0])"


@pytest.mark.parametrize("index", [(4, 0), (0,), (0, 5), (-5, 0), (0, 0, 0)])
def test_a_cell_that_is_not_there_is_refused(index) -> None:
    with pytest.raises(ValueRangeError, match=r"da \(B5\) has no cell"):
        traced(SIZES)["B5", 2].cell(*index)


# ------------------------------------------------------------------------------------------------- through time


@settings(max_examples=15)
@given(st.tuples(*[st.integers(1, 5)] * 5), st.sampled_from(["tanh", "relu"]), st.sampled_from(["sum", "mean"]))
def test_contributions_add_up_to_the_totals(sizes, activation, reduction) -> None:
    trace = traced(sizes, 4, activation=activation, reduction=reduction)
    parts, T_x = trace.contributions, sizes[-1]
    for k in range(T_x):
        assert relative(sum(parts.state(t, k) for t in range(k, T_x)), trace["B5", k].output.array) < 1e-13
        assert relative(sum(parts.weights(t, k) for t in range(k, T_x)), trace["B7", k].added) < 1e-13
    every = sum(parts.weights(t, k) for t in range(T_x) for k in range(t + 1))
    assert relative(every, trace.gradients["dW_aa"]) < 1e-13
    assert relative(parts.total(), every) < 1e-13
    if np.abs(trace.gradients["dW_aa"]).max() > 1e-9:
        assert parts.shares().sum() == pytest.approx(1, abs=1e-12)
    for i, j in ((0, 0), (sizes[1] - 1, 0)):
        assert parts.cell(i, j).sum() == pytest.approx(trace.gradients["dW_aa"][i, j], rel=1e-11, abs=1e-14)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_each_contribution_is_the_derivative_of_one_loss_by_one_use_of_the_weights(activation) -> None:
    """Untie W_aa: a copy for every step.  What the loss of step t says about copy k is the contribution (t, k)."""
    c = case((3, 4, 2, 5, 4), 6)
    parts = bptt.explain(c.X, c.Y, c.parameters, c.a0, activation=activation).contributions
    copies = {f"W_aa at {k}": c.parameters["W_aa"] for k in range(4)}
    for t in range(4):

        def loss(p, t=t):
            a_t = c.a0
            for k in range(t + 1):
                untied = {**c.parameters, "W_aa": p[f"W_aa at {k}"]}
                a_t, y_pred, _ = bptt.rnn_cell_forward(c.X[:, :, k], a_t, untied, activation)
            return -(c.Y[:, :, t] * np.log(y_pred)).sum()

        claimed = {f"W_aa at {k}": parts.weights(t, k) for k in range(t + 1)}
        comparison = bptt.check_gradients(loss, copies, claimed)
        assert comparison.method == "complex"
        assert comparison.ok, str(comparison)
        wrong = {f"W_aa at {k}": parts.weights(t, k).T for k in range(t + 1)}
        assert not bptt.check_gradients(loss, copies, wrong).ok


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_the_product_of_jacobians_carries_one_step_s_gradient_to_another(activation) -> None:
    trace = traced(SIZES, 2, activation=activation)
    parts = trace.contributions
    for j in range(5):
        for k in range(6):
            carried = parts.jacobian(5, k, j).T @ trace.value("da_from_output", 5)[:, j]
            np.testing.assert_allclose(carried, parts.state(5, k)[:, j], rtol=1e-12, atol=1e-15)
    norms = parts.jacobian_norms(5, 3)
    assert list(norms) == list(range(6))
    assert parts.jacobian_norms(5, 3, [0, 4]) == {k: norms[k] for k in (0, 4)}
    assert norms[5] == 1
    assert norms[2] == pytest.approx(np.linalg.svd(parts.jacobian(5, 2, 3))[1][0])
    # no state's gradient grows more than the product's norm allows
    for k in range(6):
        reached = np.linalg.norm(parts.state(5, k)[:, 3])
        assert reached <= norms[k] * np.linalg.norm(parts.state(5, 5)[:, 3]) * (1 + 1e-12)


def test_norms_and_shares_are_empty_where_a_loss_cannot_reach() -> None:
    parts = traced(SIZES).contributions
    assert not np.triu(parts.norms(), 1).any()
    assert not np.triu(parts.shares(), 1).any()
    with pytest.raises(ValueRangeError, match="its own and on earlier steps only"):
        parts.state(1, 2)


def test_shares_of_a_gradient_that_is_zero_are_zero() -> None:
    c = case((3, 4, 2, 5, 3), 1)
    silent = {**c.parameters, "W_ya": np.zeros((2, 4))}
    assert not bptt.explain(c.X, c.Y, silent, c.a0).contributions.shares().any()


# --------------------------------------------------------------------------------------------------- wrong input


def broken(**changes):
    c = case((3, 4, 2, 5, 6), 1)
    parameters = {**c.parameters, **{k: v for k, v in changes.items() if k in c.parameters}}
    return (changes.get("X", c.X), changes.get("Y", c.Y), parameters, changes.get("a0", c.a0))


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"W_ax": np.ones((4, 7))}, DimensionError, "explain: W_ax and X disagree on n_x"),
        ({"a0": np.ones((5, 4))}, DimensionError, "a0.T has that shape"),
        ({"Y": np.ones((2, 5, 6))}, ValueRangeError, "sums to 2, not to 1"),
        ({"X": np.full((3, 5, 6), np.nan)}, NotFiniteError, "explain: X holds nan"),
        ({"X": [1, 2]}, DtypeError, "X is a list"),
        ({"a0": np.ones((4, 5), complex)}, ValueRangeError, "a0 is complex"),
        ({"W_aa": np.full((4, 4), "x")}, DtypeError, "W_aa has dtype"),
        ({"W_ya": np.full((2, 4), 1e308)}, NotFiniteError, "z_y is not finite from step t = 0 on (F3: z_y = W_ya a_t"),
    ],
)  # fmt: skip
def test_wrong_arrays_are_refused_by_name(changes, error, words) -> None:
    with pytest.raises(error) as caught:
        bptt.explain(*broken(**changes))
    assert words in str(caught.value)


def test_a_wrong_option_is_refused() -> None:
    c = case((3, 4, 2, 5, 6), 1)
    with pytest.raises(ValueRangeError, match="sigmoid"):
        bptt.explain(c.X, c.Y, c.parameters, activation="sigmoid")
    with pytest.raises(ValueRangeError, match="median"):
        bptt.explain(c.X, c.Y, c.parameters, reduction="median")
    with pytest.raises(ValueRangeError, match="lacks W_aa"):
        bptt.explain(c.X, c.Y, {k: v for k, v in c.parameters.items() if k != "W_aa"})


def test_a_probability_that_underflows_is_named_and_b1_still_stands() -> None:
    c = case((3, 4, 2, 5, 2), 1)
    sure = {**c.parameters, "b_y": np.array([[0.0], [800.0]])}
    Y = np.zeros((2, 5, 2))
    Y[1] = 1
    trace = bptt.explain(c.X, Y, sure, c.a0)
    assert np.isfinite(trace["B1", 0].output.array).all()
    with pytest.raises(NotFiniteError, match=r"y_pred_t is 0 at t = 0"):
        trace["B1.1", 0]
    Y = np.zeros((2, 5, 2))
    Y[0] = 1
    with pytest.raises(NotFiniteError, match="L_t is not finite"):
        bptt.explain(c.X, Y, sure, c.a0)


def test_the_arrays_given_are_neither_changed_nor_kept() -> None:
    c = case((3, 4, 2, 5, 3), 1)
    before = c.X.copy(), c.parameters["W_aa"].copy()
    trace = bptt.explain(c.X, c.Y, c.parameters, c.a0)
    cost = trace["F1", 0].output.array.copy()
    np.testing.assert_array_equal(c.X, before[0])
    c.X[:] = 0
    c.parameters["W_aa"][:] = 0
    np.testing.assert_array_equal(trace["F1", 0].output.array, cost)
