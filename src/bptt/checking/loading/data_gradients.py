"""Gradients of the inputs and of the initial state: where a backward returns them, they are checked as well."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import numpy as np

from bptt.checking.loading.bench import Bench
from bptt.checking.loading.gradients_found import MARK, TAIL
from bptt.checking.loading.namespace import Exhausted, within_budget
from bptt.checking.loading.plan import Parameter, Plan
from bptt.checking.tracing.quiet import quiet


def with_data(bench: Bench, plan: Plan) -> Plan:
    """Return the plan with those of its data as parameters whose gradients its backward returns: ``dx``, ``dh0``."""
    if plan.delivery is None or plan.delivery.fused or plan.delivery.local:
        return plan
    data = {
        str(source.value): name for name, source in plan.forward.arguments
        if source.kind == "data" and _is_array(plan, str(source.value))
    }  # fmt: skip
    taken = {p.name for p in plan.parameters}
    data = {role: name for role, name in data.items() if name not in taken}
    if not data:
        return plan
    case = bench.case(plan)
    with quiet():
        try:
            _, result = within_budget(case.run_backward)
        except (Exception, Exhausted, SystemExit):
            return plan
        made = case.make_data()
    more = []
    leaves = plan.delivery.leaves(result)
    beside = Counter(leaf.names[:-1] for leaf in leaves if str(leaf.names[-1]) in taken)
    for role, name in data.items():
        for leaf in leaves:
            label, value = str(leaf.names[-1]), leaf.value
            same_kind = isinstance(value, np.ndarray) and value.ndim == np.ndim(made[role])
            by_own_name = label == name and beside[leaf.names[:-1]] > 1  # {"Wx": dWx, "h0": dh0}; no last state `h`
            if same_kind and (name_of_gradient(label, name) or by_own_name):
                more.append(Parameter(name, "data", role=role))
                break
    return replace(plan, parameters=(*plan.parameters, *more))


def _is_array(plan: Plan, role: str) -> bool:
    layout = plan.layouts.get(role)
    return (
        layout is not None
        and layout.box == "array"
        and layout.kind == "dense"
        and not layout.nested
        and len(layout.axes) > 0
    )


def name_of_gradient(label: str, name: str) -> bool:
    """Tell whether a label is the name of a gradient of just this argument: ``dh0`` or ``h0_grad`` of ``h0``."""
    plain = _plain(name)
    for stripped in (MARK.sub("", label, count=1), TAIL.sub("", label)):
        own = _plain(stripped)
        if stripped and stripped != label and (own == plain or (len(plain) > 2 and own.startswith(plain))):
            return True
    return False


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
