"""What a training says when it ends."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

from bptt.cli.begin import Job
from bptt.cli.show import Show, sample_text, to_stdout
from bptt.training.run import BITS


def finish(job: Job, show: Show, *, done: bool, plot: Path | None, as_json: bool) -> None:
    """Draw the plot, then report: a sample and what to try next, or JSON."""
    if plot is not None:
        from bptt.training.plot import plot_log

        plot_log(job.run.directory.log, plot)
    result = _result(job, show, done)
    if as_json:
        print(json.dumps(result, indent=2))
        return
    loop, directory = job.run.loop, job.run.directory
    out = "" if str(directory.path) == "bptt-run" else f" --out {directory.path}"
    if not done:
        print(f"Saved at step {loop.step} of {loop.steps}.  Go on with: bptt train --resume{out}", file=sys.stderr)
        return
    if job.model.vocabulary is not None and show.first_step < loop.step:
        job.model.parameters = loop.best.views
        to_stdout(f"\nA sample of the best model, at temperature 0.7:\n\n{sample_text(job, 400, loop.steps)}\n\n")
    if loop.step == show.first_step:
        print(f"This run is at its end already, {loop.step} steps.  --epochs or --steps lets it go on.")
    if loop.stopped_early:
        print(f"Stopped early: {loop.stale} evaluations brought no new best.")
    print(f"{loop.step} steps in {show.seconds:.0f} s.")
    if math.isfinite(loop.best_cost):
        what = "held-back data" if job.data.held_back is not None else "training data"
        print(f"Best: {loop.best_cost * BITS:.3f} {show.unit} on {what}, at step {loop.best_step}: {directory.best}")
    if plot is not None:
        print(f"Plot: {plot}")
    if job.model.vocabulary is not None:
        where = "" if not out else f" {directory.path}"
        print("Try next:")
        print(f"  bptt sample{where} --temperature 0.5 --length 1000")
        print(f"  bptt train{out} --resume --epochs {_more(job)}")
        print("  bptt train YOUR.txt --out your-run")


def _more(job: Job) -> str:
    loop = job.run.loop
    return f"{2 * loop.step / job.data.batches.steps_per_epoch:.3g}"


def _result(job: Job, show: Show, done: bool) -> dict[str, Any]:
    loop, directory = job.run.loop, job.run.directory
    seconds = show.seconds
    found = math.isfinite(loop.best_cost)
    return {
        "done": done,
        "stopped_early": loop.stopped_early,
        "step": loop.step,
        "steps": loop.steps,
        "seconds": round(seconds, 3),
        "best_step": loop.best_step if found else None,
        "best_cost": loop.best_cost if found else None,
        "best_bits": loop.best_cost * BITS if found else None,
        "source": job.source.name,
        "sha256": job.source.sha256,
        "best": str(directory.best),
        "last": str(directory.last),
        "log": str(directory.log),
        "warnings": job.warnings,
    }
