"""Compare the backward passes of thinc 9.1.1's LSTM with the numeric gradient of its own forward, element by element.

pip install -r examples/thinc_lstm/requirements.txt
python examples/thinc_lstm/run.py
"""

from __future__ import annotations

import sys

import numpy as np

try:
    import thinc
    from thinc.api import LSTM, CupyOps, Ops
    from thinc.backends.ops import backprop_lstm_gates
    from thinc.types import Padded
except ImportError as error:
    sys.exit(f"run.py: {error}: this example needs thinc.\n  pip install -r examples/thinc_lstm/requirements.txt")

import twin
from bptt_adapter import PlainInDouble, ThincLSTM

import bptt

STEP = 2.0**-7  # in float32: a power of two, so that x + h is exact
FLOAT32 = 5e-3  # what rounding may do to differences of a float32 forward, as a part of the gradient's largest element

CONFIGURATIONS = {
    "T = 1, m = 2": {"n_x": 3, "n_a": 4, "lengths": [2]},
    "T = 5, m = 1": {"n_x": 3, "n_a": 4, "lengths": [1] * 5},
    "T = 5, m = 2": {"n_x": 3, "n_a": 4, "lengths": [2] * 5},
    "T = 5, m = 2, initial states not zero": {"n_x": 3, "n_a": 4, "lengths": [2] * 5, "initial": 0.5},
    "T = 4, lengths 4 3 1": {"n_x": 3, "n_a": 4, "lengths": [3, 2, 2, 1]},
    "T = 4, lengths 4 3 1, two directions": {"n_x": 3, "n_a": 4, "lengths": [3, 2, 2, 1], "directions": 2},
    "T = 5, m = 2, two layers": {"n_x": 3, "n_a": 4, "lengths": [2] * 5, "depth": 2},
    "T = 4, lengths 4 3 1, two layers, two directions": {
        "n_x": 3,
        "n_a": 2,
        "lengths": [3, 2, 2, 1],
        "depth": 2,
        "directions": 2,
    },
    "T = 5, m = 2, n_a = 1": {"n_x": 3, "n_a": 1, "lengths": [2] * 5},
}


def cost_of(case):
    """Return thinc's cost as a function of values, for ``bptt.check_gradients``."""

    def cost(values):
        kept = {name: array.copy() for name, array in case.parameters.items()}
        for name, value in values.items():
            case.parameters[name][...] = value
        try:
            return case.cost()
        finally:
            for name, value in kept.items():
                case.parameters[name][...] = value

    return cost


def relative(yours, true, scale=None):
    """Return max|yours - true| / max|true|."""
    largest = float(np.abs(true if scale is None else scale).max())
    return float(np.abs(yours - true).max()) / (largest or 1.0)


def compiled(title, sizes):
    case = ThincLSTM(**sizes)
    point = {name: array.astype(np.float64) for name, array in case.parameters.items()}
    before = case.flat.copy()
    theirs = {name: array.astype(np.float64) for name, array in case.gradients().items()}
    written = not np.array_equal(before, case.flat)
    case.flat[:] = before

    comparison = bptt.check_gradients(cost_of(case), point, theirs, method="central", step=STEP, tolerance=FLOAT32)
    Y, caches = twin.forward(point, case)
    R = case.R.astype(np.float64)
    right, explained = twin.backward(R, caches, case), twin.backward(R, caches, case, twin.FAULTS)
    exact = bptt.check_gradients(lambda p: np.sum(R * twin.forward(p, case)[0]), point, right, method="complex")
    # The twin's gradient beside thinc's own forward: what float32 leaves of the agreement of two truths.
    truths = bptt.check_gradients(cost_of(case), point, right, method="central", step=STEP, tolerance=FLOAT32)
    reproduced = max(relative(theirs[name], explained[name]) for name in theirs if np.abs(explained[name]).max() > 0)

    print(f"\n{title}")
    print(f"  {'':<8}{'thinc':>10}{'  right backward':>16}   thinc, and the true value, where they differ most")
    for row, other in zip(comparison.rows, truths.rows, strict=True):
        place = f"at {list(row.worst_index)}: {row.yours:+.4f}, {row.numeric:+.4f}"
        print(f"  {row.name:<8}{row.relative_error:>10.1e}{other.relative_error:>16.1e}   {row.status:<9}  {place}")
    print(f"  forward, thinc and twin: {relative(case.forward()[0], Y):.1e}", end="; ")
    print(f"twin's backward to complex step: {max(row.relative_error for row in exact.rows):.1e}", end="; ")
    print(f"thinc and the twin with its four faults: {reproduced:.1e}")
    if written:
        print("  thinc's backward wrote into the parameters themselves")


def one_by_one(sizes):
    """Print which parameters each fault makes wrong, alone."""
    case = ThincLSTM(**sizes)
    point = {name: array.astype(np.float64) for name, array in case.parameters.items()}
    R = case.R.astype(np.float64)
    _, caches = twin.forward(point, case)
    right = twin.backward(R, caches, case)
    for fault in twin.FAULTS:
        wrong = twin.backward(R, caches, case, (fault,))
        errors = {name: relative(wrong[name], right[name]) for name in right}
        print(f"  {fault:<36}" + "  ".join(f"{n} {e:.1e}" if e > 1e-12 else f"{n} right" for n, e in errors.items()))


def plain(title, sizes):
    case = ThincLSTM(**sizes, functions=PlainInDouble())
    print(f"\n{title}")
    print(bptt.check_gradients(cost_of(case), case.parameters, case.gradients(), method="central"))
    Y, _ = twin.forward(case.parameters, case)
    ours = case.forward()[0]
    empty = np.flatnonzero(np.abs(ours).max(axis=1) == 0)
    print(f"  forward, thinc and twin: {relative(ours, Y):.1e}; rows of Y that are never written: {empty.tolist()}")


def plain_gates():
    """Print what thinc's gates give at the last step of a sequence, for gates as it stores them and in four blocks."""
    case = ThincLSTM(3, 4, [1] * 5, functions=PlainInDouble())
    _, (_, G, C, _) = case.forward()
    _, caches = twin.forward(case.parameters, case)
    f, i, o, g, _, c_prev, tanh_c = caches[0][-1][-1][2:9]
    dh = case.R[-1:]
    dc = dh * o * (1 - tanh_c**2)
    true = np.hstack([dc * c_prev * f * (1 - f), dc * g * i * (1 - i), dh * tanh_c * o * (1 - o), dc * i * (1 - g**2)])
    stored = G[0, 0, -1:]
    blocks = stored.reshape(1, 4, 4).transpose(0, 2, 1).reshape(1, 16)
    for title, gates in (("as the forward stores them, unit by unit", stored), ("in four blocks", blocks)):
        theirs, _ = backprop_lstm_gates(dh, np.zeros((1, 4)), gates, C[0, 0, -1:], C[0, 0, -2:-1])
        print(f"  dJ/d(z) at the last step, from gates {title}: {relative(theirs, true):.1e}")


def through_the_layer(sizes):
    """Print whether thinc's public layer gives the same gradients as its functions, called as the adapter does."""
    case = ThincLSTM(**sizes)
    T, m, n_x = len(sizes["lengths"]), sizes["lengths"][0], sizes["n_x"]
    model = LSTM(sizes["n_a"], n_x)
    model.initialize()
    model.set_param("LSTM", case.flat.copy())
    size_at_t = np.full(T, m, "i")
    padded = [Padded(a.reshape(T, m, -1), size_at_t, np.full(m, T, "i"), np.arange(m)) for a in (case.X, case.R.copy())]
    _, back = model(padded[0], is_train=True)
    dX = back(padded[1]).data
    theirs = case.gradients()
    flat = np.concatenate([theirs[name].ravel() for name in case.shapes])
    same = np.array_equal(model.get_grad("LSTM"), flat) and np.array_equal(dX.reshape(theirs["X"].shape), theirs["X"])
    print(f"  gradients equal, bit for bit: {same}; initial states HC0: a parameter {model.has_param('HC0')}", end=", ")
    print(f"with a gradient {bool(model.has_grad('HC0'))}")


def main():
    print(f"thinc {thinc.__version__}, NumPy {np.__version__}: relative error of each gradient, max|d| / max|true|")
    print("\nThe compiled implementation (CPU), float32 throughout.")
    print(f"True: central differences of thinc's forward, step 2^{int(np.log2(STEP))}; rounding allowed {FLOAT32:g}.")
    print("'right backward' is the same comparison for the twin's backward.")
    for title, sizes in CONFIGURATIONS.items():
        compiled(title, sizes)
    sizes = CONFIGURATIONS["T = 5, m = 2"]
    print("\nEach fault alone, in the twin, T = 5, m = 2")
    one_by_one(sizes)
    print("\nThe same through thinc's public layer, T = 5, m = 2")
    through_the_layer(sizes)
    print("\nThe plain Python implementation, its allocations made float64")
    print(f"  the GPU's class inherits it: {CupyOps.backprop_lstm is Ops.backprop_lstm}")
    plain("T = 5, m = 1", CONFIGURATIONS["T = 5, m = 1"])
    plain("T = 5, m = 2", sizes)
    print("\nIts gates, at one step")
    plain_gates()


if __name__ == "__main__":
    main()
