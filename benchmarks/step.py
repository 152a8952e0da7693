"""One training step - forward, cost, gradients of all five parameters, float32 - against PyTorch, JAX and Keras.

All systems take the same parameters, dense X and integer targets, and compute the mean softmax cross-entropy and
its gradients, no dX.  Costs and gradients are compared before anything is timed.  The systems take short
turns, so that a change of the machine's speed hits all alike; the figures are medians over all runs and ratios of
medians.

    pip install torch==2.13.0 jax keras      # whichever are missing are left out, and said to be
    python benchmarks/step.py --threads 1 --write
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path

POINTS = [
    (10, 4, 3, 5, 2),
    (25, 1, 65, 100, 65),
    (50, 32, 65, 64, 65),
    (50, 32, 65, 128, 65),
    (100, 64, 65, 256, 65),
    (100, 64, 65, 512, 65),
    (50, 64, 128, 1024, 128),
    (784, 32, 1, 128, 10),
]


TURN = 0.05  # seconds that a system runs before the next takes its turn


def set_threads(threads: int) -> None:
    """Hold every library to so many threads; before any of them is imported."""
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads)
    os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'}"
    os.environ["JAX_PLATFORMS"] = "cpu"
    os.environ["KERAS_BACKEND"] = "jax"
    if hasattr(os, "sched_setaffinity"):  # XLA's pool has one thread a processor: the only limit that it keeps
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def ours(parameters, X, Y):
    from bptt import fused

    def run():
        cost, gradients = fused.step(parameters, X, Y)
        return cost, gradients

    return run


def pytorch(parameters, X, Y):
    import torch

    n_a, n_x = parameters["W_ax"].shape
    rnn = torch.nn.RNN(n_x, n_a)
    head = torch.nn.Linear(n_a, parameters["W_ya"].shape[0])
    with torch.no_grad():
        rnn.weight_ih_l0.copy_(torch.from_numpy(parameters["W_ax"]))
        rnn.weight_hh_l0.copy_(torch.from_numpy(parameters["W_aa"]))
        rnn.bias_ih_l0.copy_(torch.from_numpy(parameters["b_a"][:, 0]))
        rnn.bias_hh_l0.zero_()
        head.weight.copy_(torch.from_numpy(parameters["W_ya"]))
        head.bias.copy_(torch.from_numpy(parameters["b_y"][:, 0]))
    rnn.bias_hh_l0.requires_grad_(False)  # ours has one bias; two would be extra work
    x = torch.from_numpy(X.transpose(2, 1, 0).copy())
    y = torch.from_numpy(Y.T.copy().reshape(-1))
    leaves = {
        "dW_ax": rnn.weight_ih_l0,
        "dW_aa": rnn.weight_hh_l0,
        "db_a": rnn.bias_ih_l0,
        "dW_ya": head.weight,
        "db_y": head.bias,
    }

    def run():
        for leaf in leaves.values():
            leaf.grad = None
        out, _ = rnn(x)
        cost = torch.nn.functional.cross_entropy(head(out).flatten(0, 1), y)
        cost.backward()
        return float(cost), {name: leaf.grad.numpy() for name, leaf in leaves.items()}

    return run


def jax_scan(parameters, X, Y):
    import jax
    import jax.numpy as jnp

    x, y = jnp.asarray(X.transpose(2, 1, 0)), jnp.asarray(Y.T)
    p = {k: jnp.asarray(v[:, 0] if k.startswith("b") else v) for k, v in parameters.items()}

    def cost(p, x, y):
        def cell(a, z):
            a = jnp.tanh(z + a @ p["W_aa"].T)
            return a, a

        z = x @ p["W_ax"].T + p["b_a"]
        _, a = jax.lax.scan(cell, jnp.zeros((x.shape[1], p["W_aa"].shape[0]), x.dtype), z)
        logits = a @ p["W_ya"].T + p["b_y"]
        chosen = jnp.take_along_axis(jax.nn.log_softmax(logits), y[..., None], axis=-1)
        return -chosen.mean()

    step = jax.jit(jax.value_and_grad(cost))

    def run():
        value, gradients = jax.block_until_ready(step(p, x, y))
        return float(value), {f"d{k}": v for k, v in gradients.items()}

    return run


def keras_rnn(parameters, X, Y):
    import jax
    import jax.numpy as jnp
    import keras

    n_x, T, n_a, n_y = X.shape[0], X.shape[2], len(parameters["W_aa"]), len(parameters["W_ya"])
    model = keras.Sequential(
        [keras.Input((T, n_x)), keras.layers.SimpleRNN(n_a, return_sequences=True), keras.layers.Dense(n_y)]
    )
    weights = [parameters[k].T for k in ("W_ax", "W_aa")] + [parameters["b_a"][:, 0]]
    model.set_weights([*weights, parameters["W_ya"].T, parameters["b_y"][:, 0]])
    x, y = jnp.asarray(X.transpose(1, 2, 0)), jnp.asarray(Y)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def cost(trainable, other, x, y):
        logits, _ = model.stateless_call(trainable, other, x, training=True)
        return loss(y, logits)

    step = jax.jit(jax.value_and_grad(cost))
    trainable = [v.value for v in model.trainable_variables]
    other = [v.value for v in model.non_trainable_variables]

    def run():
        value, g = jax.block_until_ready(step(trainable, other, x, y))
        return float(value), {"dW_ax": g[0].T, "dW_aa": g[1].T, "db_a": g[2], "dW_ya": g[3].T, "db_y": g[4]}

    return run


SYSTEMS = {"bptt": ours, "PyTorch": pytorch, "JAX": jax_scan, "Keras": keras_rnn}


def problem(point, seed=0):
    """Draw float32 parameters of a size at which tanh is neither linear nor saturated, dense X, integer Y."""
    import numpy as np

    T_x, m, n_x, n_a, n_y = point
    rng = np.random.default_rng(seed)
    parameters = {
        "W_aa": np.linalg.qr(rng.normal(size=(n_a, n_a)))[0],
        "W_ax": rng.normal(size=(n_a, n_x)) / n_x**0.5,
        "W_ya": rng.normal(size=(n_y, n_a)) / n_a**0.5,
        "b_a": 0.1 * rng.normal(size=(n_a, 1)),
        "b_y": 0.1 * rng.normal(size=(n_y, 1)),
    }
    parameters = {k: np.ascontiguousarray(v, np.float32) for k, v in parameters.items()}
    return parameters, rng.normal(size=(n_x, m, T_x)).astype(np.float32), rng.integers(0, n_y, (m, T_x))


def disagreement(reference, other):
    """Return the largest difference of cost and gradients, relative to each one's largest value."""
    import numpy as np

    worst = abs(reference[0] - other[0]) / abs(reference[0])
    for name, g in reference[1].items():
        o = np.asarray(other[1][name]).reshape(g.shape)
        worst = max(worst, float(np.abs(g - o).max() / np.abs(g).max()))
    return worst


def gemm_peak(seconds=0.3):
    """Measure the machine's own sgemm at 1024: GFLOP/s."""
    import numpy as np

    a = np.random.default_rng(0).normal(size=(1024, 1024)).astype(np.float32)
    out, times, end = np.empty_like(a), [], time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        np.dot(a, a, out=out)
        times.append(time.perf_counter() - start)
    return 2 * 1024**3 / min(times) / 1e9


def flops(point):
    """Count the multiplications and additions of the products: forward once, backward twice (no dX)."""
    T_x, m, n_x, n_a, n_y = point
    return 2 * T_x * m * (3 * n_a * n_a + 2 * n_a * n_x + 3 * n_a * n_y)


def measure(point, systems, seconds):
    """Time one point; return a row."""
    parameters, X, Y = problem(point)
    runs, missing = {}, {}
    for name in systems:
        try:
            runs[name] = SYSTEMS[name](parameters, X, Y)
        except ImportError as error:
            missing[name] = str(error)
    first = runs["bptt"]()
    agree = {name: disagreement(first, run()) for name, run in runs.items() if name != "bptt"}
    bad = {name: worst for name, worst in agree.items() if worst > 2e-3}
    if bad:
        sys.exit(f"{point}: the systems do not compute the same: {bad}")
    times = {name: [] for name in runs}
    for run in runs.values():
        run()
    peak, end = gemm_peak(), time.perf_counter() + seconds * len(runs)
    while time.perf_counter() < end or len(times["bptt"]) < 7:
        for name, run in runs.items():
            run()  # the caches are the last system's: a training run finds its own there
            turn = time.perf_counter() + TURN
            while True:
                start = time.perf_counter()
                run()
                now = time.perf_counter()
                times[name].append(now - start)
                if now > turn:
                    break
    medians = {name: statistics.median(t) for name, t in times.items()}
    peers = {name: t for name, t in medians.items() if name != "bptt"}
    best = min(peers, key=peers.get) if peers else None
    return {
        "point": point,
        "ms": {name: round(1e3 * t, 4) for name, t in medians.items()},
        "min_ms": {name: round(1e3 * min(t), 4) for name, t in times.items()},
        "runs": len(times["bptt"]),
        "best_peer": best,
        "ratio": round(peers[best] / medians["bptt"], 3) if best else None,
        "sgemm_gflops": round(peak, 1),
        "share_of_peak": round(flops(point) / medians["bptt"] / 1e9 / peak, 3),
        "largest_disagreement": {name: float(f"{v:.1e}") for name, v in agree.items()},
        "missing": missing,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=2.0, help="per system and point")
    parser.add_argument("--points", type=int, nargs="*", help="indices of the points; all if not given")
    parser.add_argument("--systems", nargs="*", default=list(SYSTEMS), choices=list(SYSTEMS))
    parser.add_argument("--write", action="store_true", help="write results/step-THREADS.json beside this file")
    options = parser.parse_args()
    set_threads(options.threads)
    rows = []
    for index in options.points if options.points is not None else range(len(POINTS)):
        row = measure(POINTS[index], options.systems, options.seconds)
        rows.append(row)
        times = "  ".join(f"{name} {ms:9.3f} ms" for name, ms in row["ms"].items())
        print(
            f"{POINTS[index]!s:<26} {times}  best peer / ours {row['ratio']} ({row['best_peer']})"
            f"  {row['share_of_peak']:.0%} of {row['sgemm_gflops']} GFLOP/s",
            flush=True,
        )
    if options.write:
        write(f"step-{options.threads}", {"machine": machine(), "threads": options.threads, "rows": rows})


def write(name, results):
    """Write results/NAME.json beside this file."""
    path = Path(__file__).parent / "results" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n")


def machine():
    """Say on what the figures were measured."""
    from importlib.metadata import PackageNotFoundError, version

    versions = {}
    for name in ("bptt", "numpy", "torch", "jax", "keras"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = None
    cpu = platform.processor()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), cpu)
    return {"cpu": cpu, "python": platform.python_version(), "date": time.strftime("%Y-%m-%d"), "versions": versions}


if __name__ == "__main__":
    main()
