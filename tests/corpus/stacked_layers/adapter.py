import types

import numpy as np


def bptt_case(module, sizes, seed):
    rng = np.random.default_rng(seed)
    n_x, n_a, n_y, m, T = sizes.n_x, sizes.n_a, sizes.n_y, sizes.m, sizes.T_x
    widths = [n_x, n_a, n_a + 2]
    layers, out = module.new_network(widths, n_y, rng)
    live = {f"{k}{i}": v for i, layer in enumerate(layers, 1) for k, v in layer.items()} | out
    for value in live.values():
        value += 0.3 * rng.normal(size=value.shape)
    X, A0 = rng.normal(size=(n_x, m, T)), [rng.normal(size=(n, m)) for n in widths[1:]]
    Y = np.moveaxis(np.eye(n_y)[rng.integers(n_y, size=(m, T))], -1, 0)

    def cost():
        return float(module.mean_cross_entropy(module.forward(layers, out, X, A0)[1], Y))

    def gradients():
        states, P = module.forward(layers, out, X, A0)
        per_layer, found = module.backward(layers, out, X, A0, states, P, Y)
        return {f"{k}{i}": v for i, g in enumerate(per_layer, 1) for k, v in g.items()} | found

    return types.SimpleNamespace(parameters=live, cost=cost, gradients=gradients)
