import numpy as np

np.random.seed(42)

class Gate:
    """one gate of an LSTM: act(Wx + Uh + b)"""
    def __init__(self, n_x, n_h, act):
        self.W = np.random.normal(0, .1, (n_h, n_x))
        self.U = np.random.normal(0, .1, (n_h, n_h))
        self.b = np.zeros(n_h)
        self.act = act
        self.clear()

    def clear(self):
        self.dW, self.dU, self.db = 0 * self.W, 0 * self.U, 0 * self.b
        self.outs = []

    def __call__(self, x, h):
        a = self.W.dot(x) + self.U.dot(h) + self.b
        y = 1 / (1 + np.exp(-a)) if self.act == 'sigmoid' else np.tanh(a)
        self.outs.append((x, h, y))
        return y

    def back(self, t, dy):
        x, h, y = self.outs[t]
        da = dy * (y * (1 - y) if self.act == 'sigmoid' else 1 - y * y)
        self.dW += np.outer(da, x)
        self.dU += np.outer(da, h)
        self.db += da
        return self.U.T.dot(da)


class LSTMLayer:
    def __init__(self, n_x, n_h):
        self.n_h = n_h
        self.gates = {'i': Gate(n_x, n_h, 'sigmoid'), 'f': Gate(n_x, n_h, 'sigmoid'),
                      'o': Gate(n_x, n_h, 'sigmoid'), 'g': Gate(n_x, n_h, 'tanh')}

    def forward(self, xs):
        for g in self.gates.values():
            g.clear()
        h = c = np.zeros(self.n_h)
        self.cs, hs = [c], []
        for x in xs:
            i, f, o, g = (self.gates[k](x, h) for k in 'ifog')
            c = f * c + i * g
            h = o * np.tanh(c)
            self.cs.append(c)
            hs.append(h)
        return hs

    def backward(self, dhs):
        dh = np.zeros(self.n_h)
        dc = np.zeros(self.n_h)
        G = self.gates
        for t in range(len(dhs) - 1, -1, -1):
            dh = dh + dhs[t]
            tc = np.tanh(self.cs[t + 1])
            i, f, o, g = (G[k].outs[t][2] for k in 'ifog')
            dc = dc + dh * o * (1 - tc ** 2)
            d = G['o'].back(t, dh * tc) + G['i'].back(t, dc * g) + G['f'].back(t, dc * self.cs[t]) + G['g'].back(t, dc * i)
            dh = d
            dc = dc * f


class Readout:
    def __init__(self, n_h, n_y):
        self.V = np.random.normal(0, .1, (n_y, n_h))
        self.dV = 0 * self.V

    def forward(self, hs):
        self.hs = hs
        return [self.V.dot(h) for h in hs]

    def backward(self, dys):
        self.dV = sum(np.outer(d, h) for d, h in zip(dys, self.hs))
        return [self.V.T.dot(d) for d in dys]


lstm, readout = LSTMLayer(2, 12), Readout(12, 1)
for episode in range(2000):
    xs = [np.array([np.random.rand(), float(k in (2, 7))]) for k in range(10)]
    target = sum(x[0] * x[1] for x in xs)
    ys = readout.forward(lstm.forward(xs))
    dys = [np.zeros(1) for _ in ys]
    dys[-1] = ys[-1] - target
    lstm.backward(readout.backward(dys))
    for g in lstm.gates.values():
        g.W -= 0.05 * g.dW
        g.U -= 0.05 * g.dU
        g.b -= 0.05 * g.db
    readout.V -= 0.05 * readout.dV
    if episode % 100 == 0:
        print(episode, 0.5 * float((ys[-1][0] - target) ** 2))
