"""A headless Chromium for the page, and a tab that remembers every request, message and error.

Where Playwright or Chromium is missing these tests are left out, with the reason; with BPTT_REQUIRE_BROWSER=1 in the
environment that is a failure.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from bptt.cli.explained import explanation
from bptt.explaining.trace import Trace
from bptt.render.html import page as page_text

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def missing(reason: str) -> None:
    reason = f"the page's browser tests are left out: {reason}"
    if os.environ.get("BPTT_REQUIRE_BROWSER") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing('Playwright is not installed (pip install "bptt[browser]")')
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        missing(f"none of {', '.join(NAMES)} is on the path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)  # with a new, empty profile
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core."""
    try:
        return (resources.files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
    except ImportError:
        missing('axe-core is not installed (pip install "bptt[browser]")')
        raise


class Tab:
    """A tab with a page opened from a file, and what it did that it should not have done."""

    def __init__(self, page: Any, path: Path) -> None:
        self.page, self.url = page, path.as_uri()
        self.requests: list[str] = []
        self.troubles: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self.troubles.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.troubles.append(str(error)))

    def open(self, place: str = "") -> Tab:
        """Go to a place of the page; the text after # is the whole state."""
        self.page.goto("about:blank")
        self.page.goto(self.url + (f"#{place}" if place else ""))
        self.page.wait_for_selector("#level > *")
        return self

    def matrix(self, key: str) -> list[float]:
        """Return the numbers of a matrix, all digits, from the titles of its cells."""
        script = """key => [...document.querySelectorAll(`td[data-key^="${key}:"]`)]
            .map((td) => Number(td.title.split(" = ")[1]))"""
        numbers: list[float] = self.page.evaluate(script, key)
        return numbers

    def text(self, selector: str) -> str:
        return " ".join(self.page.locator(selector).first.inner_text().split())

    def wait(self, seen: Callable[[], bool], seconds: float = 10) -> None:
        """Wait in Python: the page's policy forbids Playwright's own way, which evaluates strings in the page."""
        end = time.monotonic() + seconds
        while not seen():
            assert time.monotonic() < end, "waited in vain"
            self.page.wait_for_timeout(30)

    def hash(self) -> str:
        return str(self.page.evaluate("location.hash.slice(1)"))


@pytest.fixture(scope="session")
def default_trace() -> Trace:
    return explanation(None)[0]


@pytest.fixture
def open_page(chromium: Any, tmp_path: Path) -> Iterator[Callable[..., Tab]]:
    """Write a page for a trace and open it; at the end nothing may have gone over a network or into the console."""
    contexts, tabs = [], []

    def opened(trace: Trace, place: str = "", report: Any = None, title: str = "", **options: Any) -> Tab:
        path = tmp_path / f"page{len(tabs)}.html"
        path.write_text(page_text(trace, report, title), "utf-8")
        options = {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce", **options}
        context = chromium.new_context(**options)
        tab = Tab(context.new_page(), path)
        contexts.append(context)
        tabs.append(tab)
        return tab.open(place)

    yield opened
    for tab in tabs:
        assert [url for url in tab.requests if not url.startswith(("file:", "about:"))] == []
        assert tab.troubles == []
    for context in contexts:
        context.close()
