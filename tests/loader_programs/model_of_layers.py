import numpy as np
class Embedding:
    def __init__(self, V, D):
        self.params = {'W': np.random.randn(V, D) * 0.01}; self.grads = {}
    def forward(self, idx):
        self.idx = idx
        return self.params['W'][idx]
    def backward(self, dout):
        dW = np.zeros_like(self.params['W'])
        np.add.at(dW, self.idx, dout)
        self.grads['W'] = dW
class SimpleRNN:
    def __init__(self, D, H):
        self.params = {'Wx': np.random.randn(D, H)*0.1, 'Wh': np.random.randn(H, H)*0.1, 'b': np.zeros(H)}; self.grads = {}
    def forward(self, x):
        N, T, D = x.shape
        H = self.params['b'].shape[0]
        self.x = x
        self.h = np.zeros((N, T + 1, H))
        for t in range(T):
            self.h[:, t + 1] = np.tanh(x[:, t] @ self.params['Wx'] + self.h[:, t] @ self.params['Wh'] + self.params['b'])
        return self.h[:, 1:]
    def backward(self, dout):
        N, T, H = dout.shape
        for k in self.params: self.grads[k] = np.zeros_like(self.params[k])
        dx = np.zeros_like(self.x)
        dn = np.zeros((N, H))
        for t in range(T - 1, -1, -1):
            dz = (dout[:, t] + dn) * (1 - self.h[:, t + 1] ** 2)
            self.grads['Wx'] += self.x[:, t].T @ dz
            self.grads['Wh'] += self.h[:, t].T @ dz
            self.grads['b'] += dz.sum(0)
            dx[:, t] = dz @ self.params['Wx'].T
            dn = dz @ self.params['Wh'].T
        return dx
class Linear:
    def __init__(self, H, V):
        self.params = {'W': np.random.randn(H, V)*0.1, 'b': np.zeros(V)}; self.grads = {}
    def forward(self, x):
        self.x = x
        return x @ self.params['W'] + self.params['b']
    def backward(self, dout):
        H = self.x.shape[-1]
        self.grads['W'] = self.x.reshape(-1, H).T @ dout.reshape(-1, dout.shape[-1])
        self.grads['b'] = dout.reshape(-1, dout.shape[-1]).sum(0)
        return dout @ self.params['W'].T
class CrossEntropy:
    def forward(self, logits, target):
        z = logits - logits.max(-1, keepdims=True)
        p = np.exp(z) / np.exp(z).sum(-1, keepdims=True)
        N, T = target.shape
        self.p, self.target = p, target
        return -np.log(p[np.arange(N)[:, None], np.arange(T)[None], target]).mean()
    def backward(self):
        N, T = self.target.shape
        d = self.p.copy()
        d[np.arange(N)[:, None], np.arange(T)[None], self.target] -= 1
        return d / (N * T)
class CharModel:
    def __init__(self, vocab_size, embed_dim, hidden_dim):
        self.embed = Embedding(vocab_size, embed_dim)
        self.rnn = SimpleRNN(embed_dim, hidden_dim)
        self.fc = Linear(hidden_dim, vocab_size)
        self.criterion = CrossEntropy()
    def forward(self, x):
        return self.fc.forward(self.rnn.forward(self.embed.forward(x)))
    def loss(self, x, y):
        return self.criterion.forward(self.forward(x), y)
    def backward(self):
        self.embed.backward(self.rnn.backward(self.fc.backward(self.criterion.backward())))
