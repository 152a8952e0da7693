import numpy as np

class JoinedRNN:
    """One matrix W for state, input and bias: a_t = tanh(W [a_{t-1}; x_t; 1]); another one, V, for the output.
    The loss is only printed."""

    def __init__(self, n_x, n_a, n_y, seed=0):
        gen = np.random.RandomState(seed)
        self.n_x, self.n_a, self.n_y = n_x, n_a, n_y
        self.W = gen.standard_normal((n_a, n_a + n_x + 1)) / np.sqrt(n_a + n_x)
        self.V = gen.standard_normal((n_y, n_a + 1)) / np.sqrt(n_a)

    def predict(self, X):
        """X: (T, n_x, m)"""
        T, _, m = X.shape
        one = np.ones((1, m))
        a = np.zeros((self.n_a, m))
        self.joined, self.tops, Q = [], [], []
        for x in X:
            stack = np.concatenate([a, x, one])
            a = np.tanh(self.W.dot(stack))
            top = np.concatenate([a, one])
            scores = self.V.dot(top)
            q = np.exp(scores - scores.max(0))
            self.joined.append(stack)
            self.tops.append(top)
            Q.append(q / q.sum(0))
        return np.stack(Q)

    def fit(self, X, Y, rate=0.1, epochs=200):
        for epoch in range(epochs):
            Q = self.predict(X)
            print("loss", -np.mean(np.sum(Y * np.log(Q), axis=1)))
            gW, gV = self.slopes(Q, Y)
            self.W -= rate * gW
            self.V -= rate * gV

    def slopes(self, Q, Y):
        T, n_y, m = Y.shape
        gW, gV = np.zeros(self.W.shape), np.zeros(self.V.shape)
        g_future = 0
        for t in range(T - 1, -1, -1):
            g_scores = (Q[t] - Y[t]) / (T * m)
            gV += g_scores.dot(self.tops[t].T)
            # the last row of the top belongs to the bias
            g_a = self.V.T.dot(g_scores)[:-1] + g_future
            g_z = g_a * (1 - self.tops[t][:-1] ** 2)
            gW += g_z.dot(self.joined[t].T)
            g_future = self.W.T.dot(g_z)[:self.n_a]
        return gW, gV
