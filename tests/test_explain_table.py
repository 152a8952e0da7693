"""The table of equations computes what the network computes, its gradients are right, and each row says why."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bptt
from bptt.explaining import code_lines, equations, trace
from bptt.explaining.examples import by_hand_example, default_example
from bptt.head import softmax_head_backward
from bptt.inputs import one_hot
from explain_cases import case, relative

ALL_ROWS = [
    row
    for activation in ("tanh", "relu")
    for reduction in ("sum", "mean")
    for row in (*equations.table(activation, reduction), *equations.detail(reduction))
]


def largest_difference(sizes, activation, reduction, seed) -> float:
    """Compare every tensor and gradient of the trace with those of the reference."""
    c = case(sizes, seed)
    explained = bptt.explain(c.X, c.Y, c.parameters, c.a0, activation=activation, reduction=reduction)
    A, Y_pred, cache = bptt.rnn_forward(c.X, c.a0, c.parameters, activation)
    truth = bptt.rnn_backward(c.Y, cache, reduction)
    assert set(truth) == set(explained.gradients)
    dA, _ = softmax_head_backward(c.Y, cache.head, reduction)
    T_x = sizes[-1]
    pairs = [(explained.gradients[name], truth[name]) for name in truth]
    pairs += [(np.asarray(explained.cost), np.asarray(bptt.rnn_cost(c.Y, cache, reduction)))]
    for t in range(T_x):
        at = {name: explained.value(name, t) for name in ("a_t", "y_pred_t", "da_from_output", "dx_t", "z_y")}
        wanted = (A[:, :, t], Y_pred[:, :, t], dA[:, :, t], truth["dX"][:, :, t], cache.head.Z_y[:, :, t])
        pairs += list(zip(at.values(), wanted, strict=True))
    return max(relative(mine, theirs) for mine, theirs in pairs)


@settings(max_examples=40)
@given(
    st.tuples(*[st.integers(1, 7)] * 5),
    st.sampled_from(["tanh", "relu"]),
    st.sampled_from(["sum", "mean"]),
    st.integers(0, 10**6),
)
def test_the_table_computes_what_the_reference_computes(sizes, activation, reduction, seed) -> None:
    assert largest_difference(sizes, activation, reduction, seed) <= 1e-13


@pytest.mark.parametrize(
    "sizes", [(1, 1, 1, 1, 1), (3, 5, 2, 1, 1), (3, 5, 2, 7, 1), (3, 5, 2, 1, 6), (3, 32, 2, 1, 60)]
)
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_the_sizes_where_an_axis_could_be_lost(sizes, activation) -> None:
    assert largest_difference(sizes, activation, "sum", 1) <= 1e-13


@pytest.mark.parametrize(
    ("id", "wrong"),
    [
        ("F1", lambda e: equations.W_ax @ equations.x_t + equations.W_aa @ equations.a_prev),
        ("B6", lambda e: equations.da * (1 - equations.a_t)),
        ("B7", lambda e: equations.dz_a @ equations.a_t.T),
        ("B9", lambda e: -e),
        ("B10", lambda e: equations.W_aa @ equations.dz_a),  # the transpose forgotten: every dimension still fits
    ],
)
def test_a_planted_wrong_row_is_found(monkeypatch, id, wrong) -> None:
    right = equations.table

    def planted(activation="tanh", reduction="sum"):
        rows = right(activation, reduction)
        return tuple(replace(row, expression=wrong(row.expression)) if row.id == id else row for row in rows)

    sizes = (3, 5, 2, 7, 4)
    assert largest_difference(sizes, "tanh", "sum", 1) <= 1e-13
    monkeypatch.setattr(trace, "table", planted)
    assert largest_difference(sizes, "tanh", "sum", 1) > 1e-2


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("sizes", [(3, 4, 2, 5, 6), (2, 3, 4, 1, 1)])
def test_the_explained_gradients_are_the_numeric_gradients(activation, reduction, sizes) -> None:
    c = case(sizes, 3)
    explained = bptt.explain(c.X, c.Y, c.parameters, c.a0, activation=activation, reduction=reduction)

    def cost(p):
        _, _, cache = bptt.rnn_forward(p["X"], p["a0"], p, activation)
        return bptt.rnn_cost(c.Y, cache, reduction)

    at = {**c.parameters, "a0": c.a0, "X": c.X}
    gradients = {name[1:]: gradient for name, gradient in explained.gradients.items()}
    comparison = bptt.check_gradients(cost, at, gradients)
    assert comparison.method == "complex"
    assert comparison.ok, str(comparison)
    assert len(comparison.rows) == 7


def test_the_detail_of_b1_ends_where_b1_begins() -> None:
    for reduction in ("sum", "mean"):
        c = case((3, 4, 6, 5, 3), 5)
        explained = bptt.explain(c.X, c.Y, c.parameters, c.a0, reduction=reduction)
        for t in range(3):
            dz_y = explained.step("B1", t).output.array
            for j in range(5):
                by_id = {step.id: step.output.array for step in explained.detail(t, j)}
                assert relative(by_id["B1.3"], dz_y[:, j : j + 1]) < 1e-13
                assert relative(by_id["B1.4"], dz_y) < 1e-13
                assert relative(by_id["B1.5"], dz_y) < 1e-13


def test_the_jacobian_of_softmax_is_its_numeric_derivative() -> None:
    c = case((3, 4, 6, 5, 3), 5)
    explained = bptt.explain(c.X, c.Y, c.parameters, c.a0)
    jacobian = next(step for step in explained.detail(1, 2) if step.id == "B1.2").output.array
    z = explained.value("z_y", 1)[:, 2].astype(complex)
    for k in range(6):
        nudged = z.copy()
        nudged[k] += 1e-30j
        column = np.imag(np.exp(nudged) / np.exp(nudged).sum()) / 1e-30
        np.testing.assert_allclose(jacobian[:, k], column, rtol=1e-13, atol=1e-16)


def test_every_row_says_why_in_twenty_words_at_most() -> None:
    for row in ALL_ROWS:
        words = re.findall(r"[\w'²ᵀ]+", row.why)
        assert 8 <= len(words) <= 20, (row.id, len(words))
        assert row.why.endswith(".")
        assert 2 <= len(row.title.split()) <= 8


def test_the_ids_are_those_of_the_notation_in_the_order_of_execution() -> None:
    for activation in ("tanh", "relu"):
        ids = [row.id for row in equations.table(activation)]
        assert ids == list(code_lines.IDS) == [f"F{i}" for i in range(1, 6)] + [f"B{i}" for i in range(1, 12)]


def test_every_equation_stands_in_the_source_at_the_line_it_names() -> None:
    from importlib import resources

    for row in equations.table():
        assert row.code is not None
        line = (
            resources.files("bptt").joinpath(row.code.file).read_text(encoding="utf-8").splitlines()[row.code.line - 1]
        )
        assert line.strip() == f"{row.code.text}  # {row.id}"


def test_a_source_that_lost_its_mark_is_noticed(monkeypatch, tmp_path) -> None:
    for file in ("head.py", "cell.py", "rnn.py"):
        text = code_lines.resources.files("bptt").joinpath(file).read_text(encoding="utf-8")
        (tmp_path / file).write_text(text.replace("# B6", "# see the table"), encoding="utf-8")
    monkeypatch.setattr(code_lines.resources, "files", lambda package: tmp_path)
    with pytest.raises(bptt.BpttError, match=r"marked B6\."):
        code_lines.code_lines.__wrapped__()


def test_the_json_of_a_row_is_plain_and_every_node_carries_its_dimensions() -> None:
    def nodes(node):
        yield node
        for arg in node.get("args", []):
            yield from nodes(arg)

    for row in ALL_ROWS:
        data = json.loads(json.dumps(row.to_json(), allow_nan=False))
        assert data["dims"] == list(row.dims)
        assert all("dims" in node and "op" in node for node in nodes(data["expression"]))


def test_the_embedded_examples_are_small_different_and_never_zero() -> None:
    for example, digits in ((default_example(), 2), (by_hand_example(), 1)):
        for array in (example.X, example.a0, *example.parameters.values()):
            np.testing.assert_array_equal(array, np.round(array, digits))
            assert (array != 0).all()
    sizes = bptt.explain(*[getattr(default_example(), n) for n in ("X", "Y", "parameters", "a0")]).sizes
    assert sizes == {"n_a": 4, "n_x": 3, "n_y": 2, "m": 5, "T_x": 6}
    sizes = bptt.explain(*[getattr(by_hand_example(), n) for n in ("X", "Y", "parameters", "a0")]).sizes
    assert sizes == {"n_a": 2, "n_x": 1, "n_y": 3, "m": 1, "T_x": 4}


def test_ids_are_taken_for_one_hot_columns() -> None:
    c = case((4, 3, 4, 2, 5), 2)
    ids = np.array([[0, 1, 2, 3, 0], [3, 2, 1, 0, 1]])
    dense = bptt.explain(one_hot(ids, 4), one_hot(ids, 4), c.parameters)
    assert bptt.explain(ids, ids, c.parameters).cost == dense.cost
