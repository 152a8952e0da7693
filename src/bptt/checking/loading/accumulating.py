"""Gradients that a second pass adds to the first one's: nothing in the program puts its accumulators back to zero."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bptt.checking.loading.bench import Bench
from bptt.checking.loading.namespace import Exhausted, within_budget
from bptt.checking.loading.plan import Plan
from bptt.checking.loading.script import STEP
from bptt.checking.tracing.quiet import quiet


def as_trained(bench: Bench, plan: Plan) -> Plan:
    """Return the plan, to be run twice where the second of two passes gives twice the gradient of the first.

    Only a program that holds all of its training step, or that has a method to reset its gradients, is asked: in
    another one the caller may be the one who resets them.
    """
    script = plan.forward.function == STEP
    if not (script or plan.after) or plan.again:
        return plan
    twice = replace(plan, again=True)
    with quiet():
        try:
            first = within_budget(bench.case(plan).gradients)
            second = within_budget(bench.case(twice).gradients)
        except (Exception, Exhausted, SystemExit):
            return plan
    doubled = [
        name for name, g in first.items()
        if name in second and g.shape == second[name].shape and g.any() and np.allclose(second[name], 2 * g, rtol=1e-6)
    ]  # fmt: skip
    return twice if doubled else plan
