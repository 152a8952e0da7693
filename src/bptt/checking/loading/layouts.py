"""How a program may want its inputs, targets and states: axes, their order, one-hot, dense or ids, arrays or lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from bptt.checking.loading.hints import Hints

Kind = Literal["dense", "onehot", "ids", "binary", "mask"]
F, M, T, ONE = "f", "m", "T_x", "1"
ALL = "T_x * m"  # every example at every step, in one axis

SEQUENCES: tuple[tuple[str, ...], ...] = (
    (F, M, T), (M, T, F), (T, M, F), (T, F, M), (T, F, ONE), (T, F), (T, ONE, F), (F, T), (ONE, T, F), (M, T), (T, M),
    (T,), (T, ONE), (ONE, T), (F, ONE, T), (M, T, F, ONE), (T, ONE, ONE), (M, F, T), (ALL,), (ALL, F),
)  # fmt: skip
STEPS: tuple[tuple[str, ...], ...] = ((F, M), (M, F), (F, ONE), (ONE, F), (F,), (M,), (M, ONE), (ONE, ONE), ())


@dataclass(frozen=True)
class Layout:
    """The axes of one value, what they hold, and what holds it.

    ``axes`` are names of sizes ("m", "T_x", "1"), "f" standing for the feature axis, whose size is ``feature``.
    """

    axes: tuple[str, ...]
    feature: str
    kind: Kind = "dense"
    box: Literal["array", "list", "dict"] = "array"
    nested: int = 0  # a list that holds so many such values: the only example, the states of an LSTM

    def make(self, sizes: Mapping[str, int], rng: np.random.Generator) -> Any:
        """Return a random value of this layout."""
        if self.nested:
            return [replace(self, nested=0).make(sizes, rng) for _ in range(self.nested)]
        shape = tuple(size_value(self.feature if a == F else a, sizes) for a in self.axes)
        count = size_value(self.feature, sizes)
        value: Any
        if self.kind == "ids":
            value = np.asarray(rng.integers(count, size=shape))
            value.reshape(-1)[:1] = count - 1  # the largest id must fit
            value = _repeated(value)
        elif self.kind == "mask":
            value = rng.integers(2, size=shape).astype(float)
            value.reshape(-1)[:1] = 1.0  # something must be left
        elif self.kind == "binary":
            value = rng.integers(2, size=shape).astype(float)
        elif self.kind == "onehot" and F in self.axes and count > 1:
            axis = self.axes.index(F)
            classes = rng.integers(count, size=shape[:axis] + shape[axis + 1 :])
            along = np.arange(count).reshape(-1, *[1] * (len(shape) - 1 - axis))
            value = (along == np.expand_dims(classes, axis)).astype(float)
        else:
            value = rng.normal(size=shape)
        return self.pack(value)

    def pack(self, value: Any) -> Any:
        """Return an array in the box of this layout: as it is, as a list or dict of its first axis, as a number."""
        if np.shape(value) == ():
            value = int(value) if self.kind == "ids" else float(value)
        if self.box == "list":
            value = value.tolist() if value.ndim == 1 else list(value)
        elif self.box == "dict":
            value = dict(enumerate(value))
        return value

    def describe(self) -> str:
        """Return the layout in words: ``(n_x, m, T_x)``, ``list over T_x of (n_x, 1)``, ``T_x ids below n_x``."""
        names = [self.feature if a == F else a for a in self.axes]
        if self.kind == "ids":
            return f"ids below {self.feature}, ({', '.join(names)})"
        if self.box != "array" and names:
            return f"{self.box} over {names[0]} of ({', '.join(names[1:])})"
        return f"({', '.join(names)})"


def _repeated(ids: Any) -> Any:
    """Return ids of which some come twice, in one step and in one example: what adds up for each must show."""
    axes = [axis for axis in range(np.ndim(ids)) if ids.shape[axis] > 1]
    if axes:
        np.moveaxis(ids, axes[-1], 0)[-1] = ids.flat[0]
    return ids


def size_value(size: str, sizes: Mapping[str, int]) -> int:
    """Return the number that a size stands for: a name, a number, or a sum or product of them."""
    if size in sizes:
        return sizes[size]
    if size.isdigit():
        return int(size)
    total = 0
    for term in size.split("+"):
        product = 1
        for factor in term.split("*"):
            factor = factor.strip()
            product *= sizes[factor] if factor in sizes else int(factor)
        total += product
    return total


def candidates(
    hints: Hints,
    features: list[str],
    kinds: list[Kind],
    *,
    batch: bool,
    steps: bool = False,
    like: Layout | None = None,
    rows: bool | None = None,
) -> list[tuple[float, Layout]]:
    """Return the layouts that an argument may have, the likeliest first, each with what speaks against it.

    Parameters
    ----------
    hints : Hints
    features : list of str
        What its feature axis may be, the likeliest first.
    kinds : list of Kind
        What it may hold, the likeliest first.
    batch : bool
        Whether the program speaks of a batch; without, layouts with an m axis come last.
    steps : bool
        Whether a single step is as likely as a sequence.
    like : Layout, optional
        That of the inputs, which targets mostly share.
    rows : bool, optional
        Whether one step's examples are rows; None where the text does not say.
    """
    scored: list[tuple[float, int, Layout]] = []
    shapes = [*SEQUENCES, *STEPS] if not steps else [*STEPS, *SEQUENCES]
    for rank, kind in enumerate(kinds):
        for i, axes in enumerate(shapes):
            if kind == "ids" and (F in axes or (ONE in axes and axes != (T, ONE))):
                continue
            score = 0.3 * i / len(shapes) + 3.0 * rank + _distance(axes, hints, kind)
            several = M in axes
            score += 1.0 * (ALL in axes)
            if kind == "ids":  # x[t][ids[t]] = 1 takes one id at a time, whatever is said of batches
                pairs = (hints.unpacked and len(hints.unpacked) == 2) or any(n == 2 for _, n in hints.time_axes or ())
                score += 1.5 * (several != bool(pairs)) if T in axes or not several else 0.5
            else:
                score += 1.5 * (not several) if batch or hints.examples else 2.0 * several
            score += 1.0 * (axes in STEPS) * (not steps) + _turned(axes, rows)
            score += 0.8 * (F not in axes and kind != "ids") + 0.8 * (kind == "ids" and ONE in axes)
            if like is not None:
                mine = tuple(a for a in axes if a != F)
                theirs = tuple(a for a in like.axes if a != F)
                if kind == "ids":
                    theirs = tuple(a for a in theirs if a != ONE)
                score += (
                    0.0 if (axes == like.axes or (kind == "ids" and mine == theirs)) else 0.7 if mine == theirs else 1.4
                )
            boxes: tuple[Literal["array", "list"], ...] = ("array", "list")
            if kind == "ids" and axes in ((T,), (M, T)):
                boxes = ("list", "array")
            for b, box in enumerate(boxes):
                if box == "list" and T not in axes[:1] and not (kind == "ids" and axes):
                    continue
                for j, feature in enumerate(features if F in axes or kind == "ids" else features[:1]):
                    layout = Layout(axes, feature, kind, box)
                    listed = 3.0 * (hints.array and box == "list")
                    scored.append((score + listed + 0.25 * b + 0.9 * j, len(scored), layout))
    scored.sort(key=lambda x: x[:2])
    return [(score - scored[0][0], layout) for score, _, layout in scored]


def _turned(axes: tuple[str, ...], rows: bool | None) -> float:
    """Return what speaks against examples in rows where the weights stand on the left, or the reverse."""
    plain = [a for a in axes if a in (F, M, ONE)]
    if rows is None or len(plain) != 2 or F not in plain or (len(axes) < 3 and T in axes):
        return 0.0
    return 0.5 * (rows != (plain[1] == F))


def _distance(axes: tuple[str, ...], hints: Hints, kind: Kind) -> float:
    """Return how badly axes fit what the text says."""
    score = 0.0
    if hints.unpacked:
        wanted = [F if u in ("n_x", "n_y", "V") else u for u in hints.unpacked]
        if len(wanted) != len(axes):
            score += 4
        else:
            score += sum(0 if w == a else 0.3 if w == "?" else 1.2 for w, a in zip(wanted, axes, strict=True))
    if hints.time_axes and T in axes:
        fits = [axes.index(T) == axis and count <= len(axes) for axis, count in hints.time_axes]
        score += 0.0 if all(fits) else 0.8 if any(fits) else 2.5
        longest = max(count for _, count in hints.time_axes)
        score += 2.0 * (longest > len(axes)) + 0.2 * (longest < len(axes) and longest > 1)
    if hints.examples:
        score += 0.0 if axes[:1] == (M,) else 2.5
    elif hints.iterated and T in axes:
        score += 0.0 if axes[0] == T else 2.0
    if not hints.examples and (hints.iterated or hints.time_axes) and M in axes and T not in axes and F in axes:
        score += 1.2  # what is run through are its steps
    if (kind == "ids") != hints.index:
        score += 2.5
    return score
