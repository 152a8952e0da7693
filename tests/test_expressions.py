"""Typed expressions: what fits, what is refused, and that all notations say what is evaluated."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bptt.errors import DimensionError, ValueRangeError
from bptt.explaining.equations import detail, table
from bptt.expressions import Expression, diag, relu, softmax, square, step, symbol, tanh, total, xlogy
from bptt.notation import html, latex, numpy_code, shape_line, unicode_text

W_ya, dz_y, a_t = symbol("W_ya", "n_y", "n_a"), symbol("dz_y", "n_y", "m"), symbol("a_t", "n_a", "m")
b_y, s = symbol("b_y", "n_y", 1), symbol("s", "n_y", 1)
ROWS = {
    (row.id, activation, reduction): row
    for activation in ("tanh", "relu")
    for reduction in ("sum", "mean")
    for row in (*table(activation, reduction), *detail(reduction))
}


def random_values(node: Expression, sizes: dict[str, int], seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        leaf.name: rng.uniform(0.2, 2, [sizes.get(dim, dim) for dim in leaf.dims]) * rng.choice([1.0, 1.0, -1.0])
        for leaf in node.symbols()
    }


def test_the_question_s_own_product_is_refused_with_names_and_the_transpose_that_fits() -> None:
    with pytest.raises(DimensionError) as caught:
        W_ya @ dz_y
    assert str(caught.value) == (
        "matmul: the inner dimensions differ: W_ya has n_a where dz_y has n_y.\n"
        "  W_ya  (n_y, n_a)\n"
        "  dz_y  (n_y, m)\n"
        "  A product (p, q) · (q, r) sums over q, which both must share.\n"
        "  W_ya.T @ dz_y fits: (n_a, n_y) · (n_y, m) → (n_a, m)."
    )


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: dz_y * a_t, "dz_y has n_y where a_t has n_a"),
        (lambda: dz_y + a_t, "dz_y has n_y where a_t has n_a"),
        (lambda: dz_y - W_ya, "dz_y has m where W_ya has n_a"),
        (lambda: xlogy(dz_y, a_t), "n_y where a_t has n_a"),
        (lambda: dz_y @ dz_y, "dz_y.T @ dz_y fits: (m, n_y) · (n_y, m) → (m, m)."),
        (lambda: total(dz_y, "n_a"), "dz_y has no dimension n_a"),
        (lambda: softmax(dz_y, "T_x"), "dz_y has no dimension T_x"),
        (lambda: total(dz_y, "m") @ dz_y, "both operands must be matrices"),
        (lambda: total(dz_y, "m") + dz_y, "different numbers of axes"),
        (lambda: total(dz_y, "m").T, "a matrix of two axes is wanted"),
        (lambda: diag(dz_y), "one column (p, 1) is wanted"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(build, words: str) -> None:
    with pytest.raises(DimensionError) as caught:
        build()
    assert words in str(caught.value)


def test_dimensions_follow_by_name() -> None:
    assert (W_ya.T @ dz_y).dims == ("n_a", "m")
    assert (W_ya @ a_t + b_y).dims == ("n_y", "m")
    assert total(dz_y, "m", keepdims=True).dims == ("n_y", 1)
    assert total(dz_y, "n_y").dims == ("m",)
    assert (s @ s.T).dims == ("n_y", "n_y")
    assert (2 * dz_y).dims == (1 - dz_y).dims == ("n_y", "m")


@pytest.mark.parametrize(
    ("node", "text", "code", "tex", "shapes"),
    [
        (W_ya.T @ dz_y, "W_yaᵀ dz_y", "W_ya.T @ dz_y", r"W_{ya}^{\top}\,\mathit{dz}_{y}",
         "(n_a, n_y)·(n_y, m) → (n_a, m)"),
        (a_t * (1 - square(a_t)), "a_t ⊙ (1 - a_t²)", "a_t * (1 - a_t ** 2)", r"a_{t} \odot \left(1 - a_{t}^{2}\right)",
         "(n_a, m) ⊙ (n_a, m) → (n_a, m)"),
        (-total(dz_y, "n_y"), "-Σ_{n_y} dz_y", "-dz_y.sum(axis=0)", r"-\sum_{n_y} \mathit{dz}_{y}",
         "Σ_{n_y} (n_y, m) → (m)"),
        (dz_y - (dz_y - dz_y), "dz_y - (dz_y - dz_y)", "dz_y - (dz_y - dz_y)",
         r"\mathit{dz}_{y} - \left(\mathit{dz}_{y} - \mathit{dz}_{y}\right)", "(n_y, m) - (n_y, m) → (n_y, m)"),
        (tanh(W_ya @ a_t + b_y), "tanh(W_ya a_t + b_y)", "np.tanh(W_ya @ a_t + b_y)",
         r"\tanh\left(W_{ya}\,a_{t} + b_{y}\right)", "tanh (n_y, m) → (n_y, m)"),
        ((W_ya @ a_t).T, "(W_ya a_t)ᵀ", "(W_ya @ a_t).T", r"\left(W_{ya}\,a_{t}\right)^{\top}", "(m, n_y) → (m, n_y)"),
        (total(dz_y * dz_y, "m"), "Σ_m dz_y ⊙ dz_y", "(dz_y * dz_y).sum(axis=1)",
         r"\sum_{m} \mathit{dz}_{y} \odot \mathit{dz}_{y}", "Σ_m (n_y, m) → (n_y)"),
    ],
)  # fmt: skip
def test_the_notations(node: Expression, text: str, code: str, tex: str, shapes: str) -> None:
    assert (unicode_text(node), numpy_code(node), latex(node), shape_line(node)) == (text, code, tex, shapes)


def test_html_makes_every_symbol_a_node_of_its_tensor() -> None:
    for row in ROWS.values():
        text = html(row.expression)
        for leaf in row.expression.symbols():
            assert f'<var class="symbol" data-tensor="{leaf.name}">' in text
    assert (
        html(symbol('<b>&"', "m"))
        == '<var class="symbol" data-tensor="&lt;b&gt;&amp;&quot;">&lt;b&gt;&amp;&quot;</var>'
    )


def test_shapes_with_sizes() -> None:
    line = shape_line(W_ya.T @ dz_y, {"n_a": 4, "n_y": 2, "m": 5})
    assert line == "(n_a=4, n_y=2)·(n_y=2, m=5) → (n_a=4, m=5)"


@given(st.sampled_from(sorted(ROWS)), st.integers(1, 5), st.integers(1, 5), st.integers(1, 5), st.integers(1, 5))
def test_the_numpy_code_computes_what_the_expression_computes(key, n_x: int, n_a: int, n_y: int, m: int) -> None:
    row = ROWS[key]
    values = random_values(row.expression, {"n_x": n_x, "n_a": n_a, "n_y": n_y, "m": m})
    if row.id == "F5":
        values = {name: np.abs(value) for name, value in values.items()}

    def plain_softmax(z: np.ndarray) -> np.ndarray:
        return np.exp(z) / np.exp(z).sum(axis=0, keepdims=True)

    by_code = eval(numpy_code(row.expression), {"np": np, "softmax": plain_softmax, **values})
    np.testing.assert_allclose(row.expression.evaluate(values), by_code, rtol=1e-13, atol=1e-15)


def test_relu_and_its_slope_at_the_kink() -> None:
    z = np.array([[-1.0, 0.0, 2.0]])
    x = symbol("x", "n_a", "m")
    assert relu(x).evaluate({"x": z}).tolist() == [[0, 0, 2]]
    assert step(x).evaluate({"x": z}).tolist() == [[0, 0, 1]]


def test_zero_times_the_logarithm_of_zero_is_zero() -> None:
    y, p = symbol("y", "n_y", "m"), symbol("p", "n_y", "m")
    assert xlogy(y, p).evaluate({"y": np.array([[0.0, 1.0]]), "p": np.array([[0.0, 1.0]])}).tolist() == [[0, 0]]


def test_softmax_does_not_overflow() -> None:
    z = symbol("z", "n_y", "m")
    assert softmax(z, "n_y").evaluate({"z": np.array([[1000.0], [0.0]])}).tolist() == [[1], [0]]


def test_evaluating_says_which_value_is_missing_or_of_another_shape() -> None:
    with pytest.raises(ValueRangeError, match="dz_y has no value"):
        (W_ya.T @ dz_y).evaluate({"W_ya": np.ones((2, 4))})
    with pytest.raises(DimensionError, match="does not have its axes"):
        dz_y.evaluate({"dz_y": np.ones(3)})
    with pytest.raises(DimensionError, match="does not have its axes"):
        b_y.evaluate({"b_y": np.ones((3, 2))})
