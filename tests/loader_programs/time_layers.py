import numpy as np


class Cell:
    def __init__(self, Wx, Wh, b):
        self.params = [Wx, Wh, b]
        self.grads = [np.zeros_like(p) for p in self.params]

    def forward(self, x, h):
        Wx, Wh, b = self.params
        out = np.tanh(x @ Wx + h @ Wh + b)
        self.kept = x, h, out
        return out

    def backward(self, dout):
        Wx, Wh, b = self.params
        x, h, out = self.kept
        dz = dout * (1 - out**2)
        self.grads[0][...] = x.T @ dz
        self.grads[1][...] = h.T @ dz
        self.grads[2][...] = dz.sum(axis=0)
        return dz @ Wx.T, dz @ Wh.T


class TimeRecurrent:
    def __init__(self, Wx, Wh, b):
        self.params = [Wx, Wh, b]
        self.grads = [np.zeros_like(p) for p in self.params]

    def forward(self, xs):
        N, T, D = xs.shape
        H = self.params[1].shape[0]
        self.cells, hs, h = [], np.empty((N, T, H)), np.zeros((N, H))
        for t in range(T):
            cell = Cell(*self.params)
            h = hs[:, t] = cell.forward(xs[:, t], h)
            self.cells.append(cell)
        return hs

    def backward(self, dhs):
        total, dh, dxs = [0, 0, 0], 0, []
        for t in reversed(range(dhs.shape[1])):
            dx, dh = self.cells[t].backward(dhs[:, t] + dh)
            dxs.insert(0, dx)
            for i, grad in enumerate(self.cells[t].grads):
                total[i] += grad
        for i, grad in enumerate(total):
            self.grads[i][...] = grad
        return np.stack(dxs, axis=1)


class TimeLinear:
    def __init__(self, W, b):
        self.params = [W, b]
        self.grads = [np.zeros_like(W), np.zeros_like(b)]

    def forward(self, x):
        N, T, D = x.shape
        self.x = x
        return (x.reshape(N * T, D) @ self.params[0] + self.params[1]).reshape(N, T, -1)

    def backward(self, dout):
        N, T, D = self.x.shape
        flat = dout.reshape(N * T, -1)
        self.grads[0][...] = self.x.reshape(N * T, D).T @ flat
        self.grads[1][...] = flat.sum(axis=0)
        return (flat @ self.params[0].T).reshape(N, T, D)


class TimeLoss:
    def forward(self, xs, ts):
        N, T, V = xs.shape
        z = xs.reshape(N * T, V)
        z = np.exp(z - z.max(axis=1, keepdims=True))
        ys, ts = z / z.sum(axis=1, keepdims=True), ts.reshape(N * T)
        self.kept = ys, ts, (N, T, V)
        return -np.sum(np.log(ys[np.arange(N * T), ts])) / (N * T)

    def backward(self, dout=1):
        ys, ts, (N, T, V) = self.kept
        dx = ys.copy()
        dx[np.arange(N * T), ts] -= 1
        return (dx * dout / (N * T)).reshape(N, T, V)


class Tagger:
    def __init__(self, input_size, hidden_size, vocab_size):
        r = np.random.randn
        self.layers = [
            TimeRecurrent(r(input_size, hidden_size) / 9, r(hidden_size, hidden_size) / 9, np.zeros(hidden_size)),
            TimeLinear(r(hidden_size, vocab_size) / 9, np.zeros(vocab_size)),
        ]
        self.last = TimeLoss()
        self.params, self.grads = [], []
        for layer in self.layers:
            self.params += layer.params
            self.grads += layer.grads

    def forward(self, xs, ts):
        for layer in self.layers:
            xs = layer.forward(xs)
        return self.last.forward(xs, ts)

    def backward(self, dout=1):
        dout = self.last.backward(dout)
        for layer in reversed(self.layers):
            dout = layer.backward(dout)
        return dout
