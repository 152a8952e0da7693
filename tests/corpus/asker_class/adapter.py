import types

import numpy as np


def bptt_case(module, sizes, seed):
    rng = np.random.default_rng(seed)
    n_x, n_a, n_y, m, T = sizes.n_x, sizes.n_a, sizes.n_y, sizes.m, sizes.T_x
    net = module.SimpleRNN(n_x, n_a, n_y, m, T)
    for name, value in net.parameters.items():
        net.parameters[name] = 0.5 * rng.normal(size=value.shape)
    net.cache["X"] = rng.normal(size=(n_x, m, T))
    net.cache["Y"] = np.moveaxis(np.eye(n_y)[rng.integers(n_y, size=(m, T))], -1, 0)
    a0 = net.cache["A"][:, :, 0]
    a0[:] = rng.normal(size=(n_a, m))

    def cost():
        net.rnn_forward()
        return float(net.cost())

    def gradients():
        net.rnn_forward()
        net.rnn_backward()
        return {name: net.cache["d" + name] for name in net.parameters}

    return types.SimpleNamespace(parameters=net.parameters, cost=cost, gradients=gradients)
