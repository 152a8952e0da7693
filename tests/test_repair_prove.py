import ast
import json
import subprocess
import types

import pytest

from bptt.checking.program import LineOrigin, Program
from bptt.checking.repairing.patch import (
    apply,
    delete,
    insert_after,
    insert_before,
    patched_code,
    replace,
    unified_diff,
)
from bptt.checking.repairing.prove import minimise, preconditions, prove

CODE = """\
import numpy as np


def softmax(z):
    e = np.exp(z - z.max(axis=0))
    return e / e.sum(axis=0)


def forward(p, X, a0):
    a, A, P = a0, [], []
    for t in range(X.shape[2]):
        a = np.tanh(p["Waa"] @ a + p["Wax"] @ X[:, :, t] + p["ba"])
        A.append(a)
        P.append(softmax(p["Wya"] @ a + p["by"]))
    return A, P


def cost(p, X, Y, a0):
    A, P = forward(p, X, a0)
    return -sum((Y[:, :, t] * np.log(P[t])).sum() for t in range(X.shape[2]))


def backward(p, X, Y, a0):
    A, P = forward(p, X, a0)
    d = {k: np.zeros_like(v) for k, v in p.items()}
    da_next = np.zeros_like(a0)
    for t in reversed(range(X.shape[2])):
        dz = P[t] - Y[:, :, t]
        d["Wya"] += dz @ A[t].T
        d["by"] += dz.sum(axis=1, keepdims=True); da = p["Wya"].T @ dz + da_next
        dr = (1 - A[t] ** 2) * da
        d["Waa"] += dr @ (A[t - 1] if t else a0).T
        d["Wax"] += (dr
                     @ X[:, :, t].T)  # a comment
        d["ba"] += dr.sum(axis=1, keepdims=True)
        da_next = p["Waa"].T @ dr
    return d


def bptt_case(module, sizes, seed):
    rng = np.random.default_rng(seed)
    n_x, n_a, n_y, m, T = sizes.n_x, sizes.n_a, sizes.n_y, sizes.m, sizes.T_x
    p = {"Waa": rng.normal(size=(n_a, n_a)), "Wax": rng.normal(size=(n_a, n_x)), "Wya": rng.normal(size=(n_y, n_a)),
         "ba": rng.normal(size=(n_a, 1)), "by": rng.normal(size=(n_y, 1))}
    X, a0 = rng.normal(size=(n_x, m, T)), rng.normal(size=(n_a, m))
    Y = rng.dirichlet(np.ones(n_y), size=(m, T)).transpose(2, 0, 1)

    class Case:
        parameters = p

        def cost(self):
            return module.cost(p, X, Y, a0)

        def gradients(self):
            return module.backward(p, X, Y, a0)

    return Case()
"""


def program_of(code, file="code.py", source=None, origins=None):
    def load(tree):
        module = types.ModuleType("theirs")
        exec(compile(tree, file, "exec"), module.__dict__)
        return module

    def build(module, sizes, seed):
        return module.bptt_case(module, sizes, seed)

    origins = origins or tuple(LineOrigin(None, k + 1, 0) for k in range(len(code.split("\n"))))
    return Program(file, code if source is None else source, code, ast.parse(code), origins, load, build)


def statement(program, start, k=0):
    return [n for n in ast.walk(program.tree) if isinstance(n, ast.stmt) and ast.unparse(n).startswith(start)][k]


def test_a_right_program_is_proven_by_the_complex_step():
    program = program_of(CODE)
    proof = prove(program, program.code)
    assert proof.ok
    assert proof.method in ("complex step", "reverse mode proven by the complex step")
    assert proof.max_relative_error < 1e-12
    assert len(proof.sizes) >= 5
    assert any(s.m == 1 for s in proof.sizes)
    assert any(s.T_x == 1 for s in proof.sizes)


def test_central_differences_where_a_buffer_drops_the_imaginary_part():
    program = program_of(
        CODE.replace("a, A, P = a0, [], []", "a, A, P = a0, [], []\n    buffer = np.zeros_like(a0)").replace(
            "        A.append(a)", "        buffer[...] = a\n        a = buffer.copy()\n        A.append(a)"
        )
    )
    proof = prove(program, program.code)
    assert proof.ok
    assert proof.method in ("central differences", "reverse mode proven by central differences")
    assert proof.max_relative_error < 1e-8


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("dz = P[t] - Y[:, :, t]", "dz = 1.0000001 * P[t] - Y[:, :, t]"),
        ("(1 - A[t] ** 2)", "(1 - A[t])"),
        ("(A[t - 1] if t else a0).T", "A[t - 1].T"),
        ('d["ba"] += dr.sum(axis=1, keepdims=True)', "pass"),
        ("return d\n", "return {}\n"),
        ("return d\n", 'del d["ba"]\n    return d\n'),
        ("return d\n", "return nothing\n"),
        ("return -sum(", "return 0 * -sum("),
        (
            "    d = {k: np.zeros_like(v) for k, v in p.items()}",
            "    d = globals().setdefault('D', {k: np.zeros_like(v) for k, v in p.items()})",
        ),
        (
            'd["ba"] += dr.sum(axis=1, keepdims=True)',
            'd["ba"] += dr.sum(axis=1, keepdims=True) * (np.nan if t == 3 else 1)',
        ),
    ],
)
def test_a_wrong_program_is_never_proven(right, wrong):
    program = program_of(CODE)
    patched = CODE.replace(right, wrong)
    assert patched != CODE
    proof = prove(program, patched)
    assert not proof.ok
    assert proof.reason


def test_preconditions_are_found_by_running_outside_of_them():
    program = program_of(CODE)
    assert preconditions(program, CODE) == ("each column of Y sums to 1",)
    honest = CODE.replace("P[t] - Y[:, :, t]\n", "P[t] * Y[:, :, t].sum(axis=0) - Y[:, :, t]\n")
    assert prove(program, honest).ok
    assert preconditions(program, honest) == ()


def test_changes_that_are_not_needed_are_dropped():
    wrong = CODE.replace("(1 - A[t] ** 2) * da", "(1 - A[t]) * da")
    program = program_of(wrong)
    needed = replace(wrong, statement(program, "dr ="), "dr = (1 - A[t]**2) * da")
    idle = replace(wrong, statement(program, "dz ="), "dz = -(Y[:, :, t] - P[t])")
    assert minimise(program, [idle, needed]) == (needed,)


def test_only_the_statement_changes_and_patch_applies_the_diff(tmp_path):
    program = program_of(CODE)
    changes = [
        replace(CODE, statement(program, "da = "), "da = 1"),
        replace(CODE, statement(program, "d['Wax'] +="), 'd["Wax"] += 2'),
        insert_after(CODE, statement(program, "dr = "), "new = 3"),
        insert_before(CODE, statement(program, "da_next = np"), "old = 4"),
        delete(CODE, program.tree, statement(program, "d['Waa'] +=")),
        delete(CODE, program.tree, statement(program, "d['by'] +=")),
    ]
    new = apply(program, changes)
    want = (
        CODE.replace('d["by"] += dz.sum(axis=1, keepdims=True); ', "")
        .replace('da = p["Wya"].T @ dz + da_next', "da = 1")
        .replace('d["Wax"] += (dr\n                     @ X[:, :, t].T)  # a', 'd["Wax"] += 2  # a')
        .replace("(1 - A[t] ** 2) * da\n", "(1 - A[t] ** 2) * da\n        new = 3\n")
        .replace("    da_next = np", "    old = 4\n    da_next = np")
        .replace('        d["Waa"] += dr @ (A[t - 1] if t else a0).T\n', "")
    )
    assert new == want == patched_code(program, changes)
    (tmp_path / "code.py").write_text(CODE)
    diff = unified_diff(program, changes)
    subprocess.run(["patch", "-p0"], input=diff, text=True, cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "code.py").read_text() == want


@pytest.mark.parametrize("code", ["if 1:\n\tx = 1; y = 2", "if 1:\n\tx = 1; y = 2\n", "if 1: x = 1; y = 2\n"])
def test_tabs_semicolons_and_no_line_break_at_the_end(tmp_path, code):
    program = program_of(code)
    changes = [
        replace(code, statement(program, "y ="), "y = 3"),
        insert_after(code, statement(program, "y ="), "w = 'é'"),
    ]
    new = apply(program, changes)
    assert new == code.replace("y = 2", "y = 3; w = 'é'")
    alone = code.replace("; y = 2", "")
    program = program_of(alone)
    gone = apply(program, [delete(alone, program.tree, statement(program, "x ="))])
    assert gone == alone.replace("x = 1", "pass")
    (tmp_path / "code.py").write_text(code)
    subprocess.run(
        ["patch", "-p0"],
        input=unified_diff(program_of(code), changes),
        text=True,
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    assert (tmp_path / "code.py").read_text() == new


def test_lost_indentation_and_windows_line_ends_stay_as_given():
    source = "Hello,\r\ndef f(a):\r\nx = a\r\ny = x\r\nreturn y\r\nbye\r\n"
    code = "\ndef f(a):\n    x = a\n    y = x\n    return y\n\n"
    shifts = [0, 0, 4, 4, 4, 0, 0]
    program = program_of(code, source=source, origins=tuple(LineOrigin(None, k + 1, s) for k, s in enumerate(shifts)))
    changes = [
        replace(code, statement(program, "y ="), "y = -x"),
        insert_after(code, statement(program, "y ="), "y = 2 * y"),
        delete(code, program.tree, statement(program, "x =")),
    ]
    assert apply(program, changes) == source.replace("x = a\r\ny = x\r\n", "y = -x\r\ny = 2 * y\r\n")


@pytest.mark.parametrize("form", ["list", "string"])
def test_a_notebook_keeps_every_other_character(form):
    cell = ["%matplotlib inline\n", "x = 'é'\n", "y = x"]
    cells = [
        {"cell_type": "markdown", "source": ["# title"]},
        {
            "source": cell if form == "list" else "".join(cell),
            "outputs": [{"x": [1, 2.5, None, True]}],
            "cell_type": "code",
        },
        {"cell_type": "code", "source": []},
        {"cell_type": "code", "source": ["z = 1"]},
    ]
    source = json.dumps({"cells": cells, "nbformat": 4}, indent=1).replace('"outputs": [', '"outputs":   [')
    code = "\nx = 'é'\ny = x\nz = 1"
    origins = (LineOrigin(1, 1, 0), LineOrigin(1, 2, 0), LineOrigin(1, 3, 0), LineOrigin(3, 1, 0))
    program = program_of(code, file="n.ipynb", source=source, origins=origins)
    changes = [
        replace(code, statement(program, "y ="), "y = x + 'é'"),
        insert_after(code, statement(program, "y ="), "w = 5"),
        replace(code, statement(program, "z ="), "z = 2"),
    ]
    new = apply(program, changes)
    text = ["".join(c["source"]) for c in json.loads(new)["cells"]]
    assert text[1] == "%matplotlib inline\nx = 'é'\ny = x + 'é'\nw = 5"
    assert text[3] == "z = 2"
    assert '"outputs":   [' in new
    changed = [line for line in unified_diff(program, changes).splitlines() if line[0] in "+-"]
    assert len(changed) <= 2 + 2 + 3 + 1
