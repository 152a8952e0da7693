"""The first page of the explanation in the terminal, and the view through time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bptt.dims import GLOSSARY, Array
from bptt.explaining.trace import Trace
from bptt.render.explain_text import WIDTH, block, equation_text
from bptt.render.matrix_text import number_text

MOST_STEPS = 8  # rows and columns of a map that are shown
SUM = {"sum": "summed over the steps and examples", "mean": "the mean over the steps and examples"}

QUESTIONS = (
    ("Which two terms make da?", "--step B5", "da_from_output + da_from_future"),
    ("Why is W_ya transposed?", "--step B4", "(n_y, m) must become (n_a, m)"),
    ("Why * and not np.dot?", "--step B6", "tanh acts on each number alone"),
    ("Why sum over m?", "--step B3,B9", "one bias served all m examples"),
    ("What does dW_aa accumulate?", "--step B7", "one term from every step"),
    ("Why does the gradient vanish?", "--through-time", "a factor slope · W_aa a step"),
    ("Why y_pred - y?", "--phase detail", "softmax's Jacobian, worked out"),
    ("What happens at t = 0?", "--step B10 --t 0", "B10 gives da0 there"),
)


def overview(trace: Trace, title: str, width: int = WIDTH) -> str:
    """Return the first page: what is explained, all equations, the asker's step, and where the answers are."""
    t = start(trace)
    lines = [f"bptt explain: {title}", *sizes_lines(trace), ""]
    for phase, order in (("forward", "t from 0 to T_x-1"), ("backward", "t from T_x-1 down to 0")):
        lines.append(f"{phase.capitalize()}, {order}")
        rows = [row for row in trace.equations if row.phase == phase]
        lines += [f"  {row.id:<4} {equation_text(row):<37}  {row.title}" for row in rows]
        lines.append("")
    if trace.vocabulary:
        lines += [*_characters(trace), ""]
    lines += [f"The step that is asked about most, at t = {t}:", ""]
    lines += [block(trace.step("B4", t), width), "", block(trace.step("B5", t), width), ""]
    lines += ["Through time: the size (Frobenius norm) of the two parts of da at each step", *_parts(trace), ""]
    lines.append("Questions, and the option that shows the answer in numbers")
    lines += [f"  {question:<30}{option:<17}{answer}" for question, option, answer in QUESTIONS]
    lines += ["", "More: --t 3 (one time step)  --cell 0,1 (one number, term by term)  --by-hand"]
    lines += ["      --html FILE (a page to play with)  --json  --help"]
    return "\n".join(lines)


def sizes_lines(trace: Trace) -> list[str]:
    """Return the sizes with their names, and the cost with its reduction."""
    named = [f"{name}={trace.sizes[name]} {words}" for name, words in GLOSSARY.items()]
    head, tail = ", ".join(named[:3]), ", ".join(named[3:])
    return [head + ",", tail, f"J = {trace.cost:.6g} nats, {SUM[trace.reduction]}; activation {trace.activation}"]


def start(trace: Trace) -> int:
    """Return the last step at which both parts of da are there."""
    return max(trace.sizes["T_x"] - 2, 0)


def through_time(trace: Trace) -> str:
    """Return the maps of what each loss says about each step, with their sums, and the Jacobians' norms."""
    parts, T_x = trace.contributions, trace.sizes["T_x"]
    if T_x == 1:
        return "Through time: T_x = 1, so there is no earlier step that the loss could reach."
    shares, norms, stretch = 100 * parts.shares(), parts.norms(), np.zeros((1, T_x))
    for k, norm in parts.jacobian_norms(T_x - 1, 0, [k for k in _shown(T_x) if k is not None]).items():
        stretch[0, k] = norm
    off = float(np.abs(parts.total() - trace.gradients["dW_aa"]).max())
    slope = float(np.mean([parts.slope(t) for t in range(T_x)]))
    largest = float(np.linalg.norm(trace.tensors["W_aa"], 2))
    lines = ["Through time: a row is a loss L_t, a column a step k that it reaches", ""]
    lines += ["How much of L_t's gradient is left at the state of step k: ‖∂L_t/∂a_k‖"]
    lines += _map(norms, 3)
    lines += ["  Read a row from right to left: the same loss, one step further back each time.", ""]
    lines += ["Who makes dW_aa: the share of L_t through the use of W_aa at step k, in percent"]
    lines += _map(shares, 1, sums=True)
    lines += [f"  All of them add up to dW_aa: {shares.sum():.1f} %, largest difference {off:.1e}.", ""]
    lines += [f"Why: from a_k to a_{T_x - 1} leads a product of Jacobians, one diag(slope) W_aa a step"]
    lines += [f"  ‖∂a_{T_x - 1}/∂a_k‖, example 0 (spectral norm: the largest stretch)"]
    lines += _map(stretch, 3, rows=[f"t={T_x - 1}"])
    verdict = (
        "shrinks what passes: far steps learn little" if stretch[0, 0] < 1 else "lets it through, or makes it grow"
    )
    lines += [f"  One factor is at most ‖W_aa‖ = {largest:.3f} times a slope; the mean slope is {slope:.3f}."]
    lines += [f"  Over {T_x - 1} steps the product is {stretch[0, 0]:.3g}:", f"  it {verdict}."]
    return "\n".join(lines)


def _parts(trace: Trace) -> list[str]:
    T_x = trace.sizes["T_x"]
    names = ("da_from_output", "da_from_future", "da")
    sizes = np.array([[np.linalg.norm(trace.value(name, t)) for t in range(T_x)] for name in names])
    return _map(sizes, 3, rows=list(names), head="t")


def _characters(trace: Trace) -> list[str]:
    """Return what a model of text read, wanted and expected, step by step."""
    vocabulary = trace.vocabulary or ()
    lines = ["  t     read   wanted   its probability   most likely"]
    T_x = trace.sizes["T_x"]
    for t in _shown(T_x):
        if t is None:
            lines.append("  …")
            continue
        x, y, p = (trace.value(name, t)[:, 0] for name in ("x_t", "y_t", "y_pred_t"))
        best = int(p.argmax())
        wanted = int(y.argmax())
        read, target, likely = (repr(vocabulary[i]) for i in (int(x.argmax()), wanted, best))
        lines.append(f"  {t:<5} {read:<6} {target:<8} {p[wanted]:<17.4f} {likely} {p[best]:.4f}")
    return lines


def _map(values: Array, count: int, rows: Sequence[str] = (), head: str = "k", sums: bool = False) -> list[str]:
    """Return a map whose columns are steps; empty where a loss cannot reach (k > t)."""
    square = not rows
    columns = _shown(values.shape[1])
    which = _shown(values.shape[0]) if square else list(range(values.shape[0]))
    names = [f"t={i}" for i in range(values.shape[0])] if square else list(rows)
    size = max(len(name) for name in names)
    cells = ["…" if k is None else f"{head}={k}" for k in columns] + (["  sum over k"] if sums else [])
    lines = [_row("", size, cells)]
    for i in which:
        if i is None:
            lines.append("  …")
            continue
        cells = ["…" if k is None else "" if square and k > i else _entry(values[i, k], count) for k in columns]
        lines.append(_row(names[i], size, cells + ([f"{_entry(values[i].sum(), count):>12}"] if sums else [])))
    if sums:
        below = ["…" if k is None else _entry(values[:, k].sum(), count) for k in columns]
        lines.append(_row("sum", size, [*below, f"{_entry(values.sum(), count):>12}"]))
    return lines


def _row(name: str, size: int, cells: Sequence[str]) -> str:
    return f"  {name:<{size}}" + "".join(f"{text:>7}" for text in cells).rstrip()


def _entry(value: float, count: int) -> str:
    """Return a number of a map, in six characters at most."""
    text = number_text(float(value), count)
    return text if len(text) <= 6 else f"{value:.0e}"


def _shown(size: int) -> list[int | None]:
    if size <= MOST_STEPS:
        return list(range(size))
    return [0, 1, 2, None, *range(size - 4, size)]
