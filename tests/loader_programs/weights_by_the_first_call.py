import numpy as np

class Layer:
    def __init__(self):
        self.parameters, self.gradients, self.cache = {}, {}, []

    def flush_gradients(self):
        self.gradients = {k: np.zeros_like(v) for k, v in self.parameters.items()}
        self.cache = []

class Recurrent(Layer):
    def __init__(self, n_out):
        super().__init__()
        self.n_out = n_out
        self.parameters = {'W': None, 'R': None, 'b': None}
        self.is_initialized = False

    def _init_params(self, n_in):
        self.parameters = {'W': np.random.randn(n_in, self.n_out) * .1, 'R': np.random.randn(self.n_out, self.n_out) * .1,
                           'b': np.zeros((1, self.n_out))}
        self.flush_gradients()
        self.is_initialized = True

    def forward(self, X):
        n_ex, n_in, n_t = X.shape
        if not self.is_initialized:
            self._init_params(n_in)
        p, h, out = self.parameters, np.zeros((n_ex, self.n_out)), []
        for t in range(n_t):
            new = np.tanh(X[:, :, t] @ p['W'] + h @ p['R'] + p['b'])
            self.cache.append((X[:, :, t], h, new))
            out.append(new)
            h = new
        return np.dstack(out)

    def backward(self, dLdY):
        p, g, dh, dX = self.parameters, self.gradients, 0, []
        for t in range(dLdY.shape[2] - 1, -1, -1):
            x, h, new = self.cache[t]
            dz = (dLdY[:, :, t] + dh) * (1 - new ** 2)
            g['W'] += x.T @ dz
            g['R'] += h.T @ dz
            g['b'] += dz.sum(axis=0, keepdims=True)
            dX.insert(0, dz @ p['W'].T)
            dh = dz @ p['R'].T
        return np.dstack(dX)
