"""For the corpus's own test only: one pass through the body of the training loop."""
import ast
import types

import numpy as np


def bptt_case(text, sizes, seed):
    loop = next(node for node in ast.parse(text).body if isinstance(node, ast.For))
    body = compile(ast.Module(loop.body, []), "body", "exec")
    rng = np.random.default_rng(seed)
    k, hidden = sizes.n_x, sizes.n_a
    shapes = {"Win": (k, hidden), "Wh": (hidden, hidden), "bh": (hidden,), "Wout": (hidden, k), "bout": (k,)}
    live = {name: 0.5 * rng.normal(size=shape) for name, shape in shapes.items()}
    space = {"np": np, "n": sizes.m, "k": k, "hidden": hidden, "steps": sizes.T_x, "lr": 1.0, "epoch": 1}
    space |= {name: rng.normal(size=(sizes.m, k, sizes.T_x)) for name in ("inputs", "wanted")}

    def run():
        here = dict(space) | {name: value.copy() for name, value in live.items()}
        exec(body, here)
        return here

    def gradients():
        after = run()
        return {name: live[name] - after[name] for name in live}

    return types.SimpleNamespace(parameters=live, cost=lambda: float(run()["cost"]), gradients=gradients)
