import numpy as np
from scipy.optimize import fmin_cg

def pack(*arrs):
    return np.concatenate([a.ravel() for a in arrs])

def unpack(theta, n_in, n_h, n_out):
    s = [(n_h, n_in), (n_h, n_h), (n_out, n_h), (n_h,), (n_out,)]
    out, k = [], 0
    for shape in s:
        n = int(np.prod(shape))
        out.append(theta[k:k + n].reshape(shape))
        k += n
    return out

def cost(theta, X, Y, n_in, n_h, n_out, lam):
    W, R, V, b, c = unpack(theta, n_in, n_h, n_out)
    h, J = np.zeros(n_h), 0.
    for x, y in zip(X, Y):
        h = np.tanh(W.dot(x) + R.dot(h) + b)
        J += 0.5 * np.sum((V.dot(h) + c - y) ** 2)
    return J + 0.5 * lam * sum(np.sum(M ** 2) for M in (W, R, V))

def gradient(theta, X, Y, n_in, n_h, n_out, lam):
    W, R, V, b, c = unpack(theta, n_in, n_h, n_out)
    H = [np.zeros(n_h)]
    for x in X:
        H.append(np.tanh(W.dot(x) + R.dot(H[-1]) + b))
    gW, gR, gV, gb, gc = lam * W, lam * R, lam * V, np.zeros(n_h), np.zeros(n_out)
    back = np.zeros(n_h)
    for t in range(len(X) - 1, -1, -1):
        e = V.dot(H[t + 1]) + c - Y[t]
        gV = gV + np.outer(e, H[t + 1])
        gc = gc + e
        d = (V.T.dot(e) + back) * (1 - H[t + 1] ** 2)
        gW = gW + np.outer(d, X[t])
        gR = gR + np.outer(d, H[t])
        gb = gb + d
        back = R.T.dot(d)
    return pack(gW, gR, gV, gb, gc)

if __name__ == '__main__':
    n_in, n_h, n_out = 2, 8, 1
    X = np.random.randn(30, 2)
    Y = np.roll(X[:, :1], 2, axis=0)
    theta0 = 0.1 * np.random.randn(n_h * n_in + n_h * n_h + n_out * n_h + n_h + n_out)
    best = fmin_cg(cost, theta0, fprime=gradient, args=(X, Y, n_in, n_h, n_out, 1e-3), maxiter=200)
    print(cost(best, X, Y, n_in, n_h, n_out, 0))
