"""How an expression is written: Unicode text, HTML, LaTeX, NumPy code, and the line of its shapes.

Examples
--------
>>> from bptt.expressions import symbol
>>> product = symbol("W_ya", "n_y", "n_a").T @ symbol("dz_y", "n_y", "m")
>>> unicode_text(product), numpy_code(product)
('W_yaᵀ dz_y', 'W_ya.T @ dz_y')
>>> shape_line(product)
'(n_a, n_y)·(n_y, m) → (n_a, m)'
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from html import escape

from bptt.dims import wanted_shape
from bptt.expressions import Expression

_ATOM = 9  # what never needs brackets: a symbol, a number, a function of something


class Writer(ABC):
    """The walk that the notations share: each says how a node looks once its arguments are written.

    ``binds`` says how tightly an operation binds; an argument that binds less tightly than its parent, or as
    tightly but on the right, is put in brackets.
    """

    binds: Mapping[str, int] = {"add": 1, "sub": 1, "neg": 2, "sum": 2, "xlogy": 3, "mul": 3, "div": 3, "matmul": 4}
    joins: tuple[str, ...] = ("add", "matmul")  # operations whose right argument may be of their own kind
    encloses: tuple[str, ...] = ("tanh", "relu", "step", "softmax", "diag")

    def write(self, node: Expression) -> str:
        """Write a node with everything under it."""
        if node.op == "symbol":
            return self.symbol(node)
        if node.op == "const":
            return f"{node.value:g}"
        return self.node(node, [self.argument(node, i) for i in range(len(node.args))])

    def argument(self, node: Expression, i: int) -> str:
        """Write one argument of a node, in brackets where it needs them."""
        arg = node.args[i]
        text = self.write(arg)
        outer, inner = self.binds.get(node.op, _ATOM), self.binds.get(arg.op, _ATOM)
        free = inner > outer or (inner == outer and (i == 0 or node.op in self.joins))
        return text if free or node.op in self.encloses else self.brackets(text)

    def brackets(self, text: str) -> str:
        """Put brackets around a text."""
        return f"({text})"

    @abstractmethod
    def symbol(self, node: Expression) -> str:
        """Write a symbol."""

    @abstractmethod
    def node(self, node: Expression, args: list[str]) -> str:
        """Write an operation, its arguments being written already."""


class Unicode(Writer):
    """The notation of a text: W_yaᵀ dz_y."""

    def symbol(self, node: Expression) -> str:
        """Write the name."""
        return node.name

    def node(self, node: Expression, args: list[str]) -> str:
        """Write an operation with its sign."""
        match node.op:
            case "transpose":
                return f"{args[0]}ᵀ"
            case "matmul":
                return f"{args[0]} {args[1]}"
            case "add":
                return " + ".join(args)
            case "sub":
                return f"{args[0]} - {args[1]}"
            case "mul":
                return f"{args[0]} {self.product(node)} {args[1]}"
            case "div":
                return f"{args[0]} / {args[1]}"
            case "xlogy":
                return f"{args[0]} log {args[1]}"
            case "neg":
                return f"-{args[0]}"
            case "square":
                return f"{args[0]}²"
            case "sum":
                return f"Σ_{_index(node.axis)} {args[0]}"
            case "step":
                return f"[{args[0]} > 0]"
        return f"{node.op}({args[0]})"

    def product(self, node: Expression) -> str:
        """Return the sign of an elementwise product; with a number it is the dot."""
        return "⊙" if all(arg.dims for arg in node.args) else "·"


class _Html(Unicode):
    """Every symbol is a node with its tensor's name, so that the same tensor can be lit everywhere."""

    def symbol(self, node: Expression) -> str:
        head, *rest = _parts(node.name)
        index = f"<sub>{escape(','.join(rest))}</sub>" if rest else ""
        return f'<var class="symbol" data-tensor="{escape(node.name)}">{escape(head)}{index}</var>'

    def node(self, node: Expression, args: list[str]) -> str:
        match node.op:
            case "transpose":
                return f"{args[0]}<sup>⊤</sup>"
            case "square":
                return f"{args[0]}<sup>2</sup>"
            case "sum":
                return f'Σ<sub data-dim="{escape(node.axis)}">{escape(node.axis)}</sub> {args[0]}'
            case "sub":
                return f"{args[0]} − {args[1]}"
            case "neg":
                return f"−{args[0]}"
            case "step":
                return f"[{args[0]} &gt; 0]"
        return super().node(node, args)


class _Latex(Writer):
    encloses = (*Writer.encloses, "div")

    def symbol(self, node: Expression) -> str:
        head, *rest = _parts(node.name)
        index = ",".join(part if len(part) <= 2 else rf"\mathrm{{{part}}}".replace(" ", r"\ ") for part in rest)
        head = head if len(head) == 1 else rf"\mathit{{{head}}}"
        return f"{head}_{{{index}}}" if rest else head

    def brackets(self, text: str) -> str:
        return rf"\left({text}\right)"

    def node(self, node: Expression, args: list[str]) -> str:
        match node.op:
            case "transpose":
                return rf"{args[0]}^{{\top}}"
            case "matmul":
                return rf"{args[0]}\,{args[1]}"
            case "add":
                return " + ".join(args)
            case "sub":
                return f"{args[0]} - {args[1]}"
            case "mul":
                sign = r"\odot" if all(arg.dims for arg in node.args) else r"\cdot"
                return rf"{args[0]} {sign} {args[1]}"
            case "div":
                return rf"\frac{{{args[0]}}}{{{args[1]}}}"
            case "xlogy":
                return rf"{args[0]} \log {args[1]}"
            case "neg":
                return f"-{args[0]}"
            case "square":
                return f"{args[0]}^{{2}}"
            case "sum":
                return rf"\sum_{{{node.axis}}} {args[0]}"
            case "step":
                return rf"\left[{args[0]} > 0\right]"
            case "tanh":
                return rf"\tanh\left({args[0]}\right)"
        return rf"\mathrm{{{node.op}}}\left({args[0]}\right)"


class _NumPy(Writer):
    binds: Mapping[str, int] = {"add": 1, "sub": 1, "matmul": 2, "mul": 2, "xlogy": 2, "div": 2, "neg": 3, "square": 4}
    joins = ("add",)

    def symbol(self, node: Expression) -> str:
        return node.name

    def node(self, node: Expression, args: list[str]) -> str:
        axis = node.args[0].dims.index(node.axis) if node.axis else 0
        match node.op:
            case "transpose":
                return f"{args[0]}.T"
            case "matmul":
                return f"{args[0]} @ {args[1]}"
            case "add":
                return " + ".join(args)
            case "sub":
                return f"{args[0]} - {args[1]}"
            case "mul":
                return f"{args[0]} * {args[1]}"
            case "div":
                return f"{args[0]} / {args[1]}"
            case "xlogy":
                return f"{args[0]} * np.log({args[1]})"
            case "neg":
                return f"-{args[0]}"
            case "square":
                return f"{args[0]} ** 2"
            case "sum":
                return f"{args[0]}.sum(axis={axis}{', keepdims=True' if node.keepdims else ''})"
            case "relu":
                return f"np.maximum({args[0]}, 0)"
            case "step":
                return f"({args[0]} > 0)"
            case "diag":
                return f"np.diagflat({args[0]})"
            case "softmax":
                return f"softmax({args[0]})"
        return f"np.{node.op}({args[0]})"


def unicode_text(node: Expression) -> str:
    """Return the expression as text: ``W_yaᵀ dz_y``."""
    return Unicode().write(node)


def html(node: Expression) -> str:
    """Return the expression as HTML; each symbol is ``<var data-tensor="W_ya">``, each summed axis has ``data-dim``."""
    return _Html().write(node)


def latex(node: Expression) -> str:
    """Return the expression as LaTeX, without dollar signs."""
    return _Latex().write(node)


def numpy_code(node: Expression) -> str:
    """Return the expression as NumPy code; ``softmax`` is a function of one matrix, column by column."""
    return _NumPy().write(node)


def shape_line(node: Expression, sizes: Mapping[str, int] | None = None) -> str:
    """Return what goes in and what comes out, by name: ``(n_a, n_y)·(n_y, m) → (n_a, m)``.

    With ``sizes`` each dimension carries its size: ``(n_a=4, n_y=2)·(n_y=2, m=5) → (n_a=4, m=5)``.
    """
    return f"{_shapes(node, sizes or {})} → {wanted_shape(node.dims, sizes or {})}"


def _shapes(node: Expression, sizes: Mapping[str, int]) -> str:
    """Products, sums of products and sums over an axis are written out; what keeps its shape is its shape."""
    match node.op:
        case "matmul":
            return "·".join(wanted_shape(arg.dims, sizes) for arg in node.args)
        case "add" | "sub" | "mul" | "div" | "xlogy":
            sign = {"add": " + ", "sub": " - ", "mul": " ⊙ ", "div": " / ", "xlogy": " ⊙ "}[node.op]
            parts = [
                _shapes(arg, sizes) if arg.op == "matmul" else wanted_shape(arg.dims, sizes)
                for arg in node.args
                if arg.dims
            ]
            return sign.join(parts)
        case "sum":
            return f"Σ_{_index(node.axis)} {wanted_shape(node.args[0].dims, sizes)}"
        case "neg":
            return _shapes(node.args[0], sizes)
        case "tanh" | "relu" | "softmax" | "diag":
            return f"{node.op} {wanted_shape(node.args[0].dims, sizes)}"
    return wanted_shape(node.dims, sizes)


def _parts(name: str) -> list[str]:
    """Split a name as it is set: da_from_output -> da, "from output"; y_pred_t -> y, "pred", "t"."""
    head, *rest = name.split("_")
    return [head, " ".join(rest)] if "from" in rest else [head, *rest]


def _index(axis: str) -> str:
    return f"{{{axis}}}" if "_" in axis else axis
