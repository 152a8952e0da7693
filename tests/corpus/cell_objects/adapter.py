import types

import numpy as np


def bptt_case(module, sizes, seed):
    rng = np.random.default_rng(seed)
    net = module.Regressor(sizes.n_x, sizes.n_a, sizes.n_y, seed)
    inputs = rng.normal(size=(sizes.T_x, sizes.n_x, sizes.m))
    targets = rng.normal(size=(sizes.T_x, sizes.n_y, sizes.m))
    net.cell.bias += rng.normal(size=net.cell.bias.shape)
    net.readout.b += rng.normal(size=net.readout.b.shape)
    live = {"w_input": net.cell.w_input, "w_hidden": net.cell.w_hidden, "bias": net.cell.bias}
    live |= {"w": net.readout.w, "b": net.readout.b}

    def cost():
        return net.mse(net.run(inputs), targets)

    def gradients():
        net.backprop(net.run(inputs), targets)
        found = {k: getattr(net.cell, "grad_" + k) for k in ("w_input", "w_hidden", "bias")}
        return found | {"w": net.readout.grad_w, "b": net.readout.grad_b}

    return types.SimpleNamespace(parameters=live, cost=cost, gradients=gradients)
