import types

import numpy as np


def bptt_case(module, sizes, seed):
    rng = np.random.default_rng(seed)
    N, T, D, H, M = sizes.m, sizes.T_x, sizes.n_x, sizes.n_a, sizes.n_y
    shapes = {"x": (N, T, D), "h0": (N, H), "Wx": (D, H), "Wh": (H, H), "b": (H,), "w": (H, M), "b_out": (M,)}
    p = {k: 0.5 * rng.normal(size=s) for k, s in shapes.items()}
    R = rng.normal(size=(N, T, M))

    def forward():
        h, cache = module.rnn_forward(p["x"], p["h0"], p["Wx"], p["Wh"], p["b"])
        out, out_cache = module.temporal_affine_forward(h, p["w"], p["b_out"])
        return out, cache, out_cache

    def cost():
        return float(np.sum(R * forward()[0]))

    def gradients():
        _, cache, out_cache = forward()
        dh, dw, db_out = module.temporal_affine_backward(R, out_cache)
        dx, dh0, dWx, dWh, db = module.rnn_backward(dh, cache)
        return {"x": dx, "h0": dh0, "Wx": dWx, "Wh": dWh, "b": db, "w": dw, "b_out": db_out}

    return types.SimpleNamespace(parameters=p, cost=cost, gradients=gradients)
