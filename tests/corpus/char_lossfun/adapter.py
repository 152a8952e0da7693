import types

import numpy as np


def bptt_case(module, sizes, seed):
    rng = np.random.default_rng(seed)
    V, H, T = sizes.n_x, sizes.n_a, sizes.T_x
    shapes = {"Wxh": (H, V), "Whh": (H, H), "Why": (V, H), "bh": (H, 1), "by": (V, 1)}
    live = {k: 0.5 * rng.normal(size=s) for k, s in shapes.items()}
    module.vocab_size, module.hidden_size = V, H
    for name, value in live.items():
        setattr(module, name, value)
    inputs, targets = rng.integers(V, size=T).tolist(), rng.integers(V, size=T).tolist()
    hprev = rng.normal(size=(H, 1))

    def cost():
        return float(module.lossFun(inputs, targets, hprev)[0])

    def gradients():
        return dict(zip(live, module.lossFun(inputs, targets, hprev)[1:6]))

    return types.SimpleNamespace(parameters=live, cost=cost, gradients=gradients)
