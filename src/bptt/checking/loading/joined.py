"""Several parts of one file checked together: layers that no function of the file puts together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bptt.checking.loading.planned import PlannedCase
from bptt.dims import Array


@dataclass
class JoinedCase:
    """``bptt_case`` of several parts: the cost is the sum of theirs, and each gradient is that of its own part."""

    parts: dict[str, PlannedCase]  # by the name of the part
    parameters: dict[str, Array] = field(init=False)
    targets: dict[str, Array] = field(init=False)

    def __post_init__(self) -> None:
        """Name the parameters: as their part does, with the part's name before a name that is taken."""
        self.parameters, self.targets = {}, {}
        self._names: dict[str, dict[str, str]] = {}
        for part, case in self.parts.items():
            names = self._names[part] = {}
            for name, value in case.parameters.items():
                names[name] = name if name not in self.parameters else f"{part}.{name}"
                self.parameters[names[name]] = value
            self.targets |= {f"{part}.{k}" if k in self.targets else k: v for k, v in case.targets.items()}

    def cost(self) -> Any:
        """Return the sum of the parts' costs."""
        total: Any = 0.0
        for case in self.parts.values():
            total = total + case.cost()
        return total

    def gradients(self) -> dict[str, Array]:
        """Return the gradients of every part."""
        found: dict[str, Array] = {}
        for part, case in self.parts.items():
            found |= {self._names[part][name]: value for name, value in case.gradients().items()}
        return found
