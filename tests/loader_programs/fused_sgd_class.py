import numpy as np

class RNN(object):
    def __init__(self, n_in, n_hidden, n_out, lr=0.01):
        self.W_in = np.random.randn(n_hidden, n_in) * 0.1
        self.W_rec = np.random.randn(n_hidden, n_hidden) * 0.1
        self.W_out = np.random.randn(n_out, n_hidden) * 0.1
        self.lr = lr

    def forward(self, xs):
        self.xs = xs
        self.hs = [np.zeros((self.W_rec.shape[0], 1))]
        self.ys = []
        for x in xs:
            h = np.tanh(self.W_in @ x + self.W_rec @ self.hs[-1])
            self.hs.append(h)
            self.ys.append(self.W_out @ h)
        return self.ys

    def loss(self, targets):
        return 0.5 * sum(np.sum((y - t) ** 2) for y, t in zip(self.ys, targets))

    def backward(self, targets):
        dW_in = np.zeros_like(self.W_in)
        dW_rec = np.zeros_like(self.W_rec)
        dW_out = np.zeros_like(self.W_out)
        dh_next = np.zeros_like(self.hs[0])
        for t in reversed(range(len(self.xs))):
            dy = self.ys[t] - targets[t]
            dW_out += dy @ self.hs[t + 1].T
            dh = self.W_out.T @ dy + dh_next
            dz = dh * (1 - self.hs[t + 1] ** 2)
            dW_in += dz @ self.xs[t].T
            dW_rec += dz @ self.hs[t].T
            dh_next = self.W_rec.T @ dz
        self.W_in -= self.lr * dW_in
        self.W_rec -= self.lr * dW_rec
        self.W_out -= self.lr * dW_out
