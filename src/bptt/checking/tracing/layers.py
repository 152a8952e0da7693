"""Tell layers apart that take turns at one place of the text: a loop over the layers, a function called in it."""

from __future__ import annotations

from collections import defaultdict

from bptt.checking.tracing.tape import Operation, Tape

LAYERS = 2_000_000
"""Numbers from here on stand for an operation of one layer."""


def split_by_layer(tape: Tape, leaf_of: dict[int, str]) -> None:
    """Give the operations of each layer a place of their own.

    An operation belongs to the weights that it works on, or else to those of the latest operation whose result it
    works on.  A place is split where several weights take turns equally often.

    Parameters
    ----------
    tape : Tape
        Its operations' ``site`` changes; ``bare_site`` tells what it was.
    leaf_of : dict
        Id of a number -> the weight it belongs to.
    """
    made: dict[int, int] = {}
    labels: list[str] = []
    turns: dict[int, dict[str, list[Operation]]] = defaultdict(lambda: defaultdict(list))
    for k, operation in enumerate(tape.operations):
        firsts = [int(ids.reshape(-1)[0]) for ids, _ in operation.inputs]
        own = [leaf_of[first] for first in firsts if first in leaf_of]
        before = max((made[first] for first in firsts if first in made), default=None)
        labels.append(own[0] if own else "" if before is None else labels[before])
        turns[operation.site][labels[-1]].append(operation)
        for one in {int(operation.out.reshape(-1)[0])} if operation.out.size else ():
            made[one] = k
    fresh = LAYERS
    for site, layers in turns.items():
        if len(layers) < 2 or len({len(group) for group in layers.values()}) != 1 or "" in layers:
            continue
        for group in layers.values():
            tape.bare_site[fresh] = tape.bare_site.get(site, site)
            for operation in group:
                operation.site = fresh
            fresh += 1
