"""A reading that has run: how far it came, and how much of its gradient agrees with its cost."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from bptt.checking.loading.plan import Plan
from bptt.checking.loading.script import STEP


@dataclass
class Attempt:
    """A plan that has run: how far it came, and how much of its gradient agrees with its cost."""

    plan: Plan
    delivered: int = 0
    ran: bool = False
    error: str = ""
    unused: tuple[str, ...] = ()
    alone: bool = False
    """Whether no other reading raises anything else, or one, less plausible, agrees in full: as with one example."""
    lines: int = 0
    """How many lines it ran before it raised."""
    agreed: set[str] = field(default_factory=set)
    """The weights whose gradients agree."""
    amiss: set[str] = field(default_factory=set)
    """The weights that the backward moves exactly the other way, not at all, or by another's gradient."""

    def leave(self, names: Collection[str]) -> None:
        """Leave parameters alone that neither the cost nor the backward pass knows of."""
        if names:
            parameters = tuple(replace(p, idle=p.name in names) for p in self.plan.parameters)
            self.plan = replace(self.plan, parameters=parameters)
            self.unused = tuple(n for n in self.unused if n not in names)

    @property
    def right(self) -> int:
        """How many gradients agree."""
        return len(self.agreed)

    @property
    def plausibility(self) -> float:
        """Order among readings of a backward pass that may be wrong: agreement must not choose between them."""
        needed = sum(not p.idle for p in self.plan.parameters)
        return -self.plan.penalty + 0.6 * self.ran + 0.8 * self.right / max(needed, 1)

    @property
    def steps(self) -> bool:
        """Whether several time steps are run: in a single one, nothing recurrent can be wrong."""
        layouts = self.plan.layouts
        return self.plan.rehearsal is not None or any("T_x" in a for x in layouts.values() for a in x.axes)

    @property
    def runs_through(self) -> bool:
        """Whether the backward runs and delivers most of the gradients, right or wrong."""
        return self.ran and 2 * self.delivered >= len(self.plan.parameters)

    @property
    def idle_script(self) -> bool:
        """Whether it is a pass of a script in which weights stand idle, as where its made-up inputs are all zero."""
        return self.plan.forward.function == STEP and self.plan.rehearsal is None and bool(self.unused)

    def moves_amiss(self, whole: Collection[Attempt]) -> bool:
        """Whether the backward moves some weights by their gradients, and others, whose gradients are right, does not.

        ``whole``: readings in which the gradients, in its variables, are right.
        """
        needed = sum(not p.idle and p.name not in self.unused for p in self.plan.parameters)
        fused = self.plan.delivery is not None and self.plan.delivery.fused and self.ran
        every = fused and 0 < self.right < needed == self.right + len(self.amiss)
        return every and any(self.amiss <= other.agreed for other in whole)

    @property
    def complete(self) -> bool:
        """Whether every parameter has a gradient and each agrees."""
        needed = sum(not p.idle and p.name not in self.unused for p in self.plan.parameters)
        return self.ran and self.right >= max(needed, 1)
