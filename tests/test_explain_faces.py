"""Terminal, JSON, notebook and the page's data draw the same steps: the same ids and the same numbers.

The texts in tests/snapshots were read by a person.  After a wanted change, write them anew with
``BPTT_SNAPSHOTS=write pytest tests/test_explain_faces.py`` and read the difference before it is committed.
"""

from __future__ import annotations

import html
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

import bptt
from bptt.explaining.code_lines import CodeLine
from bptt.explaining.examples import by_hand_example, default_example
from bptt.explaining.page_data import page_data
from bptt.explaining.trace import Trace
from bptt.render.explain_json import explanation_json
from bptt.render.explain_text import block, cell_text
from bptt.render.matrix_text import matrix_cells, matrix_lines, number_text
from bptt.render.notebook import step_html
from bptt.render.overview_text import overview, through_time
from explain_cases import case, relative, traced

SNAPSHOTS = Path(__file__).parent / "snapshots"


def embedded(name: str = "default", **options: str) -> Trace:
    e = default_example() if name == "default" else by_hand_example()
    return bptt.explain(e.X, e.Y, e.parameters, e.a0, **options)


def blocks(trace: Trace, pairs, width: int = 80) -> str:
    return "\n\n".join(block(trace.step(id, t), width) for id, t in pairs)


def cells(trace: Trace, *wanted) -> str:
    return "\n\n".join(cell_text(trace.step(id, t), trace.step(id, t).cell(*index)) for id, t, index in wanted)


def detail(trace: Trace, t: int) -> str:
    return "\n\n".join(block(step) for step in trace.detail(t))


TEXTS = {
    "overview": lambda: overview(embedded(), "the embedded example"),
    "overview-mean-relu": lambda: overview(embedded(activation="relu", reduction="mean"), "the embedded example"),
    "through-time": lambda: through_time(embedded()),
    "through-time-one-step": lambda: through_time(traced((1, 1, 1, 1, 1))),
    "step-4": lambda: blocks(embedded(), [(row.id, 4) for row in embedded().equations]),
    "first-and-last-step": lambda: blocks(embedded(), [("F1", 0), ("B5", 5), ("B7", 5), ("B7", 0), ("B10", 0)]),
    "by-hand": lambda: blocks(embedded("by hand"), [(row.id, 2) for row in embedded().equations]),
    "by-hand-detail": lambda: detail(embedded("by hand"), 2),
    "mean": lambda: blocks(embedded(reduction="mean"), [("B1", 4)]) + "\n\n" + detail(embedded(reduction="mean"), 4),
    "narrow": lambda: blocks(embedded(), [("B4", 4), ("B6", 4)], width=50),
    "large": lambda: blocks(traced((65, 128, 65, 1, 6)), [("F1", 3), ("F4", 3), ("B7", 3)]),
    "cells": lambda: cells(
        embedded(), ("F1", 1, (0, 1)), ("F4", 1, (0, 1)), ("F5", 1, (0,)), ("B4", 4, (0, 1)), ("B5", 4, (0, 1)),
        ("B6", 4, (0, 1)), ("B7", 0, (0, 1)), ("B9", 4, (2, 0)), ("B10", 4, (1, 3)), ("B1.2", 1, (0, 1)),
    ),
    "large-cell": lambda: cells(traced((65, 128, 65, 1, 6)), ("F1", 3, (7, 0)), ("F4", 3, (7, 0))),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_the_texts_are_as_they_were_read(name: str) -> None:
    text = TEXTS[name]() + "\n"
    text = re.sub(r"(rnn|head|cell)\.py line \d+", r"\1.py line N", text)  # a line may move; another test holds it
    text = re.sub(r"largest difference \S+\.", "largest difference ROUNDING.", text)
    file = SNAPSHOTS / f"explain-{name}.txt"
    if os.environ.get("BPTT_SNAPSHOTS") == "write":
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [50, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    for trace in (embedded("by hand"), traced((33, 65, 33, 3, 2)), traced((3, 4, 2, 5, 2))):
        for step in (*trace, *trace.detail(1)):
            lines = block(step, width).splitlines()
            assert max(len(line) for line in lines) <= width, (step.id, step.t)
            assert len(lines) <= 80


def test_the_first_page_and_the_maps_fit_80_columns_at_any_size() -> None:
    for trace in (embedded(), embedded("by hand"), traced((5, 17, 5, 3, 40))):
        assert max(len(line) for line in f"{overview(trace, 'x')}\n{through_time(trace)}".splitlines()) <= 80
        assert len(overview(trace, "x").splitlines()) <= 120


# ------------------------------------------------------------------------------- every face, the same numbers


def numbers_after(text: str, target: str) -> np.ndarray:
    """Read the matrix under the last "= target" of a block back."""
    lines = text.splitlines()
    start = max(n for n, line in enumerate(lines) if line.strip().removesuffix("  (zeros)") == f"= {target}")
    return np.array([[float(x) for x in line.split()] for line in lines[start + 1 :]])


@pytest.mark.parametrize("options", [{}, {"activation": "relu"}, {"reduction": "mean"}])
def test_the_terminal_shows_the_ids_and_numbers_of_the_steps(options) -> None:
    for step in embedded(**options):
        text = block(step, width=60)
        assert text.startswith(f"{step.id}  {step.title}")
        assert f"t = {step.t}, {step.phase}" in text.splitlines()[0]
        target = step.output.name
        if step.id == "B10":
            target = f"da_from_future (for t = {step.t - 1})" if step.t else "da0"
        shown = numbers_after(text, target)
        np.testing.assert_allclose(shown, np.atleast_2d(step.output.array), rtol=0, atol=0.5001e-4)
        unwrapped = " ".join(text.split())
        assert f"Why: {step.why}" in unwrapped
        assert re.search(rf"Code: {re.escape(step.code.file)} line {step.code.line}: ", text)


def test_the_json_holds_the_ids_and_numbers_of_the_steps_exactly() -> None:
    trace = embedded()
    data = json.loads(json.dumps(explanation_json(trace, trace, (0, 1)), allow_nan=False))
    assert len(data["steps"]) == len(trace)
    assert data["cost"] == trace.cost
    for mine, step in zip(data["steps"], trace, strict=True):
        assert (mine["id"], mine["t"], mine["phase"]) == (step.id, step.t, step.phase)
        assert mine["inputs"] == [tensor.name for tensor in step.inputs]
        assert mine["output"]["dims"] == list(step.output.dims)
        assert mine["output"]["data"] == step.output.array.tolist()
        if step.before is not None:
            assert mine["before"] == step.before.tolist()
            assert mine["added"] == step.added.tolist()
        if step.output.array.ndim == 2 and step.output.array.shape[1] > 1:
            assert mine["cell"]["value"] == step.output.array[0, 1]
    for name, gradient in trace.gradients.items():
        assert data["gradients"][name] == gradient.tolist()
    shares = np.array(data["through_time"]["shares_of_dW_aa"])
    assert shares.sum() == pytest.approx(1)


def test_the_maps_of_a_long_sequence_are_left_out_of_the_json() -> None:
    trace = traced((1, 2, 2, 1, 201))
    assert explanation_json(trace, [])["through_time"] is None


def test_the_notebook_shows_the_ids_and_numbers_of_the_steps() -> None:
    for step in (*embedded(), *embedded(reduction="mean"), *embedded().detail(2)):
        text = step_html(step)
        assert f"<b>{step.id}</b>" in text
        assert f"t = {step.t}, {step.phase}" in text
        last = text[text.rindex("<td><table>") :]
        rows = [re.findall(r"<td[^>]*>([^<]*)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", last)]
        shown = np.array([[float(x) for x in row] for row in rows if row])
        np.testing.assert_allclose(shown, np.atleast_2d(step.output.array), rtol=0, atol=0.5001e-4)
        assert html.escape(step.why) in text
        assert not re.search(r"<script|<style|style=|\bon\w+=|javascript:", text)


def evaluate(node, values):
    """Evaluate an expression of the page's data: written anew, from the description of the format alone."""
    if node["op"] == "symbol":
        return np.asarray(values[node["name"]])
    if node["op"] == "const":
        return np.asarray(node["value"])
    args = [evaluate(arg, values) for arg in node["args"]]
    axis = node["args"][0]["dims"].index(node["axis"]) if "axis" in node else None
    with np.errstate(divide="ignore"):
        value = {
            "transpose": lambda a: a.T,
            "matmul": lambda a, b: np.einsum("ik,kj->ij", a, b),
            "add": lambda *a: np.sum(np.broadcast_arrays(*a), axis=0),
            "sub": lambda a, b: a - b,
            "mul": lambda a, b: a * b,
            "div": lambda a, b: a / b,
            "neg": lambda a: -a,
            "tanh": lambda a: 1 - 2 / (np.exp(2 * a) + 1),
            "relu": lambda a: np.clip(a, 0, None),
            "step": lambda a: a > 0,
            "square": lambda a: a**2,
            "xlogy": lambda a, b: np.where(a == 0, 0, a * np.log(b)),
            "sum": lambda a: a.sum(axis, keepdims=node["keepdims"]),
            "softmax": lambda a: np.exp(a) / np.exp(a).sum(axis, keepdims=True),
        }[node["op"]](*args)
    assert value.ndim == len(node["dims"])
    return value


@pytest.mark.parametrize("options", [{}, {"activation": "relu"}, {"reduction": "mean"}])
def test_the_page_s_data_alone_gives_the_numbers_of_the_steps(options) -> None:
    trace = embedded(**options)
    data = json.loads(json.dumps(page_data(trace), allow_nan=False))
    sizes = data["sizes"]
    T = {
        name: np.array(tensor["data"]).reshape([sizes.get(dim, dim) for dim in tensor["dims"]])
        for name, tensor in data["tensors"].items()
    }
    T_x = sizes["T_x"]
    scale = 1 if data["reduction"] == "sum" else 1 / (sizes["m"] * T_x)
    at, a_prev = [], T["a0"]
    for t in range(T_x):
        names = {**T, "x_t": T["X"][:, :, t], "y_t": T["Y"][:, :, t], "a_prev": a_prev, "scale": scale}
        for row in data["equations"]:
            if row["phase"] == "forward":
                names[row["target"]] = evaluate(row["expression"], names)
        a_prev = names["a_t"]
        at.append(names)
    gathered, future = {}, np.zeros_like(T["a0"])
    seen = []
    for t in reversed(range(T_x)):
        at[t]["da_from_future"] = future
        for row in data["equations"]:
            if row["phase"] == "backward":
                value = evaluate(row["expression"], at[t])
                if row["accumulate"]:
                    value = gathered[row["target"]] = gathered.get(row["target"], 0) + value
                elif row["target"] == "da_from_future":
                    future = value
                else:
                    at[t][row["target"]] = value
                seen.append((row["id"], t, value))
    for id, t, value in seen:
        assert relative(value, trace.step(id, t).output.array) < 1e-12
    for name in ("z_a", "a_t", "z_y", "y_pred_t", "L_t"):
        for t in range(T_x):
            assert relative(at[t][name], trace.value(name, t)) < 1e-12


def test_the_page_s_data_has_what_the_page_is_promised() -> None:
    data = page_data(embedded(), {"schema": 1}, "a title")
    assert (data["version"], data["title"], data["report"]) == (1, "a title", {"schema": 1})
    assert data["start"] == {"level": "code", "step": "B5", "t": 4}
    assert page_data(embedded())["start"]["level"] == "steps"
    assert [row["id"] for row in data["details"]] == [f"B1.{i}" for i in range(1, 6)]
    assert set(data["presets"]) == {"default", "by hand"}
    assert data["presets"]["default"]["sizes"] == {"n_x": 3, "n_a": 4, "n_y": 2, "m": 5, "T_x": 6}
    assert all(isinstance(row["code"], dict) for row in data["equations"])
    assert CodeLine(**data["equations"][8]["code"]).text == "dA[:, :, t] = W_ya.T @ dz_y"


# -------------------------------------------------------------------------------------------- numbers as text


def test_numbers_have_the_decimals_that_they_need() -> None:
    assert matrix_lines(np.array([[0.5, -1.25], [3, 0]]), 80) == [" 0.50  -1.25", " 3.00   0.00"]
    assert matrix_lines(np.eye(2), 80) == ["1  0", "0  1"]
    assert matrix_lines(np.array([1e-9, -2.5e-9]), 80) == [" 1.00e-09  -2.50e-09"]
    assert matrix_lines(np.array(1 / 3), 80) == ["0.3333"]
    assert number_text(-0.00001) == "0.0000"


def test_a_large_matrix_is_cut_and_its_corner_is_kept() -> None:
    wide = np.arange(10000.0).reshape(100, 100)
    cells = matrix_cells(wide, max_rows=4, max_columns=5)
    assert cells == [
        ["0", "1", "2", "…", "99"],
        ["100", "101", "102", "…", "199"],
        ["…"] * 5,
        ["9900", "9901", "9902", "…", "9999"],
    ]
    assert all(len(line) <= 40 for line in matrix_lines(wide, 40))


def test_the_1_of_a_long_one_hot_column_is_not_cut_out() -> None:
    c = case((40, 4, 40, 1, 3), 1)
    ids = np.array([[17, 3, 39]])
    trace = bptt.explain(ids, ids, c.parameters)
    assert "· x_t\n        (1 at row 17, 0 elsewhere)\n" in block(trace["F1", 0])
    assert "· x_tᵀ\n        (1 at column 39, 0 elsewhere)\n" in block(trace["B8", 2])
    assert "(1 at row 3, 0 elsewhere)" in block(trace["B1", 1])


def test_text_in_python_and_in_a_notebook() -> None:
    trace = embedded()
    assert repr(trace["B5", 4]) == "Step(B5, t=4: da = da_from_output + da_from_future, (n_a=4, m=5))"
    assert str(trace["B5", 4]) == block(trace["B5", 4])
    assert repr(trace).startswith("Trace(n_x=3, n_a=4, n_y=2, m=5, T_x=6; J=26.2477; 96 steps")
    assert str(trace).startswith("bptt explain: your arrays\n")
    text = trace._repr_html_()
    assert all(f"<td>{row.id}</td>" in text for row in trace.equations)
    assert not re.search(r"<script|<style|style=|\bon\w+=", text)
    assert trace["B4", 4]._repr_html_() in text
