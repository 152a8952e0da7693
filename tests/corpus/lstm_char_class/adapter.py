import types

import numpy as np


def bptt_case(module, sizes, seed):
    rng = np.random.default_rng(seed)
    net = module.LSTM(sizes.n_x, sizes.n_a)
    for name, value in net.params.items():
        net.params[name] = 0.5 * rng.normal(size=value.shape)
    x, y = (rng.integers(sizes.n_x, size=sizes.T_x).tolist() for _ in range(2))
    h0, c0 = rng.normal(size=(sizes.n_a, 1)), rng.normal(size=(sizes.n_a, 1))

    def cost():
        return float(net.forward_backward(x, y, h0, c0)[0])

    def gradients():
        net.forward_backward(x, y, h0, c0)
        return {name: net.grads["d" + name] for name in net.params}

    return types.SimpleNamespace(parameters=net.params, cost=cost, gradients=gradients)
