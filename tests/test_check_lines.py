"""The wrong lines: each planted fault is named, and only it."""

from __future__ import annotations

import pytest

from bptt.checking.diagnosing.diagnose import FIRST, diagnose
from bptt.checking.diagnosing.judging import Judging
from bptt.checking.diagnosing.labels import label
from bptt.checking.tracing.numeric import fresh
from bptt.checking.tracing.truth import find_truth
from checking_programs import hand_built
from stuck_program import STUCK
from test_check_verdict import RNN

FAULTS = [
    ('da_next = P["Waa"].T @ dz', 'da_next = P["Waa"] @ dz', 30, "R3"),
    ("dzy + da_next", "dzy", 25, "R1"),
    ("(1 - A[t + 1] ** 2)", "(1 - A[t] ** 2)", 26, "A1"),
    ("(1 - A[t + 1] ** 2)", "(1 - np.tanh(A[t + 1]) ** 2)", 26, "A1"),
    ("dz = da * (1 - A[t + 1] ** 2)", "dz = da", 26, "A2"),
    ("dz @ A[t].T", "dz @ A[t+1].T", 27, "T2"),
    ("dzy @ A[t + 1].T", "dzy @ A[t].T", 23, "T2"),
    ("dzy = Yp[t] - Y[:, :, t]", "dzy = 2 * (Yp[t] - Y[:, :, t])", 22, "L1"),
    ("dzy = Yp[t] - Y[:, :, t]", "dzy = -Y[:, :, t] / Yp[t] * Yp[t] * (1 - Yp[t])", 22, "S1"),
    ("dz.sum(axis=1, keepdims=True)", "dz.sum(keepdims=True)", 29, "M3"),
    ('g["by"] += dzy.sum(axis=1, keepdims=True)', 'g["by"] += dzy', 24, "M3"),
    ('P["Wya"].T @ dzy', 'P["Wya"] @ dzy', 25, "M1"),
    ('g["Wax"] += dz', 'g["Wax"] += da', 28, "W1"),
    ("dz = da * (1 - A[t + 1] ** 2)", "dt = (1 - A[t] ** 2); dz = da * dt", 26, "T2"),
]


def judged(text):
    program = hand_built(text)
    _, case = fresh(program, program.tree, FIRST, 0)
    judging = Judging(program, find_truth(program, FIRST, 0, case), FIRST, 0)
    judging.assign()
    return judging, judging.judge()


def faulty(old, new):
    head, back = RNN.split("def backward")
    assert old in back
    return head + "def backward" + back.replace(old, new)


@pytest.mark.parametrize(("old", "new", "line", "code"), FAULTS, ids=[f"{f[2]}-{f[3]}" for f in FAULTS])
def test_a_planted_fault_is_named_alone(old, new, line, code):
    judging, judgement = judged(faulty(old, new))
    assert [j.unit.line for j in judgement.wrong] == [line]
    assert judgement.sufficient
    codes = {one.code for one in label(judging, judgement.wrong[0])}
    assert code in codes or judgement.wrong[0].events[0].error is not None


def test_two_faults_do_not_hide_each_other():
    text = faulty("dz @ A[t].T", "dz @ A[t+1].T").replace('P["Waa"].T @ dz', 'P["Waa"] @ dz')
    _, judgement = judged(text)
    assert [j.unit.line for j in judgement.wrong] == [27, 30]


def test_the_seven_statements_of_the_question():
    judging, judgement = judged(STUCK)
    wrong = {j.unit.text.split(" ")[0] for j in judgement.wrong}
    assert wrong == {"da_prev", "da_next", *(f"self.cache['d{p}']" for p in ("W_ya", "b_y", "W_aa", "W_ax", "b_a"))}
    assert judgement.sufficient


def test_a_fault_is_mended_and_the_fix_proven():
    report = diagnose(hand_built(faulty('P["Waa"].T @ dz', 'P["Waa"] @ dz')))
    assert report.verdict == "wrong"
    assert [(f.line, f.codes) for f in report.findings] == [(30, ("R3",))]
    assert report.fix.proven
    assert report.fix.max_relative_error < 1e-8
    assert 'P["Waa"].T' in report.findings[0].fix.replacement.replace("'", '"')


def test_a_missing_update_is_an_insertion():
    report = diagnose(hand_built(faulty('        da_next = P["Waa"].T @ dz\n', "")))
    (found,) = report.findings
    assert (found.codes, found.line, found.fix.kind) == (("R1",), 29, "insert")


@pytest.mark.parametrize(
    "header", ["range(X.shape[2])", "reversed(range(1, X.shape[2]))", "reversed(range(X.shape[2] - 1))"]
)
def test_a_wrong_loop_is_named_by_its_header(header):
    report = diagnose(hand_built(faulty("reversed(range(X.shape[2]))", header)))
    assert [(f.line, f.codes) for f in report.findings] == [(21, ("T3",))]


def test_the_same_seed_gives_the_same_report():
    program = hand_built(faulty("dzy + da_next", "dzy"))
    first, second = (diagnose(program, seed=4).to_json() for _ in range(2))
    assert {**first, "seconds": 0} == {**second, "seconds": 0}


def test_what_cannot_be_traced_still_has_a_verdict():
    text = faulty('P["Waa"].T @ dz', 'P["Waa"] @ dz').replace("J += -np", "J += np.zeros(1, int)[0] + -np")
    text = text.replace("a = np.tanh(P", "a = np.tanh(float(str(1.0)) * P").replace(
        "A.append(a)", "A.append(np.array(a.tobytes() and a))"
    )
    assert diagnose(hand_built(text)).verdict == "wrong"


def test_a_right_program_that_truncates_is_right_with_a_note():
    text = faulty("        da_next = P", "        da_next = 0 * dz if t % 3 == 0 else P")
    report = diagnose(hand_built(text))
    assert report.verdict == "right"
    assert any("truncated" in note.message for note in report.notes)
