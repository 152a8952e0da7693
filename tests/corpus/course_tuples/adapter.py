import types

import numpy as np


def bptt_case(module, sizes, seed):
    rng = np.random.default_rng(seed)
    n_x, n_a, n_y, m, T = sizes.n_x, sizes.n_a, sizes.n_y, sizes.m, sizes.T_x
    shapes = {"Wax": (n_a, n_x), "Waa": (n_a, n_a), "Wya": (n_y, n_a), "ba": (n_a, 1), "by": (n_y, 1)}
    p = {k: 0.5 * rng.normal(size=s) for k, s in shapes.items()}
    x, a0, R = (rng.normal(size=s) for s in ((n_x, m, T), (n_a, m), (n_a, m, T)))

    def cost():
        return float(np.sum(R * module.rnn_forward(x, a0, p)[0]))

    def gradients():
        _, _, caches = module.rnn_forward(x, a0, p)
        g = module.rnn_backward(R, caches)
        return {k: g["d" + k] for k in ("x", "a0", "Wax", "Waa", "ba")}

    live = {"x": x, "a0": a0, "Wax": p["Wax"], "Waa": p["Waa"], "ba": p["ba"]}
    return types.SimpleNamespace(parameters=live, cost=cost, gradients=gradients)
