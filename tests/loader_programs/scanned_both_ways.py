import numpy as np


def sweep(U, R, b, X, steps):
    """X: (examples, time, features); steps: in which order"""
    H = np.zeros((X.shape[0], X.shape[1], R.shape[0]))
    before = np.zeros_like(H)
    h = np.zeros((X.shape[0], R.shape[0]))
    for t in steps:
        before[:, t] = h
        h = np.tanh(X[:, t] @ U + h @ R + b)
        H[:, t] = h
    return H, before


def sweep_back(U, R, X, kept, dH, steps):
    H, before = kept
    dU, dR, db = np.zeros_like(U), np.zeros_like(R), np.zeros(R.shape[0])
    dh = np.zeros((X.shape[0], R.shape[0]))
    for t in steps:
        dz = (dH[:, t] + dh) * (1 - H[:, t] ** 2)
        dU += X[:, t].T @ dz
        dR += before[:, t].T @ dz
        db += dz.sum(axis=0)
        dh = dz @ R.T
    return dU, dR, db


def run_net(w, X):
    there = sweep(w["U1"], w["R1"], w["b1"], X, range(X.shape[1]))
    back = sweep(w["U2"], w["R2"], w["b2"], X, range(X.shape[1] - 1, -1, -1))
    return there[0] @ w["V1"] + back[0] @ w["V2"] + w["c"], there, back


def squared_error(w, X, Y):
    return 0.5 * np.sum((run_net(w, X)[0] - Y) ** 2)


def derivatives(w, X, Y):
    out, there, back = run_net(w, X)
    e = out - Y
    d = {"V1": np.einsum("ntk,ntj->kj", there[0], e), "V2": np.einsum("ntk,ntj->kj", back[0], e)}
    d["c"] = e.sum(axis=(0, 1))
    last = X.shape[1] - 1
    d["U1"], d["R1"], d["b1"] = sweep_back(w["U1"], w["R1"], X, there, e @ w["V1"].T, range(last, -1, -1))
    d["U2"], d["R2"], d["b2"] = sweep_back(w["U2"], w["R2"], X, back, e @ w["V2"].T, range(last + 1))
    return d


if __name__ == "__main__":
    rng = np.random.RandomState(3)
    w = {}
    for k in "12":
        w["U" + k] = rng.randn(2, 6) * 0.4
        w["R" + k] = rng.randn(6, 6) * 0.4
        w["b" + k] = np.zeros(6)
        w["V" + k] = rng.randn(6, 1) * 0.4
    w["c"] = np.zeros(1)
    X = rng.randn(8, 9, 2)
    Y = X[:, ::-1, :1]
    for _ in range(100):
        d = derivatives(w, X, Y)
        for k in w:
            w[k] -= 0.01 * d[k]
    print(squared_error(w, X, Y))
