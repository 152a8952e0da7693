"""List every quantity that a backward pass may compute, step by step, from the proven tape."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations

import numpy as np

from bptt.checking.tracing.later import later_series
from bptt.checking.tracing.layers import split_by_layer
from bptt.checking.tracing.series import Series, Truth
from bptt.dims import Array

SUBSETS = 5
"""A value with at most so many kinds of consumer has every sum of their parts listed."""


def list_series(truth: Truth, leaves: dict[str, Array]) -> None:
    """List every quantity that a backward pass may compute."""
    tape, adjoint = truth.tape, truth.tape.adjoint
    leaf_of: dict[int, str] = {int(i): name for name, ids in leaves.items() for i in ids.reshape(-1)}
    split_by_layer(tape, leaf_of)
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
        if {operation.name for operation in operations} == {"negative"}:
            continue  # nobody means the derivative by -x
        truth.series.append(Series("adjoint", f"dJ/d({truth.label(site)})", [adjoint[o.out] for o in operations], site))
        truth.series.append(Series("value", truth.label(site), [o.value for o in operations], site))
        truth.series += _parts(truth, site, ks, shares)
        truth.series += _futures(truth, site, ks, shares)
    truth.series += _shares(truth, set(leaf_of))
    truth.series += _shared_sites(truth, leaf_of)
    truth.series += later_series(truth)
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
