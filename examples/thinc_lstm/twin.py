"""The same LSTM in float64, written from its equations, with thinc's layout of weights and packed sequences.

The forward carries complex numbers, so that its numeric gradient is exact to rounding.  The backward is right; each
of ``FAULTS`` makes it do one thing that thinc's compiled backward does, so that the diagnosis can be proven: all of
them together must give thinc's numbers.
"""

from __future__ import annotations

import numpy as np

FAULTS = ("first step skipped", "dWh with the state after the step", "starts from the weights", "bh left out")


def forward(parameters, case):
    """Return Y (N, n_a · directions) and the caches of every layer and direction."""
    X, caches, names = parameters["X"], [], iter(case.shapes)
    for layer in range(case.depth):
        outputs = []
        for direction in range(case.directions):
            Wx, bx, Wh, bh = (parameters[next(names)] for _ in range(4))
            # Which of the two initial states is the cell's is thinc's choice: see bptt_adapter.py.
            h0, c0 = case.C0[layer, direction], case.H0[layer, direction]
            Y, steps = _run(X, Wx, Wh, bx + bh, h0, c0, case.lengths, direction)
            outputs.append(Y)
            caches.append((X, Y, Wx, bx, Wh, bh, steps))
        X = np.hstack(outputs)
    return X, caches


def backward(dY, caches, case, faults=()):
    """Return the gradients by name; right without faults."""
    gradients, names = {}, list(case.shapes)
    for layer in reversed(range(case.depth)):
        dX = 0.0
        for direction in range(case.directions):
            k = layer * case.directions + direction
            n_a = caches[k][1].shape[1]
            dX_here, *others = _back(dY[:, direction * n_a : (direction + 1) * n_a], caches[k], case.lengths, faults)
            gradients |= dict(zip(names[4 * k : 4 * k + 4], others, strict=True))
            dX = dX + dX_here
        dY = dX
    return {**gradients, "X": dY}


def _run(X, Wx, Wh, b, h0, c0, lengths, direction):
    dtype = np.result_type(X, Wx, Wh, b, np.float64)
    starts, m, n_a = np.cumsum(lengths) - lengths, lengths[0], len(h0)
    h, c = np.tile(h0, (m, 1)).astype(dtype), np.tile(c0, (m, 1)).astype(dtype)
    seen = np.zeros(m, dtype=bool)
    Y, steps = np.zeros((len(X), n_a), dtype), []
    for t in range(len(lengths)) if direction == 0 else reversed(range(len(lengths))):
        n = lengths[t]
        rows = slice(starts[t], starts[t] + n)
        z = X[rows] @ Wx.T + h[:n] @ Wh.T + b  # (n, n_x) @ (n_x, 4 n_a)
        f, i, o = (1 / (1 + np.exp(-z[:, k * n_a : (k + 1) * n_a])) for k in range(3))
        g = np.tanh(z[:, 3 * n_a :])
        h_prev, c_prev, first = h[:n].copy(), c[:n].copy(), ~seen[:n]
        c[:n] = f * c_prev + i * g
        tanh_c = np.tanh(c[:n])
        Y[rows] = h[:n] = o * tanh_c
        seen[:n] = True
        steps.append((rows, n, f, i, o, g, h_prev, c_prev, tanh_c, first))
    return Y, steps


def _back(dY, cache, lengths, faults):
    X, Y, Wx, bx, Wh, bh, steps = cache
    dz, h_before = np.zeros((len(X), len(Wx))), np.zeros(Y.shape)
    dh_next, dc_next = np.zeros((lengths[0], Y.shape[1])), np.zeros((lengths[0], Y.shape[1]))
    for rows, n, f, i, o, g, h_prev, c_prev, tanh_c, first in reversed(steps):
        dh = dY[rows] + dh_next[:n]
        dc = dh * o * (1 - tanh_c**2) + dc_next[:n]
        gates = dc * c_prev * f * (1 - f), dc * g * i * (1 - i), dh * tanh_c * o * (1 - o), dc * i * (1 - g**2)
        dz[rows], h_before[rows] = np.hstack(gates), h_prev
        if "first step skipped" in faults:
            dz[rows][first] = 0
        dh_next[:n], dc_next[:n] = dz[rows] @ Wh, dc * f
    dWx, db = dz.T @ X, dz.sum(axis=0)
    dWh = dz.T @ (Y if "dWh with the state after the step" in faults else h_before)
    dbx, dbh = db, np.zeros_like(db) if "bh left out" in faults else db
    if "starts from the weights" in faults:
        dWx, dWh, dbx = dWx + Wx, dWh + Wh, dbx + bx + bh
        if Y.shape[1] == 1:
            Wx = dWx  # with one unit, thinc's reordered weights are no copy: the sum is written into Wx, then read
    return dz @ Wx, dWx, dbx, dWh, dbh
