"""How a pass that moves the weights itself may deliver its gradients."""

from __future__ import annotations

import re
from dataclasses import replace

from bptt.checking.loading.facts import Facts, Function
from bptt.checking.loading.gradients_found import Delivery
from bptt.checking.loading.parameters_found import reachable

ADAPTIVE = re.compile(
    r"\*\* ?-?0?\.5|sqrt\([^()]*\) ?\+|sqrt\([^()]*(\([^()]*\)[^()]*)*(\+|,) ?(self\.)?(1e-|eps)|moment|veloc",
    re.IGNORECASE,
)
"""How the text shows that weights are moved by more than the gradient at a rate."""


def ways(delivery: Delivery, function: Function, facts: Facts) -> tuple[Delivery, ...]:
    """Return how a function that moves the weights may deliver its gradients: by the move, in its variables, as ever.

    Where the move is by more than the gradient (Adam, Adagrad, a momentum), it tells nothing.
    """
    inside = replace(delivery, labels=(), local=True, frame=function.name)
    if ADAPTIVE.search("\n".join(f.text for f in reachable(facts, [function]))):
        return inside, delivery
    return replace(delivery, fused=True), inside, delivery
