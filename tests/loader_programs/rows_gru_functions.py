import numpy as np

def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))

def gru_forward(x, h0, params):
    """x: (T, N, D)"""
    h, cache = h0, []
    hs = []
    for t in range(x.shape[0]):
        z = sigmoid(x[t] @ params['Wz'] + h @ params['Uz'] + params['bz'])
        r = sigmoid(x[t] @ params['Wr'] + h @ params['Ur'] + params['br'])
        hh = np.tanh(x[t] @ params['Wh'] + (r * h) @ params['Uh'] + params['bh'])
        h_new = z * h + (1 - z) * hh
        cache.append((x[t], h, z, r, hh))
        h = h_new
        hs.append(h)
    return np.stack(hs), cache

def gru_backward(dhs, cache, params):
    grads = {k: np.zeros_like(v) for k, v in params.items()}
    dh_next = np.zeros_like(dhs[0])
    for t in reversed(range(len(cache))):
        x, h, z, r, hh = cache[t]
        dh = dhs[t] + dh_next
        dz = dh * (h - hh) * z * (1 - z)
        dhh = dh * (1 - z) * (1 - hh ** 2)
        drh = dhh @ params['Uh'].T
        dr = drh * h * r * (1 - r)
        grads['Wz'] += x.T @ dz; grads['Uz'] += h.T @ dz; grads['bz'] += dz.sum(axis=0)
        grads['Wr'] += x.T @ dr; grads['Ur'] += h.T @ dr; grads['br'] += dr.sum(axis=0)
        grads['Wh'] += x.T @ dhh; grads['Uh'] += (r * h).T @ dhh; grads['bh'] += dhh.sum(axis=0)
        dh_next = dh * z + dz @ params['Uz'].T + dr @ params['Ur'].T + drh * r
    return grads
