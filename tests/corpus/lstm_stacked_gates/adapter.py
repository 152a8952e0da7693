import types

import numpy as np


def bptt_case(module, sizes, seed):
    rng = np.random.default_rng(seed)
    N, T, D, H = sizes.m, sizes.T_x, sizes.n_x, sizes.n_a
    shapes = {"x": (N, T, D), "h0": (N, H), "Wx": (D, 4 * H), "Wh": (H, 4 * H), "b": (4 * H,)}
    live = {name: 0.6 * rng.normal(size=shape) for name, shape in shapes.items()}
    R = rng.normal(size=(N, T, H))

    def cost():
        return float(np.sum(R * module.lstm_forward(*live.values())[0]))

    def gradients():
        return dict(zip(live, module.lstm_backward(R, module.lstm_forward(*live.values())[1])))

    return types.SimpleNamespace(parameters=live, cost=cost, gradients=gradients)
