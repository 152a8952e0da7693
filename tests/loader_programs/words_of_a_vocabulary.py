import numpy as np


class CaptioningRNN(object):
    def __init__(self, word_to_idx, input_dim=512, wordvec_dim=128, hidden_dim=128, cell_type='rnn', dtype=np.float32):
        if cell_type not in {'rnn', 'lstm'}:
            raise ValueError('Invalid cell_type "%s"' % cell_type)
        self.cell_type = cell_type
        self.dtype = dtype
        self.word_to_idx = word_to_idx
        self.idx_to_word = {i: w for w, i in word_to_idx.items()}
        self.params = {}
        vocab_size = len(word_to_idx)
        self._null = word_to_idx['<NULL>']
        self._start = word_to_idx.get('<START>', None)
        self._end = word_to_idx.get('<END>', None)
        self.params['W_embed'] = np.random.randn(vocab_size, wordvec_dim)
        self.params['W_embed'] /= 100
        self.params['W_proj'] = np.random.randn(input_dim, hidden_dim) / np.sqrt(input_dim)
        self.params['b_proj'] = np.zeros(hidden_dim)
        self.params['Wx'] = np.random.randn(wordvec_dim, hidden_dim) / np.sqrt(wordvec_dim)
        self.params['Wh'] = np.random.randn(hidden_dim, hidden_dim) / np.sqrt(hidden_dim)
        self.params['b'] = np.zeros(hidden_dim)
        self.params['W_vocab'] = np.random.randn(hidden_dim, vocab_size) / np.sqrt(hidden_dim)
        self.params['b_vocab'] = np.zeros(vocab_size)

    def loss(self, features, captions):
        captions_in = captions[:, :-1]
        captions_out = captions[:, 1:]
        mask = (captions_out != self._null)
        W_proj, b_proj = self.params['W_proj'], self.params['b_proj']
        W_embed = self.params['W_embed']
        Wx, Wh, b = self.params['Wx'], self.params['Wh'], self.params['b']
        W_vocab, b_vocab = self.params['W_vocab'], self.params['b_vocab']
        loss, grads = 0.0, {}
        h0 = features.dot(W_proj) + b_proj
        x = W_embed[captions_in]
        N, T, D = x.shape
        H = h0.shape[1]
        h = np.zeros((N, T, H))
        prev = h0
        for t in range(T):
            prev = np.tanh(x[:, t].dot(Wx) + prev.dot(Wh) + b)
            h[:, t] = prev
        scores = h.dot(W_vocab) + b_vocab
        p = np.exp(scores - scores.max(axis=2, keepdims=True))
        p /= p.sum(axis=2, keepdims=True)
        n, tt = np.indices((N, T))
        loss = -np.sum(mask * np.log(p[n, tt, captions_out])) / N
        ds = p.copy()
        ds[n, tt, captions_out] -= 1
        ds *= mask[:, :, None] / N
        grads['W_vocab'] = np.einsum('nth,ntv->hv', h, ds)
        grads['b_vocab'] = ds.sum(axis=(0, 1))
        dh = ds.dot(W_vocab.T)
        dx = np.zeros_like(x)
        grads['Wx'] = np.zeros_like(Wx)
        grads['Wh'] = np.zeros_like(Wh)
        grads['b'] = np.zeros_like(b)
        dprev = np.zeros((N, H))
        for t in reversed(range(T)):
            dz = (dh[:, t] + dprev) * (1 - h[:, t] ** 2)
            hp = h[:, t - 1] if t > 0 else h0
            dx[:, t] = dz.dot(Wx.T)
            grads['Wx'] += x[:, t].T.dot(dz)
            grads['Wh'] += hp.T.dot(dz)
            grads['b'] += dz.sum(axis=0)
            dprev = dz.dot(Wh.T)
        grads['W_embed'] = np.zeros_like(W_embed)
        np.add.at(grads['W_embed'], captions_in, dx)
        grads['W_proj'] = features.T.dot(dprev)
        grads['b_proj'] = dprev.sum(axis=0)
        return loss, grads
