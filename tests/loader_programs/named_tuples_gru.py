import numpy as np
from collections import namedtuple

Params = namedtuple('Params', 'Wz Uz bz Wr Ur br Wh Uh bh Wy by')
State = namedtuple('State', 'x h_prev z r hh h p')

def sigm(a):
    return 1 / (1 + np.exp(-a))

def init(nx, nh, ny):
    w = lambda *s: np.random.randn(*s) * 0.1
    return Params(w(nh, nx), w(nh, nh), np.zeros(nh), w(nh, nx), w(nh, nh), np.zeros(nh),
                  w(nh, nx), w(nh, nh), np.zeros(nh), w(ny, nh), np.zeros(ny))

def unroll(P, xs, h):
    states = []
    for x in xs:
        z = sigm(P.Wz @ x + P.Uz @ h + P.bz)
        r = sigm(P.Wr @ x + P.Ur @ h + P.br)
        hh = np.tanh(P.Wh @ x + P.Uh @ (r * h) + P.bh)
        hn = (1 - z) * h + z * hh
        o = P.Wy @ hn + P.by
        e = np.exp(o - o.max())
        states.append(State(x, h, z, r, hh, hn, e / e.sum()))
        h = hn
    return states

def xent(states, labels):
    return -sum(np.log(s.p[l]) for s, l in zip(states, labels))

def bptt(P, states, labels):
    G = Params(*[np.zeros_like(q) for q in P])
    dh = np.zeros(P.Uz.shape[0])
    for s, l in zip(states[::-1], labels[::-1]):
        do = s.p.copy(); do[l] -= 1
        G.Wy[:] += np.outer(do, s.h); G.by[:] += do
        dh = dh + P.Wy.T @ do
        dhh = dh * s.z * (1 - s.hh ** 2)
        dz = dh * (s.hh - s.h_prev) * s.z * (1 - s.z)
        drh = P.Uh.T @ dhh
        dr = drh * s.h_prev * s.r * (1 - s.r)
        for (W, U, b), d in (((G.Wz, G.Uz, G.bz), dz), ((G.Wr, G.Ur, G.br), dr)):
            W += np.outer(d, s.x); U += np.outer(d, s.h_prev); b += d
        G.Wh[:] += np.outer(dhh, s.x); G.Uh[:] += np.outer(dhh, s.r * s.h_prev); G.bh[:] += dhh
        dh = dh * (1 - s.z) + drh * s.r + P.Uz.T @ dz + P.Ur.T @ dr
    return G

sentence = "the quick brown fox jumps over the lazy dog".split()
words = sorted(set(sentence))
ids = [words.index(w) for w in sentence]
eye = np.eye(len(words))
P = init(len(words), 30, len(words))
for it in range(300):
    S = unroll(P, eye[ids[:-1]], np.zeros(30))
    G = bptt(P, S, ids[1:])
    P = Params(*[q - 0.1 * g for q, g in zip(P, G)])
    if it % 50 == 0:
        print(it, xent(S, ids[1:]))
