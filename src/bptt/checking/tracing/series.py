"""The quantities over the time steps, and the proven tape that they are known from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bptt.checking.tracing.instrument import Site
from bptt.checking.tracing.on_the_fly import SITES
from bptt.checking.tracing.tape import Operation, Tape
from bptt.dims import Array


@dataclass
class Series:
    """One quantity over the time steps: an array for each execution of the operation it belongs to."""

    kind: str
    """value, adjoint, part (some consumers' share of an adjoint), contribution (to a parameter), gradient, slope."""
    name: str
    """In words: ``dJ/d(a_next)``."""
    items: list[Array | None]
    node: int = -1
    """The site of the operation whose value or adjoint it is; -1 for a parameter."""
    parameter: str = ""
    consumers: frozenset[int] = frozenset()
    in_order: bool = False
    """Whether the items stand in the order in which a backward pass comes to them."""
    future: int | None = None
    """For a share: the site whose results of the step before it goes back to (the recurrent term)."""
    later: bool = False
    """For a share: whether it is all that comes back to a value of a step, through others of its step as well."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of its first item."""
        item = next((i for i in self.items if i is not None), None)
        return () if item is None else item.shape

    @property
    def ndim(self) -> int:
        """The number of axes of its items."""
        return len(self.shape)


@dataclass
class Truth:
    """The proven tape and what is known from it."""

    tape: Tape
    sites: list[Site]
    parameters: dict[str, Array]
    """The true gradients."""
    series: list[Series] = field(default_factory=list)
    by_site: dict[int, list[Operation]] = field(default_factory=dict)
    leaves: dict[str, Array] = field(default_factory=dict)
    """The ids of the weights' numbers."""

    def times(self, factor: float) -> Truth:
        """Return what would be true if the cost were so many times what it is."""
        series = [
            one
            if one.kind in ("value", "slope")
            else replace(one, items=[None if item is None else factor * item for item in one.items])
            for one in self.series
        ]
        parameters = {name: factor * gradient for name, gradient in self.parameters.items()}
        return replace(self, series=series, parameters=parameters)

    def text(self, site: int) -> str:
        """Return the person's own words at a site."""
        return self.place(site).text

    def label(self, site: int) -> str:
        """Return the name that the program gives to the results of an operation, or else its words."""
        for operation in self.by_site.get(site, ())[:2]:
            name = self.tape.names.get(int(operation.out.reshape(-1)[0])) if operation.out.size else None
            if name:
                return name
        return self.text(site)

    def place(self, site: int) -> Site:
        """Return where an operation stands."""
        site = self.tape.bare_site.get(site, site)
        return self.sites[site] if site >= 0 else SITES[-2 - site]
