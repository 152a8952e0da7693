"""Every number on the page is the number of the Python steps, and the evaluator is NumPy's equal."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import resources
from typing import Any

import numpy as np
import pytest

import bptt
from bptt.cli.explained import explanation
from bptt.explaining.page_data import page_data
from bptt.explaining.trace import Trace

SIZES = [(3, 4, 2, 5, 6), (1, 1, 2, 1, 1), (2, 7, 3, 1, 4), (5, 3, 6, 4, 2), (4, 9, 8, 7, 3)]

WALK = """
() => {
  const numbers = (key) => [...document.querySelectorAll(`td[data-key^="${key}:"]`)]
    .map((td) => Number(td.title.split(" = ")[1]));
  const words = (selector) => document.querySelector(selector).textContent;
  const seen = [];
  for (;;) {
    seen.push([words(".badge"), words(".when"), numbers("result"), numbers("before")]);
    const next = document.querySelector('[data-key="next"]');
    if (next.disabled) return seen;
    next.click();
  }
}
"""


def random_trace(sizes: tuple[int, ...], activation: Any = "tanh", reduction: Any = "sum", seed: int = 0) -> Trace:
    n_x, n_a, n_y, m, T_x = sizes
    rng = np.random.default_rng(seed)
    shapes = {"W_aa": (n_a, n_a), "W_ax": (n_a, n_x), "W_ya": (n_y, n_a), "b_a": (n_a, 1), "b_y": (n_y, 1)}
    parameters = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    X, Y, a0 = rng.normal(size=(n_x, m, T_x)), rng.random((n_y, m, T_x)), rng.normal(size=(n_a, m))
    return bptt.explain(X, Y / Y.sum(axis=0), parameters, a0, activation=activation, reduction=reduction)


def worst(got: Any, want: Any) -> float:
    got, want = np.asarray(got, float).ravel(), np.asarray(want, float).ravel()
    assert got.shape == want.shape
    return float(np.abs(got - want).max() / max(np.abs(want).max(), 1e-300))


@pytest.mark.parametrize(("activation", "reduction"), [("tanh", "sum"), ("relu", "mean")])
def test_walking_through_every_step_shows_the_numbers_of_the_python_steps(
    open_page: Callable[..., Any], activation: Any, reduction: Any
) -> None:
    trace = explanation(None, activation=activation, reduction=reduction)[0]
    steps = list(trace)
    seen = open_page(trace, "steps/t=0/step=F1/cell=0,0").page.evaluate(WALK)
    assert len(seen) == len(steps) == 6 * 16
    for step, (badge, when, result, before) in zip(steps, seen, strict=True):
        assert badge.split()[-1] == step.id
        assert when == f"t = {step.t}"
        assert worst(result, step.output.array) < 1e-12
        if step.before is not None:
            assert worst(before, step.before) < 1e-12


def test_the_default_example_has_the_gradients_of_the_reference(
    open_page: Callable[..., Any], default_trace: Trace
) -> None:
    given = default_trace.tensors
    parameters = {name: given[name] for name in ("W_aa", "W_ax", "W_ya", "b_a", "b_y")}
    _, _, cache = bptt.rnn_forward(given["X"], given["a0"], parameters)
    gradients = bptt.rnn_backward(given["Y"], cache)
    tab = open_page(default_trace)
    for name in parameters:
        tab.open(f"steps/t=0/step=B11/change={name},0,0")
        assert worst(tab.matrix("slope"), gradients[f"d{name}"]) < 1e-12


MODEL = """
const tensors = {};
for (const [name, value] of Object.entries(data.tensors)) tensors[name] = tensor(value.dims, data.sizes, value.data);
const model = { sizes: data.sizes, tensors, equations: data.equations, reduction: data.reduction };
const trace = run(model);
const plain = (values) => Object.fromEntries(Object.entries(values).map(([name, v]) => [name, [...v.data]]));
"""

ALL = """
const map = contributions(model, trace);
return {
  J: trace.J, da0: [...trace.da0.data], gradients: plain(trace.gradients), scope: trace.scope.map(plain),
  reach: map.reach.map((row) => row.map((cell) => [[...cell.da.data], [...cell.dW_aa.data]])),
  radius: spectralRadius(tensors.W_aa), stretch: largestStretch(tensors.W_aa),
};
"""


def modules(*names: str) -> str:
    """Return modules of the page as one script that runs the model of `data`."""
    folder = resources.files("bptt.render.page") / "js"
    text = "\n".join((folder / f"{name}.js").read_text("utf-8") for name in names)
    return re.sub(r"^export\s+", "", re.sub(r"^import\s[^;]*;\n", "", text, flags=re.M), flags=re.M) + MODEL


def evaluated(chromium: Any, script: str, trace: Trace) -> Any:
    tab = chromium.new_page()
    try:
        return tab.evaluate(f"(data) => {{ {script} }}", page_data(trace))
    finally:
        tab.close()


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize(("activation", "reduction"), [("tanh", "sum"), ("relu", "mean")])
def test_the_evaluator_is_numpy_at_random_sizes(
    chromium: Any, sizes: tuple[int, ...], activation: str, reduction: str
) -> None:
    trace = random_trace(sizes, activation, reduction, seed=sum(sizes))
    got = evaluated(chromium, modules("tensor", "evaluate", "network", "contributions") + ALL, trace)
    assert worst(got["J"], trace.cost) < 1e-12
    assert worst(got["da0"], trace.gradients["da0"]) < 1e-12
    for name, values in got["gradients"].items():
        assert worst(values, trace.gradients[name]) < 1e-12, name
    for step in trace:
        if step.output.name != "da_from_future" and not step.equation.accumulate:
            assert worst(got["scope"][step.t][step.output.name], step.output.array) < 1e-12, (step.id, step.t)
    W_aa = trace.tensors["W_aa"]
    assert got["radius"] == pytest.approx(np.abs(np.linalg.eigvals(W_aa)).max(), rel=1e-6)
    assert got["stretch"] == pytest.approx(np.linalg.norm(W_aa, 2), rel=1e-6)
    total = np.zeros(W_aa.size)
    for t, row in enumerate(got["reach"]):
        for k, (da, share) in enumerate(row):
            assert worst(da, trace.contributions.state(t, k)) < 1e-12
            assert worst(share, trace.contributions.weights(t, k)) < 1e-12
            total += share
    assert worst(total, trace.gradients["dW_aa"]) < 1e-12


def test_a_wrong_evaluator_would_be_seen(chromium: Any) -> None:
    trace = random_trace(SIZES[0])
    right = modules("tensor", "evaluate", "network")
    wrong = right.replace("tanh: Math.tanh", "tanh: (x) => Math.tanh(x) * (1 + 1e-9)")
    assert wrong != right
    assert worst(evaluated(chromium, right + "return trace.J;", trace), trace.cost) < 1e-12
    assert worst(evaluated(chromium, wrong + "return trace.J;", trace), trace.cost) > 1e-12
