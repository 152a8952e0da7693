"""Cost against length: the step must grow linearly with T_x, and truncated BPTT must not grow in memory.

Time of one step (m 32, n_x 65, n_a 128, n_y 65, ids, float32) for T_x from 100 to 10 000; its memory beside the
arrays given, as a multiple of the hidden states (T_x · m · n_a numbers), by tracemalloc in a separate call; and the
peak memory of a training over texts of growing length at a fixed T_x.

    python benchmarks/length.py --write
"""

from __future__ import annotations

import argparse
import statistics
import time
import tracemalloc

from step import machine, set_threads, write

M, N_X, N_A, N_Y = 32, 65, 128, 65


def peak_of(function):
    """Return the peak of memory that a call takes beyond what was there, in bytes."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    function()
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    return peak


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="write results/length.json beside this file")
    options = parser.parse_args()
    set_threads(options.threads)
    import numpy as np

    from bptt import SimpleRNN, fused

    rows = []
    for kind in ("ids", "dense, n_x 1"):
        for T_x in (100, 300, 1000, 3000, 10_000):
            rng = np.random.default_rng(0)
            model = SimpleRNN(N_X if kind == "ids" else 1, N_A, N_Y)
            X = rng.integers(0, N_X, (M, T_x)) if kind == "ids" else rng.normal(size=(1, M, T_x)).astype(np.float32)
            Y = rng.integers(0, N_Y, (M, T_x))
            times = []
            for _ in range(5 if T_x > 1000 else 15):
                start = time.perf_counter()
                fused.step(model.parameters, X, Y)
                times.append(time.perf_counter() - start)
            states = T_x * M * N_A * 4
            ratio = peak_of(lambda m=model, X=X, Y=Y: fused.step(m.parameters, X, Y)) / states
            us = 1e6 * statistics.median(times) / T_x
            rows.append({"inputs": kind, "T_x": T_x, "us_a_step": round(us, 1), "memory_over_states": round(ratio, 2)})
            print(f"{kind:13s} T_x {T_x:6d}  {us:7.1f} us a time step  memory {ratio:.2f} x hidden states", flush=True)
    for length in (20_000, 200_000, 2_000_000):
        text = "".join(np.random.default_rng(0).choice(list("abcdefgh \n"), length))
        model = SimpleRNN.for_text(text, n_a=N_A)
        model.fit(text, steps=2, T_x=64, m=M, validation=0)
        peak = peak_of(lambda m=model, text=text: m.fit(text, steps=6, T_x=64, m=M, validation=0))
        ids = 8 * length  # the text itself, as ids
        rows.append({"text": length, "truncated_T_x": 64, "peak_MB_beside_the_ids": round((peak - ids) / 1e6, 2)})
        print(f"a text of {length:8d}: training peaks at {(peak - ids) / 1e6:.2f} MB beside the ids", flush=True)
    if options.write:
        write("length", {"machine": machine(), "threads": options.threads, "rows": rows})


if __name__ == "__main__":
    main()
