import argparse
import numpy as np


class CharRNN(object):
    def __init__(self, args, vocab):
        self.args = args
        self.vocab = vocab
        d, v = args.rnn_size, len(vocab)
        rs = np.random.RandomState(args.seed)
        self.model = {
            'Wx': rs.randn(d, v) * 0.01,
            'Wh': rs.randn(d, d) * 0.01,
            'Wy': rs.randn(v, d) * 0.01,
            'bh': np.zeros((d, 1)),
            'by': np.zeros((v, 1)),
        }
        self.h = np.zeros((d, 1))

    def step(self, ixs, tgts):
        m = self.model
        hs, ps, xs = {-1: np.copy(self.h)}, {}, {}
        nll = 0.0
        for t in range(len(ixs)):
            xs[t] = np.zeros((len(self.vocab), 1))
            xs[t][ixs[t]] = 1
            hs[t] = np.tanh(np.dot(m['Wx'], xs[t]) + np.dot(m['Wh'], hs[t - 1]) + m['bh'])
            z = np.dot(m['Wy'], hs[t]) + m['by']
            e = np.exp(z - z.max())
            ps[t] = e / e.sum()
            nll += -np.log(ps[t][tgts[t], 0])
        g = {k: np.zeros_like(v) for k, v in m.items()}
        dh_next = np.zeros_like(hs[0])
        for t in range(len(ixs) - 1, -1, -1):
            dz = ps[t].copy()
            dz[tgts[t]] -= 1
            g['Wy'] += np.dot(dz, hs[t].T)
            g['by'] += dz
            dh = np.dot(m['Wy'].T, dz) + dh_next
            da = (1 - hs[t] ** 2) * dh
            g['bh'] += da
            g['Wx'] += np.dot(da, xs[t].T)
            g['Wh'] += np.dot(da, hs[t - 1].T)
            dh_next = np.dot(m['Wh'].T, da)
        self.h = hs[len(ixs) - 1]
        return nll, g


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument('--data', default='data/tinyshakespeare.txt')
    ap.add_argument('--rnn_size', type=int, default=128)
    ap.add_argument('--seq_length', type=int, default=50)
    ap.add_argument('--lr', type=float, default=0.1)
    ap.add_argument('--seed', type=int, default=123)
    args = ap.parse_args()
    with open(args.data) as f:
        text = f.read()
    vocab = sorted(set(text))
    c2i = {c: i for i, c in enumerate(vocab)}
    net = CharRNN(args, vocab)
    mem = {k: np.zeros_like(v) for k, v in net.model.items()}
    n = p = 0
    smooth = -np.log(1.0 / len(vocab)) * args.seq_length
    while True:
        if p + args.seq_length + 1 >= len(text):
            net.h[:] = 0
            p = 0
        x = [c2i[c] for c in text[p:p + args.seq_length]]
        y = [c2i[c] for c in text[p + 1:p + args.seq_length + 1]]
        loss, grads = net.step(x, y)
        smooth = smooth * 0.999 + loss * 0.001
        for k in net.model:
            gk = np.clip(grads[k], -5, 5)
            mem[k] += gk * gk
            net.model[k] -= args.lr * gk / np.sqrt(mem[k] + 1e-8)
        if n % 100 == 0:
            print('iter', n, 'loss', smooth)
        p += args.seq_length
        n += 1


if __name__ == '__main__':
    main()
