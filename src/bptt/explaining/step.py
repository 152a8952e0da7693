"""One step of the explanation, as plain data that every face draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bptt.dims import Array, Dims, named_shape
from bptt.errors import ValueRangeError, message
from bptt.explaining.code_lines import CodeLine
from bptt.explaining.equations import Equation, Phase
from bptt.explaining.written import Cell, Term, write_out
from bptt.notation import unicode_text


@dataclass(frozen=True)
class Tensor:
    """An array with its name and its named dimensions."""

    name: str
    dims: Dims
    array: Array


@dataclass(frozen=True, repr=False)
class Step:
    """One equation at one time step, with its numbers.

    Attributes
    ----------
    equation : Equation
        With the id, the phase, the title, the why, the expression and the code line, which a step also answers to.
    t : int
        The time step, from 0.
    inputs : tuple of Tensor
        In the order in which the equation reads.
    output : Tensor
        The target's value; of B10 it is da_from_future for t - 1, after t = 0 da0.
    before : array or None
        What a gradient that adds up (+=) had gathered from the later steps.
    """

    equation: Equation
    t: int
    inputs: tuple[Tensor, ...]
    output: Tensor
    before: Array | None = None

    @property
    def id(self) -> str:
        """The equation's id, "B5"."""
        return self.equation.id

    @property
    def phase(self) -> Phase:
        """The phase: forward, backward or detail."""
        return self.equation.phase

    @property
    def title(self) -> str:
        """What is computed, in a few words."""
        return self.equation.title

    @property
    def why(self) -> str:
        """Why it is so, in 20 words at most."""
        return self.equation.why

    @property
    def code(self) -> CodeLine | None:
        """Where the package computes it."""
        return self.equation.code

    @property
    def values(self) -> dict[str, Array]:
        """The inputs by name."""
        return {tensor.name: tensor.array for tensor in self.inputs}

    @property
    def added(self) -> Array:
        """What this step alone contributes: the expression's value, without what was gathered before."""
        return self.equation.expression.evaluate(self.values)

    @property
    def terms(self) -> tuple[Tensor, ...]:
        """The parts whose sum is the output: of B5 the two parts of da, of a += what was there and what is added."""
        expression, dims = self.equation.expression, self.output.dims
        if self.before is not None:
            return (Tensor("so far", dims, self.before), Tensor(unicode_text(expression), dims, self.added))
        if expression.op != "add":
            return ()
        return tuple(Tensor(unicode_text(arg), arg.dims, arg.evaluate(self.values)) for arg in expression.args)

    def has_cell(self, *index: int) -> bool:
        """Return whether the output has this place; a negative index counts from the end."""
        shape = self.output.array.shape
        return len(index) == len(shape) and all(-n <= i < n for i, n in zip(index, shape, strict=True))

    def cell(self, *index: int) -> Cell:
        """Write one number out term by term.

        Parameters
        ----------
        *index : int
            Its place in the output: row and column (of L_t the example alone); a negative one counts from the end.

        Returns
        -------
        Cell

        Raises
        ------
        ValueRangeError
            If the output has no such place.
        """
        shape = self.output.array.shape
        if not self.has_cell(*index):
            raise ValueRangeError(
                message(
                    "explain",
                    f"{self.output.name} ({self.id}) has no cell {', '.join(str(i) for i in index)}.",
                    operands={self.output.name: named_shape(shape, self.output.dims)},
                    details=[
                        f"Cells run from {', '.join('0' for _ in shape)} to {', '.join(str(n - 1) for n in shape)}."
                    ],
                )
            )
        place = tuple(i % n for i, n in zip(index, shape, strict=True))
        terms = write_out(self.equation.expression, place, self.values)
        if self.before is not None and np.any(self.before):
            so_far = float(self.before[place])
            terms = (Term("so far", f"{so_far:.4g}", so_far), *terms)
        return Cell(self.output.name, place, terms, float(self.output.array[place]))

    def __repr__(self) -> str:
        """Return ``Step(B5, t=4: da = da_from_output + da_from_future, (n_a=4, m=5))``."""
        shape = named_shape(self.output.array.shape, self.output.dims)
        return f"Step({self.id}, t={self.t}: {self.equation}, {shape})"

    def __str__(self) -> str:
        """Return the block that the terminal shows."""
        from bptt.render.explain_text import block

        return block(self)

    def _repr_html_(self) -> str:
        from bptt.render.notebook import step_html

        return step_html(self)
