import types

import numpy as np


def bptt_case(module, sizes, seed):
    rng = np.random.default_rng(seed)
    n_x, n_a, n_y = sizes.n_x, sizes.n_a, sizes.n_y
    shapes = {"in": (n_a, n_x), "rec": (n_a, n_a), "bias": (n_a,), "out": (n_y, n_a)}
    w = {k: rng.normal(size=s) for k, s in shapes.items()}
    seq, truth = [rng.normal(size=n_x) for _ in range(sizes.T_x)], rng.normal(size=n_y)

    def cost():
        return float(module.err(module.fwd(seq, w)[1], truth))

    def gradients():
        m, ans = module.fwd(seq, w)
        return module.bwd(seq, m, ans, truth, w)

    return types.SimpleNamespace(parameters=w, cost=cost, gradients=gradients)
