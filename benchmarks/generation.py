"""Generation at m = 1: a thousand characters, each drawn and fed back, against PyTorch and JAX.

PyTorch runs nn.RNNCell in a Python loop under no_grad, as people do; JAX compiles the whole loop into one scan, which
a streaming user cannot have.  All draw from the same softmax; microseconds a character, medians of interleaved turns.

    python benchmarks/generation.py --write
"""

from __future__ import annotations

import argparse
import statistics
import time

from step import machine, set_threads, write

LENGTH, N = 1000, 65


def ours(p):
    import numpy as np

    from bptt.sampling import Choice, generate

    def run():
        ids = generate(p, np.array([1]), Choice(), np.random.default_rng(0))
        for _ in range(LENGTH):
            next(ids)

    return run


def pytorch(p):
    import torch

    torch.set_grad_enabled(False)
    W = {k: torch.from_numpy(v) for k, v in p.items()}
    cell = torch.nn.RNNCell(N, len(p["W_aa"]))
    cell.weight_ih.copy_(W["W_ax"]), cell.weight_hh.copy_(W["W_aa"]), cell.bias_ih.copy_(W["b_a"][:, 0])
    cell.bias_hh.zero_()
    eye, b_y = torch.eye(N), W["b_y"][:, 0]

    def run():
        a, i = torch.zeros(1, len(p["W_aa"])), 1
        for _ in range(LENGTH):
            a = cell(eye[i : i + 1], a)
            i = int(torch.multinomial(torch.softmax(a @ W["W_ya"].T + b_y, -1), 1))

    return run


def jax_scan(p):
    import jax
    import jax.numpy as jnp

    W = {k: jnp.asarray(v) for k, v in p.items()}

    @jax.jit
    def go(key):
        def body(state, key):
            a, i = state
            a = jnp.tanh(W["W_ax"][:, i] + W["W_aa"] @ a + W["b_a"][:, 0])
            i = jax.random.categorical(key, W["W_ya"] @ a + W["b_y"][:, 0])
            return (a, i), i

        return jax.lax.scan(body, (jnp.zeros(len(W["W_aa"])), 1), jax.random.split(key, LENGTH))[1]

    return lambda: jax.block_until_ready(go(jax.random.key(0)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--write", action="store_true", help="write results/generation.json beside this file")
    options = parser.parse_args()
    set_threads(options.threads)
    import numpy as np

    rows = []
    for n_a in (64, 128, 256, 512, 1024):
        rng = np.random.default_rng(0)
        p = {
            "W_aa": np.linalg.qr(rng.normal(size=(n_a, n_a)))[0],
            "W_ax": rng.normal(size=(n_a, N)),
            "W_ya": rng.normal(size=(N, n_a)) / n_a**0.5,
            "b_a": np.zeros((n_a, 1)),
            "b_y": np.zeros((N, 1)),
        }
        p = {k: np.ascontiguousarray(v, np.float32) for k, v in p.items()}
        runs = {}
        for name, system in (("bptt", ours), ("PyTorch", pytorch), ("JAX, whole loop", jax_scan)):
            try:
                runs[name] = system(p)
            except ImportError as error:
                print(f"left out: {name} ({error})")
        times = {name: [] for name in runs}
        for run in runs.values():
            run()
        for _ in range(options.turns):
            for name, run in runs.items():
                start = time.perf_counter()
                run()
                times[name].append(time.perf_counter() - start)
        us = {name: round(1e6 * statistics.median(t) / LENGTH, 2) for name, t in times.items()}
        rows.append({"n_a": n_a, "us_a_character": us})
        print(f"n_a {n_a:5d}  " + "  ".join(f"{name} {v:8.2f} us" for name, v in us.items()), flush=True)
    if options.write:
        write("generation", {"machine": machine(), "threads": options.threads, "rows": rows})


if __name__ == "__main__":
    main()
