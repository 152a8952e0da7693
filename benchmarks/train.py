"""A whole training run on real text against the same run in PyTorch, to the same bits per character.

The text is Python's own help (or --text FILE).  Both start from the same parameters, see the same batches of ids with
the state carried on, clip the gradient's norm at 1 and take the same Adam steps at a constant rate; PyTorch reads the
ids as one-hot columns into nn.RNN (with the optimizer's fused kernel).  The two take turns of some steps each, and a
clock of its own runs for each; both are evaluated on held-back text outside their clocks.

    python benchmarks/train.py --write
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

from step import machine, set_threads, write

RATE = 2e-3


class Ours:
    """SimpleRNN's own loop."""

    def __init__(self, model, data, settings):
        self.loop = model.training_loop(data, settings)

    def advance(self):
        """Take one step."""
        self.loop.advance()


class Torch:
    """nn.RNN, the same parameters, batches, clipping and optimizer."""

    def __init__(self, model, data, settings):
        import numpy as np
        import torch

        self.torch = torch
        p = model.parameters
        self.n_a, self.n_x = p["W_ax"].shape
        self.rnn, self.head = torch.nn.RNN(self.n_x, self.n_a), torch.nn.Linear(self.n_a, self.n_x)
        pairs = (
            (self.rnn.weight_ih_l0, p["W_ax"]),
            (self.rnn.weight_hh_l0, p["W_aa"]),
            (self.rnn.bias_ih_l0, p["b_a"][:, 0]),
            (self.head.weight, p["W_ya"]),
            (self.head.bias, p["b_y"][:, 0]),
        )
        with torch.no_grad():
            for leaf, value in pairs:
                leaf.copy_(torch.from_numpy(np.array(value)))
            self.rnn.bias_hh_l0.zero_()
        self.rnn.bias_hh_l0.requires_grad_(False)
        self.leaves = [leaf for leaf, _ in pairs]
        self.adam = torch.optim.Adam(self.leaves, lr=RATE, fused=True)
        self.batches, self.generator, self.state = data.batches, model.generator, None

    def advance(self):
        """Take one step."""
        torch, batch = self.torch, self.batches.next(self.generator)
        if batch.fresh or self.state is None:
            self.state = torch.zeros(1, batch.X.shape[0], self.n_a)
        x = torch.nn.functional.one_hot(torch.from_numpy(batch.X.T.astype("int64")), self.n_x).float()
        y = torch.from_numpy(batch.Y.T.astype("int64")).flatten()
        self.adam.zero_grad(set_to_none=True)
        out, state = self.rnn(x, self.state)
        torch.nn.functional.cross_entropy(self.head(out).flatten(0, 1), y).backward()
        torch.nn.utils.clip_grad_norm_(self.leaves, 1.0)
        self.adam.step()
        self.state = state.detach()

    def parameters(self):
        """Return the parameters under our names."""
        names = ("W_ax", "W_aa", "b_a", "W_ya", "b_y")
        p = {name: leaf.detach().numpy() for name, leaf in zip(names, self.leaves, strict=True)}
        return {name: value[:, None] if value.ndim == 1 else value for name, value in p.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--n-a", type=int, default=128)
    parser.add_argument("--bits", type=float, default=2.6, help="stop when both are below")
    parser.add_argument("--text", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true", help="write results/train-N_A.json beside this file")
    options = parser.parse_args()
    set_threads(options.threads)
    from bptt import SimpleRNN, fused
    from bptt.training.settings import Settings
    from bptt.training.text import default_text, read_text

    text = (read_text(options.text) if options.text else default_text()).content
    settings = Settings(m=32, T_x=64, rate=RATE, schedule="constant", steps=10**6, evaluate_every=10**6)
    runs, clocks, reached = {}, {"bptt": 0.0, "PyTorch": 0.0}, {}
    for name, kind in (("bptt", Ours), ("PyTorch", Torch)):
        model = SimpleRNN.for_text(text, n_a=options.n_a, seed=options.seed)
        data = model.data(text, None, None, settings)
        runs[name] = (kind(model, data, settings), model, data)

    def bits(name):
        run, model, data = runs[name]
        parameters = model.parameters if name == "bptt" else run.parameters()
        total, count, carried = 0.0, 0, None
        for batch in data.evaluation():
            cost, carried = fused.cost_and_state(parameters, batch.X, batch.Y, carried, "sum")
            total, count = total + cost, count + batch.Y.size
        return total / count / math.log(2)

    steps = 0
    while len(reached) < 2:
        for name, (run, _, _) in runs.items():
            start = time.perf_counter()
            for _ in range(50):
                run.advance()
            clocks[name] += time.perf_counter() - start
        steps += 50
        now = {name: bits(name) for name in runs}
        for name, b in now.items():
            if b <= options.bits and name not in reached:
                reached[name] = {"seconds": round(clocks[name], 2), "steps": steps, "bits": round(b, 4)}
        print(f"step {steps}  " + "  ".join(f"{n} {now[n]:.4f} bits after {clocks[n]:.1f} s" for n in runs), flush=True)
    ratio = reached["PyTorch"]["seconds"] / reached["bptt"]["seconds"]
    print(f"to {options.bits} bits per character: {reached}  PyTorch / bptt {ratio:.2f}")
    if options.write:
        row = {
            "n_a": options.n_a,
            "characters": len(text),
            "to_bits": options.bits,
            **reached,
            "ratio": round(ratio, 2),
        }
        write(f"train-{options.n_a}", {"machine": machine(), "threads": options.threads, "row": row})


if __name__ == "__main__":
    main()
