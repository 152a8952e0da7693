import ast
import os

import numpy as np
import pytest

import repair_asker
import repair_programs as programs
from bptt.checking.program import Sizes
from bptt.checking.repairing.patch import insert_after, patched_code, replace
from bptt.checking.repairing.prove import Truth, looks_right, prove
from bptt.checking.repairing.repair import repair_statement, write_statement
from bptt.checking.repairing.samples import Budget, Sample
from bptt.checking.repairing.structure import restructurings
from repair_bed import record, statement_at
from repair_forms import CARRIES, FORMS
from test_repair_prove import program_of

SMALL = (Sizes(n_x=2, n_a=3, n_y=4, m=2, T_x=3), Sizes(n_x=3, n_a=4, n_y=2, m=3, T_x=1))
SIZES_OF_FAULTS = (SMALL[0], Sizes(n_x=3, n_a=5, n_y=4, m=2, T_x=4))
SIZES = Sizes(n_x=3, n_a=5, n_y=4, m=7, T_x=6)  # no size is a small constant of somebody's formula
EVERY = 1 if os.environ.get("BPTT_ALL_FAULTS") else 2  # every second fault: the whole list takes a minute and more
STYLES = [name.removesuffix("_FAULTS") for name in vars(programs) if name.endswith("_FAULTS")]


def samples_of(code, right):
    return record(code, right, lambda module: module.bptt_case(module, SIZES, 0).gradients())


def planted(code, right, wrong):
    """The code with one statement replaced, and that statement in it."""
    node = statement_at(code, right)
    wrong_code = code.replace(ast.get_source_segment(code, node), wrong, 1)
    return wrong_code, statement_at(wrong_code, wrong)


@pytest.mark.parametrize("style", STYLES)
def test_every_single_fault_is_repaired_and_proven(style):
    code = getattr(programs, style)
    truth = Truth(program_of(code))
    assert prove(truth.program, code, SMALL, truth=truth).ok
    for right, wrong in getattr(programs, f"{style}_FAULTS")[::EVERY]:
        wrong_code, node = planted(code, right, wrong)
        assert not prove(truth.program, wrong_code, SIZES_OF_FAULTS, truth=truth).ok, wrong
        found = repair_statement(node, samples_of(code, right), code=wrong_code, budget=Budget(seconds=30))
        assert found, f"{wrong}: nothing found"
        best = patched_code(program_of(wrong_code), [replace(wrong_code, node, found[0].replacement)])
        assert prove(truth.program, best, SMALL, truth=truth).ok, f"{wrong} -> {found[0].replacement}"


def test_the_faults_are_many_and_the_styles_are_many():
    assert len(STYLES) >= 8
    assert sum(len(getattr(programs, f"{style}_FAULTS")[::EVERY]) for style in STYLES) >= 60


@pytest.mark.parametrize(
    ("style", "right", "wrong", "written"),
    [
        ("FUNCTIONS", "dz = ", "dz = -Y[:, :, t] / P[t]", "dz = P[t] - Y[:, :, t]"),
        ("FUNCTIONS", "dr = ", "dr = (1 - A[t]) * da", "dr = (1 - A[t]**2) * da"),
        ("FUNCTIONS", "dr = ", "dr = da", "dr = da * (1 - A[t]**2)"),
        ("FUNCTIONS", 'd["by"]', 'd["by"] += dz', 'd["by"] += dz.sum(axis=1, keepdims=True)'),
        ("CACHED_CLASS", "da_next = np.dot", "da_next = np.dot(self.parameters['W_aa'], dz_a)",
         "da_next = np.dot(self.parameters['W_aa'].T, dz_a)"),
        ("CHARS", "dy[t", "dy[targets[t]] -= 2", "dy[targets[t]] -= 1"),
        ("CHARS", "dWhh +=", "dWhh += np.dot(dhraw, hs[t].T)", "dWhh += np.dot(dhraw, hs[t - 1].T)"),
        ("ROWS", "dWx = x", "dWx = dz.T.dot(x)", "dWx = x.T.dot(dz)"),
        ("ROWS", "db = ", "db = dz.mean(axis=0)", "db = dz.sum(axis=0)"),
        ("VECTORS", "dLdV +=", "dLdV += np.dot(delta_o[t], s[t].T)", "dLdV += np.outer(delta_o[t], s[t].T)"),
        ("LSTM", "dzf = ", "dzf = dc * c_next * ft * (1 - ft)", "dzf = dc * c_prev * ft * (1 - ft)"),
        ("LSTM", "dh_next = dcon", "dh_next = dconcat[n_a:, :]", "dh_next = dconcat[:n_a, :]"),
        ("STACKED", "dz1 = ", "dz1 = dh1", "dz1 = dh1 * (self.h1[t] > 0)"),
    ],
)  # fmt: skip
def test_the_repair_is_what_a_person_would_write(style, right, wrong, written):
    code = getattr(programs, style)
    wrong_code, node = planted(code, right, wrong)
    assert repair_statement(node, samples_of(code, right), code=wrong_code)[0].replacement == written


@pytest.mark.parametrize("k", range(7))
def test_the_askers_statements_are_repaired(k):
    right, wrong = repair_asker.RIGHT[k], repair_asker.WRONG[k]
    samples = record(repair_asker.code(repair_asker.RIGHT), right, repair_asker.run)
    code = repair_asker.code(repair_asker.WRONG)
    budget = Budget(seconds=30)
    found = repair_statement(statement_at(code, wrong), samples, code=code, budget=budget)
    assert found
    assert budget.spent < 30_000
    statements = list(repair_asker.RIGHT)
    statements[k] = found[0].replacement
    program = program_of(repair_asker.with_case(statements))
    assert prove(program, program.code, SMALL).ok


def test_the_askers_first_statement_reads_as_the_equation():
    samples = record(repair_asker.code(repair_asker.RIGHT), repair_asker.RIGHT[0], repair_asker.run)
    code = repair_asker.code(repair_asker.WRONG)
    assert repair_statement(statement_at(code, repair_asker.WRONG[0]), samples, code=code)[0].replacement == (
        "da_prev = np.dot(self.parameters['W_ya'].T, "
        "self.cache['Y_pred'][:, :, t] - self.cache['Y'][:, :, t]) + da_next"
    )


@pytest.mark.parametrize(("style", "right", "wrong"), [*FORMS, *CARRIES])
def test_faults_of_form_are_repaired_and_proven(style, right, wrong):
    code = getattr(programs, style)
    assert code.count(right) == 1
    program = program_of(code.replace(right, wrong))
    line = code[: code.index(right)].count("\n") + 1
    functions = [n for n in ast.walk(program.tree) if isinstance(n, ast.FunctionDef) and n.name != "bptt_case"]
    function = [n for n in functions if n.lineno <= line <= (n.end_lineno or 0) + 1][-1]
    truth = Truth(program)
    texts = (patched_code(program, form.changes) for form in restructurings(program.code, program.tree, function))
    assert any(looks_right(program, text, truth) and prove(program, text, truth=truth).ok for text in texts)


def test_a_missing_statement_is_written():
    code = programs.FUNCTIONS
    right = 'd["Wax"] += dr @ X[:, :, t].T'
    samples = samples_of(code, right)
    wrong_code = code.replace(f"        {right}\n", "")
    program = program_of(wrong_code)
    near = statement_at(wrong_code, 'd["Waa"] +=')
    found = write_statement('d["Wax"]', "+=", samples, code=wrong_code, near=near)
    assert found[0].replacement == right
    assert found[0].kind == "insert"
    assert prove(program, patched_code(program, [insert_after(wrong_code, near, found[0].replacement)]), SMALL).ok


def sample(target, before=None, **env):
    return Sample({"np": np, **env}, before, target)


def one(code, samples, **budget):
    node = ast.parse(code).body[-1]
    return [c.replacement for c in repair_statement(node, samples, code=code, budget=Budget(**budget))]


def rng_pairs(count=3, shape=(3, 2)):
    rng = np.random.default_rng(0)
    return [(rng.normal(size=shape), rng.normal(size=shape)) for _ in range(count)]


def test_what_is_nan_at_zero_loses():
    samples = [sample(p - y, y=np.abs(y), p=np.abs(p)) for y, p in rng_pairs() for y, p in [(np.abs(y), np.abs(p))]]
    assert one("dz = -(y / p) * p", samples)[0] == "dz = p - y"


def test_nothing_is_returned_that_does_not_hold_in_every_sample():
    samples = [sample(2.0 * x, x=x, y=y) for x, y in rng_pairs()]
    odd = rng_pairs(shape=(3, 2))[0][1]
    assert one("z = x", samples)
    assert one("z = x", [*samples, sample(odd, x=samples[0].env["x"], y=samples[0].env["y"])], seconds=3) == []


def test_a_variable_that_is_not_yet_defined_is_not_used():
    pairs = rng_pairs()
    samples = [sample(x + y, x=x, y=y, late=x + y) for x, y in pairs]
    del samples[0].env["late"]
    assert "late" not in one("z = x", samples)[0]


def test_the_search_is_the_same_every_time():
    samples = [sample(x * (1 - y**2) + y, x=x, y=y, w=x + y) for x, y in rng_pairs(shape=(4, 3))]
    first = one("z = x * (1 - y) + y", samples)
    assert first == one("z = x * (1 - y) + y", samples)
    assert first[0] in ("z = x * (1 - y**2) + y", "z = x * (1 - y ** 2) + y")


def test_inputs_are_left_as_they_are():
    def spoil(z):
        z += 1
        return z

    samples = [sample(x + 1 + y, x=x, y=y, spoil=spoil) for x, y in rng_pairs()]
    copies = [(s.env["x"].copy(), s.env["y"].copy()) for s in samples]
    assert one("z = spoil(x)", samples)
    assert all(
        np.array_equal(s.env["x"], x) and np.array_equal(s.env["y"], y)
        for s, (x, y) in zip(samples, copies, strict=True)
    )


def test_float32_statements_are_repaired_to_their_precision():
    samples = [sample((x @ y.T).astype(np.float32), x=x, y=y) for x, y in
               ((x.astype(np.float32), y.astype(np.float32)) for x, y in rng_pairs())]  # fmt: skip
    assert one("z = x * y", samples)[0] in ("z = np.dot(x, y.T)", "z = x @ y.T")


@pytest.mark.parametrize(
    "code", ["z = nothing(x)", "z = x['no']", "z = [x, y]", "z = lambda: x", "x, y = y, x", "del x"]
)
def test_odd_statements_never_raise(code):
    samples = [sample(x * y, x=x, y=y) for x, y in rng_pairs()]
    one(code, samples, seconds=2)
    one(code, [sample(None, x=x, y=y) for x, y in rng_pairs()], seconds=2)
    one(code, [])


def test_comments_and_line_breaks_of_the_statement_stay_where_they_can():
    code = "z = (x  # the left\n     + y)"
    samples = [sample(x - y, x=x, y=y) for x, y in rng_pairs()]
    assert one(code, samples)
    code = "z = np.dot(x,   # the left\n    w)"
    samples = [sample(x @ y.T, x=x, w=y) for x, y in rng_pairs()]
    assert one(code, samples)[0] == "z = np.dot(x,   # the left\n    w.T)"
