import types

import numpy as np


def bptt_case(module, sizes, seed):
    rng = np.random.default_rng(seed)
    net = module.ElmanNetwork(sizes.n_x, sizes.n_a, sizes.n_y)
    live = {name: getattr(net, name) for name in net.PARAMS}
    for value in live.values():
        value += 0.4 * rng.normal(size=value.shape)
    x = rng.normal(size=(sizes.T_x, sizes.m, sizes.n_x))
    live["h0"] = rng.normal(size=(sizes.m, sizes.n_a))
    labels = rng.integers(sizes.n_y, size=(sizes.T_x, sizes.m))

    def cost():
        net(x, live["h0"])
        return float(net.nll(labels))

    def gradients():
        net(x, live["h0"])
        return net.grad(labels)

    return types.SimpleNamespace(parameters=live, cost=cost, gradients=gradients)
