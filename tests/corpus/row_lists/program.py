# Vanilla RNN on sequences of row vectors, one example at a time.
# x_t is (1, n_in), h_t is (1, n_hid); softmax output at each step
import numpy as np
import matplotlib.pyplot as plt

np.random.seed(0)


class RNN(object):
    def __init__(self, n_in, n_hid, n_out, lr=0.01):
        self.n_hid = n_hid
        self.U = np.random.uniform(-1, 1, (n_in, n_hid)) / np.sqrt(n_in)
        self.W = np.random.uniform(-1, 1, (n_hid, n_hid)) / np.sqrt(n_hid)
        self.V = np.random.uniform(-1, 1, (n_hid, n_out)) / np.sqrt(n_hid)
        self.bias_h = np.zeros((1, n_hid))
        self.bias_o = np.zeros((1, n_out))
        self.lr = lr

    def softmax(self, o):
        ex = np.exp(o - o.max())
        return ex / ex.sum()

    def forward(self, xs):
        hs = [np.zeros((1, self.n_hid))]
        outs = []
        for x in xs:
            h = np.tanh(x @ self.U + hs[-1] @ self.W + self.bias_h)
            hs.append(h)
            outs.append(self.softmax(h @ self.V + self.bias_o))
        return hs, outs

    def loss(self, outs, ys):
        total = 0.0
        for out, y in zip(outs, ys):
            total -= np.sum(y * np.log(out))
        return total

    def backward(self, xs, hs, outs, ys):
        dU = np.zeros_like(self.U)
        dW = np.zeros_like(self.W)
        dV = np.zeros_like(self.V)
        dbh = np.zeros_like(self.bias_h)
        dbo = np.zeros_like(self.bias_o)
        carry = np.zeros((1, self.n_hid))

        for t in range(len(xs))[::-1]:
            h_t, h_before = hs[t + 1], hs[t]      # hs[0] is the start
            err = outs[t] - ys[t]
            dV += h_t.T @ err
            dbo += err
            dh = err @ self.V.T + carry
            dnet = dh * (1. - h_t ** 2)
            dU += xs[t].T @ dnet
            dW += h_before.T @ dnet
            dbh += dnet
            carry = dnet @ self.W.T
        return dU, dW, dV, dbh, dbo

    def step(self, xs, ys):
        hs, outs = self.forward(xs)
        grads = self.backward(xs, hs, outs, ys)
        for p, g in zip((self.U, self.W, self.V, self.bias_h, self.bias_o), grads):
            p -= self.lr * g
        return self.loss(outs, ys)


if __name__ == '__main__':
    # toy problem: remember the symbol seen two steps ago
    n_sym, T = 4, 12
    rnn = RNN(n_sym, 16, n_sym)
    losses = []
    for it in range(5000):
        idx = np.random.randint(0, n_sym, T)
        xs = [np.eye(n_sym)[i:i + 1] for i in idx]
        ys = [xs[max(t - 2, 0)] for t in range(T)]
        losses.append(rnn.step(xs, ys))
        if it % 500 == 0:
            print(it, losses[-1])
    plt.plot(losses)
    plt.show()
