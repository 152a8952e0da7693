import types

import numpy as np


def bptt_case(module, sizes, seed):
    rng = np.random.default_rng(seed)
    P = module.inicializar(sizes.n_x, sizes.n_a, sizes.n_y)
    for value in P.values():
        value[...] = 0.5 * rng.normal(size=value.shape)
    X, D = rng.normal(size=(sizes.T_x, sizes.m, sizes.n_x)), rng.normal(size=(sizes.m, sizes.n_y))

    def cost():
        return float(module.costo(module.adelante(P, X)[0], D))

    def gradients():
        y, h, memoria = module.adelante(P, X)
        return module.atras(P, y, D, h, memoria)

    return types.SimpleNamespace(parameters=P, cost=cost, gradients=gradients)
