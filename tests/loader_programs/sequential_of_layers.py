import numpy as np


class Layer:
    def __init__(self):
        self.params = {}
        self.grads = {}

    def forward(self, x):
        raise NotImplementedError

    def backward(self, grad):
        raise NotImplementedError


class Dense(Layer):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.params['W'] = np.random.randn(n_in, n_out) * np.sqrt(2 / n_in)
        self.params['b'] = np.zeros(n_out)

    def forward(self, x):
        self.x = x
        return x @ self.params['W'] + self.params['b']

    def backward(self, grad):
        self.grads['W'] = self.x.T @ grad
        self.grads['b'] = grad.sum(axis=0)
        return grad @ self.params['W'].T


class SimpleRNN(Layer):
    def __init__(self, n_in, units, return_sequences=False):
        super().__init__()
        self.units = units
        self.return_sequences = return_sequences
        self.params['Wx'] = np.random.randn(n_in, units) * 0.1
        self.params['Wh'] = np.random.randn(units, units) * 0.1
        self.params['b'] = np.zeros(units)

    def forward(self, x):
        N, T, _ = x.shape
        self.x = x
        self.h = np.zeros((N, T + 1, self.units))
        for t in range(T):
            self.h[:, t] = np.tanh(x[:, t] @ self.params['Wx'] + self.h[:, t - 1] @ self.params['Wh'] + self.params['b'])
        return self.h[:, :-1] if self.return_sequences else self.h[:, T - 1]

    def backward(self, grad):
        N, T, D = self.x.shape
        for k in self.params:
            self.grads[k] = np.zeros_like(self.params[k])
        dx = np.zeros_like(self.x)
        dh = np.zeros((N, self.units))
        for t in reversed(range(T)):
            if self.return_sequences:
                dh = dh + grad[:, t]
            elif t == T - 1:
                dh = dh + grad
            dz = dh * (1 - self.h[:, t] ** 2)
            self.grads['Wx'] += self.x[:, t].T @ dz
            self.grads['Wh'] += self.h[:, t - 1].T @ dz
            self.grads['b'] += dz.sum(axis=0)
            dx[:, t] = dz @ self.params['Wx'].T
            dh = dz @ self.params['Wh'].T
        return dx


class MSE:
    def forward(self, pred, y):
        self.pred, self.y = pred, y
        return np.mean((pred - y) ** 2)

    def backward(self):
        return 2 * (self.pred - self.y) / self.pred.size


class Sequential:
    def __init__(self, layers, loss):
        self.layers = layers
        self.loss = loss

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self):
        grad = self.loss.backward()
        for layer in reversed(self.layers):
            grad = layer.backward(grad)

    def step(self, lr):
        for layer in self.layers:
            for k in layer.params:
                layer.params[k] -= lr * layer.grads[k]

    def fit(self, X, y, epochs=10, batch_size=32, lr=0.01):
        for epoch in range(epochs):
            idx = np.random.permutation(len(X))
            losses = []
            for i in range(0, len(X), batch_size):
                b = idx[i:i + batch_size]
                out = self.forward(X[b])
                losses.append(self.loss.forward(out, y[b]))
                self.backward()
                self.step(lr)
            print(f'Epoch {epoch + 1}/{epochs} - loss: {np.mean(losses):.4f}')

    def predict(self, X):
        return self.forward(X)


if __name__ == '__main__':
    t = np.linspace(0, 100, 2000)
    wave = np.sin(t)
    X = np.array([wave[i:i + 20] for i in range(1900)])[:, :, None]
    y = np.array([wave[i + 20] for i in range(1900)])[:, None]
    model = Sequential([SimpleRNN(1, 32, return_sequences=True), SimpleRNN(32, 16), Dense(16, 1)], MSE())
    model.fit(X, y, epochs=5)
