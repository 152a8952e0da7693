import numpy as np

class RNNModel:
    """fit(X, y) does everything, scikit style"""
    def __init__(self, n_hidden=20, learning_rate=0.01, n_iter=100, random_state=0):
        self.n_hidden = n_hidden
        self.learning_rate = learning_rate
        self.n_iter = n_iter
        self.random_state = random_state

    def _init(self, n_features, n_outputs):
        rng = np.random.RandomState(self.random_state)
        self.U_ = rng.normal(scale=0.1, size=(n_features, self.n_hidden))
        self.W_ = rng.normal(scale=0.1, size=(self.n_hidden, self.n_hidden))
        self.V_ = rng.normal(scale=0.1, size=(self.n_hidden, n_outputs))

    def fit(self, X, y):
        n_samples, n_steps, n_features = X.shape
        self._init(n_features, y.shape[1])
        self.losses_ = []
        for it in range(self.n_iter):
            # forward
            S = np.zeros((n_steps + 1, n_samples, self.n_hidden))
            for t in range(n_steps):
                S[t + 1] = np.tanh(X[:, t].dot(self.U_) + S[t].dot(self.W_))
            out = S[n_steps].dot(self.V_)
            err = out - y
            loss = 0.5 * np.sum(err ** 2) / n_samples
            self.losses_.append(loss)
            # backward
            dout = err / n_samples
            dV = S[n_steps].T.dot(dout)
            dU = np.zeros_like(self.U_)
            dW = np.zeros_like(self.W_)
            dS = dout.dot(self.V_.T)
            for t in range(n_steps - 1, -1, -1):
                dz = dS * (1 - S[t + 1] ** 2)
                dU += X[:, t].T.dot(dz)
                dW += S[t].T.dot(dz)
                dS = dz.dot(self.W_.T)
            self.U_ -= self.learning_rate * dU
            self.W_ -= self.learning_rate * dW
            self.V_ -= self.learning_rate * dV
        return self

    def predict(self, X):
        s = np.zeros((X.shape[0], self.n_hidden))
        for t in range(X.shape[1]):
            s = np.tanh(X[:, t].dot(self.U_) + s.dot(self.W_))
        return s.dot(self.V_)


if __name__ == "__main__":
    rng = np.random.RandomState(1)
    X = rng.uniform(size=(200, 10, 2))
    y = X[:, :, :1].sum(axis=1)
    model = RNNModel(n_hidden=12, n_iter=500).fit(X, y)
    print(model.losses_[-1])
