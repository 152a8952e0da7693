from math import sqrt
import numpy as np

def init_weights(nx, nh, ny):
    U = np.random.uniform(-1/sqrt(nx), 1/sqrt(nx), (nh, nx))
    W = np.random.uniform(-1/sqrt(nh), 1/sqrt(nh), (nh, nh))
    V = np.random.uniform(-1/sqrt(nh), 1/sqrt(nh), (ny, nh))
    return U, W, V

def softmax(x):
    xt = np.exp(x - np.max(x))
    return xt / np.sum(xt)

def forward_prop(x, U, W, V):
    T = len(x)
    s = np.zeros((T + 1, W.shape[0]))
    o = np.zeros((T, V.shape[0]))
    for t in range(T):
        s[t] = np.tanh(U.dot(x[t]) + W.dot(s[t-1]))
        o[t] = softmax(V.dot(s[t]))
    return o, s

def total_loss(o, y):
    return -np.sum(np.log(o[np.arange(len(y)), y]))

def backward_prop(x, y, o, s, U, W, V):
    dU, dW, dV = np.zeros(U.shape), np.zeros(W.shape), np.zeros(V.shape)
    delta_o = o.copy()
    delta_o[np.arange(len(y)), y] -= 1
    carry = np.zeros(W.shape[0])
    for t in np.arange(len(y))[::-1]:
        dV += np.outer(delta_o[t], s[t])
        delta_t = (V.T.dot(delta_o[t]) + carry) * (1 - s[t] ** 2)
        dW += np.outer(delta_t, s[t-1])
        dU += np.outer(delta_t, x[t])
        carry = W.T.dot(delta_t)
    return dU, dW, dV
