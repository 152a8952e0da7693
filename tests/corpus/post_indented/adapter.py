import types

import numpy as np


def bptt_case(module, sizes, seed):
    rng = np.random.default_rng(seed)
    D, H, K, N, T = sizes.n_x, sizes.n_a, sizes.n_y, sizes.m, sizes.T_x
    shapes = {"W": (H, D), "R": (H, H), "S": (K, H), "b_h": (H, 1), "b_s": (K, 1)}
    model = {name: 0.4 * rng.normal(size=shape) for name, shape in shapes.items()}
    h_start = rng.normal(size=(H, N))
    x, target = rng.normal(size=(D, N, T)), rng.normal(size=(K, N))
    live = model | {"h_start": h_start}

    def cost():
        return float(module.irnn_loss(model, x, target, h_start)[0])

    def gradients():
        grads = module.irnn_loss(model, x, target, h_start)[1]
        return {name: grads["d_" + name] for name in live}

    return types.SimpleNamespace(parameters=live, cost=cost, gradients=gradients)
