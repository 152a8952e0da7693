"""One choice for an argument, and choices of all arguments in order of plausibility."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bptt.checking.loading.layouts import Layout
from bptt.checking.loading.plan import Plan, Source

OTHER_AXES = 3.0
"""How much less plausible a mask is that does not fit the inputs."""


@dataclass(frozen=True)
class Option:
    """One choice for an argument: its source, the layout that goes with it, and what speaks against it."""

    penalty: float
    source: Source | None  # None: left to its default
    role: str | None = None
    layout: Layout | None = None


def best_first(options: Sequence[Sequence[Option]], limit: int) -> Iterator[tuple[Option, ...]]:
    """Yield choices of one option each, by their total penalty."""
    lists = [sorted(o, key=lambda x: x.penalty) for o in options]
    start = (0,) * len(lists)
    heap: list[tuple[float, tuple[int, ...]]] = [(sum(o[0].penalty for o in lists), start)]
    seen = {start}
    while heap and limit > 0:
        total, at = heapq.heappop(heap)
        yield tuple(o[i] for o, i in zip(lists, at, strict=True))
        limit -= 1
        for k in range(len(at)):
            after = (*at[:k], at[k] + 1, *at[k + 1 :])
            if after[k] < len(lists[k]) and after not in seen:
                seen.add(after)
                heapq.heappush(heap, (total - lists[k][at[k]].penalty + lists[k][after[k]].penalty, after))


def twice_the_same(choice: Sequence[Option]) -> bool:
    """Tell whether a choice gives the same inputs, targets or state to two arguments."""
    given = [o.role for o in choice if o.role]
    return len(given) != len(set(given))


def with_choice(plan: Plan, choice: Sequence[Option]) -> Plan:
    """Return the plan with the layouts of a choice settled, and its penalty."""
    layouts = dict(plan.layouts)
    for option in choice:
        if option.role and option.layout is not None:
            layouts[option.role] = option.layout
    apart = OTHER_AXES * (_mask_apart(layouts) - _mask_apart(plan.layouts))
    return replace(plan, layouts=layouts, penalty=plan.penalty + sum(o.penalty for o in choice) + apart)


def _mask_apart(layouts: Mapping[str, Layout]) -> bool:
    """Tell whether a mask has other axes than the inputs that it is of, or has them in another order."""
    if "X" not in layouts or "mask" not in layouts:
        return False
    inputs, mask = ([a for a in layouts[role].axes if a not in ("f", "1")] for role in ("X", "mask"))
    return [a for a in inputs if a in mask] != mask
