"""The asker's class, its indentation restored by hand: once with the right statements, once with theirs."""

HEAD = """\
import numpy as np


def softmax(z):
    e = np.exp(z - np.max(z, axis=0, keepdims=True))
    return e / np.sum(e, axis=0, keepdims=True)


def softmax_backward(z):
    s = softmax(z)
    return s * (1 - s)


def tanh(z):
    return np.tanh(z)


def tanh_backward(z):
    return 1 - np.tanh(z) ** 2


class RNN:
    def __init__(self, seed, n_x=3, n_a=5, n_y=7, m=2, T_x=5):
        rng = np.random.default_rng(seed)
        self.n_a, self.m, self.T_x = n_a, m, T_x
        W = {'W_aa': (n_a, n_a), 'W_ax': (n_a, n_x), 'W_ya': (n_y, n_a), 'b_a': (n_a, 1), 'b_y': (n_y, 1)}
        self.parameters = {k: 0.5 * rng.normal(size=s) for k, s in W.items()}
        A = np.zeros((n_a, m, T_x))
        A[:, :, 0] = rng.normal(size=(n_a, m))
        Y = rng.dirichlet(np.ones(n_y), size=(m, T_x)).transpose(2, 0, 1)
        self.cache = {'X': rng.normal(size=(n_x, m, T_x)), 'A': A, 'Y': Y, 'Y_pred': np.ones((n_y, m, T_x))}
        for k, s in W.items():
            self.cache['d' + k] = np.zeros(s)

    def rnn_forward(self, e):
        for t in range(self.T_x - 1):
            # single (n_x, n_m) m is training set size in time
            xt = self.cache['X'][:, :, t]
            # hidden state of previous step
            a_prev = self.cache['A'][:, :, t]
            a_next = tanh(np.dot(self.parameters['W_aa'], a_prev) + np.dot(self.parameters['W_ax'], xt) + self.parameters['b_a'])
            # using softmax as final activation
            yt_pred = softmax(np.dot(self.parameters['W_ya'], a_next) + self.parameters['b_y'])
            self.cache['A'][:, :, (t + 1)] = a_next
            self.cache['Y_pred'][:, :, t] = yt_pred

    def rnn_backward(self, e):
        # cost function derivative
        self.cache['dY_pred'] = - (self.cache['Y'] / self.cache['Y_pred'])
        # initialized da
        da_next = np.zeros((self.n_a, self.m))
        for t in reversed(range(self.T_x - 1)):
"""
WRONG = (
    "da_prev = np.dot(self.cache['dY_pred'][:, :, t], np.dot(self.parameters['W_ya'].T, softmax_backward(np.dot(self.parameters['W_ya'], self.cache['A'][:, :, t]) + self.parameters['b_y']))) + da_next",
    "self.cache['dW_ya'] += np.dot(self.cache['dY_pred'][:, :, t], np.dot(softmax_backward(np.dot(self.parameters['W_ya'], self.cache['A'][:, :, t]) + self.parameters['b_y']), self.cache['A'][:, :, t].T))",
    "self.cache['db_y'] += np.dot(self.cache['dY_pred'][:, :, t], softmax_backward(np.dot(self.parameters['Wya'], self.cache['A'][:, :, t]) + self.parameters['b_y']))",
    "self.cache['dW_aa'] += np.dot(da_prev, np.dot(tanh_backward(np.dot(self.parameters['W_aa'], self.cache['A'][:, :, (t - 1)]) + np.dot(self.parameters['W_ax'], self.cache['X'][:, :, t]) + self.parameters['b_a']), self.cache['A'][:, :, (t - 1)].T))",
    "self.cache['dW_ax'] += np.dot(da_prev, np.dot(tanh_backward(np.dot(self.parameters['W_aa'], self.cache['A'][:, :, (t - 1)]) + np.dot(self.parameters['W_ax'], self.cache['X'][:, :, t]) + self.parameters['b_a']), self.cache['X'][:, :, t].T))",
    "self.cache['db_a'] += np.dot(da_prev, tanh_backward(np.dot(self.parameters['W_aa'], self.cache['A'][:, :, (t - 1)]) + np.dot(self.parameters['W_ax'], self.cache['X'][:, :, t]) + self.parameters['b_a']))",
    "da_next = np.dot(da_prev, np.dot(self.parameters['W_aa'].T, tanh_backward(np.dot(self.parameters['W_aa'], self.cache['A'][:, :, (t - 1)]) + np.dot(self.parameters['W_ax'], self.cache['X'][:, :, t]) + self.parameters['b_a'])))",
)
RIGHT = (
    "da_prev = self.parameters['W_ya'].T.dot(self.cache['Y_pred'][:, :, t] - self.cache['Y'][:, :, t]) + da_next",
    "self.cache['dW_ya'] += (self.cache['Y_pred'][:, :, t] - self.cache['Y'][:, :, t]).dot(self.cache['A'][:, :, t + 1].T)",
    "self.cache['db_y'] += (self.cache['Y_pred'][:, :, t] - self.cache['Y'][:, :, t]).sum(axis=1, keepdims=True)",
    "self.cache['dW_aa'] += (da_prev * (1 - self.cache['A'][:, :, t + 1] ** 2)).dot(self.cache['A'][:, :, t].T)",
    "self.cache['dW_ax'] += (da_prev * (1 - self.cache['A'][:, :, t + 1] ** 2)).dot(self.cache['X'][:, :, t].T)",
    "self.cache['db_a'] += (da_prev * (1 - self.cache['A'][:, :, t + 1] ** 2)).sum(axis=1, keepdims=True)",
    "da_next = self.parameters['W_aa'].T.dot(da_prev * (1 - self.cache['A'][:, :, t + 1] ** 2))",
)


def code(statements):
    return HEAD + "".join(f"            {s}\n" for s in statements)


CASE = """

def bptt_case(module, sizes, seed):
    rnn = module.RNN(seed, sizes.n_x, sizes.n_a, sizes.n_y, sizes.m, sizes.T_x + 1)

    def run(backward):
        for k, v in rnn.parameters.items():
            rnn.cache['d' + k] = np.zeros(v.shape)
        rnn.rnn_forward(None)
        if backward:
            rnn.rnn_backward(None)

    class Case:
        parameters = rnn.parameters

        def cost(self):
            run(False)
            return -np.sum(rnn.cache['Y'][:, :, :-1] * np.log(rnn.cache['Y_pred'][:, :, :-1]))

        def gradients(self):
            run(True)
            return {k: rnn.cache['d' + k] for k in rnn.parameters}

    return Case()
"""


def with_case(statements):
    return code(statements) + CASE


def run(module):
    rnn = module.RNN(0)
    rnn.rnn_forward(None)
    rnn.rnn_backward(None)
