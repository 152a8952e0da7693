"""The data of the page, as one JSON object: tensors, equations and presets; the page computes the rest itself."""

from __future__ import annotations

from typing import Any

from bptt.dims import DIMS, GLOSSARY
from bptt.explaining.equations import detail
from bptt.explaining.examples import EXAMPLES
from bptt.explaining.explain import explain
from bptt.explaining.trace import Trace


def page_data(trace: Trace, report: dict[str, Any] | None = None, title: str = "") -> dict[str, Any]:
    """Return what the page is given: version 1 of the format that docs/explain.md describes.

    Parameters
    ----------
    trace : Trace
    report : dict, optional
        The JSON of ``bptt check``, for the level "Your code".
    title : str, optional
        What is explained: a file's name.
    """
    presets = {}
    for name, example in EXAMPLES.items():
        e = example()
        presets[name] = _numbers(explain(e.X, e.Y, e.parameters, e.a0))
    return {
        "version": 1,
        "title": title,
        "dims": GLOSSARY,
        "activation": trace.activation,
        "reduction": trace.reduction,
        **_numbers(trace),
        "equations": [row.to_json() for row in trace.equations],
        "details": [row.to_json() for row in detail(trace.reduction)],
        "presets": presets,
        "vocabulary": None if trace.vocabulary is None else list(trace.vocabulary),
        "report": report,
        # the reader's own code where there is a report of it, else the step where both parts of da are there
        "start": {"level": "steps" if report is None else "code", "step": "B5", "t": max(trace.sizes["T_x"] - 2, 0)},
    }


def _numbers(trace: Trace) -> dict[str, Any]:
    return {
        "sizes": trace.sizes,
        "tensors": {
            name: {"dims": list(DIMS[name]), "data": array.ravel().tolist()} for name, array in trace.tensors.items()
        },
    }
