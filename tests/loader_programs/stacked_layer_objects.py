import numpy as np
class Layer:
    def __init__(self, n_in, n_out):
        self.Wx = np.random.randn(n_out, n_in) * 0.1
        self.Wh = np.random.randn(n_out, n_out) * 0.1
        self.b = np.zeros(n_out)
    def forward(self, xs):
        self.xs = xs
        self.hs = [np.zeros(len(self.b))]
        for x in xs:
            self.hs.append(np.tanh(self.Wx @ x + self.Wh @ self.hs[-1] + self.b))
        return self.hs[1:]
    def backward(self, dhs):
        self.dWx = np.zeros_like(self.Wx); self.dWh = np.zeros_like(self.Wh); self.db = np.zeros_like(self.b)
        carry = np.zeros(len(self.b))
        dxs = []
        for t in range(len(dhs) - 1, -1, -1):
            dz = (dhs[t] + carry) * (1 - self.hs[t + 1] ** 2)
            self.dWx += np.outer(dz, self.xs[t]); self.dWh += np.outer(dz, self.hs[t]); self.db += dz
            carry = self.Wh.T @ dz
            dxs.insert(0, self.Wx.T @ dz)
        return dxs
class Net:
    def __init__(self, sizes):
        self.layers = [Layer(a, b) for a, b in zip(sizes[:-2], sizes[1:-1])]
        self.V = np.random.randn(sizes[-1], sizes[-2]) * 0.1
        self.c = np.zeros(sizes[-1])
    def forward(self, xs):
        for l in self.layers:
            xs = l.forward(xs)
        self.top = xs
        return [self.V @ h + self.c for h in xs]
    def loss(self, ys, targets):
        return sum(0.5 * np.sum((y - t) ** 2) for y, t in zip(ys, targets))
    def backward(self, ys, targets):
        self.dV = np.zeros_like(self.V); self.dc = np.zeros_like(self.c)
        dhs = []
        for y, t, h in zip(ys, targets, self.top):
            e = y - t
            self.dV += np.outer(e, h); self.dc += e
            dhs.append(self.V.T @ e)
        for l in reversed(self.layers):
            dhs = l.backward(dhs)
    def sgd(self, lr):
        self.V -= lr * self.dV; self.c -= lr * self.dc
        for l in self.layers:
            l.Wx -= lr * l.dWx; l.Wh -= lr * l.dWh; l.b -= lr * l.db
