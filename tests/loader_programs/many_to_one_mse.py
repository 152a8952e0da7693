import numpy as np

class RNN():
    def __init__(self, input_size=1, hidden_size=10, output_size=1):
        self.hidden_size = hidden_size
        self.Wx = np.random.rand(hidden_size, input_size)
        self.Wh = np.random.rand(hidden_size, hidden_size)
        self.Wy = np.random.rand(output_size, hidden_size)
        self.bh = np.random.rand(hidden_size, 1)
        self.by = np.random.rand(output_size, 1)

    def forward(self, inputs):
        self.inputs = inputs
        h = np.zeros((self.hidden_size, 1))
        self.hs = [h]
        for x in inputs:
            h = np.tanh(np.dot(self.Wx, x) + np.dot(self.Wh, h) + self.bh)
            self.hs.append(h)
        return np.dot(self.Wy, h) + self.by

    def mse(self, y_pred, y):
        return np.mean((y_pred - y) ** 2)

    def backward(self, y_pred, y):
        dy = 2 * (y_pred - y) / y.size
        dWy = dy @ self.hs[-1].T
        dby = dy
        dWx, dWh, dbh = np.zeros_like(self.Wx), np.zeros_like(self.Wh), np.zeros_like(self.bh)
        dh = self.Wy.T @ dy
        for t in reversed(range(len(self.inputs))):
            dz = (1 - self.hs[t + 1] ** 2) * dh
            dbh += dz
            dWx += dz @ self.inputs[t].T
            dWh += dz @ self.hs[t].T
            dh = self.Wh.T @ dz
        return dWx, dWh, dWy, dbh, dby
