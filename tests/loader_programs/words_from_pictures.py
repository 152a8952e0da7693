import numpy as np


def words_in(ids, E):
    return E[ids], (ids, E)


def words_back(dx, memory):
    ids, E = memory
    dE = np.zeros_like(E)
    np.add.at(dE, ids, dx)
    return dE


def rnn_in(x, h, U, W, b):
    kept = []
    H = np.zeros((x.shape[0], x.shape[1], W.shape[0]))
    for t in range(x.shape[1]):
        new = np.tanh(x[:, t] @ U + h @ W + b)
        kept.append((x[:, t], h, new, U, W))
        H[:, t] = h = new
    return H, kept


def rnn_back(dH, kept):
    x, h, new, U, W = kept[0]
    dx = np.zeros(dH.shape[:2] + (U.shape[0],))
    dU, dW, db, dh = np.zeros_like(U), np.zeros_like(W), np.zeros(W.shape[0]), np.zeros_like(h)
    for t in reversed(range(dH.shape[1])):
        x, h, new, U, W = kept[t]
        dz = (dH[:, t] + dh) * (1 - new * new)
        dx[:, t] = dz @ U.T
        dh = dz @ W.T
        dU += x.T @ dz
        dW += h.T @ dz
        db += dz.sum(0)
    return dx, dh, dU, dW, db


class Describer:
    def __init__(self, vocab_size, word_dim=20, hidden=30):
        r = np.random.default_rng(0).normal
        self.weights = {
            "E": r(size=(vocab_size, word_dim)), "U": r(size=(word_dim, hidden)),
            "W": r(size=(hidden, hidden)) / 5, "b": np.zeros(hidden), "V": r(size=(hidden, vocab_size)),
            "c": np.zeros(vocab_size),
        }

    def loss(self, captions):
        """captions (N, T + 1) ids: each word is to be guessed from those before it"""
        w = self.weights
        given, wanted = captions[:, :-1], captions[:, 1:]
        x, m1 = words_in(given, w["E"])
        H, m2 = rnn_in(x, np.zeros((len(captions), w["W"].shape[0])), w["U"], w["W"], w["b"])
        z = H @ w["V"] + w["c"]
        p = np.exp(z - z.max(-1, keepdims=True))
        p /= p.sum(-1, keepdims=True)
        n, t = np.indices(wanted.shape)
        loss = -np.log(p[n, t, wanted]).sum() / len(captions)
        dz = p.copy()
        dz[n, t, wanted] -= 1
        dz /= len(captions)
        grads = {"V": np.einsum("nth,ntv->hv", H, dz), "c": dz.sum((0, 1))}
        dx, dh0, grads["U"], grads["W"], grads["b"] = rnn_back(dz @ w["V"].T, m2)
        grads["E"] = words_back(dx, m1)
        return loss, grads
