"""The twelve interactions of the page, each by what a person does and sees."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import bptt
from bptt.explaining.trace import Trace

PARAMETERS = ("W_aa", "W_ax", "W_ya", "b_a", "b_y")
Open = Callable[..., Any]
LEVELS = ["cell", "time", "code", "practice", "stuck", "notation", "overview", "steps"]
HERE = "steps/t=4/step=B5/cell=0,0"


def changed(trace: Trace, name: str, index: tuple[int, ...], value: float) -> Trace:
    """Return the trace with one number changed."""
    given = {key: array.copy() for key, array in trace.tensors.items()}
    given[name][index] = value
    return bptt.explain(given["X"], given["Y"], {key: given[key] for key in PARAMETERS}, given["a0"])


def near(got: Any, want: Any) -> bool:
    got, want = np.asarray(got, float).ravel(), np.asarray(want, float).ravel()
    return got.shape == want.shape and bool(np.abs(got - want).max() <= 1e-12 * max(1.0, np.abs(want).max()))


def test_the_first_screen_has_the_strip_and_the_two_terms_without_scrolling(
    open_page: Open, default_trace: Trace
) -> None:
    tab = open_page(default_trace)
    assert tab.text(".badge") == "B4 + B5"
    assert "from the output" in tab.text(".term.from-output")
    assert "from the future" in tab.text(".term.from-future")
    assert tab.page.locator(".strip .time").count() == 6
    for selector in (".strip", ".equation", ".numbers", ".terms", ".why", ".code-row", '[data-key="next"]', ".legend"):
        box = tab.page.locator(selector).first.bounding_box()
        assert box["y"] + box["height"] <= 800, selector
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 1280
    assert near(tab.matrix("result"), default_trace["B5", 4].output.array)


def test_1_the_keyboard_walks_forward_back_and_to_the_ends(open_page: Open, default_trace: Trace) -> None:
    tab = open_page(default_trace, HERE)
    press = tab.page.keyboard.press
    press("ArrowRight")
    assert tab.text(".badge") == "B6"
    press("ArrowLeft")
    press("ArrowLeft")
    assert tab.text(".badge") == "B4"
    press("Home")
    assert (tab.text(".badge"), tab.text(".when")) == ("F1", "t = 0")
    press("ArrowLeft")
    assert tab.text(".count") == "1 / 96"
    press("End")
    assert (tab.text(".badge"), tab.text(".when")) == ("B11", "t = 0")
    assert tab.page.locator('[data-key="next"]').is_disabled()
    press("Home")
    press(" ")
    assert tab.text('[data-key="play"]') == "Pause"
    tab.wait(lambda: tab.text(".count") == "2 / 96")
    press(" ")
    assert tab.text('[data-key="play"]') == "Play"
    for word in ("back", "next", "first", "last", "play"):
        assert word in tab.text(".legend")


def test_1_a_keyboard_alone_reaches_every_step_and_every_level(open_page: Open, default_trace: Trace) -> None:
    tab = open_page(default_trace, "steps/t=0/step=F1")
    for _ in range(40):
        tab.page.keyboard.press("Tab")
        if tab.page.evaluate("document.activeElement.dataset.key") == "next":
            break
    else:
        pytest.fail("Tab never reaches Next")
    tab.page.evaluate("""() => {
      window.seen = [];
      document.addEventListener("keydown", () => window.seen.push(document.querySelector(".count")?.textContent), true);
    }""")
    for _ in range(96):
        tab.page.keyboard.press("Enter")
    assert tab.page.evaluate("window.seen") == [f"{k} / 96" for k in range(1, 97)]
    tab.page.locator("#tab-steps").focus()
    levels = []
    for _ in range(8):
        tab.page.keyboard.press("ArrowRight")
        levels.append(tab.page.evaluate("document.activeElement.id"))
        assert tab.page.locator("#level > *").count() > 0
    assert levels == [f"tab-{id}" for id in LEVELS]


@pytest.mark.parametrize("way", ["hover", "focus"])
def test_2_a_symbol_lights_up_wherever_it_stands(open_page: Open, default_trace: Trace, way: str) -> None:
    tab = open_page(default_trace, "steps/t=4/step=B4/cell=0,0")
    if way == "hover":
        tab.page.locator('.equation [data-sym="dz_y"]').hover()
    else:
        tab.page.locator('.numbers [data-sym="dz_y"] td').first.focus()
    lit = tab.page.evaluate("""[...document.querySelectorAll(".same")].map((node) =>
        [node.dataset.sym, [".equation", ".numbers", "code", ".board"].find((place) => node.closest(place))])""")
    assert {sym for sym, _ in lit} == {"dz_y"}
    assert {place for _, place in lit} == {".equation", ".numbers", "code", ".board"}


def test_3_a_result_cell_lights_its_row_and_column_and_lists_its_terms(open_page: Open, default_trace: Trace) -> None:
    tab = open_page(default_trace, "steps/t=3/step=B4/cell=0,0")
    tab.page.locator('[data-key="result:2,3"]').click()
    lit = tab.page.evaluate('[...document.querySelectorAll(".numbers td.lit")].map((td) => td.dataset.key)')
    assert sorted(lit) == ["e0:2,0", "e0:2,1", "e1:0,3", "e1:1,3"]
    W_ya, dz_y = default_trace.tensors["W_ya"], default_trace["B1", 3].output.array
    terms = W_ya[:, 2] * dz_y[:, 3]
    said = tab.text(".terms").replace("−", "-")
    sums = [float(x.replace("−", "-")) for x in tab.page.locator(".term-sum").all_inner_texts()]
    assert np.allclose(sums, np.cumsum(terms), atol=0.006)
    assert f"{terms.sum():.4f}" in said
    tab.page.keyboard.press("ArrowUp")
    assert tab.page.evaluate("document.activeElement.dataset.key") == "result:1,3"
    assert "[1, 3]" in tab.text(".terms")


def test_4_dimensions_are_tied_and_a_mismatch_breaks_the_tie_in_words(open_page: Open, default_trace: Trace) -> None:
    tab = open_page(default_trace, "steps/t=4/step=B4/cell=0,0")
    ties = tab.page.evaluate('[...document.querySelectorAll(".equation .tie")].map((chip) => chip.dataset.dim)')
    assert ties == ["n_y", "n_y"]
    tab.page.get_by_role("button", name="forget the").click()
    assert tab.page.locator(".equation .torn").count() == 2
    assert "NumPy stops: shapes (2,4) and (2,5) not aligned" in tab.text(".verdict")
    tab.open("steps/t=4/step=B6")
    tab.page.get_by_role("button", name="np.dot instead of *").click()
    assert "m=5 against n_a=4" in tab.text(".verdict").replace("na", "n_a")
    tab.open("steps/t=4/step=B10")
    tab.page.get_by_role("button", name="forget the").click()
    W_aa, dz_a = default_trace.tensors["W_aa"], default_trace["B6", 4].output.array
    right = W_aa.T @ dz_a
    error = np.abs(W_aa @ dz_a - right).max() / np.abs(right).max()
    assert "is square: no error, no warning" in tab.text(".verdict")
    assert f"{100 * error:.3g} %" in tab.text(".verdict")


def test_5_without_the_future_term_the_page_says_what_goes_wrong_and_from_where(
    open_page: Open, default_trace: Trace
) -> None:
    tab = open_page(default_trace, HERE)
    tab.page.get_by_role("switch", name="the future term").click()
    assert near(tab.matrix("result"), default_trace["B4", 4].output.array)
    given, T = default_trace.tensors, 6
    wrong = {name: np.zeros_like(given[name]) for name in PARAMETERS}
    for t in range(T):
        dz_a = default_trace["B4", t].output.array * (1 - default_trace["F2", t].output.array ** 2)
        a_prev = default_trace["F2", t - 1].output.array if t else given["a0"]
        wrong["W_aa"] += dz_a @ a_prev.T
        wrong["W_ax"] += dz_a @ given["X"][:, :, t].T
        wrong["b_a"] += dz_a.sum(1, keepdims=True)
    rows = [" ".join(text.split()) for text in tab.page.locator(".damage li").all_inner_texts()]
    assert [row.split("✓")[-1].strip() if "✓" in row else "wrong" for row in rows] == ["right", "right"] + ["wrong"] * 4
    for row, name in zip(rows[2:5], ("W_aa", "W_ax", "b_a"), strict=True):
        right = default_trace.gradients[f"d{name}"]
        error = 100 * np.abs(wrong[name] - right).max() / np.abs(right).max()
        assert f"✗ {error:.3g} % off, from t = 4 down" in row
    marks = tab.page.locator(".strip .time").all_inner_texts()
    assert ["≠" in mark for mark in marks] == [False, False, False, False, True, False]
    tab.page.get_by_role("button", name="Switch it on again").click()
    assert near(tab.matrix("result"), default_trace["B5", 4].output.array)


@pytest.mark.parametrize("kind", ["weight", "state"])
def test_6_the_map_of_losses_and_steps_sums_to_the_gradients(open_page: Open, default_trace: Trace, kind: str) -> None:
    tab = open_page(default_trace, "time")
    cells = """() => [...document.querySelectorAll(".map-cell")].map((b) => [+b.dataset.t, +b.dataset.k,
        Number(b.getAttribute("aria-label").split(": ")[1].replace("−", "-").replace("−", "-"))])"""
    contributions = default_trace.contributions
    for t, k, size in tab.page.evaluate(cells):
        assert size == pytest.approx(np.linalg.norm(contributions.state(t, k)), abs=6e-5)
    tab.page.get_by_label("Show").select_option(kind)
    for t, k, x in tab.page.evaluate(cells):
        array = contributions.weights(t, k) if kind == "weight" else contributions.state(t, k)
        assert x == pytest.approx(array[0, 1], abs=6e-5)
    if kind == "weight":
        total = default_trace.gradients["dW_aa"][0, 1]
        assert tab.text(".map-box .note").count(f"{total:.4f}".replace("-", "−")) == 2
        assert tab.text(".map .all") == f"{total:.2f}".replace("-", "−")
        column = [contributions.weights(t, 3)[0, 1] for t in range(3, 6)]
        assert tab.page.locator(".map .sums td").nth(3).inner_text() == f"{sum(column):.2f}".replace("-", "−")
    else:
        da = default_trace["B5", 3].output.array[0, 1]
        assert tab.text(".map-box .note").count(f"{da:.4f}".replace("-", "−")) == 2


def test_6_a_cell_of_the_map_shows_the_product_of_factors(open_page: Open, default_trace: Trace) -> None:
    tab = open_page(default_trace, "time")
    tab.page.locator('[data-key="map4,2"]').click()
    assert tab.text(".chain h3") == "From loss 4 to state 2: 2 steps back"
    lengths = [float(row.split()[-1]) for row in tab.page.locator(".chain tbody tr td:nth-child(4)").all_inner_texts()]
    a = default_trace["B4", 4].output.array
    want = [np.linalg.norm(a)]
    for s in (4, 3):
        a = a * (1 - default_trace["F2", s].output.array ** 2)
        want.append(np.linalg.norm(a))
        a = default_trace.tensors["W_aa"].T @ a
        want.append(np.linalg.norm(a))
    assert np.allclose(lengths, want, atol=0.006)
    tab.page.keyboard.press("ArrowLeft")
    assert tab.text(".chain h3") == "From loss 4 to state 1: 3 steps back"
    tab.page.locator('[data-key="map5,4"]').hover()
    assert tab.text(".chain h3") == "From loss 5 to state 4: 1 step back"
    tab.page.locator("h2").first.hover()
    assert tab.text(".chain h3") == "From loss 4 to state 1: 3 steps back"


@pytest.mark.parametrize(
    ("name", "index", "key"),
    [("W_aa", (0, 1), "W_aa,0,1"), ("b_a", (2, 0), "b_a,2,0"), ("a0", (1, 3), "a0,1,3"), ("X", (2, 1, 4), "X,2,1")],
)
def test_7_typing_a_number_runs_both_passes_again_and_can_be_undone(
    open_page: Open, default_trace: Trace, name: str, index: tuple[int, ...], key: str
) -> None:
    tab = open_page(default_trace, f"{HERE}/change={key}")
    before = tab.matrix("result")
    cell = tab.page.locator(f'[data-key="change:{index[0]},{index[1]}"]')
    cell.focus()
    cell.press("Enter")
    field = tab.page.get_by_role("textbox")
    field.fill("0.7125")
    field.press("Enter")
    other = changed(default_trace, name, index, 0.7125)
    assert near(tab.matrix("result"), other["B5", 4].output.array)
    gradient = other["B11", 4].output.array if name == "X" else other.gradients[f"d{name}"]
    assert near(tab.matrix("slope"), gradient)
    assert tab.page.locator("td.changed").count() > 0
    assert tab.page.evaluate("document.activeElement.dataset.key") == f"change:{index[0]},{index[1]}"
    tab.page.locator('[data-key="undo"]').click()
    assert tab.matrix("result") == before


def test_7_a_target_stays_a_distribution(open_page: Open, default_trace: Trace) -> None:
    tab = open_page(default_trace, "steps/t=2/step=B1/cell=0,0/change=Y,0,3")
    tab.page.locator('[data-key="change:0,3"]').dblclick()
    tab.page.get_by_role("textbox").fill("0.3")
    tab.page.keyboard.press("Enter")
    target = np.array(tab.matrix("change")).reshape(2, 5)
    assert target[:, 3].tolist() == [0.3, 0.7]
    assert np.allclose(target.sum(0), 1)


def test_7_a_word_is_no_number_and_changes_nothing(open_page: Open, default_trace: Trace) -> None:
    tab = open_page(default_trace, HERE)
    before = tab.matrix("result")
    tab.page.locator('[data-key="change:0,1"]').dblclick()
    tab.page.get_by_role("textbox").fill("lots")
    tab.page.keyboard.press("Enter")
    assert "not a number" in tab.text("#live")
    assert tab.matrix("result") == before


def test_7_both_passes_run_again_in_less_than_16_milliseconds(open_page: Open, default_trace: Trace) -> None:
    tab = open_page(default_trace, HERE)
    times = []
    for k in range(8):
        tab.page.locator('[data-key="change:0,1"]').dblclick()
        tab.page.get_by_role("textbox").fill(f"0.{k + 1}")
        tab.page.keyboard.press("Enter")
        times.append(float(tab.text(".took").split()[2]))
    assert min(times) < 16, times


def test_8_a_nudge_shows_the_slope_beside_the_gradient(open_page: Open, default_trace: Trace) -> None:
    tab = open_page(default_trace, f"{HERE}/change=W_aa,1,2")
    rows = dict(row.split("\t") for row in tab.page.locator(".nudge tbody tr").all_inner_texts())
    eps = 1e-5
    costs = [changed(default_trace, "W_aa", (1, 2), default_trace.tensors["W_aa"][1, 2] + d).cost for d in (eps, -eps)]
    assert float(rows["J with +ε"]) == pytest.approx(costs[0], abs=1e-9)
    assert float(rows["J with −ε"]) == pytest.approx(costs[1], abs=1e-9)
    assert float(rows["gradient dW aa"]) == pytest.approx(default_trace.gradients["dW_aa"][1, 2], abs=1e-8)
    assert float(rows["relative error"]) < 1e-6
    assert "They agree" in tab.text(".nudge")
    tab.page.locator('[data-key="epsilon"]').fill("0")
    assert "make it smaller" in tab.text(".nudge")
    tab.page.locator('[data-key="epsilon"]').fill("4")
    tab.page.get_by_role("switch", name="the future term").click()
    assert "They disagree" in tab.text(".nudge")


def test_9_sliders_make_the_map_vanish_and_clipping_shortens_it(open_page: Open, default_trace: Trace) -> None:
    tab = open_page(default_trace, "time")
    tab.page.locator('[data-key="T"]').fill("20")
    assert tab.page.locator(".map-cell").count() == 20 * 21 // 2
    tab.page.locator('[data-key="map19,0"]').focus()
    first = float(tab.page.locator('[data-key="map19,0"]').get_attribute("aria-label").split(": ")[1].replace("−", "-"))
    tab.page.locator('[data-key="radius"]').fill("0.2")
    less = float(tab.page.locator('[data-key="map19,0"]').get_attribute("aria-label").split(": ")[1].replace("−", "-"))
    assert less < first * 1e-4
    tab.page.get_by_role("switch", name="clip").click()
    assert "multiplies every number by" in tab.text(".panel")
    tab.page.get_by_role("button", name="As given").click()
    assert tab.page.locator(".map-cell").count() == 21


def test_9_scaling_the_radius_is_scaling_the_matrix(open_page: Open, default_trace: Trace) -> None:
    tab = open_page(default_trace, "time")
    tab.page.locator('[data-key="radius"]').fill("1.5")
    W_aa = default_trace.tensors["W_aa"]
    factor = 1.5 / np.abs(np.linalg.eigvals(W_aa)).max()
    given = default_trace.tensors
    other = bptt.explain(
        given["X"], given["Y"], {**{n: given[n] for n in PARAMETERS}, "W_aa": W_aa * factor}, given["a0"]
    )
    label = tab.page.locator('[data-key="map5,1"]').get_attribute("aria-label").split(": ")[1]
    assert float(label.replace("−", "-")) == pytest.approx(np.linalg.norm(other.contributions.state(5, 1)), abs=6e-5)


def test_11_practice_says_which_mistake_makes_the_answer(open_page: Open, default_trace: Trace) -> None:
    tab = open_page(default_trace, "practice/t=3/step=B6")
    da, a_t = default_trace["B5", 3].output.array, default_trace["F2", 3].output.array
    right = default_trace["B6", 3].output.array

    def answer(value: float) -> str:
        field = tab.page.locator(".question-row input").first
        field.fill(f"{value:.4f}")
        field.press("Enter")
        return tab.text(".question-row")

    i, j = map(int, re.findall(r"\d+", tab.text(".question-row label").split("[")[1]))
    assert tab.page.locator("td.blank").count() == 3
    assert tab.page.locator("td.blank").first.get_attribute("title") is None
    assert "you used a, not a²" in answer((da * (1 - a_t))[i, j])
    assert "slope is missing" in answer(da[i, j])
    assert "Right" in answer(right[i, j])
    assert tab.page.locator("td.blank").count() == 2
    tab.open("practice/t=3/step=B5")
    i, j = map(int, re.findall(r"\d+", tab.text(".question-row label").split("[")[1]))
    assert "future term is missing" in answer(default_trace["B4", 3].output.array[i, j])
    tab.open("practice/t=3/step=B7")
    i, j = map(int, re.findall(r"\d+", tab.text(".question-row label").split("[")[1]))
    a_prev = default_trace["F2", 2].output.array
    assert "this step's share alone" in answer((right @ a_prev.T)[i, j])


def test_12_the_worksheet_has_blanks_and_an_answer_page(open_page: Open, default_trace: Trace) -> None:
    tab = open_page(default_trace, "practice/t=3/step=B6")
    tab.page.evaluate("""() => {
      window.print = () => { window.printed = document.querySelector("#worksheet").cloneNode(true); };
    }""")
    tab.page.get_by_role("button", name="Print a worksheet").click()
    blanks, answers, shown = tab.page.evaluate("""() => {
      const [sheet, key] = window.printed.querySelectorAll(".sheet");
      return [sheet.querySelectorAll("td.blank").length, key.querySelectorAll("td.lit").length,
        [...sheet.querySelectorAll("td.blank")].every((td) => td.textContent === "?" && !td.title)];
    }""")
    assert blanks == answers > 20
    assert shown
    tab.page.emulate_media(media="print")
    assert tab.page.locator("#page").is_hidden()
    assert tab.page.locator("#worksheet").is_visible()
    tab.page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert tab.page.locator("#worksheet").count() == 0
    assert tab.page.locator("#page").is_visible()


def test_stuck_answers_every_question_with_live_numbers(open_page: Open, default_trace: Trace) -> None:
    tab = open_page(default_trace, "stuck")
    count = tab.page.locator(".question").count()
    assert count >= 10
    for k in range(count):
        tab.page.locator(".question").nth(k).click()
        assert len(tab.text(".answer .prose")) > 80
        assert tab.matrix("result")
    tab.open("stuck/ask=loss")
    jacobian = tab.matrix("detailB1.2")
    s = default_trace["F4", 4].output.array[:, :1]
    assert near(jacobian, np.diagflat(s) - s @ s.T)
    assert near(tab.matrix("detailB1.5"), default_trace["B1", 4].output.array)


def test_the_address_is_the_state(open_page: Open, default_trace: Trace) -> None:
    tab = open_page(default_trace, "steps/t=2/step=B7/cell=1,3/future=off/numbers=by%20hand")
    assert (tab.text(".badge"), tab.text(".when")) == ("B7", "t = 2")
    assert tab.page.get_by_role("switch").count() == 0
    assert "is off" in tab.text(".banner")
    assert len(tab.matrix("result")) == 4
    tab.page.keyboard.press("ArrowRight")
    tab.wait(lambda: "step=B8" in tab.hash())
    tab.open("nonsense/t=99/step=Z9/cell=x")
    assert tab.text(".badge") == "B4 + B5"
    tab.open("steps/t=99/step=B5/cell=77,77")
    assert tab.text(".when") == "t = 5"
