"""The steps of the explanation as plain text: it reads well at 80 columns, in a pipe, without colour."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

import numpy as np

from bptt.dims import Array
from bptt.explaining.equations import Equation
from bptt.explaining.step import Step
from bptt.explaining.written import Cell
from bptt.expressions import Expression
from bptt.notation import shape_line, unicode_text
from bptt.render.matrix_text import MAX_ROWS, beside, columns_within, decimals, matrix_lines, number_text

WIDTH = 80
MAX_TERMS = 24
Operand = tuple[str, str, Array]  # the sign before it, its name, its value


def block(step: Step, width: int = WIDTH) -> str:
    """Return one step: equation, shapes, why, code line and numbers."""
    head = f"{step.id}  {step.title}"
    one = ", example 0" if "column" in step.output.name or step.output.name == "jacobian" else ""
    when = f"t = {step.t}, {step.phase}{one}"
    room = width - len(head)
    lines = [f"{head}{when:>{room}}"] if room >= len(when) + 2 else [*_wrapped(head, "", width), f"{when:>{width}}"]
    lines += _wrapped(equation_text(step.equation, step.t), "    ", width)
    lines += _wrapped(shape_line(step.equation.expression, step_sizes(step)), "    ", width)
    lines += _wrapped(f"Why: {step.why}", "    ", width)
    if step.code is not None:
        lines.append(_cut(f"    Code: {step.code.file} line {step.code.line}: {step.code.text}", width))
    return "\n".join([*lines, "", *numbers(step, width)])


def equation_text(row: Equation, t: int | None = None) -> str:
    """Return the equation; B10 says which step its result is for."""
    if row.id != "B10":
        return str(row)
    return f"{target_text(row, t)} = {unicode_text(row.expression)}"


def target_text(row: Equation, t: int | None = None) -> str:
    """Return the target's name; that of B10 belongs to the step before, and after t = 0 it is da0."""
    if row.id != "B10":
        return row.target
    return "da_from_future (for t-1)" if t is None else f"da_from_future (for t = {t - 1})" if t else "da0"


def numbers(step: Step, width: int = WIDTH) -> list[str]:
    """Return the matrices that go in and the one that comes out: side by side if they fit, else below each other."""
    rows = operand_rows(step)
    room = width - 8
    fits: dict[int, int] = {}  # matrices of equally many columns are cut alike
    for _, _, array in rows:
        fits[_columns(array)] = min(fits.get(_columns(array), room), columns_within(array, room))
    blocks = [
        (f"{sign} {name}".strip(), _one_hot(array) or matrix_lines(array, room, max_columns=fits[_columns(array)]))
        for sign, name, array in rows
    ]
    together = beside(blocks)
    if max(len(line) for line in together) <= room:
        return [f"        {line}".rstrip() for line in together]
    lines: list[str] = []
    for (sign, name, array), (_, matrix) in zip(rows, blocks, strict=True):
        zeros = "" if np.any(array) else "  (zeros)"
        lines.append(f"    {sign:>2} {name}{zeros}")
        lines += [f"        {line}" for line in matrix]
    return lines


def _columns(array: Array) -> int:
    return int(array.shape[-1]) if array.ndim else 1


def _one_hot(array: Array) -> list[str]:
    """Return one line for a long one-hot column or row, whose single 1 would be cut out; nothing for others."""
    places = np.flatnonzero(array)
    if array.ndim != 2 or min(array.shape) > 1 or array.size <= MAX_ROWS or len(places) != 1 or array.max() != 1:
        return []
    return [f"(1 at {'row' if array.shape[1] == 1 else 'column'} {places[0]}, 0 elsewhere)"]


def operand_rows(step: Step) -> list[Operand]:
    """Return all matrices of a step in the order of reading, the result last."""
    rows = list(operands(step.equation.expression, step.values))
    if step.before is not None:
        gathered = f"so far, from the steps after t = {step.t}" if np.any(step.before) else "so far: nothing yet"
        rows += [("=", "this step adds", step.added), ("+", gathered, step.before)]
    return [*rows, ("=", target_text(step.equation, step.t), step.output.array)]


def operands(node: Expression, values: dict[str, Array], sign: str = "") -> Iterator[Operand]:
    """Yield the matrices of an expression in the order of reading, each with the sign that stands before it.

    What is a tensor or its transpose is an operand; so is a factor such as 1 - a_t², followed by what it is made of.
    """
    match node.op:
        case "const":
            return
        case "symbol" | "transpose":
            yield sign, unicode_text(node), node.evaluate(values)
        case "add" | "sub" | "matmul" | "mul" | "div" | "xlogy":
            between = {"add": "+", "sub": "-", "matmul": "·", "mul": "⊙", "div": "/", "xlogy": "log"}[node.op]
            for i, arg in enumerate(node.args):
                before = sign if i == 0 else between if arg.dims and node.args[0].dims else "·"
                if node.op in ("mul", "div") and arg.op in ("add", "sub", "step", "sum"):
                    text = unicode_text(arg)
                    yield before, f"({text})" if arg.op in ("add", "sub") else text, arg.evaluate(values)
                    for part in arg.symbols():
                        yield "where", part.name, part.evaluate(values)
                else:
                    yield from operands(arg, values, before)
        case "neg":
            yield from operands(node.args[0], values, f"{sign} -".strip())
        case "sum":
            written = unicode_text(node).removesuffix(unicode_text(node.args[0])).strip()
            yield from operands(node.args[0], values, f"{sign}{' ' if sign and sign != '-' else ''}{written}")
        case _:
            yield from operands(node.args[0], values, f"{sign} {node.op}".strip())


def cell_text(step: Step, cell: Cell, width: int = WIDTH) -> str:
    """Return one number written out: a line a term, with its numbers, its value and the running sum."""
    name = f"{cell.name}[{', '.join(str(i) for i in cell.index)}]"
    count = decimals(np.array([*(term.value for term in cell.terms), cell.value]))
    head = f"{name}, term by term ({step.id}, t = {step.t}): {equation_text(step.equation, step.t)}"
    lines = _wrapped(head, "", width)
    shown = list(zip(cell.terms, cell.running, strict=True))
    zeros = 0
    if len(shown) > MAX_TERMS:  # a one-hot input: most terms are 0
        zeros, shown = len(shown), [(term, running) for term, running in shown if term.value != 0]
        zeros -= len(shown)
    left_out = len(shown) - MAX_TERMS if len(shown) > MAX_TERMS else 0
    if left_out:
        shown = [*shown[: MAX_TERMS - 2], *shown[-2:]]
    rows = [
        (term.symbols, term.numbers, number_text(term.value, count), number_text(running, count))
        for term, running in shown
    ]
    a, b, c, d = (max((len(row[i]) for row in rows), default=0) for i in range(4))
    for n, (symbols, with_numbers, value, total) in enumerate(rows):
        if left_out and n == MAX_TERMS - 2:
            lines.append(f"  … {left_out} more terms")
        line = f"  {symbols:<{a}}  {with_numbers:<{b}} = {value:>{c}}  sum {total:>{d}}"
        if len(rows) == 1:
            line = f"  {symbols}   {with_numbers}"
        if len(line) <= width:
            lines.append(line)
        else:
            lines += [*_wrapped(symbols, "  ", width), *_wrapped(f"= {with_numbers}", "    ", width)]
            lines += [f"    = {value}  sum {total}"] if len(rows) > 1 else []
    if zeros:
        lines.append(f"  ({zeros} terms that are 0 are left out)")
    return "\n".join([*lines, f"  {name} = {cell.value:.12g}"])


def step_sizes(step: Step) -> dict[str, int]:
    """Return the size of each named dimension of a step's tensors."""
    tensors = (*step.inputs, step.output)
    return {
        dim: size
        for tensor in tensors
        for dim, size in zip(tensor.dims, tensor.array.shape, strict=True)
        if isinstance(dim, str)
    }


def _wrapped(text: str, indent: str, width: int) -> list[str]:
    """Wrap between words, but never within the brackets of a shape."""
    kept = text.replace(", ", ",\u00a0")
    lines = textwrap.wrap(
        kept,
        width,
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace("\u00a0", " ") for line in lines]


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else line[: width - 1] + "…"
