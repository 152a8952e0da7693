"""Programs for the tests of the checker: built by hand, without a loader, and given as a text with a line changed."""

from __future__ import annotations

import ast
import os
import types

import pytest

from bptt.checking.diagnosing.diagnose import diagnose
from bptt.checking.loading.load import load_program
from bptt.checking.program import LineOrigin, Program

left_out = pytest.mark.skipif(not os.environ.get("BPTT_REQUIRE_LONG"), reason="takes seconds: set BPTT_REQUIRE_LONG=1")
"""Of what takes longest; `.ci/run` leaves none out."""


def hand_built(text: str, file: str = "theirs.py", case: str | None = None) -> Program:
    """A program whose ``bptt_case`` is its own, or given as an adapter's text."""
    tree = ast.parse(text)

    def load(tree: ast.Module) -> types.ModuleType:
        module = types.ModuleType("theirs")
        exec(compile(tree, file, "exec"), module.__dict__)
        return module

    if case is None:

        def build(module, sizes, seed):
            return module.bptt_case(sizes, seed)
    else:
        space: dict = {}
        exec(compile(case, "adapter.py", "exec"), space)
        build = space["bptt_case"]
    lines = text.splitlines()
    origins = tuple(LineOrigin(None, i + 1, 0) for i in range(len(lines)))
    return Program(file, text, text, tree, origins, load, build, adapter=True)


def line_of(text: str, part: str) -> int:
    """Return the number of the first line of a program that a part of it begins in."""
    return text[: text.index(part)].count("\n") + 1


def planted(text: str, *faults: tuple[str, str]) -> str:
    """Return a program with faults in it, each a part that stands there once and what stands in its place."""
    for right, wrong in faults:
        assert text.count(right) == 1, right
        text = text.replace(right, wrong)
    return text


def mended_lines(text: str) -> list[int]:
    """Check a program that is wrong, and return the lines that are named; their fix is proven."""
    report = diagnose(load_program(text, "net.py"))
    assert report.verdict == "wrong"
    assert report.findings, report.reason
    assert report.fix is not None
    assert report.fix.proven
    return [finding.line for finding in report.findings]
