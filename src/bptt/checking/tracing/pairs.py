"""The quantities of a backward pass that goes back from each loss by itself: one for a loss and a step together.

A pass with a loop over the losses, and in it one back through time (Werbos' unfolded form, truncated or not), never
holds a whole adjoint, but one loss's part of it.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from bptt.checking.tracing.series import Series, Truth
from bptt.dims import Array


def pair_series(truth: Truth, steps: int) -> list[Series]:
    """List every quantity for each pair of a loss and a step before it, latest loss first and then first loss first.

    Empty where the losses cannot be told apart.

    Parameters
    ----------
    truth : Truth
    steps : int
        T_x.
    """
    replays = _by_loss(truth, steps)
    if not replays:
        return []
    tape = truth.tape
    kept = np.zeros(tape.count)
    result: list[Series] = []
    places: dict[int, list[int]] = defaultdict(list)
    for k, operation in enumerate(tape.operations):
        places[operation.site].append(k)
    for site, ks in places.items():
        if len(ks) == steps:
            own: list[Array | None] = [replays[t][0][tape.operations[ks[t]].out] for t in range(steps)]
            if all(i is not None and i.any() for i in own):
                result.append(
                    Series("adjoint", f"what the loss of the same step gives to dJ/d({truth.label(site)})", own, site)
                )
    for order in (range(steps - 1, -1, -1), range(steps)):
        pairs = [(t, k) for t in order for k in range(t, -1, -1)]
        together: dict[str, list[list[Array | None]]] = defaultdict(list)
        for site, ks in places.items():
            if len(ks) != steps:
                continue
            items: list[Array | None] = [replays[t][0][tape.operations[ks[k]].out] for t, k in pairs]
            if not any(i is not None and i.any() for i in items[1:]):
                continue
            result.append(
                Series("adjoint", f"what one loss gives to dJ/d({truth.label(site)})", items, site, in_order=True)
            )
            for j, (ids, _) in enumerate(tape.operations[ks[0]].inputs):
                shares: list[Array | None] = [
                    parts[ks[k]][j] if ks[k] in parts else np.zeros(ids.shape)
                    for t, k in pairs
                    for parts in [replays[t][1]]
                ]
                name = next((n for n, own in truth.leaves.items() if np.isin(ids, own).any()), None)
                if name is None:
                    result.append(
                        Series("share", f"what {truth.text(site)} hands back for one loss", shares, site, in_order=True)
                    )
                    continue
                given: list[Array | None] = []
                for share, (_, k) in zip(shares, pairs, strict=True):
                    np.add.at(kept, tape.operations[ks[k]].inputs[j][0].reshape(-1), np.ravel(np.asarray(share)))
                    given.append(kept[truth.leaves[name]].copy())
                    kept[truth.leaves[name]] = 0.0
                together[name].append(given)
                result.append(
                    Series("contribution", f"one step's part of dJ/d{name}", given, site, name, in_order=True)
                )
        for name, all_given in together.items():
            if len(all_given) > 1:
                sums: list[Array | None] = [
                    np.sum([i for i in items if i is not None], axis=0) for items in zip(*all_given, strict=True)
                ]
                result.append(Series("contribution", f"one step's part of dJ/d{name}", sums, -1, name, in_order=True))
        result += _futures(truth, replays, pairs)
    return result


def _futures(
    truth: Truth, replays: list[tuple[Array, dict[int, list[Array]]]], pairs: list[tuple[int, int]]
) -> list[Series]:
    """List what goes back from each step to the state before it: of one loss, that is all it gets there."""
    result = []
    for site, operations in truth.by_site.items():
        if len(operations) != max(t for t, _ in pairs) + 1:
            continue
        items: list[Array | None] = [replays[t][0][operations[k - 1].out] if k > 0 else None for t, k in pairs]
        if any(i is not None and i.any() for i in items):
            result.append(
                Series(
                    "share",
                    f"what comes back to {truth.label(site)} from the next step",
                    items,
                    site,
                    future=site,
                    in_order=True,
                )
            )
    return result


def _by_loss(truth: Truth, steps: int) -> list[tuple[Array, dict[int, list[Array]]]]:
    """Replay the tape from the outputs of one step at a time; empty where that does not give the whole."""
    tape = truth.tape
    sites: dict[int, list[int]] = defaultdict(list)
    for k, operation in enumerate(tape.operations):
        sites[operation.site].append(k)
    for ks in sites.values():
        if len(ks) != steps or tape.operations[ks[0]].name not in ("matmul", "dot", "einsum", "tensordot"):
            continue
        replays = []
        for k in ks:
            seed = np.zeros(tape.count)
            seed[tape.operations[k].out] = tape.adjoint[tape.operations[k].out]
            replays.append(tape.pulled_back(seed))
        total = np.sum([adjoint for adjoint, _ in replays], axis=0)
        above = np.concatenate([tape.operations[k].out.reshape(-1) for k in ks])
        alone = np.allclose(total[above], tape.adjoint[above])
        reached = [name for name, ids in truth.leaves.items() if total[ids].any()]
        whole = all(np.allclose(total[truth.leaves[name]], truth.parameters[name]) for name in reached)
        if alone and whole and 2 * len(reached) > len(truth.leaves):
            return replays
    return []
