"""Sequence regression with a recurrent cell that keeps its own tape of step records."""
from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass
class StepRecord:
    x: np.ndarray
    h_in: np.ndarray
    h_out: np.ndarray


@dataclass
class RecurrentCell:
    w_input: np.ndarray      # (hidden, inputs)
    w_hidden: np.ndarray     # (hidden, hidden)
    bias: np.ndarray         # (hidden, 1)
    records: list[StepRecord] = field(default_factory=list)

    def reset(self) -> None:
        self.records.clear()
        self.grad_w_input = np.zeros_like(self.w_input)
        self.grad_w_hidden = np.zeros_like(self.w_hidden)
        self.grad_bias = np.zeros_like(self.bias)

    def forward(self, x: np.ndarray, h: np.ndarray) -> np.ndarray:
        h_out = np.tanh(self.w_input @ x + self.w_hidden @ h + self.bias)
        self.records.append(StepRecord(x, h, h_out))
        return h_out

    def backward(self, grad_h: np.ndarray) -> np.ndarray:
        """Consume the last record; return the gradient with respect to the incoming state."""
        record = self.records.pop()
        grad_z = grad_h * (1.0 - record.h_out ** 2)
        self.grad_w_input += grad_z @ record.x.T
        self.grad_w_hidden += grad_z @ record.h_in.T
        self.grad_bias += grad_z.sum(axis=1, keepdims=True)
        return self.w_hidden.T @ grad_z


@dataclass
class Readout:
    w: np.ndarray
    b: np.ndarray

    def forward(self, h: np.ndarray) -> np.ndarray:
        return self.w @ h + self.b

    def reset(self) -> None:
        self.grad_w = np.zeros_like(self.w)
        self.grad_b = np.zeros_like(self.b)

    def backward(self, h: np.ndarray, grad_out: np.ndarray) -> np.ndarray:
        self.grad_w += grad_out @ h.T
        self.grad_b += grad_out.sum(axis=1, keepdims=True)
        return self.w.T @ grad_out


class Regressor:
    def __init__(self, n_inputs: int, n_hidden: int, n_outputs: int, seed: int = 42) -> None:
        rng = np.random.default_rng(seed)
        self.cell = RecurrentCell(
            rng.normal(0, 0.3, (n_hidden, n_inputs)), rng.normal(0, 0.3, (n_hidden, n_hidden)), np.zeros((n_hidden, 1))
        )
        self.readout = Readout(rng.normal(0, 0.3, (n_outputs, n_hidden)), np.zeros((n_outputs, 1)))

    def run(self, inputs: np.ndarray) -> np.ndarray:
        """inputs (T, features, batch) -> predictions (T, outputs, batch)"""
        self.cell.reset()
        h = np.zeros((self.cell.bias.shape[0], inputs.shape[2]))
        self.states = []
        predictions = []
        for x in inputs:
            h = self.cell.forward(x, h)
            self.states.append(h)
            predictions.append(self.readout.forward(h))
        return np.array(predictions)

    @staticmethod
    def mse(predictions: np.ndarray, targets: np.ndarray) -> float:
        return float(np.mean((predictions - targets) ** 2))

    def backprop(self, predictions: np.ndarray, targets: np.ndarray) -> None:
        self.readout.reset()
        grad_predictions = 2.0 * (predictions - targets) / predictions.size
        grad_h = np.zeros_like(self.states[-1])
        for h, grad_out in zip(reversed(self.states), reversed(grad_predictions)):
            grad_h = grad_h + self.readout.backward(h, grad_out)
            grad_h = self.cell.backward(grad_h)
