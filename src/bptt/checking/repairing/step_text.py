"""The body of a training loop that is checked as a function: its statements exchanged for changed ones.

No text of theirs is that function, so that only the statements which a change stands in are read anew.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Sequence

from bptt.checking.loading.script import Ends
from bptt.checking.program import Program
from bptt.checking.repairing.patch import Change, patched_code
from bptt.checking.tracing.trees import copied


def statement_of(program: Program, step: ast.FunctionDef, change: Change) -> ast.stmt | None:
    """Return the statement of the loop's body that a change stands in, or after; None where it is not as written."""
    before = [s for s in step.body if s.lineno <= change.line and not isinstance(s, ast.Try | ast.Return)]
    held = max(before, key=lambda s: (s.lineno, s.end_lineno or s.lineno), default=None)
    inserts = change.whole and change.kind == "insert"
    if held is None or not (inserts or change.end_line <= _last(held)):
        return None
    return held if _as_written(program, held, max(_last(held), change.end_line)) else None


def _last(statement: ast.stmt) -> int:
    return statement.end_lineno or statement.lineno


def _as_written(program: Program, statement: ast.stmt, last: int) -> bool:
    """Tell whether a statement is what its lines say, alone on them."""
    try:
        written = _statements(program.code, statement.lineno, last)
    except SyntaxError:
        return False
    return ast.dump(ast.Module(written, [])) == ast.dump(ast.Module([statement], []))


def with_changed_step(program: Program, step: ast.FunctionDef, changes: Sequence[Change]) -> tuple[str, ast.Module]:
    """Return the text that was read anew, and a tree of nothing but the changed function.

    Raises
    ------
    SyntaxError
        Where the changed text is no Python.
    """
    made, read = copied(step), []
    own: dict[int, list[Change]] = {}
    for change in changes:
        held = statement_of(program, step, change)
        if held is None:
            raise SyntaxError("a change goes beyond the loop that it stands in")
        own.setdefault(step.body.index(held), []).append(change)
    for place in sorted(own, reverse=True):
        old = step.body[place]
        last = max([_last(old), *(c.end_line for c in own[place])])
        code = patched_code(program, own[place])
        more = code.count("\n") - program.code.count("\n")
        made.body[place : place + 1] = _statements(code, old.lineno, last + more)
        read.append(code.split("\n")[old.lineno - 1 : last + more])
    return "\n".join(line for lines in read for line in lines), ast.Module([made], [])


def _statements(code: str, first: int, last: int) -> list[ast.stmt]:
    """Return the statements of some lines, as they stand in the function, with the lines' numbers."""
    text = textwrap.dedent("\n".join(code.split("\n")[first - 1 : last]))
    return [Ends().visit(s) for s in ast.parse("\n" * (first - 1) + text).body]
