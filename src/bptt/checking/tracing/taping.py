"""Tape one operation: the numbers that went in, those that came out, and the derivative between them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bptt.checking.tracing import hooks
from bptt.checking.tracing.tape import Tape
from bptt.checking.tracing.tape_rules import (
    ELEMENTWISE,
    linear_vjp,
    product_vjps,
    sampled_vjp,
)

CONTEXTS = 1_000_000
"""Numbers from here on stand for an operation in a certain chain of calls."""


class Taping:
    """The tape of one run, and what holds numbers on it."""

    def __init__(self) -> None:
        self.tape = Tape()
        self._context = 0
        self._contexts: dict[tuple[int, int], int] = {}
        self._calls: dict[int, tuple[Any, int]] = {}  # a chain of calls -> the function at its end, and how often
        self.tape.place_of = self._place

    def _place(self, site: int) -> int:
        """Return a number for an operation and the calls that led to it: sigmoid's of one gate is not another's."""
        if self._context == 0:
            return site
        return self._known(self._context, site)

    def _known(self, context: int, site: int) -> int:
        number = self._contexts.get((context, site))
        if number is None:
            number = self._contexts[(context, site)] = CONTEXTS + len(self._contexts)
            self.tape.bare_site[number] = site
        return number

    def _called(self, context: int, function: Any) -> None:
        code = getattr(getattr(function, "__func__", function), "__code__", None)
        self._calls[context] = (code, self._calls.get(context, (code, 0))[1] + 1)

    def join_calls(self, steps: int) -> None:
        """Take two chains of calls for one, where the steps are shared out between them: the first one by itself."""
        pairs = {number: pair for pair, number in self._contexts.items()}
        same: dict[int, int] = {0: 0}
        layer = [0]
        while layer:
            below: dict[tuple[int, Any], dict[int, list[int]]] = {}
            for number, (code, _) in self._calls.items():
                parent, site = pairs[number]
                if parent in layer:
                    below.setdefault((same[parent], code), {}).setdefault(site, []).append(number)
            for sites in below.values():
                counts = [sum(self._calls[n][1] for n in numbers) for numbers in sites.values()]
                joined = len(counts) > 1 and max(counts) < steps == sum(counts)
                first = min(n for numbers in sites.values() for n in numbers)
                for numbers in sites.values():
                    for number in numbers:
                        same[number] = first if joined else numbers[0]
            layer = [n for sites in below.values() for numbers in sites.values() for n in numbers]
        for operation in self.tape.operations:
            context, site = pairs.get(operation.site, (0, operation.site))
            if same.get(context, context) != context:
                operation.site = self._known(same[context], site)

    def _linear(
        self, site: int, name: str, function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any], result: Any
    ) -> Any:
        if name in ("dot", "matmul") and len(arguments) == 2 and not keywords:
            self._arithmetic(site, "matmul", function, arguments, {}, result)
            return result
        operands = self._spread(arguments)
        if operands is None:
            return self._sampled(site, name, function, arguments, keywords, result)
        vjps = [
            linear_vjp(function, list(operands), k, keywords) if self._numbers(a) else None
            for k, a in enumerate(operands)
        ]
        self.tape.record(site, name, result, operands, vjps)
        return result

    def _spread(self, arguments: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """Gather lists of arrays among the operands (np.sum([a, b])) into an array first."""
        spread = []
        for argument in arguments:
            if isinstance(argument, list | tuple) and self._holds_numbers(argument):
                gathered = np.array(argument)
                ids = self._id_tree(argument)
                if ids is None or gathered.dtype.kind != "f":
                    return None
                self._moved(gathered, np.asarray(ids))
                argument = gathered
            spread.append(argument)
        return tuple(spread)

    def _arithmetic(
        self, site: int, name: str, function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any], result: Any
    ) -> None:
        """Tape an operator or an elementwise function."""
        if name == "matmul":
            x, w = np.asarray(arguments[0]), np.asarray(arguments[1])
            vjps: Any = product_vjps(x, w) or [
                linear_vjp(function, list(arguments), k, {}) if self._numbers(a) else None
                for k, a in enumerate(arguments)
            ]
            self.tape.record(site, name, result, arguments, vjps)
            return
        slopes = ELEMENTWISE.get(name)
        if slopes is None or len(slopes) != len(arguments):
            self._sampled(site, name, function, arguments, keywords, result)
            return
        values = [np.array(a) if isinstance(a, np.ndarray) else a for a in arguments]
        shown = np.array(result)
        vjps = [self._elementwise(slope, values, shown) for slope in slopes]
        self.tape.record(site, name, result, arguments, vjps)

    @staticmethod
    def _elementwise(slope: Callable[..., Any], values: list[Any], result: Any) -> Callable[[Any], Any]:
        return lambda above: above * slope(*values, result)

    def _sampled(
        self, site: int, name: str, function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any], result: Any
    ) -> Any:
        operands = self._spread(arguments)
        if operands is None or not self._numbers(result):
            self.tape.lost.append((site, name))
            return result
        quiet_function = self._unwatched(function)
        vjps = [
            sampled_vjp(quiet_function, list(operands), k, keywords)
            if self._numbers(a) and self.tape.known(a)
            else None
            for k, a in enumerate(operands)
        ]
        if any(vjps):
            self.tape.sampled.append((site, name))
            self.tape.record(site, name, result, operands, vjps)
        return result

    @staticmethod
    def _unwatched(function: Any) -> Callable[..., Any]:
        def run(*arguments: Any, **keywords: Any) -> Any:
            with hooks.watching(None):
                return function(*arguments, **keywords)

        return run

    # -- what holds numbers --------------------------------------------------------------------------------------
    def _moved(self, result: Any, ids: Any) -> None:
        """Take note of a result that holds old numbers: where it is a view of them, its ids are right already."""
        if isinstance(result, np.ndarray) and result.dtype.kind != "f":
            return
        if isinstance(result, np.ndarray | float | np.floating) and ids is not None:
            if not self.tape.known(result):
                self.tape.put(result, np.asarray(ids))
                return
            own = self.tape.ids(result)
            if own is None or not np.array_equal(own, ids):
                self.tape.put(result, np.asarray(ids))

    def _id_tree(self, value: Any) -> Any:
        """Ids in the place of numbers, in nested lists as well."""
        if isinstance(value, list | tuple):
            parts = [self._id_tree(item) for item in value]
            return type(value)(parts) if type(value) in (list, tuple) else parts
        ids = self.tape.ids(value)
        return ids if ids is None or ids.ndim else int(ids)

    @staticmethod
    def _numbers(value: Any) -> bool:
        if isinstance(value, np.ndarray):
            return bool(value.dtype.kind == "f")
        return isinstance(value, float | np.floating)

    def _any_numbers(self, value: Any) -> bool:
        return self._numbers(value) or (isinstance(value, list | tuple) and any(self._numbers(v) for v in value))

    def _holds_numbers(self, value: Any, depth: int = 3) -> bool:
        if self._numbers(value):
            return True
        if depth and isinstance(value, list | tuple):
            return any(self._holds_numbers(item, depth - 1) for item in value)
        if depth and isinstance(value, dict):
            return any(self._holds_numbers(item, depth - 1) for item in value.values())
        return False
