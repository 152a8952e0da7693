"""Deep RNN as lists of weights, one per layer."""
import numpy as np

sizes = [8, 20, 15, 4]


def new_weights():
    W = [np.random.randn(sizes[i + 1], sizes[i]) * 0.2 for i in range(2)]
    U = [np.random.randn(sizes[i + 1], sizes[i + 1]) * 0.2 for i in range(2)]
    B = [np.zeros((sizes[i + 1], 1)) for i in range(2)]
    V = np.random.randn(sizes[3], sizes[2]) * 0.2
    return W, U, B, V


def run(weights, X):
    W, U, B, V = weights
    T = X.shape[2]
    H = [[np.zeros((sizes[l + 1], X.shape[1]))] for l in range(2)]
    O = []
    for t in range(T):
        inp = X[:, :, t]
        for l in range(2):
            h = np.tanh(W[l] @ inp + U[l] @ H[l][-1] + B[l])
            H[l].append(h)
            inp = h
        O.append(V @ inp)
    return H, O


def energy(O, Y):
    return 0.5 * sum(((o - Y[:, :, t]) ** 2).sum() for t, o in enumerate(O))


def gradient(weights, X, Y, H, O):
    W, U, B, V = weights
    gW = [np.zeros_like(w) for w in W]
    gU = [np.zeros_like(w) for w in U]
    gB = [np.zeros_like(w) for w in B]
    gV = np.zeros_like(V)
    later = [np.zeros_like(H[l][0]) for l in range(2)]
    for t in range(len(O) - 1, -1, -1):
        e = O[t] - Y[:, :, t]
        gV += e @ H[1][t + 1].T
        d = V.T @ e
        for l in (1, 0):
            d = (d + later[l]) * (1 - H[l][t + 1] ** 2)
            below = H[l - 1][t + 1] if l > 0 else X[:, :, t]
            gW[l] += d @ below.T
            gU[l] += d @ H[l][t].T
            gB[l] += d.sum(axis=1, keepdims=True)
            later[l] = U[l].T @ d
            d = W[l].T @ d
    return gW, gU, gB, gV


X = np.random.randn(8, 50, 12)
Y = np.random.randn(4, 50, 12)
weights = new_weights()
for k in range(100):
    H, O = run(weights, X)
    gW, gU, gB, gV = gradient(weights, X, Y, H, O)
    for l in range(2):
        weights[0][l] -= 0.01 * gW[l]
        weights[1][l] -= 0.01 * gU[l]
        weights[2][l] -= 0.01 * gB[l]
    weights[3][...] -= 0.01 * gV
    if k % 10 == 0:
        print(k, energy(O, Y))
