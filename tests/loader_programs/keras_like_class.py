import numpy as np

class SimpleRNN:
    """x: (batch, time, features) -> softmax at every step"""
    def __init__(self, input_dim, hidden_dim, output_dim):
        self.params = {
            "Wxh": np.random.randn(input_dim, hidden_dim) * 0.01,
            "Whh": np.random.randn(hidden_dim, hidden_dim) * 0.01,
            "Why": np.random.randn(hidden_dim, output_dim) * 0.01,
            "bh": np.zeros(hidden_dim), "by": np.zeros(output_dim)}
        self.grads = {}

    def forward(self, x):
        batch, T, _ = x.shape
        self.x = x
        self.h = np.zeros((batch, T + 1, self.params["Whh"].shape[0]))
        self.p = np.zeros((batch, T, self.params["Why"].shape[1]))
        for t in range(T):
            self.h[:, t + 1] = np.tanh(x[:, t] @ self.params["Wxh"] + self.h[:, t] @ self.params["Whh"] + self.params["bh"])
            s = self.h[:, t + 1] @ self.params["Why"] + self.params["by"]
            e = np.exp(s - s.max(axis=1, keepdims=True))
            self.p[:, t] = e / e.sum(axis=1, keepdims=True)
        return self.p

    def compute_loss(self, y_true):
        return -np.sum(y_true * np.log(self.p)) / self.x.shape[0]

    def backward(self, y_true):
        batch, T, _ = self.x.shape
        for k, v in self.params.items():
            self.grads[k] = np.zeros_like(v)
        dh_next = 0
        for t in range(T - 1, -1, -1):
            dy = (self.p[:, t] - y_true[:, t]) / batch
            self.grads["Why"] += self.h[:, t + 1].T @ dy
            self.grads["by"] += dy.sum(axis=0)
            dh = dy @ self.params["Why"].T + dh_next
            dz = dh * (1 - self.h[:, t + 1] ** 2)
            self.grads["Wxh"] += self.x[:, t].T @ dz
            self.grads["Whh"] += self.h[:, t].T @ dz
            self.grads["bh"] += dz.sum(axis=0)
            dh_next = dz @ self.params["Whh"].T

    def step(self, lr=0.1):
        for k in self.params:
            self.params[k] -= lr * self.grads[k]
