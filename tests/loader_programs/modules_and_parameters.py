import numpy as np


class Parameter:
    def __init__(self, data):
        self.data = data
        self.grad = np.zeros_like(data)


class Module:
    def parameters(self):
        for v in self.__dict__.values():
            if isinstance(v, Parameter):
                yield v
            elif isinstance(v, Module):
                yield from v.parameters()

    def zero_grad(self):
        for p in self.parameters():
            p.grad[...] = 0

    def __call__(self, *args):
        return self.forward(*args)


class Linear(Module):
    def __init__(self, n_in, n_out):
        k = 1 / np.sqrt(n_in)
        self.weight = Parameter(np.random.uniform(-k, k, (n_out, n_in)))
        self.bias = Parameter(np.random.uniform(-k, k, n_out))

    def forward(self, x):
        self.x = x
        return x @ self.weight.data.T + self.bias.data

    def backward(self, dy):
        self.weight.grad += dy.T @ self.x
        self.bias.grad += dy.sum(0)
        return dy @ self.weight.data


class GRU(Module):
    def __init__(self, n_in, n_hid):
        k = 1 / np.sqrt(n_hid)
        u = lambda *s: Parameter(np.random.uniform(-k, k, s))
        self.weight_ih = u(3 * n_hid, n_in)
        self.weight_hh = u(3 * n_hid, n_hid)
        self.bias_ih = u(3 * n_hid)
        self.bias_hh = u(3 * n_hid)
        self.H = n_hid

    def forward(self, x, h0=None):
        # x: (T, B, I)
        T, B, _ = x.shape
        H = self.H
        h = np.zeros((B, H)) if h0 is None else h0
        self.saved = []
        out = []
        sig = lambda v: 1 / (1 + np.exp(-v))
        for t in range(T):
            gi = x[t] @ self.weight_ih.data.T + self.bias_ih.data
            gh = h @ self.weight_hh.data.T + self.bias_hh.data
            r = sig(gi[:, :H] + gh[:, :H])
            z = sig(gi[:, H:2 * H] + gh[:, H:2 * H])
            n = np.tanh(gi[:, 2 * H:] + r * gh[:, 2 * H:])
            self.saved.append((x[t], h, r, z, n, gh[:, 2 * H:]))
            h = (1 - z) * n + z * h
            out.append(h)
        return np.stack(out), h

    def backward(self, dout):
        T = len(self.saved)
        H = self.H
        dh = np.zeros_like(dout[0])
        dx = []
        for t in reversed(range(T)):
            x, hp, r, z, n, hn = self.saved[t]
            dh = dh + dout[t]
            dz = dh * (hp - n) * z * (1 - z)
            dn = dh * (1 - z) * (1 - n * n)
            dr = dn * hn * r * (1 - r)
            dgi = np.concatenate([dr, dz, dn], axis=1)
            dgh = np.concatenate([dr, dz, dn * r], axis=1)
            self.weight_ih.grad += dgi.T @ x
            self.weight_hh.grad += dgh.T @ hp
            self.bias_ih.grad += dgi.sum(0)
            self.bias_hh.grad += dgh.sum(0)
            dx.append(dgi @ self.weight_ih.data)
            dh = dh * z + dgh @ self.weight_hh.data
        return np.stack(dx[::-1])


class Net(Module):
    def __init__(self, n_in, n_hid, n_out):
        self.rnn = GRU(n_in, n_hid)
        self.fc = Linear(n_hid, n_out)

    def forward(self, x):
        out, _ = self.rnn(x)
        self.shape = out.shape
        return self.fc(out[-1])

    def backward(self, dy):
        d = np.zeros(self.shape)
        d[-1] = self.fc.backward(dy)
        return self.rnn.backward(d)


class CrossEntropyLoss:
    def __call__(self, logits, target):
        e = np.exp(logits - logits.max(1, keepdims=True))
        self.p = e / e.sum(1, keepdims=True)
        self.t = target
        return -np.mean(np.log(self.p[np.arange(len(target)), target]))

    def backward(self):
        d = self.p.copy()
        d[np.arange(len(self.t)), self.t] -= 1
        return d / len(self.t)


class SGD:
    def __init__(self, params, lr):
        self.params = list(params)
        self.lr = lr

    def step(self):
        for p in self.params:
            p.data -= self.lr * p.grad


def main():
    np.random.seed(0)
    net = Net(8, 32, 4)
    opt = SGD(net.parameters(), lr=0.1)
    criterion = CrossEntropyLoss()
    for it in range(300):
        x = np.random.randn(12, 16, 8)
        y = np.argmax(x.sum(0)[:, :4], axis=1)
        net.zero_grad()
        loss = criterion(net(x), y)
        net.backward(criterion.backward())
        opt.step()
        if it % 50 == 0:
            print(it, loss)


main()
