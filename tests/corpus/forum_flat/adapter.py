import types

import numpy as np


def bptt_case(module, sizes, seed):
    rng = np.random.default_rng(seed)
    n_x, n_a, n_y, m, T = sizes.n_x, sizes.n_a, sizes.n_y, sizes.m, sizes.T_x
    shapes = {"Wx": (n_a, n_x), "Wa": (n_a, n_a), "Wy": (n_y, n_a), "ba": (n_a, 1), "by": (n_y, 1)}
    params = {k: 0.5 * rng.normal(size=s) for k, s in shapes.items()}
    X, a0 = rng.normal(size=(n_x, m, T)), rng.normal(size=(n_a, m))
    Y = np.moveaxis(np.eye(n_y)[rng.integers(n_y, size=(m, T))], -1, 0)

    def cost():
        return float(module.forward(X, Y, a0, params)[0])

    def gradients():
        _, A, P = module.forward(X, Y, a0, params)
        return dict(zip(shapes, module.backward(X, Y, a0, A, P, params)))

    return types.SimpleNamespace(parameters=params, cost=cost, gradients=gradients)
