"""The page as one file: its policy, its data and its escapes.  tests/browser looks at what the browser makes of it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

import bptt
from bptt.cli.app import run_verb
from bptt.cli.explain import explain
from bptt.explaining.page_data import page_data
from bptt.inputs import one_hot
from bptt.model import SimpleRNN
from bptt.render.html import page, write_page
from bptt.training.vocabulary import Vocabulary
from explain_cases import case, traced

HOSTILE = "</script><script>alert(1)</script><!--<img src=x onerror=alert(2)>]]>\u2028&amp;"


class Elements(HTMLParser):
    """Reads a page as a browser splits it: the elements with their attributes, and the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.inside = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append((tag, dict(attrs)))
        self.inside = tag

    def handle_endtag(self, tag) -> None:
        self.inside = ""

    def handle_data(self, data) -> None:
        self.texts.append((self.inside, data))

    def contents(self, tag: str) -> list[str]:
        return [text for name, text in self.texts if name == tag]


def embedded_data(text: str) -> dict:
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[1])


def test_the_page_holds_the_explanation_and_nothing_from_elsewhere() -> None:
    trace = traced()
    text = page(trace, title="arrays.npz")
    assert embedded_data(text) == json.loads(json.dumps(page_data(trace, title="arrays.npz")))
    for tag, attributes in Elements(text).tags:
        assert not {"src", "action", "style"} & set(attributes), (tag, attributes)
        assert (attributes.get("href") or "#").startswith(("#", "data:,")), (tag, attributes)  # an empty icon
        assert not any(name.startswith("on") for name in attributes)
        assert tag not in ("iframe", "img", "object", "embed", "base", "form")


def test_the_policy_allows_this_script_and_this_style_alone() -> None:
    text = page(traced())
    policy = next(a["content"] for _, a in Elements(text).tags if a.get("http-equiv") == "Content-Security-Policy")
    directives = {part.split()[0]: part.split()[1:] for part in policy.split(";")}
    assert directives["default-src"] == ["'none'"]
    scripts = re.findall(r'<script type="module">(.*?)</script>', text, re.DOTALL)
    styles = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert len(scripts) == len(styles) == 1
    for directive, content in (("script-src", scripts[0]), ("style-src", styles[0])):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert directives[directive] == [f"'sha256-{digest}'"]
    assert "unsafe" not in policy


def test_the_page_is_small() -> None:
    trace = traced()
    data = len(json.dumps(page_data(trace), ensure_ascii=False).encode())
    assert len(page(trace).encode()) - data <= 150 * 1024


def test_hostile_strings_stay_strings() -> None:
    c = case((4, 3, 4, 1, 5), 1)
    ids = np.array([[0, 1, 2, 3, 0]])
    vocabulary = (HOSTILE, "<", "\x00", "'\"")
    trace = bptt.explain(ids, ids, c.parameters, vocabulary=vocabulary)
    report = {"schema": 1, "source": HOSTILE, "findings": [{"message": HOSTILE}]}
    text = page(trace, report, title=HOSTILE)
    harmless = page(bptt.explain(ids, ids, c.parameters, vocabulary=("a", "b", "c", "d")), {}, title="t")
    assert Elements(text).tags == Elements(harmless).tags  # not one element more
    assert text.count("<!--") == harmless.count("<!--")
    data = embedded_data(text)
    assert (data["title"], data["vocabulary"][0], data["report"]["source"]) == (HOSTILE,) * 3


def test_numbers_that_json_cannot_carry_do_not_come_into_a_page() -> None:
    with pytest.raises(ValueError, match="JSON"):
        page(traced(), {"schema": float("nan")})


def test_the_frame_runs_the_page_and_nothing_else() -> None:
    frame = traced().frame(height=600)
    text = frame._repr_html_()
    [(tag, attributes)] = Elements(text).tags
    assert tag == "iframe"
    assert attributes["sandbox"] == "allow-scripts"
    assert attributes["height"] == "600"
    assert attributes["srcdoc"] == page(traced())
    assert re.fullmatch(r"Frame\(page of \d+ KB, height=600\)", repr(frame))


def test_a_page_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch) -> None:
    path = tmp_path / "page.html"
    write_page(path, "old")
    write_page(path, "new\u2028")
    assert path.read_text(encoding="utf-8") == "new\u2028"

    def full(self, *arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full)
    with pytest.raises(bptt.BpttError, match=r"page.html cannot be written: No space left on device\."):
        write_page(path, "newer")
    assert [p.name for p in tmp_path.iterdir()] == ["page.html"]
    assert path.read_text(encoding="utf-8") == "new\u2028"


# -------------------------------------------------------------------------------------------- a trained model


@pytest.fixture
def model(tmp_path) -> str:
    network = SimpleRNN(5, 24, 5, seed=3, vocabulary=Vocabulary("<ehlo"))
    path = tmp_path / "model.safetensors"
    network.save(path)
    return str(path)


def test_a_model_reads_a_text_character_by_character(model, capsys) -> None:
    assert run_verb(explain, model, prime="hello<") == 0
    out = capsys.readouterr().out
    assert "bptt explain: model.safetensors, reading 'hello<'" in out
    assert re.search(r"^  0     'h'    'e' ", out, flags=re.MULTILINE)
    assert re.search(r"^  4     'o'    '<' ", out, flags=re.MULTILINE)


def test_the_explained_numbers_of_a_model_are_those_of_its_network(model, capsys) -> None:
    assert run_verb(explain, model, prime="hello<", json_=True) == 0
    data = json.loads(capsys.readouterr().out)
    ids = np.array([[2, 1, 3, 3, 4, 0]])
    parameters = {k: v.astype(np.float64) for k, v in SimpleRNN.load(model).parameters.items()}
    _, _, cache = bptt.rnn_forward(one_hot(ids[:, :-1], 5), None, parameters)
    truth = bptt.rnn_backward(one_hot(ids[:, 1:], 5), cache)
    assert data["vocabulary"] == list("<ehlo")
    assert data["sizes"] == {"n_x": 5, "n_a": 24, "n_y": 5, "m": 1, "T_x": 5}
    for name, gradient in truth.items():
        np.testing.assert_allclose(data["gradients"][name], gradient, rtol=1e-12, atol=1e-15)


def test_the_page_of_a_model(model, tmp_path, capsys) -> None:
    assert run_verb(explain, model, prime="hello<", html=str(tmp_path / "m.html")) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'm.html'}: open it in a browser.  It needs no network.\n"
    data = embedded_data((tmp_path / "m.html").read_text(encoding="utf-8"))
    assert data["title"] == "model.safetensors, reading 'hello<'"
    assert data["vocabulary"] == list("<ehlo")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, '--prime is missing: a text of two characters or more, since each predicts the next.\n  bptt explain'),
        ({"prime": "h"}, "--prime is too short"),
        ({"prime": "hex"}, "the character 'x'"),
        ({"prime": "he", "activation": "relu"}, "was trained with tanh, not relu"),
    ],
)  # fmt: skip
def test_a_model_and_what_it_cannot_read(model, options, words, capsys) -> None:
    assert run_verb(explain, model, **options) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert words in shown.err


def test_a_model_of_arrays_says_what_to_do(tmp_path, capsys) -> None:
    path = tmp_path / "arrays.safetensors"
    SimpleRNN(3, 4, 2).save(path)
    assert run_verb(explain, str(path), prime="he") == 2
    assert "np.savez" in capsys.readouterr().err
    # and what it says works
    c = case((3, 4, 2, 5, 6), 1)
    np.savez(tmp_path / "arrays.npz", X=c.X, Y=c.Y, **SimpleRNN.load(path).parameters)
    assert run_verb(explain, str(tmp_path / "arrays.npz")) == 0


def test_a_damaged_model(tmp_path, capsys) -> None:
    (tmp_path / "m.safetensors").write_bytes(b"\x08\x00\x00\x00\x00\x00\x00\x00{}      ")
    assert run_verb(explain, str(tmp_path / "m.safetensors"), prime="he") == 2
    assert "m.safetensors" in capsys.readouterr().err
