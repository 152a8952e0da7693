import numpy as np

def irnn_loss(model, x, target, h_start):
    """ReLU RNN. x is D x N x T, target is K x N (only the sum of the states is read out). Returns loss, grads."""
    W, R, S, b_h, b_s = model['W'], model['R'], model['S'], model['b_h'], model['b_s']
    N, T = x.shape[1:]
    a, h, total = {}, {-1: h_start}, 0
    for t in range(T):
        a[t] = W.dot(x[:, :, t]) + R.dot(h[t-1]) + b_h
        h[t] = np.maximum(a[t], 0)
        total = total + h[t]
    diff = S.dot(total) + b_s - target
    loss = 0.5 * (diff * diff).sum() / N

    d_W, d_R, d_b_h = np.zeros(W.shape), np.zeros(R.shape), np.zeros(b_h.shape)
    d_diff = diff / N
    d_S = d_diff.dot(total.T)
    d_b_s = d_diff.sum(1, keepdims=True)
    d_total = S.T.dot(d_diff)
    d_h = np.zeros(h_start.shape)
    for t in range(T-1, -1, -1):
        d_h = d_h + d_total            # every state is in the sum
        d_a = np.where(a[t] > 0, d_h, 0)
        d_W += d_a.dot(x[:, :, t].T)
        d_R += d_a.dot(h[t-1].T)
        d_b_h += d_a.sum(1, keepdims=True)
        d_h = R.T.dot(d_a)
    grads = {'d_W': d_W, 'd_R': d_R, 'd_S': d_S, 'd_b_h': d_b_h, 'd_b_s': d_b_s, 'd_h_start': d_h}
    return loss, grads
