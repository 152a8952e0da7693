import types

import numpy as np


def bptt_case(module, sizes, seed):
    rng = np.random.default_rng(seed)
    n_x, n_a, n_y = sizes.n_x, sizes.n_a, sizes.n_y
    shapes = {"W": (n_a, n_a), "U": (n_a, n_x), "V": (n_y, n_a), "b": (n_a,), "c": (n_y,)}
    live = {k: 0.5 * rng.normal(size=s) for k, s in shapes.items()}
    theta = tuple(live.values())
    xs, h = [rng.normal(size=n_x) for _ in range(sizes.T_x)], rng.normal(size=n_a)
    ks = rng.integers(n_y, size=sizes.T_x).tolist()

    def cost():
        return float(module.loss(module.run(theta, xs, h)[1], ks))

    def gradients():
        return dict(zip(live, module.gradients(theta, xs, ks, *module.run(theta, xs, h))))

    return types.SimpleNamespace(parameters=live, cost=cost, gradients=gradients)
