import types

import numpy as np


def bptt_case(module, sizes, seed):
    rng = np.random.default_rng(seed)
    n_x, n_a, n_y, m, T = sizes.n_x, sizes.n_a, sizes.n_y, sizes.m, sizes.T_x
    shapes = {"input": (n_a, n_x), "state": (n_a, n_a), "output": (n_y, n_a), "bias_state": (n_a, 1), "bias_output": (n_y, 1)}
    net = types.SimpleNamespace(T=T, n_state=n_a, batch=m, first_state=rng.normal(size=(n_a, m)))
    net.weights = {name: 0.5 * rng.normal(size=shape) for name, shape in shapes.items()}
    X = rng.normal(size=(n_x, m, T))
    labels = np.moveaxis(np.eye(n_y)[rng.integers(n_y, size=(m, T))], -1, 0)

    def cost():
        module.forward(net, X)
        return float(module.cost(net, labels))

    def gradients():
        module.forward(net, X)
        module.backward(net, labels)
        return net.gradients

    return types.SimpleNamespace(parameters=net.weights, cost=cost, gradients=gradients)
