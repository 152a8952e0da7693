"""Watch an instrumented program at work and tape it."""

from __future__ import annotations

import builtins
import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from bptt.checking.tracing import hooks
from bptt.checking.tracing.on_the_fly import instrumented
from bptt.checking.tracing.tape_rules import (
    BINARY,
    ELEMENTWISE,
    IN_PLACE,
    LINEAR,
    MOVES,
    UFUNC_OF,
    sampled_vjp,
)
from bptt.checking.tracing.taping import Taping

MATH = {
    name: getattr(np, name) for name in ("exp", "log", "tanh", "sqrt", "sin", "cos", "sinh", "cosh", "log2", "log10")
}
RE_ITERATED = (zip, enumerate, list, tuple, reversed, iter, map, max, min, set, sorted)


class Trace(Taping):
    """The tracer of one run: every hook ends here while it is active."""

    # -- operators -----------------------------------------------------------------------------------------------
    def binop(self, site: int, op: str, left: Any, right: Any) -> Any:
        result = BINARY[op](left, right)
        if self._numbers(result) and (self._numbers(left) or self._numbers(right)):
            self._arithmetic(site, UFUNC_OF.get(op, op), BINARY[op], (left, right), {}, result)
        return result

    def negative(self, site: int, value: Any) -> Any:
        result = -value
        if self._numbers(value):
            self._arithmetic(site, "negative", np.negative, (value,), {}, result)
        return result

    def update(self, site: int, op: str, old: Any, value: Any) -> Any:
        if not self._numbers(old) or not isinstance(old, np.ndarray):
            if self._numbers(old) or self._numbers(value):
                return self.binop(site, op, old, value)
            return IN_PLACE[op](old, value)
        before = old.copy()
        self.tape.put(before, self.tape.ids(old))  # type: ignore[arg-type]
        result = IN_PLACE[op](old, value)
        self._arithmetic(site, UFUNC_OF.get(op, op), BINARY[op], (before, value), {}, result)
        return result

    def named(self, name: str, value: Any) -> None:
        """Remember the first name that a result gets: ``a_next`` for what ``tanh(...)`` returned."""
        if self._numbers(value):
            ids = self.tape.ids(value)
            if ids is not None and ids.size and self.tape.known(value):
                self.tape.names.setdefault(int(ids.reshape(-1)[0]), name)

    # -- subscripts ----------------------------------------------------------------------------------------------
    def getitem(self, site: int, holder: Any, index: Any) -> Any:
        result = holder[index]
        if holder.dtype.kind == "f":
            self._moved(result, self.tape.ids(holder)[index])  # type: ignore[index]
        return result

    def setitem(self, site: int, holder: Any, index: Any, value: Any) -> None:
        ids = self._id_tree(value)
        holder[index] = value
        if holder.dtype.kind == "f":
            own = self.tape.ids(holder)
            own[index] = 0 if ids is None else ids  # type: ignore[index]
        elif ids is not None and np.any(ids) and holder.dtype.kind in "iub":
            self.tape.lost.append((site, f"a write into a buffer of {holder.dtype}, which cuts off the decimals"))

    def iterate(self, values: Any) -> Any:
        if isinstance(values, np.ndarray) and values.dtype.kind == "f" and values.ndim == 1:
            return [self.getitem(-1, values, k) for k in range(len(values))]
        return values

    # -- calls ---------------------------------------------------------------------------------------------------
    def call(self, site: int, function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        if isinstance(function, functools.partial):
            return self.call(site, function.func, (*function.args, *arguments), {**function.keywords, **keywords})
        if hooks.is_mine(function) or (isinstance(function, type) and not issubclass(function, np.generic)):
            if function is float and arguments and self._numbers(arguments[0]):
                result: Any = float(*arguments)
                self._moved(result, self.tape.ids(arguments[0]))
                return result
            if function in RE_ITERATED:
                arguments = tuple(self.iterate(a) for a in arguments)
            return self._within(site, function, arguments, keywords)
        if function is builtins.sum:
            return self._sum(site, *arguments, **keywords)
        if not any(
            self._holds_numbers(a) for a in (*arguments, *keywords.values(), getattr(function, "__self__", None))
        ):
            return self._within(site, self._plain_python(function), arguments, keywords)
        owner = getattr(function, "__self__", None)
        name = getattr(function, "__name__", type(function).__name__)
        if isinstance(owner, np.ndarray | np.floating | float) and not isinstance(owner, np.ufunc):
            return self._method(site, name, function, owner, arguments, keywords)
        if isinstance(owner, np.ufunc):
            return self._ufunc_method(site, owner, name, function, arguments, keywords)
        of_math = owner is math or getattr(function, "__module__", "") == "math"
        if of_math and name in MATH and self._numbers(arguments[0]):
            result = function(*arguments)
            self._arithmetic(site, name, MATH[name], arguments, {}, result)
            return result
        if isinstance(function, np.ufunc) or (getattr(function, "__module__", "") or "").startswith("numpy"):
            return self._numpy(site, name, function, arguments, keywords)
        if function in (builtins.abs, builtins.pow):
            return self._numpy(site, "absolute" if function is abs else "power", function, arguments, keywords)
        if function in RE_ITERATED:
            return function(*(self.iterate(a) for a in arguments), **keywords)
        return self._unknown(site, name, function, arguments, keywords)

    def _within(self, site: int, function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """Run a function of theirs; what it does is told apart by where it was called."""
        before = self._context
        self._context = self._known(before, site)
        self._called(self._context, function)
        try:
            return function(*arguments, **keywords)
        finally:
            self._context = before

    def _plain_python(self, function: Any) -> Any:
        """Make a function of theirs report that nobody instrumented yet: a loader's or an adapter's."""
        return instrumented(function)

    def _sum(self, site: int, values: Any, start: Any = 0) -> Any:
        total = start
        for value in self.iterate(values):
            total = self.binop(site, "Add", total, value)
        return total

    def _method(
        self, site: int, name: str, function: Any, owner: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]
    ) -> Any:
        if name in ("fill", "itemset") and isinstance(owner, np.ndarray):
            self.setitem(site, owner, ... if name == "fill" else arguments[:-1], arguments[-1])
            return None
        if name in ("reshape", "transpose"):
            result = function(*arguments, **keywords)
            self._moved(result, getattr(self.tape.ids(owner), name)(*arguments, **keywords))
            return result
        if name in ("astype",):
            result = function(*arguments, **keywords)
            self._moved(result, self.tape.ids(owner))
            return result
        if name == "tolist":
            return _nested(owner, lambda i: self.getitem(site, owner, i))
        if name == "item" and not isinstance(owner, np.ndarray):
            result = function(*arguments)
            self._moved(result, self.tape.ids(owner))
            return result
        if name == "item":
            result = function(*arguments)
            self._moved(result, np.array(self.tape.ids(owner).item(*arguments)))  # type: ignore[union-attr]
            return result
        if name in ("sort", "partition", "put", "resize"):
            self.tape.lost.append((site, f".{name}() in place"))
            return function(*arguments, **keywords)
        plain = getattr(np, {"flatten": "ravel", "dot": "dot"}.get(name, name), None)
        if plain is not None and callable(plain):
            if name in ("flatten", "copy"):
                result = function(*arguments, **keywords)
                ids = self.tape.ids(owner)
                self._moved(result, ids.reshape(np.shape(result)) if arguments == () else ids.flatten(*arguments))  # type: ignore[union-attr]
                return result
            return self._numpy(site, name, plain, (owner, *arguments), keywords)
        return self._unknown(site, name, function, arguments, keywords, owner)

    def _ufunc_method(
        self, site: int, ufunc: Any, name: str, function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]
    ) -> Any:
        if name == "reduce" and ufunc is np.add:
            keywords = {"axis": 0, **keywords} if len(arguments) < 2 else keywords
            return self._numpy(site, "sum", np.sum, arguments, keywords)
        if name == "outer" and ufunc is np.multiply:
            return self._numpy(site, "outer_product", function, arguments, keywords, linear=True)
        if name == "at" and ufunc in (np.add, np.subtract):
            holder, index, value = arguments
            before = holder.copy()
            self.tape.put(before, self.tape.ids(holder))  # type: ignore[arg-type]

            def added(x: Any, v: Any) -> Any:
                y = np.array(x)
                ufunc.at(y, index, v)
                return y

            ufunc.at(holder, index, value)
            vjps = [sampled_vjp(added, [before, value], k, {}) for k in (0, 1)]
            self.tape.record(site, "at", holder, (before, value), vjps)
            return None
        return self._unknown(site, f"{ufunc.__name__}.{name}", function, arguments, keywords)

    def _numpy(
        self,
        site: int,
        name: str,
        function: Any,
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
        linear: bool = False,
    ) -> Any:
        keywords = dict(keywords)
        if name == "clip" and len(arguments) == 3 and not keywords:
            low = arguments[0] if arguments[1] is None else self._numpy(site, "maximum", np.maximum, arguments[:2], {})
            return low if arguments[2] is None else self._numpy(site, "minimum", np.minimum, (low, arguments[2]), {})
        if name == "copyto":
            self.setitem(site, arguments[0], keywords.get("where", ...), arguments[1])
            return None
        if name in ("zeros_like", "ones_like", "empty_like", "shape", "ndim", "size"):
            return function(*arguments, **keywords)
        out = keywords.pop("out", None)
        out = out[0] if isinstance(out, tuple) else out
        if isinstance(function, np.ufunc) and len(arguments) > function.nin:
            out, arguments = arguments[function.nin], arguments[: function.nin]
        if out is not None:
            result = self._numpy(site, name, function, arguments, keywords, linear)
            if not self._numbers(result):
                self.tape.lost.append((site, f"{name} with out="))
            self.setitem(site, out, ..., result)
            return out
        if name in MOVES and not (name == "where" and len(arguments) == 1):
            return self._move(site, name, function, arguments, keywords)
        result = function(*arguments, **keywords)
        if not self._any_numbers(result):
            return result
        if name in LINEAR or linear:
            return self._linear(site, name, function, arguments, keywords, result)
        if (name in ELEMENTWISE and not keywords) or function in BINARY.values():
            self._arithmetic(site, name, function, arguments, keywords, result)
            return result
        return self._sampled(site, name, function, arguments, keywords, result)

    def _move(self, site: int, name: str, function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        result = function(*arguments, **keywords)
        plain = {k: v for k, v in keywords.items() if k not in ("dtype", "order", "copy", "mode")}
        places = [
            self._id_tree(a) if place in MOVES[name] else a
            for place, a in enumerate(arguments)
            if place in MOVES[name] or name not in ("array", "asarray", "astype", "full", "full_like")
        ]
        try:
            if name in ("array", "asarray", "asanyarray", "ascontiguousarray", "asfortranarray", "copy", "astype"):
                moved: Any = np.array(places[0]).reshape(np.shape(result))
            elif name in ("full", "full_like"):
                moved = np.broadcast_to(places[0], np.shape(result))
            else:
                moved = function(*places, **plain)
        except Exception:  # a form that we do not know: the numbers are lost, and that is said
            self.tape.lost.append((site, name))
            return result
        if isinstance(result, list | tuple):
            for one, ids in zip(result, moved, strict=True):
                self._moved(one, ids)
        else:
            self._moved(result, moved)
        return result

    def _unknown(
        self,
        site: int,
        name: str,
        function: Any,
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
        owner: Any = None,
    ) -> Any:
        better = self._plain_python(function)
        if better is not function:
            return self._within(site, better, arguments, keywords)
        with hooks.watching(None):
            result = function(*arguments, **keywords)
        if not self._numbers(result) or self.tape.known(result):
            return result  # append, dict.get, ...: the same objects come out, or none
        if owner is not None or not any(self._numbers(a) for a in arguments):
            self.tape.lost.append((site, name))
            return result
        return self._sampled(site, name, function, arguments, keywords, result)


def _nested(array: Any, pick: Callable[[Any], Any], index: tuple[int, ...] = ()) -> Any:
    if len(index) == array.ndim:
        return pick(index)
    return [_nested(array, pick, (*index, k)) for k in range(array.shape[len(index)])]
