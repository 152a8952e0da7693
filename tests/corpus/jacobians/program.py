"""
Backpropagation through time written exactly as in the lecture: with Jacobian matrices and row-vector gradients.
Slow, but every factor is the one on the blackboard.
"""
import numpy as np


def softmax(s):
    s = np.exp(s - np.amax(s))
    return s / np.sum(s)


def softmax_jacobian(p):
    # dp_i / ds_j = p_i (delta_ij - p_j)
    return np.diag(p) - np.outer(p, p)


def run(theta, xs, h_init):
    W, U, V, b, c = theta
    hs, ps = [h_init], []
    for x in xs:
        hs.append(np.tanh(W @ hs[-1] + U @ x + b))
        ps.append(softmax(V @ hs[-1] + c))
    return hs, ps


def loss(ps, ks):
    return sum(-np.log(p[k]) for p, k in zip(ps, ks))


def gradients(theta, xs, ks, hs, ps):
    """Direct double sum: dL/dW = sum_t sum_k<=t dL_t/dh_t * dh_t/dh_k * dh_k/dW."""
    W, U, V, b, c = theta
    gW, gU, gV, gb, gc = [np.zeros(p.shape) for p in theta]
    for t in range(len(xs)):
        # dL_t / dp_t, a row with one entry
        dL_dp = np.zeros(len(c))
        dL_dp[ks[t]] = -1.0 / ps[t][ks[t]]
        dL_ds = dL_dp @ softmax_jacobian(ps[t])
        gV += np.outer(dL_ds, hs[t + 1])
        gc += dL_ds
        dL_dh = dL_ds @ V
        # walk back from step t to the first one
        for k in range(t, -1, -1):
            D = np.diag(1 - hs[k + 1] ** 2)
            dL_dz = dL_dh @ D
            gW += np.outer(dL_dz, hs[k])
            gU += np.outer(dL_dz, xs[k])
            gb += dL_dz
            # dh_k / dh_{k-1} = D W
            dL_dh = dL_dz @ W
    return gW, gU, gV, gb, gc
