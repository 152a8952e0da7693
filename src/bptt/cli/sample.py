"""``bptt sample``: let a trained model write."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bptt.cli.app import ExitCode

if TYPE_CHECKING:
    from bptt.dims import Array


def sample(
    model: Annotated[
        Path | None,
        typer.Argument(
            help="A model, or a run's directory. Without one: bptt-run/best.safetensors.", show_default=False
        ),
    ] = None,
    prime: Annotated[str, typer.Option(help="What the model reads first.")] = "",
    length: Annotated[int, typer.Option(help="Characters to write.")] = 500,
    temperature: Annotated[float, typer.Option(help="Below 1 safer, above 1 wilder.")] = 0.7,
    top_k: Annotated[int | None, typer.Option(help="Only the k most probable.", show_default="all")] = None,
    top_p: Annotated[
        float | None, typer.Option(help="Only the most probable that reach p together.", show_default="all")
    ] = None,
    greedy: Annotated[bool, typer.Option("--greedy", help="Always the most probable.")] = False,
    seed: Annotated[int | None, typer.Option(help="Equal seeds write equal texts.", show_default="random")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print text, seed and options as JSON.")] = False,
) -> int:
    """Let a trained model write, character by character as they come."""
    import numpy as np

    from bptt.cli.show import printable, to_stdout
    from bptt.errors import FileError, ValueRangeError, message
    from bptt.model import SimpleRNN
    from bptt.sampling import Choice

    path = model if model is not None else Path("bptt-run")
    if path.is_dir() or model is None:
        path = path / "best.safetensors"
        if not path.exists():
            raise FileError(
                message("sample", f"there is no trained model {path}.", hint="`bptt train` trains one; run it first.")
            )
    network = SimpleRNN.load(path)
    choice = Choice(temperature, top_k, top_p, greedy)
    if seed is not None and seed < 0:
        raise ValueRangeError(message("sample", f"seed is {seed}; a whole number from 0 on is wanted."))
    if seed is None:
        seed = int(np.random.SeedSequence().generate_state(1)[0])
    vocabulary = network.vocabulary
    ids = network.stream(length, prime if vocabulary is not None else numbers(prime), choice, seed)
    if as_json:
        drawn = list(ids)
        content = drawn if vocabulary is None else vocabulary.decode(drawn)
        print(json.dumps({"model": str(path), "prime": prime, "seed": seed, "text": content}))
        return ExitCode.OK
    flush = sys.stdout.isatty()
    to_stdout(prime if vocabulary is not None or not prime else prime + " ")
    for i in ids:
        to_stdout(printable(vocabulary.characters[i]) if vocabulary is not None else f"{i} ")
        if flush:
            sys.stdout.flush()
    to_stdout("\n")
    return ExitCode.OK


def numbers(prime: str) -> Array:
    """Return the ids that a prime names, for a model without characters."""
    import numpy as np

    from bptt.errors import ValueRangeError, message

    try:
        return np.array([int(word) for word in prime.split()], np.int64)
    except (ValueError, OverflowError) as error:
        raise ValueRangeError(
            message(
                "sample", f"the model knows ids and no characters; --prime {prime!r} is to be ids, such as '3 1 4'."
            )
        ) from error
