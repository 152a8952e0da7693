import numpy as np

class GatedUnit:
    """z and n from one matrix; the first row holds the biases"""

    @staticmethod
    def init(input_size, hidden_size):
        W = np.random.randn(1 + input_size + hidden_size, 2 * hidden_size) * 0.1
        W[0] = 0
        return W

    @staticmethod
    def forward(X, W, h0=None):
        n, b, k = X.shape
        d = W.shape[1] // 2
        h = np.zeros((b, d)) if h0 is None else h0
        H, tape = np.zeros((n, b, d)), []
        for t in range(n):
            v = np.hstack([np.ones((b, 1)), X[t], h])
            a = v.dot(W)
            z, c = 1 / (1 + np.exp(-a[:, :d])), np.tanh(a[:, d:])
            tape.append((v, z, c, h))
            h = (1 - z) * h + z * c
            H[t] = h
        return H, (tape, W)

    @staticmethod
    def backward(dH, cache):
        tape, W = cache
        n, b, d = dH.shape
        dW, dh = np.zeros_like(W), np.zeros((b, d))
        dX = np.zeros((n, b, W.shape[0] - 1 - d))
        for t in reversed(range(n)):
            v, z, c, h = tape[t]
            g = dH[t] + dh
            da = np.hstack([g * (c - h) * z * (1 - z), g * z * (1 - c ** 2)])
            dW += v.T.dot(da)
            dv = da.dot(W.T)
            dX[t] = dv[:, 1:-d]
            dh = g * (1 - z) + dv[:, -d:]
        return dX, dW, dh
