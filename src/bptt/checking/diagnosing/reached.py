"""Which backward functions of a program the check has reached: what never ran is not proven."""

from __future__ import annotations

from bptt.checking.loading.unrun import backward_functions, gradient_makers, place_of, ran_during
from bptt.checking.program import Program, Sizes
from bptt.checking.tracing.quiet import quiet

SIZES = Sizes(n_x=3, n_a=5, n_y=7, m=2, T_x=4)


def unreached(program: Program, seed: int = 0) -> tuple[tuple[str, int], ...]:
    """Return the functions that look like a part of a backward pass and never ran while the gradients were computed.

    Parameters
    ----------
    program : Program
    seed : int

    Returns
    -------
    tuple of (str, int)
        Qualified name and line; in the order of the text.
    """
    candidates = [*backward_functions(program.tree), *gradient_makers(program.tree)]
    if not candidates:
        return ()
    with quiet():
        case = program.build(program.load(program.tree), SIZES, seed)
        ran = ran_during(case.gradients)
    return tuple(
        (name, program.origins[node.lineno - 1].line) for name, node in candidates if place_of(node) not in ran
    )
