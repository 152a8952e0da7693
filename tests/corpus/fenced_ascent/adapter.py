import types

import numpy as np


def bptt_case(module, sizes, seed):
    rng = np.random.default_rng(seed)
    net = module.simpleRNN(sizes.n_x, sizes.n_a, sizes.n_y, learningRate=1.0)
    names = ("weightsXH", "weightsHH", "weightsHY", "biasH", "biasY")
    live = {name: 0.5 * rng.normal(size=getattr(net, name).shape) for name in names}
    sequence = [rng.normal(size=(sizes.n_x, 1)) for _ in range(sizes.T_x)]
    answers = [rng.integers(2, size=(sizes.n_y, 1)) for _ in range(sizes.T_x)]

    def cost():
        vars(net).update(live)
        net.forwardPass(sequence)
        return -float(net.logLikelihood(answers))

    def gradients():
        vars(net).update({name: value.copy() for name, value in live.items()})
        net.forwardPass(sequence)
        net.learn(answers)
        return {name: live[name] - getattr(net, name) for name in names}

    return types.SimpleNamespace(parameters=live, cost=cost, gradients=gradients)
