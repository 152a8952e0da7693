"""The truth: the true adjoint of every value that the forward pass computed, step by step, proven before use."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from bptt.checking.program import Case, Program, Sizes
from bptt.checking.tracing import hooks
from bptt.checking.tracing.instrument import Site, traced_tree
from bptt.checking.tracing.numeric import directional_slope, fresh, quiet, restore, snapshot
from bptt.checking.tracing.on_the_fly import SITES, instrumented
from bptt.checking.tracing.tape import Operation, Tape
from bptt.checking.tracing.trace import Trace
from bptt.dims import Array

PROVEN = 1e-7
"""How far the tape may be from central differences along a random direction, relative to the slope."""
SUBSETS = 5
"""A value with at most so many kinds of consumer has every sum of their parts listed."""


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
    future: int | None = None
    """For a share: the site whose results of the step before it goes back to (the recurrent term)."""

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


class NoTruth(Exception):
    """The tape cannot be proven; the reason is the message."""


def find_truth(program: Program, sizes: Sizes, seed: int, plain: Case) -> Truth:
    """Tape their forward and cost, replay it, and prove it against central differences of the untraced program.

    Parameters
    ----------
    program : Program
    sizes : Sizes
    seed : int
    plain : Case
        The same case of the program as written, for the differences.

    Returns
    -------
    Truth

    Raises
    ------
    NoTruth
        If the tape and the differences disagree; the message names what could not be followed.
    """
    tree, sites = traced_tree(program.tree)
    trace = Trace()
    with quiet():
        try:
            _, case = fresh(program, tree, sizes, seed)
            kept = snapshot(case.parameters)
            for value in case.parameters.values():
                trace.tape.ids(value)
            leaves = {name: np.array(trace.tape.ids(value)) for name, value in case.parameters.items()}
            cost = instrumented(case.cost)
            with hooks.watching(trace):
                result = cost()
            trace.tape.replay(result)
            restore(case.parameters, kept)
        except Exception as error:
            raise NoTruth(f"the traced run raises {type(error).__name__}: {error}") from error
    gradients = {name: trace.tape.adjoint[ids] for name, ids in leaves.items()}
    truth = Truth(trace.tape, sites, gradients)
    _prove(truth, plain, seed)
    _list_series(truth, leaves)
    return truth


def _prove(truth: Truth, plain: Case, seed: int) -> None:
    rng = np.random.default_rng([seed, 7])
    overall = max((float(np.abs(g).max(initial=0)) for g in truth.parameters.values()), default=0.0)
    for name, gradient in truth.parameters.items():
        for _ in range(2):
            direction = rng.normal(size=gradient.shape)
            slope, rough = directional_slope(plain, name, direction)
            ours = float(np.sum(gradient * direction))
            scale = max(abs(slope), float(np.abs(gradient).max(initial=0)), 1e-3 * overall, 1e-12)
            if not np.isfinite(ours) or abs(ours - slope) > max(PROVEN * scale, 4 * rough * (rough < 1e-4 * scale)):
                raise NoTruth(_blame(truth, name))


def _blame(truth: Truth, name: str) -> str:
    """Say which operation lost the numbers."""
    for site, what in truth.tape.lost:
        place = truth.place(site)
        where = f"line {place.line}" if site >= 0 else "the adapter"
        return f"{where}: the numbers cannot be followed through {what} ({place.text})"
    return f"the forward pass could not be followed on the way from {name} to the cost"


def _list_series(truth: Truth, leaves: dict[str, Array]) -> None:
    """List every quantity that a backward pass may compute."""
    tape, adjoint = truth.tape, truth.tape.adjoint
    by_site: dict[int, list[int]] = defaultdict(list)
    owner = np.full(tape.count, -1, dtype=np.int64)  # id -> the operation that made it
    for k, operation in enumerate(tape.operations):
        by_site[operation.site].append(k)
        owner[operation.out] = k
    truth.by_site = {site: [tape.operations[k] for k in ks] for site, ks in by_site.items()}
    shares: dict[int, list[tuple[int, Array]]] = defaultdict(
        list
    )  # operation -> [(consumer, its share of the adjoint)]
    given: dict[str, list[tuple[int, Array]]] = defaultdict(list)  # parameter -> [(consumer, contribution)]
    leaf_of: dict[int, str] = {int(i): name for name, ids in leaves.items() for i in ids.reshape(-1)}
    buffer = np.zeros(tape.count)
    leaf_place = np.full(tape.count, -1, dtype=np.int64)
    for place, (start, root) in enumerate(tape.leaves):
        if root.size <= 256:
            leaf_place[start : start + root.size] = place
    for k, operation in enumerate(tape.operations):
        for (ids, _), part in zip(operation.inputs, operation.parts or (), strict=True):
            flat = ids.reshape(-1)
            np.add.at(buffer, flat, part.reshape(-1))
            for made in {int(o) for o in owner[flat] if o >= 0}:
                shares[made].append((k, buffer[tape.operations[made].out].copy()))
            for place in {int(p) for p in leaf_place[flat] if p >= 0}:
                start, root = tape.leaves[place]
                shares[-2 - place].append((k, buffer[start : start + root.size].copy()))
            for name in {leaf_of[int(i)] for i in flat if int(i) in leaf_of}:
                given[name].append((k, buffer[leaves[name]].copy()))
            buffer[flat] = 0.0
    for site, ks in by_site.items():
        operations = [tape.operations[k] for k in ks]
        truth.series.append(Series("adjoint", f"dJ/d({truth.label(site)})", [adjoint[o.out] for o in operations], site))
        truth.series.append(Series("value", truth.label(site), [o.value for o in operations], site))
        truth.series += _parts(truth, site, ks, shares)
        truth.series += _futures(truth, site, ks, shares)
    truth.series += _shares(truth, set(leaf_of))
    truth.series += _shared_sites(truth, leaf_of)
    for name, contributions in given.items():
        truth.series += _contributions(truth, name, contributions)
        total = truth.parameters[name]
        truth.series.append(Series("gradient", f"dJ/d{name}", [total], parameter=name))


def _parts(truth: Truth, site: int, ks: list[int], shares: dict[int, list[tuple[int, Array]]]) -> list[Series]:
    """List the sums of some consumers' shares of a value's adjoint: from the output, from the future, and so on."""
    grouped: list[dict[int, Array]] = []
    for k in ks:
        by_consumer: dict[int, Array] = {}
        for consumer, share in shares.get(k, ()):
            kind = truth.tape.operations[consumer].site
            by_consumer[kind] = by_consumer[kind] + share if kind in by_consumer else share
        grouped.append(by_consumer)
    kinds = sorted({kind for group in grouped for kind in group})
    shape = truth.tape.operations[ks[0]].out.shape
    if len(kinds) < 2 or not shape or len({truth.tape.operations[k].out.shape for k in ks}) > 1:
        return []
    result = []
    for choice in _choices(kinds):
        items: list[Array | None] = [
            sum((group[kind] for kind in choice if kind in group), np.zeros(truth.tape.operations[k].out.shape))
            for group, k in zip(grouped, ks, strict=True)
        ]
        result.append(
            Series("part", _through(truth, truth.label(site), choice), items, site, consumers=frozenset(choice))
        )
    return result


def _futures(truth: Truth, site: int, ks: list[int], shares: dict[int, list[tuple[int, Array]]]) -> list[Series]:
    """List what the operations of the next step hand back to a state, in the order of *their* steps.

    The first step hands back to the state before it, which is no operation's result.
    """
    operations = truth.tape.operations
    steps = {id(o): t for os in truth.by_site.values() for t, o in enumerate(os)}
    later: dict[int, dict[int, Array]] = defaultdict(dict)  # consumer's step -> its site -> share
    shape = operations[ks[0]].out.shape
    if len(ks) < 2 or not shape or operations[ks[0]].out.size < 2 or len({operations[k].out.shape for k in ks}) > 1:
        return []
    for t, k in enumerate(ks):
        for consumer, share in shares.get(k, ()):
            if steps[id(operations[consumer])] == t + 1 and len(truth.by_site[operations[consumer].site]) == len(ks):
                held = later[t + 1].get(operations[consumer].site)
                later[t + 1][operations[consumer].site] = share if held is None else held + share
    sites = sorted({s for group in later.values() for s in group})
    if not sites:
        return []
    for place, given in shares.items():
        if place <= -2 and truth.tape.leaves[-2 - place][1].size == operations[ks[0]].out.size:
            for consumer, share in given:
                site_of = operations[consumer].site
                if site_of in sites and steps[id(operations[consumer])] == 0:
                    held = later[0].get(site_of)
                    part = share.reshape(shape)
                    later[0][site_of] = part if held is None else held + part
    result = []
    for choice in [*_choices(sites), tuple(sites)]:
        items: list[Array | None] = [
            sum((later[t][c] for c in choice if c in later[t]), np.zeros(shape)) if later.get(t) else None
            for t in range(len(ks))
        ]
        name = f"what comes back to {truth.label(site)} from the next step"
        result.append(Series("share", name, items, min(choice), consumers=frozenset(choice), future=site))
    return list({tuple(sorted(s.consumers)): s for s in result}.values())


def _choices(kinds: list[int]) -> list[tuple[int, ...]]:
    if len(kinds) <= SUBSETS:
        return [c for n in range(1, len(kinds)) for c in combinations(kinds, n)]
    return [(kind,) for kind in kinds] + [tuple(x for x in kinds if x != kind) for kind in kinds]


def _through(truth: Truth, what: str, choice: tuple[int, ...]) -> str:
    return f"the part of dJ/d({what}) that comes through " + " and ".join(truth.text(c) for c in choice)


def _shares(truth: Truth, parameters: set[int]) -> list[Series]:
    """List what each operation hands to an operand, step by step, and the sums over operations on the same operand.

    The state before the first step is no operation's result: its share is found only here.
    """
    slots: dict[tuple[int, int], list[tuple[bytes, Array]]] = defaultdict(list)
    made = {int(o.out.reshape(-1)[0]): (site, t) for site, os in truth.by_site.items() for t, o in enumerate(os)}
    future: dict[tuple[int, int], int] = {}
    for operation in truth.tape.operations:
        for j, ((ids, _), part) in enumerate(zip(operation.inputs, operation.parts or (), strict=True)):
            if ids.ndim and int(ids.reshape(-1)[0]) not in parameters:
                source, step = made.get(int(ids.reshape(-1)[0]), (-1, -1))
                if source >= 0 and step == len(slots[(operation.site, j)]) - 1:
                    future[(operation.site, j)] = source
                slots[(operation.site, j)].append((ids.tobytes(), part))
    result, same = _operands(truth), defaultdict(list)
    futures: dict[int, int | None] = {}
    for (site, j), given in slots.items():
        name = f"what {truth.text(site)} hands back"
        futures[site] = future.get((site, j))
        result.append(
            Series(
                "share", name, [p for _, p in given], site, consumers=frozenset([site, -1 - j]), future=futures[site]
            )
        )
        same[(tuple(ids for ids, _ in given), given[0][1].shape)].append((site, [part for _, part in given]))
    for alike in same.values():
        if len(alike) < 2:
            continue
        table = dict(alike)
        for choice in [*_choices(sorted(table)), tuple(sorted(table))]:
            if len(choice) > 1:
                items: list[Array | None] = [
                    np.sum(parts, axis=0) for parts in zip(*(table[c] for c in choice), strict=True)
                ]
                name = "what " + " and ".join(truth.text(c) for c in choice) + " hand back"
                result.append(
                    Series("share", name, items, choice[0], consumers=frozenset(choice), future=futures[choice[0]])
                )
    return result


def _shared_sites(truth: Truth, leaf_of: dict[int, str]) -> list[Series]:
    """List what each place gives to parameters that take turns there: the layers of a stack."""
    slots: dict[tuple[int, int], list[tuple[str, Array]]] = defaultdict(list)
    for operation in truth.tape.operations:
        for j, ((ids, _), part) in enumerate(zip(operation.inputs, operation.parts or (), strict=True)):
            name = leaf_of.get(int(ids.reshape(-1)[0]))
            if name is not None:
                slots[(operation.site, j)].append((name, part))
    result = []
    for (site, _), given in slots.items():
        names = sorted({name for name, _ in given})
        if len(names) > 1:
            said = f"one step's part of dJ/d({', '.join(names)})"
            result.append(Series("contribution", said, [part for _, part in given], site, "/".join(names)))
    return result


def _operands(truth: Truth) -> list[Series]:
    """List the values that each operation works on, step by step: with the state before the first step."""
    slots: dict[tuple[int, int], list[Array | None]] = defaultdict(list)
    for operation in truth.tape.operations:
        for j, value in enumerate(operation.operands):
            if value.ndim and value.size > 1:
                slots[(operation.site, j)].append(value)
    return [Series("value", f"an operand of {truth.text(site)}", items, site) for (site, _), items in slots.items()]


def _contributions(truth: Truth, name: str, contributions: list[tuple[int, Array]]) -> list[Series]:
    """List what each step gives to a parameter's gradient, for each place that uses it and for all together."""
    by_site: dict[int, list[Array]] = defaultdict(list)
    for consumer, part in contributions:
        by_site[truth.tape.operations[consumer].site].append(part)
    series = [
        Series("contribution", f"one step's part of dJ/d{name}", list(parts), site, name)
        for site, parts in by_site.items()
    ]
    lengths = {len(parts) for parts in by_site.values()}
    if len(by_site) > 1 and len(lengths) == 1:
        together = [np.sum(parts, axis=0) for parts in zip(*by_site.values(), strict=True)]
        series.append(Series("contribution", f"one step's part of dJ/d{name}", together, -1, name))
    return series
