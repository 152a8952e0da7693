import numpy as np

# flat vector theta, scipy.optimize wants (f, g)
from scipy.optimize import fmin_l_bfgs_b

nin, nhid, nout = 3, 10, 2


def unpack(theta):
    a = nhid * nin
    b = a + nhid * nhid
    c = b + nhid
    d = c + nout * nhid
    return (theta[:a].reshape(nhid, nin), theta[a:b].reshape(nhid, nhid), theta[b:c],
            theta[c:d].reshape(nout, nhid), theta[d:])


def objective(theta, seqs, lam):
    Wx, Wh, b, Wo, bo = unpack(theta)
    f = 0.5 * lam * (theta ** 2).sum()
    gx, gh, gb, go, gbo = [np.zeros_like(q) for q in (Wx, Wh, b, Wo, bo)]
    for x, y in seqs:
        h = np.zeros((len(x) + 1, nhid))
        out = np.zeros((len(x), nout))
        for t in range(len(x)):
            h[t] = np.tanh(Wx @ x[t] + Wh @ h[t - 1] + b)
            out[t] = Wo @ h[t] + bo
        r = out - y
        f += 0.5 * (r ** 2).sum()
        dh = np.zeros(nhid)
        for t in reversed(range(len(x))):
            go += np.outer(r[t], h[t])
            gbo += r[t]
            dz = (Wo.T @ r[t] + dh) * (1 - h[t] ** 2)
            gx += np.outer(dz, x[t])
            gh += np.outer(dz, h[t - 1])
            gb += dz
            dh = Wh.T @ dz
    g = np.concatenate([q.ravel() for q in (gx, gh, gb, go, gbo)])
    return f, g + lam * theta


rng = np.random.RandomState(7)
seqs = [(rng.randn(9, nin), rng.randn(9, nout)) for _ in range(6)]
theta0 = rng.randn(nhid * nin + nhid * nhid + nhid + nout * nhid + nout) * 0.1
best, val, info = fmin_l_bfgs_b(objective, theta0, args=(seqs, 1e-3), maxiter=200)
print(val)
