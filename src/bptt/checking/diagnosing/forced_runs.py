"""Run a program's gradients with some of its units given the truth."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from bptt.checking.diagnosing.roles import supply
from bptt.checking.diagnosing.verdict import right_gradients
from bptt.checking.program import Program, Sizes
from bptt.checking.repairing.exchange import Exchange
from bptt.checking.tracing import forced
from bptt.checking.tracing.bank import Bank, Role
from bptt.checking.tracing.callers import Callers
from bptt.checking.tracing.forced import Event, Run, frozen
from bptt.checking.tracing.graph import Graph
from bptt.checking.tracing.numeric import built, reseed, restore, snapshot
from bptt.checking.tracing.quiet import quiet
from bptt.checking.tracing.series import Truth
from bptt.checking.tracing.slopes import slopes
from bptt.checking.tracing.stepping import stepped_tree


class ForcedRuns:
    """The forced runs of one program."""

    def __init__(self, program: Program, truth: Truth, sizes: Sizes, seed: int) -> None:
        self.program, self.truth, self.sizes, self.seed = program, truth, sizes, seed
        tree, self.units = stepped_tree(program.tree)
        self.stepped = tree
        self.callers = Callers(program.tree, self.units)
        with quiet():
            reseed(seed)
            self.module = program.load(tree)
        self.bank = Bank([*truth.series, *slopes(truth)])
        self.roles: dict[int, Role] = {}
        self.fixed: set[int] = set()
        self.guessed: set[int] = set()
        self.edited: set[int] = set()
        self.graph: Graph | None = None
        self.factor: float | None = None  # by which all that is handed back is off, and no gradient is right
        self.tried: dict[Any, Run] = {}
        self.runs = 0
        self._makes: dict[int, bool] = {}
        self._counted: tuple[Any, dict[Any, tuple[int, int]]] = None, {}

    def run(
        self,
        roles: Mapping[int, Role],
        capture: Callable[[int], bool] | None = None,
        enough: Callable[[Event], bool] | None = None,
    ) -> tuple[Run, dict[str, Any], Exception | None]:
        """Run their gradients with some units given the truth, until enough was seen."""
        supplies = {n: supply(self.units[n], role) for n, role in roles.items()}
        return self._execute(Run(self.callers, supplies, capture, enough))

    def disturbed(self, number: int | None, sizes: Sizes) -> dict[str, Any]:
        """Run their gradients with one unit's values changed a little; return what they deliver then."""
        return self._execute(Run(self.callers, {} if number is None else {number: _moved}), sizes)[1]

    @cached_property
    def _cost_alone(self) -> tuple[float, dict[int, None]]:
        """The cost, and the units that run for it alone, in the order in which they begin."""
        run = Run(self.callers)
        return self.cost(run), dict.fromkeys(event.unit for event in run.order)

    def makes_the_cost(self, number: int) -> bool:
        """Tell whether the cost comes from what a unit computes: then it is right, for the cost is what is given."""
        if number not in self._makes:
            self._makes[number] = number in self._before_the_cost and self.cost(disturb={number}) != self._cost_alone[0]
        return self._makes[number]

    @cached_property
    def _before_the_cost(self) -> set[int]:
        """The units that run before the last one that the cost comes from: what begins later makes no cost."""
        cost, units = self._cost_alone
        order = list(units)
        first, last = 0, len(order)
        while first < last:  # with all from here on disturbed, the cost is what it was
            middle = (first + last) // 2
            if self.cost(disturb=set(order[middle:])) == cost:
                last = middle
            else:
                first = middle + 1
        return set(order[:last])

    def units_of_the_cost(self) -> set[int]:
        """Return the units that run for the cost alone, the forward pass, whatever the chain of calls."""
        return {self.units[number].root for number in self._cost_alone[1]}

    def cost(self, run: Run | None = None, disturb: Collection[int] = ()) -> float:
        """Run their cost, perhaps with some units' values changed a little; not a number where it then raises."""
        with quiet():
            case = built(self.program, self.module, self.sizes, self.seed)
            self.callers.start(case.parameters)
            with forced.recording(run or Run(self.callers, dict.fromkeys(disturb, _moved))):
                try:
                    return float(np.real(np.asarray(case.cost()).reshape(())))
                except Exception:  # anybody's program
                    return float("nan")

    def _execute(self, run: Run, sizes: Sizes | None = None) -> tuple[Run, dict[str, Any], Exception | None]:
        self.runs += 1
        delivered: dict[str, Any] = {}
        error: Exception | None = None
        with quiet():
            case = built(self.program, self.module, sizes or self.sizes, self.seed)
            kept = snapshot(case.parameters)
            self.callers.start(case.parameters)
            with forced.recording(run):
                try:
                    delivered = dict(case.gradients())
                except Exception as raised:  # outside every unit: a loop's header, the adapter
                    error = raised
                except forced.Enough:
                    pass
            restore(case.parameters, kept)
        return run, delivered, error

    def space(self) -> dict[str, Any]:
        """Return what every function of the program sees: the module's names, with its values as they are now."""
        shared = {k: v for k, v in vars(self.module).items() if not k.startswith("__")}
        return {k: frozen(v) if isinstance(v, np.ndarray | dict | list) else v for k, v in shared.items()}

    @cached_property
    def exchange(self) -> Exchange:
        """What runs the program with changes of its text."""
        return Exchange(self.program, self.seed)

    def right_gradients(self, delivered: Mapping[str, Any]) -> dict[str, bool]:
        """Tell which delivered gradients are right."""
        true = self.truth.parameters
        arrays = {name: np.asarray(delivered[name]) for name in true if delivered.get(name) is not None}
        right = right_gradients(arrays, true)
        return {name: name in right for name in arrays}


def _moved(event: Event) -> Any:
    return None if event.value is None else 1.37 * event.value + 0.01
