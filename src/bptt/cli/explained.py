"""What is explained: an embedded example, arrays from a file, or a trained model that reads a text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from bptt.arrayfile import read_arrays
from bptt.errors import FileError, ValueRangeError, message
from bptt.explaining.examples import EXAMPLES
from bptt.explaining.explain import explain
from bptt.explaining.trace import Trace
from bptt.inputs import PARAMETERS, Reduction
from bptt.ops import Activation
from bptt.tensorfile import check_readable


def explanation(
    file: str | None,
    prime: str | None = None,
    by_hand: bool = False,
    activation: Activation | None = None,
    reduction: Reduction = "sum",
) -> tuple[Trace, str]:
    """Return the trace of what the command was given, and a title for it.

    Raises
    ------
    FileError
        If the file is missing, damaged, or of another kind.
    ValueRangeError
        If options do not fit together, or the text cannot be read by the model.
    """
    if prime is not None and (file is None or file.endswith(".npz")):
        raise ValueRangeError(
            message("explain", "--prime is the text that a model reads; a model file is wanted with it.")
        )
    if by_hand and file is not None:
        raise ValueRangeError(message("explain", "--by-hand is an embedded example; it takes no file."))
    if file is None:
        name = "by hand" if by_hand else "default"
        e = EXAMPLES[name]()
        title = "the embedded example" + (" to follow by hand" if by_hand else "")
        return explain(e.X, e.Y, e.parameters, e.a0, activation=activation or "tanh", reduction=reduction), title
    check_readable(Path(file), "explain")
    if _is_zip(file):
        given = read_arrays(file, "explain", ("X", "Y", *PARAMETERS), ("a0",))
        parameters = {name: given[name] for name in PARAMETERS}
        trace = explain(
            given["X"], given["Y"], parameters, given.get("a0"), activation=activation or "tanh", reduction=reduction
        )
        return trace, printable(Path(file).name)
    return _model(file, prime, activation, reduction)


def _model(file: str, prime: str | None, activation: Activation | None, reduction: Reduction) -> tuple[Trace, str]:
    from bptt.model import SimpleRNN

    model = SimpleRNN.load(file)
    if model.vocabulary is None:
        raise ValueRangeError(
            message(
                "explain",
                f"{file} is a model that was trained on arrays, so a text says nothing to it.",
                details=["Put X, Y and its parameters into an npz file, and explain that:"],
                hint='np.savez("arrays.npz", X=X, Y=Y, **SimpleRNN.load("MODEL").parameters)',
            )
        )
    if activation not in (None, model.activation):
        raise ValueRangeError(message("explain", f"{file} was trained with {model.activation}, not {activation}."))
    if prime is None or len(prime) < 2:
        given = "is missing" if prime is None else "is too short"
        raise ValueRangeError(
            message(
                "explain",
                f"--prime {given}: a text of two characters or more, since each predicts the next.",
                hint=f'bptt explain {file} --prime "{"".join(model.vocabulary.characters.split())[:5]}"',
            )
        )
    ids = np.asarray(model.vocabulary.encode(prime, "explain"), np.int64)[None, :]
    parameters = {name: np.asarray(array, np.float64) for name, array in model.parameters.items()}
    trace = explain(
        ids[:, :-1],
        ids[:, 1:],
        parameters,
        activation=model.activation,
        reduction=reduction,
        vocabulary=tuple(model.vocabulary.characters),
    )
    return trace, f"{printable(Path(file).name)}, reading {prime[:30]!r}{'…' if len(prime) > 30 else ''}"


def _is_zip(file: str) -> bool:
    with open(file, "rb") as stream:
        return file.endswith(".npz") or stream.read(2) == b"PK"


def read_report(file: str, html: str | None) -> dict[str, Any]:
    """Return the JSON of ``bptt check``; what is in it is only ever shown as text.

    Raises
    ------
    FileError
        If the file is missing or no such report.
    ValueRangeError
        If no page is to be written.
    """
    if html is None:
        raise ValueRangeError(message("explain", "--report is shown by the page; --html FILE is wanted with it."))
    check_readable(Path(file), "explain")
    try:
        report = json.loads(Path(file).read_text(encoding="utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError, OSError):
        report = None
    wanted = {"source": str, "findings": list}
    fits = isinstance(report, dict) and report.get("schema") == 1
    if not fits or not all(isinstance(report.get(name), kind) for name, kind in wanted.items()):
        wrong = f"{file} is no report of bptt check (bptt check FILE --json writes one)."
        raise FileError(message("explain", wrong))
    return dict(report)


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def printable(name: str) -> str:
    """Return a file's name as it may be shown: no control character reaches the terminal."""
    return "".join(character if character.isprintable() else "�" for character in name)
