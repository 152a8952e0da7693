import numpy as np

verborgen = 40


def gewichte(eingang, verborgen):
    W = {}
    for tor in ("z", "h"):
        W["W_" + tor] = np.random.randn(verborgen, eingang + verborgen) * 0.1
        W["b_" + tor] = np.zeros((verborgen, 1))
    W["W_v"] = np.random.randn(eingang, verborgen) * 0.1
    W["b_v"] = np.zeros((eingang, 1))
    return W


def vor(x, h_alt, W):
    u = np.vstack((x, h_alt))
    z = 1 / (1 + np.exp(-(W["W_z"] @ u + W["b_z"])))
    n = np.tanh(W["W_h"] @ u + W["b_h"])
    h = z * h_alt + (1 - z) * n
    o = np.exp(W["W_v"] @ h + W["b_v"])
    return u, z, n, h, o / o.sum()


def vor_und_zurueck(eingaben, ziele, h_start, W):
    groesse = W["b_v"].shape[0]
    h, merk, fehler = {-1: h_start}, {}, 0
    for t in range(len(eingaben)):
        x = np.zeros((groesse, 1))
        x[eingaben[t]] = 1
        merk[t] = vor(x, h[t - 1], W)
        h[t] = merk[t][3]
        fehler -= np.log(merk[t][4][ziele[t], 0])
    G = {k: np.zeros_like(w) for k, w in W.items()}
    dh = np.zeros_like(h_start)
    for t in reversed(range(len(eingaben))):
        u, z, n, neu, y = merk[t]
        dv = np.copy(y)
        dv[ziele[t]] -= 1
        G["W_v"] += dv @ neu.T
        G["b_v"] += dv
        dh = dh + W["W_v"].T @ dv
        dz = dh * (h[t - 1] - n) * z * (1 - z)
        dn = dh * (1 - z) * (1 - n**2)
        G["W_z"] += dz @ u.T
        G["b_z"] += dz
        G["W_h"] += dn @ u.T
        G["b_h"] += dn
        dh = dh * z + (W["W_z"].T @ dz + W["W_h"].T @ dn)[groesse:]
    return fehler, G
