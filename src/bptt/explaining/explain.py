"""``bptt.explain``: what is given is checked, then every calculation is kept."""

from __future__ import annotations

import numpy as np

from bptt.dims import Array, check_finite, check_shapes
from bptt.errors import ValueRangeError, message
from bptt.explaining.trace import Trace
from bptt.inputs import PARAMETERS, Parameters, Reduction, check_parameters, one_hot_inputs, one_hot_targets
from bptt.ops import Activation


def explain(
    X: Array,
    Y: Array,
    parameters: Parameters,
    a0: Array | None = None,
    *,
    activation: Activation = "tanh",
    reduction: Reduction = "sum",
    vocabulary: tuple[str, ...] | None = None,
) -> Trace:
    """Run the network forward and backward and keep every calculation, to be read step by step.

    Parameters
    ----------
    X : array (n_x, m, T_x), or integer ids (m, T_x)
        Inputs.
    Y : array (n_y, m, T_x), or integer ids (m, T_x)
        Targets, one-hot or soft; each column sums to 1.
    parameters : mapping
        W_aa (n_a, n_a), W_ax (n_a, n_x), W_ya (n_y, n_a), b_a (n_a, 1), b_y (n_y, 1).
    a0 : array (n_a, m), optional
        The state before step 0; zeros if left out.
    activation : {"tanh", "relu"}
    reduction : {"sum", "mean"}
        J = Σ_t Σ_m L_t, or that divided by m · T_x.
    vocabulary : tuple of str, optional
        What the inputs stand for, where they are characters: n_x of them.

    Returns
    -------
    Trace

    Raises
    ------
    DimensionError, DtypeError, ValueRangeError
        If the operands do not fit, are no numbers, or hold a NaN or an id out of range.

    Examples
    --------
    >>> from bptt.explaining.examples import default_example
    >>> example = default_example()
    >>> trace = explain(example.X, example.Y, example.parameters, example.a0)
    >>> step = trace["B5", 2]
    >>> str(step.equation), step.output.array.shape
    ('da = da_from_output + da_from_future', (4, 5))
    """
    where = "explain"
    check_parameters(where, parameters, activation=activation)
    weights = {name: parameters[name] for name in PARAMETERS}
    sizes = check_shapes(where, weights)
    X = one_hot_inputs(where, X, sizes["n_x"])
    operands = {**weights, "X": X}
    sizes = check_shapes(where, operands)
    Y = one_hot_targets(where, Y, (sizes["n_y"], sizes["m"], sizes["T_x"]))
    a0 = np.zeros((sizes["n_a"], sizes["m"])) if a0 is None else a0
    operands |= {"a0": a0, "Y": Y}
    sizes = check_shapes(where, operands)
    check_finite(where, operands)
    for name, array in operands.items():
        if array.dtype.kind == "c":
            raise ValueRangeError(message(where, f"{name} is complex; real numbers are explained."))
    tensors = {name: np.array(operands[name], np.float64) for name in ("X", "Y", "a0", *PARAMETERS)}
    return Trace(tensors, sizes, activation, reduction, vocabulary)
