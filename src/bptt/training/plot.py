"""Draw the costs of a run from its log."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from bptt.errors import FileError, MissingExtraError, ValueRangeError, message
from bptt.training.log import read_log

FORMATS = ("png", "svg", "pdf")


def check_plot(path: Path) -> None:
    """Refuse a plot that could not be drawn later, before the training begins.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    ValueRangeError, FileError
        If the file's kind is unknown or its directory is missing.
    """
    if path.suffix[1:] not in FORMATS:
        raise ValueRangeError(message("--plot", f"{path} ends in {path.suffix!r}; {', '.join(FORMATS)} are drawn."))
    if not path.absolute().parent.is_dir():
        raise FileError(message("--plot", f"there is no directory {path.absolute().parent}."))
    if find_spec("matplotlib") is None:
        raise MissingExtraError(message("--plot", "matplotlib draws the plot.", hint="pip install 'bptt[plot]'"))


def plot_log(log: Path, path: Path) -> None:
    """Draw the training cost and the evaluations of a log, in bits a prediction against the step."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    records = read_log(log)
    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    axes.plot([r["step"] for r in records], [r["bits"] for r in records], color="0.7", linewidth=1, label="training")
    judged = [r for r in records if "validation" in r]
    axes.plot([r["step"] for r in judged], [r["validation_bits"] for r in judged], "o-", label="held back")
    axes.set(xlabel="step", ylabel="bits a prediction", title="cost")
    axes.legend()
    axes.grid(alpha=0.3)
    try:
        figure.savefig(path, dpi=150)
    except OSError as error:
        raise FileError(message("--plot", f"{path} cannot be written: {error.strerror}.")) from error
    finally:
        plt.close(figure)
