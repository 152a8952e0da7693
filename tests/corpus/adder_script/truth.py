"""For the corpus's own test only: one pass through the body of the training loop."""
import ast
import types

import numpy as np


def bptt_case(text, sizes, seed):
    tree = ast.parse(text)
    loop = next(i for i, node in enumerate(tree.body) if isinstance(node, ast.For))
    body = compile(ast.Module(tree.body[loop].body, []), "body", "exec")
    space = {}
    exec(compile(ast.Module(tree.body[:loop], []), "setup", "exec"), space)
    rng = np.random.default_rng(seed)
    space.update(alpha=1.0, binary_dim=sizes.T_x, hidden_dim=sizes.n_a, j=1)
    space["largest_number"] = 2**sizes.T_x
    numbers = np.arange(2**sizes.T_x)
    space["binary"] = (numbers[:, None] >> np.arange(sizes.T_x)[::-1]) & 1
    shapes = {"synapse_0": (2, sizes.n_a), "synapse_1": (sizes.n_a, 1), "synapse_h": (sizes.n_a, sizes.n_a)}
    live = {name: rng.normal(size=shape) for name, shape in shapes.items()}

    def run():
        here = dict(space) | {name: value.copy() for name, value in live.items()}
        np.random.seed(seed)
        exec(body, here)
        return here

    def gradients():
        after = run()
        return {name: live[name] - after[name] for name in live}

    return types.SimpleNamespace(parameters=live, cost=lambda: float(run()["overallError"]), gradients=gradients)
