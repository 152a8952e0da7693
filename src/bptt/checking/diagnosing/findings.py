"""A finding of a wrong unit: its codes, what was wanted, what came, and why, in the person's own names."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np

from bptt.checking.diagnosing.labels import is_future, label
from bptt.checking.diagnosing.mistakes import Label
from bptt.checking.diagnosing.operands import operands
from bptt.checking.diagnosing.verdict import named_dims
from bptt.checking.program import Sizes
from bptt.checking.report import Dims, Expected, Finding, Got, gradient_name
from bptt.checking.tracing.bank import Role
from bptt.checking.tracing.series import Series
from bptt.checking.tracing.stepping import Unit

if TYPE_CHECKING:
    from bptt.checking.diagnosing.judging import Judged, Judging

SAID_ONCE = ("transpose", "`+=`", "sign is wrong")
STATIC = (NameError, KeyError, AttributeError)


def finding(judging: Judging, judged: Judged, more: list[Label] | None = None) -> Finding:
    """Return the finding of one wrong unit."""
    unit, role = judged.unit, judged.role
    labels = list(label(judging, judged))
    event = judged.events[judged.wrong[0]]
    error = event.error
    if error is not None:
        labels = [raised(judging, judged), *labels]
    if any(one.code not in ("W1", "X") for one in more or []):
        labels = [held for held in labels if held.code != "W1" or error is not None]  # another value by chance
    for one in more or []:
        said_twice = any(word in one.cause and word in held.cause for word in SAID_ONCE for held in labels)
        new = error is not None or one.code == "W1" or one.code not in {held.code for held in labels}
        if new and not said_twice:
            labels.append(one)
    labels = [one for one in labels if one is not None]
    labels = [one for one in labels if one.code != "X"] or labels
    codes = tuple(dict.fromkeys(one.code for one in labels)) or ("X",)
    name, dims = wanted(judging, role)
    value = event.value
    got = (
        Got(error=f"{type(error).__name__}: {error}")
        if error is not None
        else Got(None if value is None else named_dims(value.shape, judging.sizes))
    )
    origin = judging.program.origins[unit.line - 1] if unit.line <= len(judging.program.origins) else None
    last = judging.program.origins[unit.end_line - 1] if unit.end_line <= len(judging.program.origins) else origin
    return Finding(
        codes,
        origin.line if origin else unit.line,
        last.line if last else unit.end_line,
        statement_text(judging, unit),
        sentence(judging, judged, labels, name, dims),
        Expected(name, dims),
        got,
        equations(judging, role),
        None,
        origin.cell if origin else None,
        operands(judging, judged),
    )


def statement_text(judging: Judging, unit: Unit) -> str:
    """Return the statement as the person wrote it."""
    lines = judging.program.code.splitlines()[unit.line - 1 : unit.end_line]
    text = "\n".join(lines).strip()
    return text if len(text) < 2000 else unit.text


def wanted(judging: Judging, role: Role) -> tuple[str, Dims]:
    """Return what a unit is meant to be: a name, and named dimensions."""
    item = next((i for i in role.series.items if i is not None), np.zeros(()))
    shape = np.transpose(item, role.axes).shape if item.ndim == len(role.axes) else item.shape
    return quantity(judging, role.series), named_dims(shape, judging.sizes)


def quantity(judging: Judging, series: Series) -> str:
    """Name a true quantity in words that fit the person's program."""
    if series.kind == "gradient" or (series.kind == "contribution" and len(series.items) == 1):
        return gradient_name(series.parameter)
    if series.kind == "contribution":
        return f"one step's part of {gradient_name(series.parameter)}"
    if series.later or (series.kind == "share" and series.future is not None):
        site = series.node if series.future is None else series.future
        return f"the part of dJ/d({judging.truth.label(site)}) that comes back from the next step"
    if series.kind == "share":
        return f"the part that comes back through `{judging.truth.text(series.node)}`"
    return series.name


def sentence(judging: Judging, judged: Judged, labels: list[Label], name: str, dims: Dims) -> str:
    """Say what is wrong in the first line, and each reason in a line of its own."""
    target = f"`{judged.unit.target or ast.unparse(judged.unit.expression)}`"
    if isinstance(judged.unit.statement, ast.Return):
        target = "what it returns"
    meant = f"{target} does not get {name}" if judged.role.delta else f"{target} is not {name}"
    times = judged.role.times
    causes = list(dict.fromkeys(one.cause for one in labels))
    if not causes:
        causes = [
            "with true values above it, it computes something else, and no known mistake gives exactly these numbers"
        ]
    right = [k for k in times if k not in judged.wrong]
    if right and judged.events[judged.wrong[0]].error is None and len(times) > 1:
        bad = sorted(times[k] for k in judged.wrong)
        causes.append(f"it is wrong at t = {', '.join(str(t) for t in bad)} only")
    return "\n".join([meant, *causes])


def raised(judging: Judging, judged: Judged) -> Label:
    """Label an exception."""
    event = judged.events[judged.wrong[0]]
    error = event.error
    if isinstance(error, KeyError):
        return Label(
            "K",
            f"there is no key {error.args[0]!r}" + _near(error.args[0] if error.args else "", event.names, judged.unit),
        )
    if isinstance(error, STATIC):
        return Label("K", str(error))
    if isinstance(error, IndexError):
        return Label("T2", f"the index runs out of the array: {error}")
    if isinstance(error, ValueError):
        shown = mismatch(judging, judged)
        if shown:
            return Label("M1", shown)
        return Label(
            "M1" if "matmul" in str(error) or "aligned" in str(error) else "M3", f"NumPy cannot do it: {error}"
        )
    if isinstance(error, TypeError) and "argument" in str(error):
        return Label("K", str(error))
    return Label("X", f"it raises {type(error).__name__}: {error}")


def _near(key: object, names: dict[str, Any] | None, unit: Unit) -> str:
    """Suggest a key that exists and differs little."""
    import difflib

    keys: list[str] = []
    for value in _dicts(names or {}):
        keys += [k for k in value if isinstance(k, str) and k != key]
    close = difflib.get_close_matches(str(key), keys, 1, 0.7)
    return f"; the nearest is {close[0]!r}" if close else ""


def _dicts(value: Any, depth: int = 3) -> list[dict[Any, Any]]:
    found = []
    if isinstance(value, dict):
        found.append(value)
        inner: list[Any] = list(value.values())
    else:
        inner = list(getattr(value, "__dict__", {}).values()) if depth and not isinstance(value, type) else []
    if depth:
        for one in inner:
            if isinstance(one, dict) or (
                hasattr(one, "__dict__") and not callable(one) and not hasattr(one, "__file__")
            ):
                found += _dicts(one, depth - 1)
    return found


def mismatch(judging: Judging, judged: Judged) -> str:
    """Find the product in a statement whose operands do not fit, and say it with named dimensions."""
    event = judged.events[judged.wrong[0]]
    if event.names is None:
        return ""
    space = {**vars(builtins), **vars(judging.module), **event.names}
    for node in reversed(list(ast.walk(judged.unit.expression))):
        pair = product_of(node)
        if pair is None:
            continue
        values = []
        for side in pair:
            try:
                with np.errstate(all="ignore"):
                    values.append(eval(compile(ast.Expression(_plain(side)), "<operand>", "eval"), space))
            except Exception:  # an operand that raises itself is found before
                break
        if len(values) == 2 and all(isinstance(v, np.ndarray) for v in values):
            text = _misfit(node, values[0].shape, values[1].shape, judging.sizes, [ast.unparse(s) for s in pair])
            if text:
                return text
    return ""


def _plain(node: ast.expr) -> ast.expr:
    return ast.parse(ast.unparse(node), mode="eval").body


def product_of(node: ast.AST) -> tuple[ast.expr, ast.expr] | None:
    """Return the operands of a product or a sum of two arrays."""
    if isinstance(node, ast.BinOp):
        return node.left, node.right
    if (
        isinstance(node, ast.Call)
        and len(node.args) == 2
        and ast.unparse(node.func).split(".")[-1] in ("dot", "matmul", "multiply")
    ):
        return node.args[0], node.args[1]
    return None


def _misfit(node: ast.AST, left: tuple[int, ...], right: tuple[int, ...], sizes: Sizes, texts: list[str]) -> str:
    matrix = (isinstance(node, ast.Call) and not ast.unparse(node.func).endswith("multiply")) or (
        isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult)
    )
    shown = [_shape(left, sizes), _shape(right, sizes)]
    short = [t if len(t) < 60 else t[:57] + "..." for t in texts]
    if matrix and left and right and left[-1] != right[max(len(right) - 2, 0)]:
        word = "np.dot" if isinstance(node, ast.Call) else "@"
        a, b = named_dims(left, sizes)[-1], named_dims(right, sizes)[max(len(right) - 2, 0)]
        return (
            f"{word} sums {a[0]}={a[1]} of its left operand {shown[0]} "
            f"against {b[0]}={b[1]} of its right operand {shown[1]}: they must be the same dimension"
        )
    if not matrix:
        try:
            np.broadcast_shapes(left, right)
        except ValueError:
            return f"`{short[0]}` is {shown[0]} and `{short[1]}` is {shown[1]}: elementwise they do not fit"
    return ""


def _shape(shape: tuple[int, ...], sizes: Sizes) -> str:
    dims = named_dims(shape, sizes)
    return "(" + ", ".join(f"{d}={n}" if not d.isdigit() else str(n) for d, n in dims) + ")"


def equations(judging: Judging, role: Role) -> tuple[str, ...]:
    """Return the ids of the simple network's equations for a quantity, by its place in their own forward."""
    series, bank = role.series, judging.bank
    states = {s.future for s in bank.series if s.kind == "share" and s.future is not None}
    if series.kind == "share" and series.future is not None:
        return ("B10",)
    if series.kind == "adjoint" and series.node in states:
        return ("B4", "B5")
    if series.kind in ("contribution", "gradient"):
        return _parameter_equation(judging, series)
    if series.kind == "part":
        return ("B10",) if is_future(judging, series) else ("B4",)
    if series.kind == "adjoint":
        fed = {
            above for s in bank.series if s.kind == "slope" and s.parameter == str(series.node) for above in (s.node,)
        }
        return ("B6",) if fed & states else ("B1",) if not _before(judging, series.node, states) else ()
    return ()


def _parameter_equation(judging: Judging, series: Series) -> tuple[str, ...]:
    recurrent = {s.node for s in judging.bank.series if s.kind == "share" and s.future is not None}
    for site, operations in judging.truth.by_site.items():
        operation = operations[0]
        if len(operation.inputs) == 2 and operation.name == "matmul":
            shapes = [ids.shape for ids, _ in operation.inputs]
            if series.shape in shapes and site == series.node:
                if site in recurrent:
                    return ("B7",)
                later = not _before(judging, site, {s.future for s in judging.bank.series if s.future is not None})
                return ("B2",) if later else ("B8",)
    item = series.items[0]
    if item is not None and 1 in item.shape and series.node >= 0:
        later = not _before(judging, series.node, {s.future for s in judging.bank.series if s.future is not None})
        return ("B3",) if later else ("B9",)
    return ()


def _before(judging: Judging, site: int, states: Collection[int | None]) -> bool:
    """Tell whether an operation comes before the state of its own step is known."""
    first = {
        s: judging.truth.tape.operations.index(os[0])
        for s, os in judging.truth.by_site.items()
        if s == site or s in states
    }
    return any(first.get(site, 0) <= first[s] for s in states if s is not None and s in first)
