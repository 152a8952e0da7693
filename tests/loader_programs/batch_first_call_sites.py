import numpy as np


def init_params(n_in, n_hid, seed=0):
    rng = np.random.RandomState(seed)
    return {"Wx": rng.randn(n_in, n_hid), "Wh": rng.randn(n_hid, n_hid), "b": np.zeros(n_hid), "v": rng.randn(n_hid, 1)}


def forward(P, X):
    N, T, _ = X.shape
    h = np.zeros((N, P["b"].shape[0]))
    cache = []
    for t in range(T):
        cache.append((X[:, t, :], h))
        h = np.tanh(X[:, t, :] @ P["Wx"] + h @ P["Wh"] + P["b"])
    prob = 1 / (1 + np.exp(-(h @ P["v"])))[:, 0]
    return prob, h, cache


def bce(prob, y):
    return -np.mean(y * np.log(prob) + (1 - y) * np.log(1 - prob))


def backward(P, prob, h_last, cache, y):
    grads = {k: np.zeros_like(v) for k, v in P.items()}
    e = ((prob - y) / len(y))[:, None]
    grads["v"] = h_last.T @ e
    dh, h = e @ P["v"].T, h_last
    for x, h_prev in reversed(cache):
        dz = dh * (1 - h**2)
        grads["Wx"] += x.T @ dz
        grads["Wh"] += h_prev.T @ dz
        grads["b"] += dz.sum(axis=0)
        dh, h = dz @ P["Wh"].T, h_prev
    return grads


def train(X, y, n_hid=16, lr=0.5):
    P = init_params(X.shape[2], n_hid)
    for _ in range(100):
        prob, h_last, cache = forward(P, X)
        grads = backward(P, prob, h_last, cache, y)
        for k in P:
            P[k] -= lr * grads[k]
    return P
