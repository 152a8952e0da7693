"""The tutorial that answers the question runs, and shows what is stored in it.

After a wanted change: ``BPTT_SNAPSHOTS=write pytest tests/test_tutorial.py``, and read the difference.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

import notebooks

PATH = Path(__file__).parent.parent / "examples" / "the_question_answered.ipynb"


@pytest.fixture(scope="module")
def notebook():
    return notebooks.read(PATH)


@pytest.fixture(scope="module")
def cells(notebook):
    return notebooks.run(notebook)


def text(outputs) -> str:
    return "".join(
        "".join(output.get("text", [])) + "".join(output.get("data", {}).get("text/plain", [])) for output in outputs
    )


def kept(cell):
    """Return the outputs that are stored: all but the live page, which is as long as all the rest together."""
    return [o for o in cell["outputs"] if not "".join(o.get("data", {}).get("text/html", [])).startswith("<iframe")]


def unnumbered(outputs) -> str:
    """Return the outputs as text without the line numbers of the source, which another test holds."""
    return re.sub(r"(\w+\.py) line \d+", r"\1 line N", json.dumps(outputs, ensure_ascii=False))


def test_every_cell_shows_what_is_stored(notebook, cells) -> None:
    stored = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    if os.environ.get("BPTT_SNAPSHOTS") == "write":
        for old, new in zip(stored, cells, strict=True):
            old |= {"execution_count": new["execution_count"], "outputs": kept(new)}
        PATH.write_text(json.dumps(notebook, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    for old, new in zip(stored, cells, strict=True):
        assert unnumbered(old["outputs"]) == unnumbered(kept(new)), "".join(old["source"])


def test_it_answers_the_question(cells) -> None:
    shown = "\n".join(text(cell["outputs"]) for cell in cells)
    assert "W_ya.T @ dz_y fits: (n_a, n_y) · (n_y, m) → (n_a, m)." in shown
    assert "da = da_from_output + da_from_future" in shown
    for name in ("W_aa", "W_ax", "W_ya", "b_a", "b_y"):
        assert f"{name:<5} right" in shown
    assert "'W_aa: wrong'" in shown


def test_it_ends_with_the_live_page(cells) -> None:
    html = "".join(cells[-1]["outputs"][0]["data"]["text/html"])
    assert html.startswith('<iframe srcdoc="&lt;!doctype html&gt;')
    assert 'sandbox="allow-scripts"' in html


def test_a_cell_that_shows_something_else_is_noticed(notebook) -> None:
    first = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    source = list(first["source"])
    source.insert(-2, "example.parameters['W_aa'][0, 0] += 0.1\n")  # before it is explained
    [changed] = notebooks.run({"cells": [{**first, "source": source}]})
    assert unnumbered(kept(changed)) != unnumbered(first["outputs"])
