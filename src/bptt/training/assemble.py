"""From settings to a loop: optimizer, schedule and evaluation chosen and put together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bptt.dims import Array
from bptt.training.batches import Batch
from bptt.training.data import Data
from bptt.training.flat import FlatTensors
from bptt.training.loop import Loop, StepFunction
from bptt.training.optimizers import SGD, Adam, Optimizer
from bptt.training.schedule import Schedule
from bptt.training.settings import Settings

CostFunction = Callable[[Batch, Array | None], tuple[float, Array]]
"""(batch, a0) -> cost summed over all predictions in nats, a_last (n_a, m)."""

RAREST, OFTENEST = 1000, 10
"""Steps between evaluations where the settings name none: an epoch, within these limits."""


def assemble(
    parameters: FlatTensors,
    data: Data,
    settings: Settings,
    step: StepFunction,
    cost: CostFunction,
    generator: np.random.Generator,
) -> Loop:
    """Return the loop that the settings ask for.

    Parameters
    ----------
    parameters : FlatTensors
        Weights, whose names begin with W, before biases.
    data : Data
    settings : Settings
    step, cost : function
        Of the model; both read the parameters' views.
    generator : numpy.random.Generator
        For the order of the data.
    """
    per_epoch = data.batches.steps_per_epoch
    steps = settings.total_steps(per_epoch)
    weights = sum(view.size for name, view in parameters.views.items() if name.startswith("W"))
    optimizer: Optimizer
    if settings.optimizer == "adam":
        optimizer = Adam(parameters.values, weights, settings.weight_decay)
    else:
        optimizer = SGD(parameters.values, weights, settings.momentum, settings.weight_decay)

    def evaluate() -> float:
        total, count, carried = 0.0, 0, None
        for batch in data.evaluation():
            summed, carried = cost(batch, batch.a0 if batch.fresh else carried)
            total, count = total + summed, count + batch.Y.shape[-2] * batch.Y.shape[-1]
        return total / count

    return Loop(
        parameters,
        step,
        data.batches,
        optimizer,
        Schedule(settings.schedule, settings.peak(len(parameters.views["W_aa"])), settings.warm_up, steps),
        generator,
        steps=steps,
        evaluate=evaluate if data.held_back is not None else None,
        evaluate_every=settings.evaluate_every or max(OFTENEST, min(per_epoch, RAREST)),
        patience=settings.patience,
        clip_norm=settings.clip_norm,
        clip_value=settings.clip_value,
    )
