"""What a run is given at first, where it would hide faults: states of zeros, masks of ones, ids that come once each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from bptt.checking.loading import paths as places
from bptt.checking.loading import roles_by_name as roles

IDS = r"ids?|idx|ix|indices|indexes|tokens?|chars?|letters?|words?|seq(uence)?|entrees"


def begin_anywhere(state: dict[str, Any], more: dict[str, Any], seed: int) -> None:
    """Fill the states of zeros that a pass is given with random values, in place.

    Nothing is changed where a later call is given zeros of the same shape: they may stand for the same state.

    Parameters
    ----------
    state : dict
        What the first call could read: ``given``, ``self``, ``globals``.
    more : dict
        What later calls are given from elsewhere.
    seed : int
    """
    others = {np.shape(v) for _, v in places.arrays(more) if not v.any()}
    for number, value in enumerate(_states(state)):
        if not value.any() and value.shape not in others and value.flags.writeable:
            value[...] = 0.5 * np.random.default_rng([seed, 6, number]).normal(size=value.shape)


def end_unevenly(state: dict[str, Any]) -> None:
    """Let the last example end a step before the others, where a mask of ones says that none does."""
    for name, value in (state.get("given") or {}).items():
        ones = (
            isinstance(value, np.ndarray) and value.ndim > 1 and min(value.shape[:2]) > 1 and bool((value == 1).all())
        )
        if ones and roles.matches(name, roles.MASK) and value.flags.writeable:
            value[-1, -1] = 0


def come_again(state: dict[str, Any]) -> None:
    """Let one of the ids that a pass is given come twice, where each comes once: what is set must be added up."""
    for name, value in (state.get("given") or {}).items():
        ids = value if isinstance(value, list) and all(type(i) is int for i in value) else []
        apart = len(set(ids)) == len(ids) > 2 and ids != list(range(ids[0], ids[0] + len(ids)))
        if apart and (roles.matches(name, roles.INPUT) or re.fullmatch(IDS, name, re.IGNORECASE)):
            value[-1] = value[0]


def _states(state: dict[str, Any]) -> Iterator[np.ndarray[Any, Any]]:
    """Yield the arrays of floats that are given under the name of a state."""
    given = state.get("given") or {}
    for name, value in given.items():
        if roles.matches(name, f"{roles.STATE0}|{roles.CELL0}") and not roles.is_weight(name):
            yield from (v for _, v in places.arrays(value if isinstance(value, np.ndarray | list | tuple) else None))
