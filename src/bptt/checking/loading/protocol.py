"""The protocol of ``bptt_case``: its text for whoever has to write one, and its check."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from bptt.checking.program import Program, Sizes
from bptt.checking.tracing.quiet import quiet
from bptt.errors import CannotCheckError, message

ADAPTER = '''\
from types import SimpleNamespace
import numpy as np

def bptt_case(module, sizes, seed):
    """sizes has n_x, n_a, n_y, m, T_x; the arrays in parameters are live: written in place, they change the cost."""
    rng = np.random.default_rng(seed)
    parameters = {{{parameters}}}
    X = rng.normal(size=(sizes.n_x, sizes.m, sizes.T_x))   # your own layouts and targets

    def cost():
        return float(...)   # your forward and cost: {forward}

    def gradients():
        return {{name: ... for name in parameters}}   # your forward and backward: {backward}

    return SimpleNamespace(parameters=parameters, cost=cost, gradients=gradients)
'''


def cannot_check(
    file: str,
    missing: str,
    *,
    found: Iterable[str] = (),
    forward: str = "module.forward(...)",
    backward: str = "module.backward(...)",
    parameters: Iterable[str] = ("W_aa",),
    adapter: bool = False,
) -> str:
    """Return the message: what is missing, what was found, and the adapter with their own names to fill in."""
    if adapter:
        return message(
            "check", f"{file}: {missing}", hint="bptt_case(module, sizes, seed) is described in docs/check.md."
        )
    names = ", ".join(f'"{p}": rng.normal(size=(...))' for p in parameters)
    text = ADAPTER.format(forward=forward, backward=backward, parameters=names)
    return message(
        "check",
        f"{file}: {missing}",
        details=[
            *(f"found: {item}" for item in found),
            "write this adapter, fill in the dots, and pass it with --case adapter.py:",
            *("    " + line if line else "" for line in text.splitlines()),
        ],
    )


def check_case(program: Program, sizes: Sizes) -> None:
    """Build a person's own case and run its cost twice.

    Raises
    ------
    CannotCheckError
        Where the case does not keep the protocol, with what was expected and what came.
    """

    def fail(text: str) -> CannotCheckError:
        return CannotCheckError(cannot_check(program.file, text, adapter=True))

    try:
        with quiet():
            case = program.build(program.load(program.tree), sizes, 0)
    except Exception as error:
        raise fail(f"bptt_case raised {type(error).__name__}: {error}") from error
    parameters = getattr(case, "parameters", None)
    if not isinstance(parameters, dict) or not parameters:
        raise fail(f"bptt_case: parameters is a dict of arrays, got {type(parameters).__name__}.")
    for name, value in parameters.items():
        if not isinstance(value, np.ndarray) or value.dtype.kind != "f":
            raise fail(f"bptt_case: parameters[{name!r}] is an array of floats, got {type(value).__name__}.")
    for wanted in ("cost", "gradients"):
        if not callable(getattr(case, wanted, None)):
            raise fail(f"bptt_case: the object it returns needs a function {wanted}().")
    try:
        with quiet():
            values = [np.asarray(case.cost()), np.asarray(case.cost())]
    except Exception as error:
        raise fail(f"cost() raised {type(error).__name__}: {error}") from error
    if values[0].size != 1 or values[0].dtype.kind not in "fiu" or not np.isfinite(values[0]).all():
        raise fail(f"cost() returns one finite number, got {values[0].dtype} of shape {values[0].shape}.")
    if values[0].item() != values[1].item():
        raise fail("two runs of cost() at the same parameters differ; fix its seed, and reset what it accumulates.")
