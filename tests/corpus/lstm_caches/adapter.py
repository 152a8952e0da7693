import types

import numpy as np


def bptt_case(module, sizes, seed):
    rng = np.random.default_rng(seed)
    n_x, n_a, m, T = sizes.n_x, sizes.n_a, sizes.m, sizes.T_x
    p = {"W" + k: 0.5 * rng.normal(size=(n_a, n_a + n_x)) for k in "fico"}
    p |= {"b" + k: 0.5 * rng.normal(size=(n_a, 1)) for k in "fico"}
    x, a0, R = rng.normal(size=(n_x, m, T)), rng.normal(size=(n_a, m)), rng.normal(size=(n_a, m, T))
    live = p | {"x": x, "a0": a0}

    def cost():
        return float(np.sum(R * module.lstm_forward(x, a0, p)[0]))

    def gradients():
        found = module.lstm_backward(R, module.lstm_forward(x, a0, p)[1])
        return {name: found["d" + name] for name in live}

    return types.SimpleNamespace(parameters=live, cost=cost, gradients=gradients)
