import types

import numpy as np


def bptt_case(module, sizes, seed):
    rng = np.random.default_rng(seed)
    V, T = sizes.n_x, sizes.T_x
    net = module.RNNNumpy(V, hidden_dim=sizes.n_a, bptt_truncate=T)
    for name in "UVW":
        setattr(net, name, 0.5 * rng.normal(size=getattr(net, name).shape))
    x, y = rng.integers(V, size=T), rng.integers(V, size=T)

    def cost():
        return float(net.calculate_total_loss([x], [y]))

    def gradients():
        return dict(zip("UVW", net.bptt(x, y)))

    return types.SimpleNamespace(parameters={n: getattr(net, n) for n in "UVW"}, cost=cost, gradients=gradients)
