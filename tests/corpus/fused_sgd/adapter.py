import types

import numpy as np


def bptt_case(module, sizes, seed):
    rng = np.random.default_rng(seed)
    n, h, o = sizes.n_x, sizes.n_a, sizes.n_y
    live = {k: 0.7 * rng.normal(size=s) for k, s in {"Wi": (n, h), "Wr": (h, h), "Wo": (h, o)}.items()}
    x = rng.normal(size=(sizes.m, sizes.T_x, n))
    target = rng.normal(size=(sizes.m, sizes.T_x, o))

    def cost():
        return float(module.sq_error(module.predict(x, *live.values())[1], target))

    def gradients():
        after = {k: v.copy() for k, v in live.items()}
        module.train_batch(x, target, *after.values(), 1.0)
        return {k: live[k] - after[k] for k in live}

    return types.SimpleNamespace(parameters=live, cost=cost, gradients=gradients)
