import numpy as np

class CharRNN(object):
    def __init__(self, corpus, hidden_size=128, seq_len=25, lr=2e-3):
        self.chars = sorted(list(set(corpus)))
        self.vocab = len(self.chars)
        self.hidden_size, self.seq_len, self.lr = hidden_size, seq_len, lr
        self.model = {}
        self.model['Wxh'] = np.random.randn(self.vocab, hidden_size) / np.sqrt(self.vocab)
        self.model['Whh'] = np.random.randn(hidden_size, hidden_size) / np.sqrt(hidden_size)
        self.model['Why'] = np.random.randn(hidden_size, self.vocab) / np.sqrt(hidden_size)
        self.model['bh'] = np.zeros((1, hidden_size))
        self.model['by'] = np.zeros((1, self.vocab))
        self.mem = {k: np.zeros_like(v) for k, v in self.model.items()}

    def train_step(self, inputs, targets, hprev):
        m = self.model
        xs, hs, ps = {}, {-1: hprev}, {}
        loss = 0.
        for t, (i, j) in enumerate(zip(inputs, targets)):
            xs[t] = np.zeros((1, self.vocab)); xs[t][0, i] = 1.
            hs[t] = np.tanh(xs[t].dot(m['Wxh']) + hs[t - 1].dot(m['Whh']) + m['bh'])
            y = hs[t].dot(m['Why']) + m['by']
            e = np.exp(y - y.max())
            ps[t] = e / e.sum()
            loss -= np.log(ps[t][0, j])
        grads = {k: np.zeros_like(v) for k, v in m.items()}
        dhn = np.zeros_like(hprev)
        for t in range(len(inputs) - 1, -1, -1):
            dy = ps[t].copy()
            dy[0, targets[t]] -= 1
            grads['Why'] += hs[t].T.dot(dy)
            grads['by'] += dy
            dz = (dy.dot(m['Why'].T) + dhn) * (1 - hs[t] ** 2)
            grads['Wxh'] += xs[t].T.dot(dz)
            grads['Whh'] += hs[t - 1].T.dot(dz)
            grads['bh'] += dz
            dhn = dz.dot(m['Whh'].T)
        for k, g in grads.items():
            g = np.clip(g, -5, 5)
            self.mem[k] += g * g
            m[k] -= self.lr * g / np.sqrt(self.mem[k] + 1e-8)
        return loss, hs[len(inputs) - 1]

    def fit(self, ids, epochs=10):
        for _ in range(epochs):
            h = np.zeros((1, self.hidden_size))
            for p in range(0, len(ids) - self.seq_len - 1, self.seq_len):
                loss, h = self.train_step(ids[p:p + self.seq_len], ids[p + 1:p + self.seq_len + 1], h)
            print(loss)

corpus = open('tiny.txt').read()
rnn = CharRNN(corpus)
rnn.fit([rnn.chars.index(c) for c in corpus])
