import types

import numpy as np


def bptt_case(module, sizes, seed):
    rng = np.random.default_rng(seed)
    net = module.SentimentRNN(sizes.n_x, sizes.n_y, sizes.n_a)
    names = ("Whh", "Wxh", "Why", "bh", "by")
    for name in names:
        setattr(net, name, 0.25 * rng.normal(size=getattr(net, name).shape))
    live = {name: getattr(net, name) for name in names}
    inputs = [np.eye(sizes.n_x)[:, [i]] for i in rng.integers(sizes.n_x, size=sizes.T_x)]
    target = int(rng.integers(sizes.n_y))

    def cost():
        return float(module.process(net, inputs, target, backprop=False))

    def gradients():
        before = {name: getattr(net, name).copy() for name in names}
        module.process(net, inputs, target, learn_rate=1.0)
        found = {name: before[name] - getattr(net, name) for name in names}
        for name in names:
            live[name][...] = before[name]
            setattr(net, name, live[name])
        return found

    return types.SimpleNamespace(parameters=live, cost=cost, gradients=gradients)
