"""Both operands of a wrong product are shown with named dimensions, in the person's own characters."""

from __future__ import annotations

from bptt.checking.diagnosing.diagnose import diagnose
from bptt.checking.loading.load import load_program
from bptt.checking.report import Finding
from bptt.render.report_text import report_text
from corpus import program


def finding(old: str, new: str) -> tuple[Finding, str]:
    entry = program("asker_class")
    assert entry.text.count(old) == 1
    report = diagnose(load_program(entry.text.replace(old, new), entry.filename, entry.adapter))
    assert report.verdict == "wrong"
    return report.findings[0], report_text(report, 120)


def test_a_silent_product() -> None:
    found, text = finding("np.dot(self.parameters['W_aa'].T, dz_a)", "np.dot(self.parameters['W_aa'], dz_a)")
    assert [(o.text, o.dims) for o in found.operands] == [
        ("self.parameters['W_aa']", (("n_a", 5), ("n_a", 5))),
        ("dz_a", (("n_a", 5), ("m", 2))),
    ]
    assert "^^^^ (n_a=5, m=2)" in text


def test_a_product_that_raises_shows_the_operands_that_do_not_fit() -> None:
    found, _ = finding(
        "np.dot(self.parameters['W_ya'].T, dz_y) + da_next", "np.dot(self.parameters['W_ya'], dz_y) + da_next"
    )
    assert [(o.text, o.dims) for o in found.operands] == [
        ("self.parameters['W_ya']", (("n_y", 7), ("n_a", 5))),
        ("dz_y", (("n_y", 7), ("m", 2))),
    ]
    assert found.got is not None
    assert found.got.error is not None


def test_an_elementwise_product() -> None:
    found, _ = finding("dz_a = da * tanh_backward(z_a)", "dz_a = da * np.tanh(z_a)")
    assert [o.text for o in found.operands] == ["da", "np.tanh(z_a)"]
    assert {o.dims for o in found.operands} == {(("n_a", 5), ("m", 2))}
