import types

import numpy as np


def bptt_case(module, sizes, seed):
    rng = np.random.default_rng(seed)
    net = module.ClassifierRNN(sizes.n_x, sizes.n_a + 2, sizes.n_a, sizes.n_y, rng)
    xs = [rng.normal(size=(sizes.m, sizes.n_x)) for _ in range(sizes.T_x)]
    labels = rng.integers(sizes.n_y, size=sizes.m)

    def cost():
        return float(net.loss_and_grads(xs, labels)[0])

    def gradients():
        return net.loss_and_grads(xs, labels)[1]

    return types.SimpleNamespace(parameters=vars(net), cost=cost, gradients=gradients)
