"""A reading of a program: which function is what, where each argument comes from, how gradients are delivered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from bptt.checking.loading.gradients_found import Delivery
from bptt.checking.loading.layouts import Layout
from bptt.checking.loading.paths import Path

if TYPE_CHECKING:
    from bptt.checking.loading.rehearsed import Rehearsal

LARGE = 10_000
APPLIED = "__bptt_constants__"  # which sizes a module's constants were last executed with


@dataclass(frozen=True, order=True)
class Source:
    """Where the value of an argument comes from.

    ``kind``: "data" (X, Y, a0 ..., made by a layout), "size", "const", "param" (one live array), "params" (all of
    them, in a dict, tuple or list), "result" (of the forward, at ``path``), "seen" (what the program's own run passes,
    at ``path``), "upstream" (random, like the forward's result at ``path``), "instance" (an object of a class of
    theirs), "self" (what stands on the object), "cost" (what the cost function returned beside the cost), "table"
    (characters to ids), "zeros" (like a result).
    """

    kind: Literal[
        "data",
        "size",
        "const",
        "param",
        "params",
        "result",
        "seen",
        "upstream",
        "self",
        "table",
        "zeros",
        "empty",
        "rng",
        "made",
        "sizes",
        "object",
        "global",
        "instance",
        "cost",
    ]
    value: Any = None
    path: Path = ()


@dataclass(frozen=True)
class Call:
    """A call of theirs: a function of the module or a method of the object, and its arguments by name."""

    function: str
    method: bool
    arguments: tuple[tuple[str, Source], ...]
    labels: tuple[str, ...] = ()
    prefix: int = 0  # how many arguments are passed by position
    each: bool = False  # called once for each step of its argument
    way_back: Path = ()  # where it stands in what the forward returned, if it is no name of theirs


@dataclass(frozen=True)
class Parameter:
    """One parameter: where it lives, and its shape as sizes (None: as their own constructor makes it)."""

    name: str
    home: Literal["global", "self", "argument", "made", "data", "given"]
    paths: tuple[Path, ...] = ()
    shape: tuple[str, ...] | None = None
    role: str = ""  # of data whose gradient is delivered as well: "X", "a0"
    idle: bool = False  # taken along, but neither the cost nor the backward knows of it
    likely: bool = True  # else it is one only if a gradient is delivered for it


@dataclass(frozen=True)
class Cost:
    """Where the cost comes from: a call, a place in a result or on the object, or a standard one of ours."""

    kind: Literal["call", "result", "self", "upstream", "standard", "backward", "local"]
    call: Call | None = None
    path: Path = ()
    function: Callable[[Any, Any], Any] | None = None
    title: str = ""
    prediction: tuple[str, Path] = ("result", ())


@dataclass(frozen=True)
class Plan:
    """One reading of a program."""

    layouts: dict[str, Layout]
    parameters: tuple[Parameter, ...]
    forward: Call
    backward: Call | None = None  # None: the forward does it all
    cost: Cost | None = None
    owner: str | None = None
    constructor: tuple[tuple[str, Source], ...] = ()
    constants: dict[str, Source] = field(default_factory=dict)
    attributes: dict[str, Source] = field(default_factory=dict)  # set on the object before each run
    states: tuple[tuple[str, Path], ...] = ()  # ("self" or "global", path): made random
    delivery: Delivery | None = None
    forward_first: bool = True  # whether the backward needs the forward to have run
    starters: tuple[Call, ...] = ()  # calls that give the object what its passes read and its constructor leaves out
    before: tuple[Call, ...] = ()  # calls that lay the data on the object
    after: tuple[Call, ...] = ()  # calls between forward and backward
    maker: Call | None = None  # an initialiser of theirs that makes the parameters
    vocabulary: str = "n_y"
    cost_name: str = ""  # the local variable of the cost, where one function does both passes
    cost_line: int = 0  # the last line that changes it
    box: Literal["dict", "tuple", "list", "object"] = "dict"
    box_class: str = ""  # the dataclass of theirs that holds the weights
    again: bool = False  # the pass is run a second time in the same world, as a training loop does
    sign: int = 1  # -1 where the gradients are those of an ascent
    penalty: float = 0.0
    rehearsal: Rehearsal | None = field(
        default=None, compare=False, repr=False
    )  # the program's own run, if it is read so
