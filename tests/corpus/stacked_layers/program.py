"""Deep (stacked) vanilla RNN, batch-last-but-one layout: X[n_x, m, T], one dict of parameters per layer."""
import numpy as np


def new_network(sizes, n_y, rng):
    """sizes = [n_x, n_1, n_2, ...]"""
    layers = []
    for n_in, n_out in zip(sizes[:-1], sizes[1:]):
        layers.append({
            "U": rng.standard_normal((n_out, n_in)) / np.sqrt(n_in),
            "W": rng.standard_normal((n_out, n_out)) / np.sqrt(n_out),
            "b": np.zeros((n_out, 1)),
        })
    out = {"V": rng.standard_normal((n_y, sizes[-1])) / np.sqrt(sizes[-1]), "c": np.zeros((n_y, 1))}
    return layers, out


def layer_states(layer, X, a0):
    n, m, T = layer["W"].shape[0], X.shape[1], X.shape[2]
    A = np.empty((n, m, T))
    a = a0
    for t in range(T):
        a = np.tanh(layer["U"] @ X[:, :, t] + layer["W"] @ a + layer["b"])
        A[:, :, t] = a
    return A


def forward(layers, out, X, A0):
    """Returns all states [A_1, A_2, ...] and the class probabilities P[n_y, m, T]."""
    states, below = [], X
    for layer, a0 in zip(layers, A0):
        below = layer_states(layer, below, a0)
        states.append(below)
    scores = np.tensordot(out["V"], below, axes=(1, 0)) + out["c"][:, :, None]
    scores -= scores.max(axis=0, keepdims=True)
    P = np.exp(scores)
    P /= P.sum(axis=0, keepdims=True)
    return states, P


def mean_cross_entropy(P, Y):
    n_y, m, T = P.shape
    return -np.sum(Y * np.log(P)) / (m * T)


def layer_backward(layer, X, A, a0, dA):
    """dA: gradient of the cost wrt the states of this layer from above; returns the gradients and dX."""
    n, m, T = A.shape
    grads = {name: np.zeros_like(value) for name, value in layer.items()}
    dX = np.zeros_like(X)
    da_next = np.zeros((n, m))
    for t in range(T - 1, -1, -1):
        a_prev = A[:, :, t - 1] if t > 0 else a0
        da = dA[:, :, t] + da_next
        dz = da * (1 - A[:, :, t] ** 2)
        grads["U"] += dz @ X[:, :, t].T
        grads["W"] += dz @ a_prev.T
        grads["b"] += dz.sum(axis=1, keepdims=True)
        dX[:, :, t] = layer["U"].T @ dz
        da_next = layer["W"].T @ dz
    return grads, dX


def backward(layers, out, X, A0, states, P, Y):
    n_y, m, T = P.shape
    dscores = (P - Y) / (m * T)
    grads_out = {
        "V": np.tensordot(dscores, states[-1], axes=([1, 2], [1, 2])),
        "c": dscores.sum(axis=(1, 2))[:, None],
    }
    dA = np.tensordot(out["V"].T, dscores, axes=(1, 0))
    grads_layers = [None] * len(layers)
    for l in reversed(range(len(layers))):
        below = states[l - 1] if l > 0 else X
        grads_layers[l], dA = layer_backward(layers[l], below, states[l], A0[l], dA)
    return grads_layers, grads_out
