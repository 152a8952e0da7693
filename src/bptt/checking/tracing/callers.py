"""In which chain of calls a statement runs: sigmoid's slope for one gate is not that for another.

A function that is called from several places, or on the weights of several layers, computes another quantity in each;
what it computes in one of them is a unit of its own.
"""

from __future__ import annotations

import ast
import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from types import CodeType, FrameType
from typing import Any

import numpy as np

from bptt.checking.tracing.stepping import Unit

OURS = "bptt.checking.tracing."
"""The modules whose frames stand between a function of theirs and the one that calls it."""
LOOKED_AT = 48
"""So many arrays of one argument are looked at for whose weights they are."""

CALL = 4
"""A call's key: the chain that it stands in, its place, and the function's name and line."""

Place = tuple[int | None, int | None, int | None]


class Callers:
    """The chains of calls of one program, and a number for every unit in each of them."""

    def __init__(self, tree: ast.Module, units: list[Unit]) -> None:
        self.units = units
        names = [ast.unparse(n.func).split(".")[-1] for n in ast.walk(tree) if isinstance(n, ast.Call)]
        self._called = Counter(names)
        self._numbers: dict[tuple[int, int], int] = {}
        self._contexts: dict[tuple[Any, ...], list[tuple[frozenset[str], int]]] = {}
        self._count = 0
        self._calls: Counter[int] = Counter()
        self._joined: dict[int, int] = {}
        self._weighty: dict[str, bool] = {}
        self._places: dict[tuple[CodeType, int], Place] = {}
        self._stack: list[tuple[CodeType, frozenset[str], int]] = []
        self._weights: dict[int, str] = {}
        self._owners: dict[int, tuple[Any, frozenset[str]]] = {}

    def start(self, parameters: Mapping[str, Any]) -> None:
        """Begin a run with these weights."""
        self._stack.clear()
        self._owners.clear()
        self._calls.clear()
        self._weights = {_address(array): name for name, array in parameters.items() if isinstance(array, np.ndarray)}

    def enter(self, frame: FrameType, arguments: tuple[Any, ...]) -> int:
        """Return the number of the chain of calls that a function of theirs now runs in; 0 where all are one."""
        code = frame.f_code
        owner = self._owner(arguments)
        for held, whose, context in self._stack:
            if held is code and whose == owner:  # it calls itself, perhaps step by step through time
                self._stack.append((code, owner, context))
                return context
        above: frozenset[str] = self._stack[-1][1] if self._stack else frozenset()
        parent = self._stack[-1][2] if self._stack else 0
        known = self._called[code.co_name] == 1  # never called by its own name, as a closure, it may be anywhere
        place = self._place(frame) if self._stack and not known else None
        key = (parent, place, code.co_name, code.co_firstlineno)
        context = self._known(key, owner, above, parent, always=place is not None)
        self._calls[context] += 1
        context = self._joined.get(context, context)
        self._stack.append((code, owner, context))
        return context

    def join(self, steps: int) -> bool:
        """Take two chains of calls of the last run for one, where the steps are shared out between them.

        A function may be called in one place for the last step, and in another, in a loop, for all the others.
        """
        places: dict[tuple[Any, ...], list[int]] = {}
        for (parent, _, *function), layers in ((k, v) for k, v in self._contexts.items() if len(k) == CALL):
            if len(layers) == 1 and layers[0][1] not in self._joined and self._calls[layers[0][1]]:
                places.setdefault((parent, *function), []).append(layers[0][1])
        found = False
        for contexts in places.values():
            counts = [self._calls[context] for context in contexts]
            if len(contexts) > 1 and max(counts) < steps == sum(counts):
                self._joined |= dict.fromkeys(contexts[1:], contexts[0])
                found = True
        return found

    def turn(self, here: int, line: int, fixed: bool, targets: tuple[Any, ...]) -> int:
        """Return the number for one turn of a loop: over the layers, over the names of the weights or of the gates."""
        keys: tuple[str | int, ...] = tuple(
            t for t in targets if isinstance(t, str) and (fixed or self._names_weights(t))
        )
        keys += tuple(t for t in targets if fixed and isinstance(t, int))
        above = self._stack[-1][1] if self._stack else frozenset()
        return self._known((here, (line, *keys)), self._owner(targets), above, here, always=bool(keys))

    def _names_weights(self, text: str) -> bool:
        if text not in self._weighty:
            last = [name.split(".")[-1] for name in self._weights.values()]
            self._weighty[text] = bool(text) and any(n.startswith(text) or n.endswith(text) for n in last)
        return self._weighty[text]

    def _known(
        self, key: tuple[Any, ...], weights: frozenset[str], above: frozenset[str], parent: int, always: bool
    ) -> int:
        """Return the number of a chain of calls: the weights that it works on are another layer's, or the same.

        An initial state may be one of the weights, at the first step alone: one weight in common is enough.
        """
        layers = self._contexts.setdefault(key, [])
        for place, (held, context) in enumerate(layers):
            if weights & held or weights == held:
                layers[place] = (weights | held, context)
                return context
        number = parent
        if always or (weights != above and 0 < len(weights) < len(self._weights)):
            self._count += 1
            number = self._count
        layers.append((weights, number))
        return number

    def leave(self) -> None:
        """Go back to the caller."""
        if self._stack:
            self._stack.pop()

    def number(self, unit: int, context: int) -> int:
        """Return the number of a unit in a chain of calls."""
        known = self._numbers.get((unit, context))
        if known is None:
            known = self._numbers[(unit, context)] = len(self.units)
            self.units.append(dataclasses.replace(self.units[unit], number=known, base=unit, context=context))
        return known

    def _place(self, frame: FrameType) -> Place:
        caller = theirs(frame.f_back) if frame.f_back is not None else frame
        key = (caller.f_code, caller.f_lasti)
        if key not in self._places:
            line, _, column, end = list(caller.f_code.co_positions())[caller.f_lasti // 2]
            self._places[key] = (line, column, end)
        return self._places[key]

    def _owner(self, arguments: tuple[Any, ...]) -> frozenset[str]:
        """Return the names of the weights that the arguments hold."""
        found: frozenset[str] = frozenset()
        for argument in arguments:
            if isinstance(argument, np.ndarray):
                name = self._weights.get(_address(argument)) if argument.ndim > 1 else None
                found |= {name} if name else set()
            elif not isinstance(argument, int | float | str | np.generic) and argument is not None:
                held = self._owners.get(id(argument))
                if held is None:
                    names = {self._weights.get(_address(a)) for a in islice(_arrays(argument), LOOKED_AT)}
                    held = self._owners[id(argument)] = (argument, frozenset(n for n in names if n))
                found |= held[1]
        return found


def theirs(frame: FrameType) -> FrameType:
    """Return the first frame, from here outwards, that is none of ours."""
    while frame.f_globals.get("__name__", "").startswith(OURS) and frame.f_back is not None:
        frame = frame.f_back
    return frame


def _address(array: Any) -> int:
    return int(array.__array_interface__["data"][0])


def _arrays(value: Any, depth: int = 3) -> Iterator[Any]:
    """Run through the arrays that a container or an object holds."""
    if isinstance(value, np.ndarray):
        yield value
    elif depth and isinstance(value, dict):
        for item in value.values():
            yield from _arrays(item, depth - 1)
    elif depth and isinstance(value, list | tuple):
        for item in value:
            yield from _arrays(item, depth - 1)
    elif depth and isinstance(getattr(value, "__dict__", None), dict) and not isinstance(value, type):
        for item in vars(value).values():
            yield from _arrays(item, depth - 1)
