"""The page for everyone: axe-core, dark mode, phones, zoom, frames, hostile strings, large models."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import bptt
from bptt.explaining.trace import Trace
from bptt.render.html import page

Open = Callable[..., Any]
LEVELS = ["overview", "steps", "cell", "time", "code", "practice", "stuck", "notation"]
EVIL = "</script><img src=x onerror=\"document.title='broken'\">"
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2}


def report(source: str = "def f():\n    da = W_ya @ dz_y\n    return da", evil: str = "") -> dict[str, Any]:
    """Return a report of `bptt check` with every field in use."""
    return {
        "schema": 1, "file": f"mine.py{evil}", "source": source + evil, "verdict": "wrong", "reason": evil,
        "notes": [{"codes": ["FWD"], "line": 1, "message": f"a step is never run {evil}"}],
        "parameters": [
            {"name": "W_aa", "dims": [["n_a", 2], ["n_a", 2]], "relative_error": 0.5, "status": "wrong",
             "yours": [[1.0, 2.0], [3.0, 4.0]], "true": [[1.0, 2.5], [3.0, 3.0]], "fixed_error": 2e-15},
            {"name": f"b_q{evil}", "dims": [["n_y", 3], ["1", 1]], "relative_error": None, "status": "not computed",
             "yours": None, "true": None, "fixed_error": None},
        ],
        "findings": [
            {"codes": ["R3", "M1"], "cell": None, "line": 2, "end_line": 2, "statement": f"    da = W_ya @ dz_y{evil}",
             "message": f"n_a meets n_y {evil}", "expected": {"name": "da", "dims": [["n_a", 2], ["m", 3]]},
             "got": {"dims": None, "error": f"ValueError {evil}"}, "equations": ["B4", "B5"],
             "fix": {"replacement": f"    da = W_ya.T @ dz_y{evil}", "kind": "edit"}},
            {"codes": ["K"], "cell": None, "line": 3, "end_line": 3, "statement": "    return da", "message": "no key",
             "expected": None, "got": None, "equations": [], "fix": None},
        ],
        "fix": {"proven": True, "diff": f"-da = W_ya @ dz_y\n+da = W_ya.T @ dz_y{evil}", "method": "complex step",
                "max_relative_error": 2e-15, "sizes": [{"n_x": 3}], "preconditions": [f"columns sum to 1 {evil}"]},
        "assumed": [f"softmax {evil}"], "seconds": 1.0,
    }  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_level(open_page: Open, default_trace: Trace, axe: str, scheme: str) -> None:
    rules = "" if scheme == "light" else ", runOnly: ['color-contrast']"  # the colours are all that dark mode changes
    tab = open_page(default_trace, report=report(), color_scheme=scheme)
    found = []
    for level in [
        *LEVELS,
        "steps/t=3/step=B6/cell=1,1/lab=dot/future=off",
        "steps/t=5/step=F1/cell=0,0",
        "stuck/ask=loss",
    ]:
        tab.open(level)
        tab.page.evaluate(axe)
        result = tab.page.evaluate(f"axe.run(document, {{ resultTypes: ['violations']{rules} }})")
        assert result["passes"]
        for violation in result["violations"]:
            found += [
                f"{level}: {violation['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
                for node in violation["nodes"]
            ]
    assert found == []


def test_axe_would_see_a_button_without_a_name(open_page: Open, default_trace: Trace, axe: str) -> None:
    tab = open_page(default_trace)
    tab.page.evaluate("document.querySelector('[data-key=next]').textContent = ''")
    tab.page.evaluate(axe)
    result = tab.page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    assert "button-name" in [violation["id"] for violation in result["violations"]]


def test_no_level_is_wider_than_a_phone(open_page: Open, default_trace: Trace) -> None:
    tab = open_page(default_trace, report=report(source="x = 1  # " + "long " * 60), **PHONE)
    for level in LEVELS:
        tab.open(level)
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= 390, level


def test_on_a_phone_the_strip_shows_the_step_that_is_explained(open_page: Open, default_trace: Trace) -> None:
    tab = open_page(default_trace, "steps/t=4/step=B5/cell=0,0", **PHONE)
    box = tab.page.locator(".time.here").bounding_box()
    assert 0 <= box["x"] <= 390 - box["width"]


def test_at_200_percent_nothing_is_cut_off(open_page: Open, default_trace: Trace) -> None:
    tab = open_page(default_trace, viewport={"width": 640, "height": 400})  # 1280 x 800 at 200 %
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 640


def test_every_step_says_a_sentence_to_a_screen_reader(open_page: Open, default_trace: Trace) -> None:
    tab = open_page(default_trace, "steps/t=4/step=B5/cell=0,0")
    assert tab.text("#live").startswith("Step B5 at t = 4: da is da_from_output + da_from_future, n_a=4 by m=5")
    tab.page.keyboard.press("ArrowRight")
    assert tab.text("#live").startswith("Step B6 at t = 4: dz a is da ⊙ (1 − a_t²)")


def test_reduced_motion_stops_every_animation(open_page: Open, default_trace: Trace) -> None:
    tab = open_page(default_trace)
    running = tab.page.evaluate("""[...document.querySelectorAll("*")]
        .filter((node) => getComputedStyle(node).animationName !== "none").length""")
    assert running == 0


def test_dark_mode_changes_the_pictures_while_the_page_is_open(open_page: Open, default_trace: Trace) -> None:
    tab = open_page(default_trace, color_scheme="light")
    pixels = "document.querySelector('.board canvas').toDataURL()"
    light = tab.page.evaluate(pixels)
    tab.page.emulate_media(color_scheme="dark")
    tab.wait(lambda: tab.page.evaluate(pixels) != light)


def test_hostile_strings_are_shown_as_text(open_page: Open, default_trace: Trace) -> None:
    given = {name: array.copy() for name, array in default_trace.tensors.items()}
    given["W_aa"] *= 0.5  # no preset: the title names these numbers
    parameters = {name: given[name] for name in ("W_aa", "W_ax", "W_ya", "b_a", "b_y")}
    trace = bptt.explain(given["X"], given["Y"], parameters, given["a0"])
    tab = open_page(trace, "code", report=report(evil=EVIL), title=EVIL)
    for level in LEVELS:
        tab.open(level)
        assert tab.page.locator("img").count() == 0
        assert tab.page.locator("script").count() == 2
        assert "broken" not in tab.page.title()
    tab.open("code")
    tab.page.get_by_role("button", name="yours − right").first.click()
    assert tab.page.locator("main").inner_text().count(EVIL) >= 8
    assert EVIL in tab.page.locator("select").first.inner_text()


def test_10_your_code_marks_wrong_lines_and_shows_the_fix_and_the_difference(
    open_page: Open, default_trace: Trace
) -> None:
    tab = open_page(default_trace, "code", report=report())
    assert "wrong" in tab.text(".intro h2")
    assert tab.page.locator(".source li").count() == 3
    assert tab.page.locator(".source li.bad .line").all_inner_texts() == ["✗ 2", "✗ 3"]
    assert "transpose of W_aa missing" in tab.text(".codes")
    assert tab.text(".fix del") == "- da = W_ya @ dz_y"
    assert tab.text(".fix ins") == "+ da = W_ya.T @ dz_y"
    tab.page.get_by_role("button", name="line 3").click()
    assert "no key" in tab.text(".message")
    assert "No fix" in tab.text(".findings")
    tab.page.get_by_role("button", name="finding before").click()
    tab.page.get_by_role("button", name="yours − right").click()
    assert tab.matrix("reportdifference") == [0, -0.5, 0, 1]
    assert "not finite" in tab.text(".facts.wide")
    tab.page.get_by_role("button", name="B4", exact=True).click()
    assert tab.text(".badge") == "B4"


def test_10_a_report_can_be_opened_from_a_file_and_a_wrong_file_is_named(
    open_page: Open, default_trace: Trace, tmp_path: Any
) -> None:
    tab = open_page(default_trace, "code")
    assert "bptt check my_rnn.py --json" in tab.text(".panel")
    (tmp_path / "other.json").write_text('{"schema": 7}')
    (tmp_path / "report.json").write_text(json.dumps(report()))
    choose = tab.page.locator('input[type="file"]')
    choose.set_input_files(tmp_path / "other.json")
    tab.wait(lambda: "other.json cannot be shown" in tab.text("main"))
    tab.page.locator('input[type="file"]').set_input_files(tmp_path / "report.json")
    tab.wait(lambda: tab.page.locator(".source li.bad").count() == 2)


def test_the_page_runs_in_a_sandboxed_frame(open_page: Open, default_trace: Trace) -> None:
    tab = open_page(default_trace)
    tab.page.goto("about:blank")
    tab.page.evaluate(
        """(text) => {
      const frame = document.createElement("iframe");
      frame.setAttribute("sandbox", "allow-scripts");
      frame.width = 1200; frame.height = 800; frame.srcdoc = text; frame.name = "live";
      document.body.append(frame);
    }""",
        page(default_trace),
    )
    frame = tab.page.frame_locator("iframe")
    frame.locator('[data-key="next"]').click()
    assert frame.locator(".badge").inner_text() == "B6"
    tab.page.wait_for_timeout(150)  # the address is written by now
    assert frame.locator(".badge").inner_text() == "B6"
    frame.get_by_role("tab", name="Through time").click()
    assert frame.locator(".map-cell").count() == 21


def test_a_large_model_is_shown_in_blocks_and_stays_usable(open_page: Open) -> None:
    rng = np.random.default_rng(1)
    n_x, n_a, n_y, m, T_x = 30, 64, 30, 20, 40
    shapes = {"W_aa": (n_a, n_a), "W_ax": (n_a, n_x), "W_ya": (n_y, n_a), "b_a": (n_a, 1), "b_y": (n_y, 1)}
    parameters = {name: rng.normal(size=shape) / shape[1] ** 0.5 / 2 for name, shape in shapes.items()}
    trace = bptt.explain(rng.normal(size=(n_x, m, T_x)), rng.integers(0, n_y, (m, T_x)), parameters)
    tab = open_page(trace, "steps/t=20/step=B7/cell=40,50")
    assert tab.page.locator(".result td").count() == 36
    want = trace["B7", 20].output.array[37:43, 47:53]
    assert np.allclose(tab.matrix("result"), want.ravel(), rtol=1e-10)
    assert tab.page.locator(".heat").count() >= 2
    assert tab.page.locator(".strip .time").count() == 8
    tab.page.locator('[data-key="result:40,50"]').focus()
    for _ in range(4):
        tab.page.keyboard.press("ArrowDown")
    tab.wait(lambda: tab.page.evaluate("document.activeElement.dataset.key") == "result:44,50")
    for level in LEVELS:
        tab.open(level)
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= 1280, level
        assert tab.page.evaluate("document.querySelectorAll('*').length") < 6000, level
