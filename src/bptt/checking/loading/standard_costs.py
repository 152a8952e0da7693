"""The costs that a program means when it shows none: cross-entropy, squared error, binary cross-entropy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class StandardCost:
    """A cost of predictions and targets, and how it is called."""

    title: str
    step: Callable[[Any, Any], Any]  # the sum over one piece
    scale: str = "sum"

    def __call__(self, prediction: Any, target: Any) -> Any:
        """Return the cost, summed over every piece that the prediction has, or its mean."""
        total: Any = 0.0
        pieces = elements = rows = 0
        for p, y in _pieces(prediction, target):
            total = total + self.step(p, y)
            pieces += 1
            elements += int(np.size(p))
            rows = max(rows, int(np.shape(p)[0]) if np.ndim(p) else 1)
        if self.scale.startswith("but"):
            axis = int(self.scale[3:])
            shape = (pieces, *np.shape(p)) if pieces > 1 else np.shape(p)
            if axis >= len(shape):
                raise ValueError("the prediction has no such axis")
            return total / (elements / shape[axis])
        divisor = {"sum": 1, "steps": max(pieces, rows if pieces == 1 else pieces), "elements": elements}
        count = np.shape(target)[0] if np.ndim(target) else 1
        return (
            total
            / {**divisor, "first": max(count, 1), "last": max(np.shape(target)[-1] if np.ndim(target) else 1, 1)}[
                self.scale
            ]
        )


def _pieces(prediction: Any, target: Any) -> Iterator[tuple[Any, Any]]:
    """Yield matching arrays: the whole, or step by step where either is a list or a dict of steps."""
    if isinstance(prediction, dict):
        steps = sorted(k for k in prediction if isinstance(k, int | np.integer) and k >= 0)
        if (np.ndim(target) and len(target) == len(steps)) or isinstance(target, dict):
            for i, k in enumerate(steps):
                yield from _pieces(prediction[k], target[k] if isinstance(target, dict) else target[i])
        else:
            yield from _pieces(prediction[steps[-1]], target)
        return
    if isinstance(prediction, list | tuple):
        offset = len(prediction) - len(target) if np.ndim(target) or isinstance(target, list) else len(prediction) - 1
        for p, y in zip(
            prediction[max(offset, 0) :],
            target if isinstance(target, list) or np.ndim(target) else [target],
            strict=False,
        ):
            yield from _pieces(p, y)
        return
    yield prediction, target


def picked(p: Any, y: Any) -> Any:
    """Return the predicted values of the classes that ids name, or None where y holds no ids."""
    if np.asarray(y).dtype.kind not in "iu":
        return None
    y = np.asarray(y)
    flat = y.reshape(-1)
    if y.ndim == 0:
        return p[int(y)] if np.ndim(p) == 1 else p.reshape(-1)[int(y)]
    if np.ndim(p) == y.ndim + 1:
        return p.reshape(-1, p.shape[-1])[np.arange(flat.size), flat]
    return p[np.arange(flat.size), flat]


def _same(p: Any, y: Any) -> Any:
    """Return the targets in the prediction's shape, where one is the other's transpose or has ones more."""
    if np.shape(p) == np.shape(y):
        return y
    if np.size(p) == np.size(y):
        return np.asarray(y).reshape(np.shape(p))
    raise ValueError(f"predictions {np.shape(p)} and targets {np.shape(y)} differ")


def _cross_entropy(p: Any, y: Any) -> Any:
    chosen = picked(p, y)
    return -np.sum(np.log(chosen)) if chosen is not None else -np.sum(_same(p, y) * np.log(p))


def _binary(p: Any, y: Any) -> Any:
    y = _same(p, y)
    return -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))


def _half_squares(p: Any, y: Any) -> Any:
    chosen = picked(p, y)
    if chosen is not None:  # against one-hot targets
        return 0.5 * (np.sum(p * p) - 2 * np.sum(chosen) + np.size(y))
    return 0.5 * np.sum((p - _same(p, y)) ** 2)


def _squares(p: Any, y: Any) -> Any:
    return 2 * _half_squares(p, y)


CROSS_ENTROPY = StandardCost("the cross-entropy -sum(y * log(y_pred))", _cross_entropy)
BINARY = StandardCost("the binary cross-entropy -sum(y * log(p) + (1 - y) * log(1 - p))", _binary)
HALF_SQUARES = StandardCost("half the squared error, 1/2 * sum((y_pred - y)**2)", _half_squares)
SQUARES = StandardCost("the squared error sum((y_pred - y)**2)", _squares)
SCALES = {
    "sum": "",
    "steps": ", divided by the number of steps",
    "first": ", divided by the length of the targets",
    "last": ", divided by the size of the targets' last axis",
    "elements": ", divided by the number of elements",
    "but0": ", divided by the number of examples and steps",
    "but1": ", divided by the number of examples and steps",
    "but2": ", divided by the number of examples and steps",
}


def standard_costs(text: str) -> list[StandardCost]:
    """Return the costs that fit a program's text, the likeliest first: each summed, and as means."""
    soft = "softmax" in text.lower() or ("np.exp" in text and "sum" in text)
    logs = "log(" in text or "/" in text
    sigmoid = "sigm" in text.lower() or "1 + np.exp(-" in text
    order = [HALF_SQUARES, SQUARES]
    if soft:
        order.insert(0, CROSS_ENTROPY)
    elif sigmoid:
        order.insert(0 if logs and "log(" in text else 1, BINARY)
    return [StandardCost(c.title + SCALES[s], c.step, s) for s in SCALES for c in order]
