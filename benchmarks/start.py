"""How long the command takes to start: whole processes, medians.

python benchmarks/start.py --write
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

from step import machine, write

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "bptt --help": [sys.executable, "-m", "bptt", "--help"],
    "bptt train --help": [sys.executable, "-m", "bptt", "train", "--help"],
    "bptt check --help": [sys.executable, "-m", "bptt", "check", "--help"],
    "bptt explain --step B5": [sys.executable, "-m", "bptt", "explain", "--step", "B5"],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=11)
    parser.add_argument("--write", action="store_true", help="write results/start.json beside this file")
    options = parser.parse_args()
    times = {name: [] for name in COMMANDS}
    for _ in range(options.turns):
        for name, command in COMMANDS.items():
            start = time.perf_counter()
            subprocess.run(command, capture_output=True, check=True)
            times[name].append(time.perf_counter() - start)
    ms = {name: round(1e3 * statistics.median(t)) for name, t in times.items()}
    for name, t in ms.items():
        print(f"{name:26s} {t:5d} ms")
    if options.write:
        write("start", {"machine": machine(), "median_ms": ms})


if __name__ == "__main__":
    main()
