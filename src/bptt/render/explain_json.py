"""The explanation as one JSON object: the same ids and numbers as every other face."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bptt.dims import DIMS, GLOSSARY
from bptt.explaining.equations import detail
from bptt.explaining.step import Step, Tensor
from bptt.explaining.trace import Trace

LONGEST_MAP = 200
"""Steps; the maps of a longer sequence, T_x² numbers each, are left out (null)."""


def explanation_json(trace: Trace, steps: Iterable[Step], cell: tuple[int, ...] | None = None) -> dict[str, Any]:
    """Return sizes, tensors, equations, gradients, contributions and the steps, as plain lists of numbers.

    Parameters
    ----------
    trace : Trace
    steps : iterable of Step
        Those that are wanted; a step names its inputs, whose values are the tensors' or an earlier step's outputs.
    cell : tuple of int, optional
        The number that is written out in every step that has it.
    """
    parts = trace.contributions
    return {
        "version": 1,
        "sizes": trace.sizes,
        "dims": GLOSSARY,
        "activation": trace.activation,
        "reduction": trace.reduction,
        "cost": trace.cost,
        "vocabulary": None if trace.vocabulary is None else list(trace.vocabulary),
        "tensors": {name: _tensor(Tensor(name, DIMS[name], array)) for name, array in trace.tensors.items()},
        "equations": [row.to_json() for row in (*trace.equations, *detail(trace.reduction))],
        "steps": [step_json(step, cell) for step in steps],
        "gradients": {name: array.tolist() for name, array in trace.gradients.items()},
        "through_time": None
        if trace.sizes["T_x"] > LONGEST_MAP
        else {"norms": parts.norms().tolist(), "shares_of_dW_aa": parts.shares().tolist()},
    }


def step_json(step: Step, cell: tuple[int, ...] | None = None) -> dict[str, Any]:
    """Return one step; the texts of its equation stand once, in the table, under its id."""
    data: dict[str, Any] = {
        "id": step.id,
        "t": step.t,
        "phase": step.phase,
        "inputs": [tensor.name for tensor in step.inputs],
        "output": {"name": step.output.name, **_tensor(step.output)},
    }
    if step.before is not None:
        data |= {"before": step.before.tolist(), "added": step.added.tolist()}
    if cell is not None and step.has_cell(*cell):
        written = step.cell(*cell)
        data["cell"] = {
            "index": list(written.index),
            "terms": [{"symbols": t.symbols, "numbers": t.numbers, "value": t.value} for t in written.terms],
            "running": list(written.running),
            "value": written.value,
        }
    return data


def _tensor(tensor: Tensor) -> dict[str, Any]:
    return {"dims": list(tensor.dims), "data": tensor.array.tolist()}
