"""Programs for the tests of the checker, built by hand: no loader is at work."""

from __future__ import annotations

import ast
import types

from bptt.checking.program import LineOrigin, Program


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
