"""Programs of the development corpus, checked as they are handed in: without an adapter."""

from __future__ import annotations

import pytest

from bptt.checking.diagnosing.diagnose import diagnose
from bptt.checking.diagnosing.reached import unreached
from bptt.checking.loading.load import load_program
from bptt.checking.report import Report
from bptt.errors import CannotCheckError
from checking_programs import left_out
from corpus import Entry, programs

BASES = {entry.name: entry for entry in programs() if "/" not in entry.name}
UNREAD = {"stacked_layers"}  # layers in a list of dicts, each with a state of its own: it asks for an adapter


def takes_long(name: str) -> object:
    return pytest.param(name, marks=left_out)


FAULTS = [
    "joined_weights/sum-for-the-mean",  # its cost is only printed
    takes_long("adder_script/synapse-h-not-transposed"),  # a script, whose changes are tried in place
    "prompt_post/tanh-derivative",  # pasted with the prompts
    "post_methods/tanh-of-the-state",  # methods without their class, weights named like states
    takes_long("oned_truncated/arity"),  # Python 2, and it raises
    takes_long("course_tuples/wrong-order"),  # it raises, and hands back what the check does not ask for
    "fused_sgd/sign-of-one-update",  # its gradients are right, and one weight moves the other way
    "fenced_ascent/sign-of-one",  # the same, on the way up a likelihood
    "linear_scalar/mean-not-divided",  # in what the caller hands to the backward pass
    takes_long("closures/derivative-at-z"),  # what is meant is a variable of the function around it
    takes_long("closures/bias-scalar"),  # a closure that runs for several layers
    takes_long("jacobians/only-the-diagonal"),
    takes_long("prompt_post/two-over-two"),  # one factor, and not two lines that make up for it
    takes_long("sentiment_class/diagonal-softmax"),  # the gradient by the output is made by the caller, from no file
]


def checked(entry: Entry) -> Report:
    return diagnose(load_program(entry.text, entry.filename))


@pytest.mark.parametrize("name", sorted(BASES))
def test_each_base_is_called_right_without_an_adapter(name: str) -> None:
    entry = BASES[name]
    if name in UNREAD:
        with pytest.raises(CannotCheckError, match="--case"):
            load_program(entry.text, entry.filename)
        return
    program = load_program(entry.text, entry.filename)
    assert diagnose(program).verdict == "right"
    assert not unreached(program)


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_named_and_mended_without_an_adapter(name: str) -> None:
    (entry,) = (e for e in programs() if e.name == name)
    report = checked(entry)
    assert report.fix is not None
    assert len(report.findings) == len(entry.expected)
    assert all(f.line in e.lines for f, e in zip(report.findings, entry.expected, strict=True))
    assert all(set(f.codes) & set(e.codes) for f, e in zip(report.findings, entry.expected, strict=True))


def test_a_patch_keeps_the_prompts() -> None:
    (entry,) = (e for e in programs() if e.name == "prompt_post/tanh-derivative")
    fix = checked(entry).fix
    assert fix is not None
    changed = [line for line in fix.diff.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    assert changed
    assert all(line[1:].startswith("... ") for line in changed)
