import unittest
import numpy as np


def lstm(x, h, c, W, b):
    n = h.shape[0]
    z = np.concatenate([x, h])
    a = W @ z + b
    i, f, o = 1 / (1 + np.exp(-a[:3 * n].reshape(3, n)))
    g = np.tanh(a[3 * n:])
    c2 = f * c + i * g
    h2 = o * np.tanh(c2)
    return h2, c2, (z, i, f, o, g, c, c2)


def lstm_back(dh, dc, saved, W):
    z, i, f, o, g, c, c2 = saved
    n = len(i)
    tc = np.tanh(c2)
    dc = dc + dh * o * (1 - tc ** 2)
    da = np.concatenate([dc * g * i * (1 - i), dc * c * f * (1 - f), dh * tc * o * (1 - o), dc * i * (1 - g ** 2)])
    dz = W.T @ da
    return dz[:-n], dz[-n:], dc * f, np.outer(da, z), da


def sequence_loss(xs, y, W, b, V):
    n = V.shape[1]
    h, c, tape = np.zeros(n), np.zeros(n), []
    for x in xs:
        h, c, s = lstm(x, h, c, W, b)
        tape.append(s)
    e = V @ h - y
    return 0.5 * e @ e, (tape, h, e)


def sequence_grad(xs, y, W, b, V):
    loss, (tape, h, e) = sequence_loss(xs, y, W, b, V)
    dV = np.outer(e, h)
    dh, dc = V.T @ e, np.zeros_like(h)
    dW, db = np.zeros_like(W), np.zeros_like(b)
    for s in reversed(tape):
        _, dh, dc, gW, gb = lstm_back(dh, dc, s, W)
        dW += gW
        db += gb
    return dW, db, dV


class TestGradients(unittest.TestCase):
    def setUp(self):
        r = np.random.RandomState(0)
        self.xs, self.y = r.randn(6, 3), r.randn(2)
        self.W, self.b, self.V = r.randn(16, 7) * .3, r.randn(16) * .1, r.randn(2, 4)

    def test_numeric(self):
        grads = sequence_grad(self.xs, self.y, self.W, self.b, self.V)
        for w, g in zip((self.W, self.b, self.V), grads):
            num = np.zeros_like(w)
            for k in np.ndindex(*w.shape):
                old = w[k]
                w[k] = old + 1e-5
                up = sequence_loss(self.xs, self.y, self.W, self.b, self.V)[0]
                w[k] = old - 1e-5
                down = sequence_loss(self.xs, self.y, self.W, self.b, self.V)[0]
                w[k] = old
                num[k] = (up - down) / 2e-5
            self.assertTrue(np.allclose(num, g, atol=1e-7))


if __name__ == '__main__':
    unittest.main()
