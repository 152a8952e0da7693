import types

import numpy as np


def bptt_case(module, sizes, seed):
    rng = np.random.default_rng(seed)
    params = module.init_params(sizes.n_x, sizes.n_a)
    for value in params.values():
        value += 0.5 * rng.normal(size=value.shape)
    X = rng.normal(size=(sizes.m, sizes.T_x, sizes.n_x))
    y = rng.integers(2, size=(sizes.m, 1)).astype(float)

    def cost():
        return float(module.bce(module.forward(X, params)[0], y))

    def gradients():
        p, H = module.forward(X, params)
        return module.backward(X, y, p, H, params)

    return types.SimpleNamespace(parameters=params, cost=cost, gradients=gradients)
