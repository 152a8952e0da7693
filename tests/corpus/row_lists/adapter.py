import types

import numpy as np


def bptt_case(module, sizes, seed):
    rng = np.random.default_rng(seed)
    net = module.RNN(sizes.n_x, sizes.n_a, sizes.n_y)
    names = ("U", "W", "V", "bias_h", "bias_o")
    for name in names:
        setattr(net, name, 0.5 * rng.normal(size=getattr(net, name).shape))
    xs = [rng.normal(size=(1, sizes.n_x)) for _ in range(sizes.T_x)]
    ys = [np.eye(sizes.n_y)[i : i + 1] for i in rng.integers(sizes.n_y, size=sizes.T_x)]

    def cost():
        return float(net.loss(net.forward(xs)[1], ys))

    def gradients():
        hs, outs = net.forward(xs)
        return dict(zip(names, net.backward(xs, hs, outs, ys)))

    return types.SimpleNamespace(parameters={n: getattr(net, n) for n in names}, cost=cost, gradients=gradients)
