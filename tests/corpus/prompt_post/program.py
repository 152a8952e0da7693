import numpy as np
def sigmoid(x):
    return 1 / (1 + np.exp(-x))

def fwd(seq, w):
    """seq: T vectors. the memory is m, the answer comes after the last one"""
    m = [np.zeros(len(w['rec']))]
    for v in seq:
        m.append(sigmoid(w['in'].dot(v) + w['rec'].dot(m[-1]) + w['bias']))
    return m, w['out'].dot(m[-1])

def err(ans, truth):
    return ((ans - truth) ** 2).sum() / 2

def bwd(seq, m, ans, truth, w):
    d = {k: np.zeros(w[k].shape) for k in w}
    dans = ans - truth
    d['out'] = np.outer(dans, m[-1])
    dm = w['out'].T.dot(dans)
    for t in range(len(seq), 0, -1):
        dnet = dm * m[t] * (1 - m[t])
        d['in'] += np.outer(dnet, seq[t - 1])
        d['rec'] += np.outer(dnet, m[t - 1])
        d['bias'] += dnet
        dm = w['rec'].T.dot(dnet)
    return d

