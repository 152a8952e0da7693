"""Every error a person can meet, and the one builder of their messages.

A message says, in this order: what was being computed; what is wrong; each operand with named dimensions;
what was wanted; where each size was bound; what to do.  Expected comes before got.  A message never shows a
whole array.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping


class BpttError(Exception):
    """An error that is about what the person gave, not about us.  The commands end with exit code 2 on it."""


class DimensionError(BpttError, ValueError):
    """Arrays whose named dimensions do not fit together."""


class DtypeError(BpttError, TypeError):
    """An array of a type that the function does not work in."""


class ValueRangeError(BpttError, ValueError):
    """A value that is not allowed: NaN, an id out of range, a target that is no distribution, a bad option."""


class NotFiniteError(ValueRangeError):
    """A NaN or an infinity, with the tensor (and the step) where it appeared first."""


class FileError(BpttError, OSError):
    """A file that is missing, empty, damaged, of the wrong kind, or that must not be overwritten."""

    def __str__(self) -> str:
        """Return the message alone; OSError would print an errno pair."""
        return str(self.args[0]) if self.args else ""


class CannotCheckError(BpttError):
    """A program whose forward, cost, backward or parameters are not found, or that cannot be run."""


class MissingExtraError(BpttError, ImportError):
    """A package that an extra brings is not installed."""


def message(
    where: str,
    wrong: str,
    *,
    operands: Mapping[str, str] | None = None,
    details: Iterable[str] = (),
    hint: str = "",
) -> str:
    """Build the text of an error.

    Parameters
    ----------
    where : str
        The function or command that was at work, as the person called it.
    wrong : str
        One sentence, in the person's own words: what does not fit.
    operands : mapping of str to str, optional
        A row an operand: its name and its named dimensions, as :func:`bptt.dims.named_shape` writes them.
    details : iterable of str
        What was wanted, then where each size was bound.
    hint : str
        What to do.  Give one only where it was tried and fits.

    Returns
    -------
    str
        The message: the first line is whole by itself; the rest is indented under it.
    """
    lines = [f"{where}: {wrong}"]
    if operands:
        width = max(len(name) for name in operands)
        lines += [f"  {name:<{width}}  {shape}" for name, shape in operands.items()]
    lines += [f"  {line}" for line in details]
    if hint:
        lines.append(f"  {hint}")
    return "\n".join(lines)
