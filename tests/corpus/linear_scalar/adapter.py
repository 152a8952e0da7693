import types

import numpy as np


def bptt_case(module, sizes, seed):
    rng = np.random.default_rng(seed)
    X, t = rng.normal(size=(sizes.m, sizes.T_x)), rng.normal(size=sizes.m)
    live = {"wx": np.array(rng.normal()), "w_rec": np.array(rng.normal())}

    def states():
        return module.forward_states(X, float(live["wx"]), float(live["w_rec"]))

    def cost():
        return float(module.loss(states()[:, -1], t))

    def gradients():
        S = states()
        (wx, w_rec), _ = module.backward_gradient(X, S, module.output_gradient(S[:, -1], t), float(live["w_rec"]))
        return {"wx": np.asarray(wx), "w_rec": np.asarray(w_rec)}

    return types.SimpleNamespace(parameters=live, cost=cost, gradients=gradients)
