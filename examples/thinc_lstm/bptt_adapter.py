"""The LSTM of thinc 9.1.1 as a case for ``bptt``: live parameters, thinc's own forward, thinc's own backward.

The cost is J = sum(R * Y) with a fixed random R, because the layer takes an upstream gradient and has no cost of its
own; dJ/dY is R.  ``bptt_case`` gives the compiled implementation, which thinc uses on the CPU; with a file made by
``plain_source.py`` it gives the functions of that file.
"""

from __future__ import annotations

from unittest import mock

import numpy as np
import thinc.backends.ops
from thinc.api import NumpyOps, Ops


class PlainInDouble:
    """The plain Python implementation of ``thinc/backends/ops.py``, which the GPU class inherits, in float64.

    It allocates float32; those allocations are redirected to float64 here, and nothing else of it is touched.
    """

    def lstm_forward_training(self, *arguments):
        """Return Y and what the backward needs."""
        with self._redirected():
            return Ops().lstm_forward_training(*arguments)

    def backprop_lstm(self, *arguments):
        """Return dX and the gradient of the flat parameter."""
        with self._redirected():
            return Ops().backprop_lstm(*arguments)

    def _redirected(self):
        return mock.patch.object(thinc.backends.ops, "get_array_module", return_value=_NumpyInDouble())


class _NumpyInDouble:
    """NumPy, but ``zeros(dtype="f")`` is float64."""

    def __getattr__(self, name):
        return getattr(np, name)

    def zeros(self, shape, dtype=np.float64):
        return np.zeros(shape, dtype=np.float64 if dtype == "f" else dtype)


class ThincLSTM:
    """One LSTM of thinc at given sizes.

    Parameters
    ----------
    n_x, n_a : int
        Sizes of the input and of one direction's state.
    lengths : sequence of int
        thinc's packed layout: how many sequences are still running at each step, never increasing.
    depth, directions : int
    initial : float
        Scale of the initial states; 0 is what thinc's layer passes.
    functions : object, optional
        With ``lstm_forward_training`` and ``backprop_lstm``; the compiled ones of ``NumpyOps`` if it is left out.
        Those read every array as float32, whatever it is, so all arrays are float32 then, and else float64.
    seed : int
    """

    def __init__(self, n_x, n_a, lengths, *, depth=1, directions=1, initial=0.0, functions=None, seed=0):
        self.functions = functions or NumpyOps()
        dtype = np.float32 if functions is None else np.float64
        self.lengths = np.asarray(lengths, dtype=np.int32)
        self.depth, self.directions = depth, directions
        rng = np.random.default_rng(seed)

        def draw(*shape, scale=1.0):
            # Multiples of 1/256, so that x + h and x - h are exact in float32 for h a power of two.
            return (np.round(rng.normal(size=shape) * scale * 256) / 256).astype(dtype)

        self.shapes = {}
        for layer in range(depth):
            n_in = n_x if layer == 0 else n_a * directions
            for direction in range(directions):
                tag = "" if depth * directions == 1 else f"_{layer}{'lr'[direction]}"
                self.shapes |= {
                    f"Wx{tag}": (4 * n_a, n_in),
                    f"bx{tag}": (4 * n_a,),
                    f"Wh{tag}": (4 * n_a, n_a),
                    f"bh{tag}": (4 * n_a,),
                }
        self.flat = draw(sum(int(np.prod(shape)) for shape in self.shapes.values()), scale=0.5)
        self.X = draw(int(self.lengths.sum()), n_x)
        # thinc's callers give (H0, C0), and its functions call that pair (c_init, h_init): H0 is the *cell's* state.
        self.H0, self.C0 = draw(2, depth, directions, n_a, scale=initial)
        self.R = draw(int(self.lengths.sum()), n_a * directions)
        self.parameters = {**self.split(self.flat), "X": self.X}

    def split(self, flat):
        """Return the parts of thinc's one flat parameter, as views: a layer, a direction, then Wx, bx, Wh, bh."""
        parts, at = {}, 0
        for name, shape in self.shapes.items():
            size = int(np.prod(shape))
            parts[name] = flat[at : at + size].reshape(shape)
            at += size
        return parts

    def forward(self):
        """Return Y (N, n_a · directions) and what thinc keeps for its backward."""
        return self.functions.lstm_forward_training(self.flat, self.H0, self.C0, self.X, self.lengths)

    def cost(self):
        """Return sum(R * Y)."""
        Y, _ = self.forward()
        # float64, so that the sum adds no rounding to that of a float32 Y
        return np.sum(self.R.astype(np.float64) * Y)

    def gradients(self):
        """Return thinc's gradients; it gives none for the initial states."""
        _, state = self.forward()
        dY = self.R.copy()  # it writes into its dY
        dX, flat = self.functions.backprop_lstm(dY, self.lengths, self.flat, state)
        return {**self.split(flat), "X": dX}


def bptt_case(module, sizes, seed):
    """Return one layer, left to right: the compiled one, or that of a file that holds the plain functions."""
    if hasattr(module, "backprop_lstm"):
        # One sequence: of a batch, the plain forward runs only the first.
        return ThincLSTM(sizes.n_x, sizes.n_a, [1] * sizes.T_x, functions=module, seed=seed)
    return ThincLSTM(sizes.n_x, sizes.n_a, [sizes.m] * sizes.T_x, seed=seed)
