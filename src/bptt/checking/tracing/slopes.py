"""The slopes of elementwise chains: 1 - a² of a = tanh(z), s(1 - s) of a hand-written sigmoid.

They are no adjoints, but people compute them on lines of their own.
"""

from __future__ import annotations

import numpy as np

from bptt.checking.tracing.tape import Operation, Tape
from bptt.checking.tracing.truth import Series, Truth
from bptt.dims import Array


def slopes(truth: Truth) -> list[Series]:
    """List d(result)/d(argument) for every chain of elementwise operations, step by step."""
    series = []
    for site, operations in truth.by_site.items():
        if operations[0].out.ndim == 0 or operations[0].out.size < 2 or not _starts_a_chain(truth.tape, operations[0]):
            continue
        chains = [_chain(truth, operation) for operation in operations]
        for end in chains[0]:
            items: list[Array | None] = [chain.get(end) for chain in chains]
            item = items[0]
            if item is not None and len(items) == len([i for i in items if i is not None]) and np.ptp(item) > 0:
                name = f"the slope of {truth.label(end)} by {truth.label(site)}"
                series.append(Series("slope", name, items, end, parameter=str(site)))
    return series


def _starts_a_chain(tape: Tape, operation: Operation) -> bool:
    """Tell whether a chain begins here: with a sum or a product of matrices."""
    return operation.name in ("add", "matmul", "subtract", "einsum", "tensordot", "dot")


def _chain(truth: Truth, start: Operation) -> dict[int, Array]:
    """Return the slope of everything that is computed elementwise from one value alone."""
    ids = start.out.reshape(-1)
    reached: dict[int, Array] = {}  # first id of a result -> its slope
    held = {int(ids[0]): np.ones(start.out.shape)}
    result: dict[int, Array] = {}
    begun = False
    for operation in truth.tape.operations:
        if operation is start:
            begun = True
            continue
        if not begun or operation.out.shape != start.out.shape:
            continue
        total: Array | None = None
        for inputs, vjp in operation.inputs:
            slope = held.get(int(inputs.reshape(-1)[0])) if inputs.size == ids.size else None
            if slope is None:
                continue
            if inputs.shape != start.out.shape or (
                operation.name in ("matmul", "add", "subtract") and _joins(operation, held)
            ):
                return result
            try:
                part = np.broadcast_to(np.asarray(vjp(np.ones(start.out.shape)), dtype=float), start.out.shape) * slope
            except ValueError:
                continue
            total = part if total is None else total + part
        if total is not None and _elementwise(operation):
            held[int(operation.out.reshape(-1)[0])] = total
            reached[int(operation.out.reshape(-1)[0])] = total
            result[operation.site] = total
        if len(result) > 12:
            break
    return result


def _joins(operation: Operation, held: dict[int, Array]) -> bool:
    """Tell whether another value that is no constant joins in: z = W x + U h begins a new chain."""
    firsts = [int(ids.reshape(-1)[0]) for ids, _ in operation.inputs]
    return len(firsts) > 1 and not all(first in held for first in firsts)


def _elementwise(operation: Operation) -> bool:
    return operation.name not in ("matmul", "einsum", "tensordot", "dot", "cumsum", "softmax")
