"""The settings of a training: every choice in one place, checked, and written into each checkpoint."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any

from bptt.errors import ValueRangeError, message

RATES = {"adam": 8e-3, "sgd": 0.5}
"""The learning rate at its peak, where none is named: measured, see docs/training.md."""
EPOCHS, FEWEST_STEPS = 16, 1000
SCHEDULES = ("cosine", "constant")


@dataclass(frozen=True)
class Settings:
    """How to train.  None where the data decide."""

    m: int | None = None  # examples in the batch; 16, fewer where the text is short
    T_x: int | None = None  # steps that gradients go back; 64 for text, the whole sequence for arrays
    epochs: float | None = None  # 16, or as many as 1000 steps take
    steps: int | None = None  # in place of epochs
    optimizer: str = "adam"
    rate: float | None = None  # at its peak; see RATES
    momentum: float = 0.9  # of SGD
    weight_decay: float = 0.0
    schedule: str = "cosine"
    warm_up: int = 0  # steps
    clip_norm: float | None = 1.0
    clip_value: float | None = None
    validation: float = 0.05  # the share that is held back
    evaluate_every: int | None = None  # steps; an epoch, at most 1000
    patience: int | None = None  # evaluations without a new best one
    seed: int = 0  # chooses which examples of arrays are held back

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        for name in ("m", "T_x", "steps", "evaluate_every", "patience"):
            self._check(name, integer=True, low=1, optional=True)
        self._check("warm_up", integer=True, low=0)
        self._check("seed", integer=True, low=0)
        for name in ("epochs", "rate", "clip_norm", "clip_value"):
            self._check(name, above=0, optional=True)
        self._check("momentum", low=0, below=1)
        self._check("weight_decay", low=0)
        self._check("validation", low=0, below=1)
        for name, allowed in (("optimizer", tuple(RATES)), ("schedule", SCHEDULES)):
            if getattr(self, name) not in allowed:
                raise ValueRangeError(
                    message("train", f"{name} is {getattr(self, name)!r}; {' or '.join(allowed)} is wanted.")
                )

    def _check(
        self,
        name: str,
        *,
        integer: bool = False,
        low: float | None = None,
        above: float | None = None,
        below: float | None = None,
        optional: bool = False,
    ) -> None:
        value = getattr(self, name)
        if value is None and optional:
            return
        number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        good = (
            number
            and not (integer and not isinstance(value, int))
            and (low is None or value >= low)
            and (above is None or value > above)
            and (below is None or value < below)
        )
        if not good:
            kind = "a whole number" if integer else "a number"
            bounds = [
                f"at least {low:g}" if low is not None else "",
                f"above {above:g}" if above is not None else "",
                f"below {below:g}" if below is not None else "",
            ]
            wanted = " and ".join(part for part in bounds if part)
            raise ValueRangeError(message("train", f"{name} is {value!r}; {kind} {wanted} is wanted."))

    def peak(self, n_a: int) -> float:
        """Return the learning rate at its peak: the one named, or the usual one, which Adam divides by n_a / 128.

        Adam moves every weight by about the rate, so a state that sums n_a of them moves n_a times as far.
        """
        if self.rate is not None:
            return self.rate
        return RATES[self.optimizer] * (min(1.0, 128 / n_a) if self.optimizer == "adam" else 1.0)

    def to_json(self) -> dict[str, Any]:
        """Return the settings as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Any) -> Settings:
        """Return settings from plain values, refusing what is no setting."""
        names = {field.name for field in fields(cls)}
        if not isinstance(values, dict) or not set(values) <= names:
            raise ValueRangeError(message("train", "the checkpoint's settings are damaged."))
        return cls(**values)

    def total_steps(self, steps_per_epoch: int) -> int:
        """Return how many steps the training takes."""
        if self.steps is not None:
            return self.steps
        if self.epochs is not None:
            return max(1, round(self.epochs * steps_per_epoch))
        return max(EPOCHS * steps_per_epoch, FEWEST_STEPS)
