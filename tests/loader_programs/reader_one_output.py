import numpy as np

class Reader:
    def __init__(self, n_in, n_hidden):
        self.theta = {"U": np.random.randn(n_hidden, n_in), "W": np.random.randn(n_hidden, n_hidden),
                      "v": np.random.randn(1, n_hidden)}

    def start(self):
        self.trail = [np.zeros((self.theta["W"].shape[0], 1))]
        self.seen = []

    def forward(self, x):
        for column in x:
            self.seen.append(column)
            self.trail.append(np.tanh(self.theta["U"] @ column + self.theta["W"] @ self.trail[-1]))
        return [self.theta["v"] @ h for h in self.trail[1:]]

    def loss(self, outputs, targets):
        return sum(0.5 * np.sum((o - y) ** 2) for o, y in zip(outputs, targets))

    def backward(self, outputs, targets):
        grads = {k: np.zeros_like(w) for k, w in self.theta.items()}
        dh = np.zeros_like(self.trail[0])
        for t in reversed(range(len(targets))):
            dy = outputs[t] - targets[t]
            grads["v"] += dy @ self.trail[t + 1].T
            dz = (self.theta["v"].T @ dy + dh) * (1 - self.trail[t + 1] ** 2)
            grads["U"] += dz @ self.seen[t].T
            grads["W"] += dz @ self.trail[t].T
            dh = self.theta["W"].T @ dz
        return grads
