"""PyTorch as an oracle: nn.RNN with a linear head computes the same costs and gradients."""

import os

import numpy as np
import pytest

import bptt
from bptt import fused
from problems import SIZES, draw

if os.environ.get("BPTT_REQUIRE_PEERS"):
    import torch
else:
    torch = pytest.importorskip("torch", reason="torch is not installed: the extended tests compare with it")


def torch_step(p, activation):
    weights = p["parameters"]
    n_a, n_x = weights["W_ax"].shape
    n_y = len(weights["W_ya"])
    dtype = torch.float64 if weights["W_aa"].dtype == np.float64 else torch.float32
    rnn = torch.nn.RNN(n_x, n_a, nonlinearity=activation, dtype=dtype)
    head = torch.nn.Linear(n_a, n_y, dtype=dtype)
    names = {
        "W_ax": rnn.weight_ih_l0,
        "W_aa": rnn.weight_hh_l0,
        "b_a": rnn.bias_ih_l0,
        "W_ya": head.weight,
        "b_y": head.bias,
    }
    with torch.no_grad():
        for name, leaf in names.items():
            leaf.copy_(torch.from_numpy(weights[name]).reshape(leaf.shape))
        rnn.bias_hh_l0.zero_()
    X = bptt.one_hot(p["X"], n_x) if p["X"].ndim == 2 else p["X"]
    x = torch.tensor(X.transpose(2, 1, 0).copy(), dtype=dtype, requires_grad=True)
    a0 = torch.tensor(p["a0"].T[None].copy(), dtype=dtype, requires_grad=True)
    out, _ = rnn(x, a0)
    log_p = torch.log_softmax(head(out), dim=-1)
    Y = bptt.one_hot(p["Y"], n_y) if p["Y"].ndim == 2 else p["Y"]
    cost = -(torch.tensor(Y.transpose(2, 1, 0).copy(), dtype=dtype) * log_p).sum()
    cost.backward()
    gradients = {f"d{name}": leaf.grad.numpy().reshape(weights[name].shape) for name, leaf in names.items()}
    return float(cost.detach()), gradients | {"dX": x.grad.numpy().transpose(2, 1, 0), "da0": a0.grad.numpy()[0].T}


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("ids", [False, True])
@pytest.mark.parametrize("sizes", [*SIZES, (11, 20, 7, 13, 60)], ids=str)
def test_reference_and_fused_step_equal_torch(sizes, ids, activation):
    p = draw(sizes, ids=ids, soft=not ids)
    cost, gradients = torch_step(p, activation)
    cache = bptt.rnn_forward(p["X"], p["a0"], p["parameters"], activation)[2]
    assert bptt.rnn_cost(p["Y"], cache) == pytest.approx(cost, rel=1e-12)
    fast = fused.step(p["parameters"], p["X"], p["Y"], p["a0"], "sum", activation)
    assert fast[0] == pytest.approx(cost, rel=1e-12)
    for ours in (bptt.rnn_backward(p["Y"], cache), fast[1]):
        for name, gradient in ours.items():
            scale = np.abs(gradients[name]).max()
            np.testing.assert_allclose(gradient, gradients[name], rtol=0, atol=1e-12 * scale + 1e-15, err_msg=name)


def test_float32_equals_torch_to_its_own_rounding():
    p = draw((9, 30, 7, 16, 50), dtype=np.float32, soft=False)
    cost, gradients = torch_step(p, "tanh")
    fast = fused.step(p["parameters"], p["X"], p["Y"], p["a0"], "sum")
    assert fast[0] == pytest.approx(cost, rel=1e-5)
    for name, gradient in fast[1].items():
        np.testing.assert_allclose(gradient, gradients[name], rtol=0, atol=2e-5 * np.abs(gradients[name]).max())
