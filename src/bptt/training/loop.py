"""The training loop: it takes parameters and a function for one step, and knows no model."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from bptt.dims import Array, check_finite
from bptt.errors import NotFiniteError, message
from bptt.training.batches import Batch, Batches
from bptt.training.clipping import clip_by_norm, clip_by_value, norm
from bptt.training.flat import FlatTensors
from bptt.training.optimizers import Optimizer
from bptt.training.schedule import Schedule

StepFunction = Callable[[Batch, Array | None], tuple[float, Mapping[str, Array], Array]]
"""(batch, a0) -> cost per predicted step in nats, gradients dW_aa ..., a_last (n_a, m)."""


@dataclass(frozen=True)
class Record:
    """What one training step did."""

    step: int  # steps done, this one included
    epoch: float  # epochs done
    cost: float  # nats per predicted step, before the update
    rate: float
    norm: float  # of the whole gradient, before clipping
    clipped: bool
    validation: float | None = None  # nats per predicted step, where this step ended with an evaluation
    best: bool = False  # whether that evaluation was the best so far


class Loop:
    """Train parameters in place.

    Parameters
    ----------
    parameters : FlatTensors
        Changed in place; the step function must read its views.
    step : function
        (batch, a0) -> cost, gradients, a_last.
    batches : Batches
    optimizer : Optimizer
    schedule : Schedule
    generator : numpy.random.Generator
        For the order of the data.
    steps : int
        How many steps to take in all.
    evaluate : function, optional
        () -> cost on data that is not trained on.  Without it the mean training cost since the last evaluation
        takes its place.
    evaluate_every : int
        Steps.
    patience : int, optional
        Stop after so many evaluations without a new best one.
    clip_norm, clip_value : float, optional
        Limits of the gradient's norm and of its elements.
    """

    def __init__(
        self,
        parameters: FlatTensors,
        step: StepFunction,
        batches: Batches,
        optimizer: Optimizer,
        schedule: Schedule,
        generator: np.random.Generator,
        *,
        steps: int,
        evaluate: Callable[[], float] | None = None,
        evaluate_every: int = 100,
        patience: int | None = None,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        self.parameters, self.batches, self.optimizer = parameters, batches, optimizer
        self.schedule, self.generator, self.steps = schedule, generator, steps
        self.evaluate_every, self.patience = evaluate_every, patience
        self.clip_norm, self.clip_value = clip_norm, clip_value
        self._compute, self._evaluate = step, evaluate
        self._gradient = parameters.like()
        self.best = FlatTensors(parameters.views)
        self.carried: Array | None = None  # (n_a, m), the state after the last step
        self.step = 0
        self.best_cost = math.inf
        self.best_step = 0
        self.stale = 0  # evaluations since the best one
        self.cost_sum = 0.0  # of the steps since the last evaluation
        self.cost_steps = 0

    @property
    def finished(self) -> bool:
        """Whether all steps are done, or patience is over."""
        return self.step >= self.steps or (self.patience is not None and self.stale >= self.patience)

    @property
    def stopped_early(self) -> bool:
        """Whether patience ended the training."""
        return self.finished and self.step < self.steps

    def __iter__(self) -> Iterator[Record]:
        """Train to the end, a record a step."""
        while not self.finished:
            yield self.advance()

    def advance(self) -> Record:
        """Take one step: batch, cost and gradients, clipping, update, and an evaluation where one is due.

        Raises
        ------
        NotFiniteError
            If a cost, gradient or parameter is NaN or infinite; the message names the step and the tensor.
        """
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # what overflows is found and named
            cost, size = self._differentiate()
            clipped = self._clip(size)
            rate = self.schedule.rate(self.step)
            w = self.parameters.values
            self.optimizer.update(w, self._gradient.values, rate, self.step)
            if not math.isfinite(norm(w)):
                self._name_first(self.parameters.views)
            self.step += 1
            self.cost_sum += cost
            self.cost_steps += 1
            validation, best = None, False
            if self.step % self.evaluate_every == 0 or self.step == self.steps:
                validation, best = self._judge()
        epoch = self.step / self.batches.steps_per_epoch
        return Record(self.step, epoch, cost, rate, size, clipped, validation, best)

    def _differentiate(self) -> tuple[float, float]:
        """Fill in the gradient of the next batch; return the cost and the gradient's norm."""
        batch = self.batches.next(self.generator)
        try:
            cost, gradients, self.carried = self._compute(batch, batch.a0 if batch.fresh else self.carried)
        except NotFiniteError as error:
            raise _not_finite(self.step + 1, str(error)) from error
        if not math.isfinite(cost):
            raise _not_finite(self.step + 1, f"The cost is {cost}.")
        self._gradient.fill(gradients, prefix="d")
        size = norm(self._gradient.values)
        if not math.isfinite(size):
            self._name_first({f"d{name}": view for name, view in self._gradient.views.items()})
        return cost, size

    def _clip(self, size: float) -> bool:
        """Keep the gradient within the limits; return whether it was outside."""
        g = self._gradient.values
        clipped = self.clip_value is not None and clip_by_value(g, self.clip_value)
        if self.clip_norm is not None:
            clipped |= clip_by_norm(g, norm(g) if clipped else size, self.clip_norm)
        return clipped

    def _judge(self) -> tuple[float, bool]:
        """Evaluate, and keep the parameters if they are the best so far."""
        try:
            cost = self._evaluate() if self._evaluate is not None else self.cost_sum / self.cost_steps
        except NotFiniteError as error:
            raise _not_finite(self.step, str(error)) from error
        self.cost_sum, self.cost_steps = 0.0, 0
        better = cost < self.best_cost
        if better:
            self.best_cost, self.best_step, self.stale = cost, self.step, 0
            self.best.values[...] = self.parameters.values
        else:
            self.stale += 1
        return cost, better

    def _name_first(self, tensors: Mapping[str, Array]) -> None:
        try:
            check_finite("training", tensors)
        except NotFiniteError as error:
            raise _not_finite(self.step + 1, str(error)) from error


def _not_finite(number: int, reason: str) -> NotFiniteError:
    return NotFiniteError(
        message(
            "training",
            f"stopped at step {number}, at the first NaN or infinity.",
            details=reason.split("\n"),
            hint="A smaller learning rate, or a limit of the gradient's norm, is the usual cure.",
        )
    )
