"""The faults of the question that this project exists for, in a class with a case of its own (no loader at work)."""

STUCK = """
import numpy as np

def tanh(z):
    return np.tanh(z)

def tanh_backward(z):
    return 1 - np.tanh(z) ** 2

def softmax(z):
    e = np.exp(z - np.max(z, axis=0, keepdims=True))
    return e / np.sum(e, axis=0, keepdims=True)

def softmax_backward(z):
    s = softmax(z)
    return s * (1 - s)

class RNN:
    def __init__(self, s, seed):
        r = np.random.default_rng(seed)
        self.n_x, self.n_a, self.n_y, self.m, self.T_x = s.n_x, s.n_a, s.n_y, s.m, s.T_x
        self.parameters = {'W_aa': r.normal(size=(s.n_a, s.n_a)) * .5, 'W_ax': r.normal(size=(s.n_a, s.n_x)) * .5,
            'W_ya': r.normal(size=(s.n_y, s.n_a)) * .5, 'b_a': r.normal(size=(s.n_a, 1)) * .5, 'b_y': r.normal(size=(s.n_y, 1)) * .5}
        Y = r.uniform(0.1, 1, size=(s.n_y, s.m, s.T_x))
        self.cache = {'X': r.normal(size=(s.n_x, s.m, s.T_x)), 'Y': Y / Y.sum(axis=0),
            'A': np.zeros((s.n_a, s.m, s.T_x)), 'Y_pred': np.zeros((s.n_y, s.m, s.T_x))}
        self.cache['A'][:, :, 0] = r.normal(size=(s.n_a, s.m))
        for k, v in self.parameters.items():
            self.cache['d' + k] = np.zeros_like(v)

    def rnn_forward(self, e):
        for t in range(self.T_x - 1):
            xt = self.cache['X'][:, :, t]
            a_prev = self.cache['A'][:, :, t]
            a_next = tanh(np.dot(self.parameters['W_aa'], a_prev) + np.dot(self.parameters['W_ax'], xt) + self.parameters['b_a'])
            yt_pred = softmax(np.dot(self.parameters['W_ya'], a_next) + self.parameters['b_y'])
            self.cache['A'][:, :, (t + 1)] = a_next
            self.cache['Y_pred'][:, :, t] = yt_pred

    def rnn_backward(self, e):
        self.cache['dY_pred'] = - (self.cache['Y'] / self.cache['Y_pred'])
        da_next = np.zeros((self.n_a, self.m))
        for t in reversed(range(self.T_x - 1)):
            print(self.cache['dY_pred'][:, :, t].shape)
            print(softmax_backward(np.dot(self.parameters['W_ya'], self.cache['A'][:, :, t]) + self.parameters['b_y']).shape)
            da_prev = np.dot(self.cache['dY_pred'][:, :, t], np.dot(self.parameters['W_ya'].T, softmax_backward(np.dot(self.parameters['W_ya'], self.cache['A'][:, :, t]) + self.parameters['b_y']))) + da_next
            self.cache['dW_ya'] += np.dot(self.cache['dY_pred'][:, :, t], np.dot(softmax_backward(np.dot(self.parameters['W_ya'], self.cache['A'][:, :, t]) + self.parameters['b_y']), self.cache['A'][:, :, t].T))
            self.cache['db_y'] += np.dot(self.cache['dY_pred'][:, :, t], softmax_backward(np.dot(self.parameters['Wya'], self.cache['A'][:, :, t]) + self.parameters['b_y']))
            self.cache['dW_aa'] += np.dot(da_prev, np.dot(tanh_backward(np.dot(self.parameters['W_aa'], self.cache['A'][:, :, (t - 1)]) + np.dot(self.parameters['W_ax'], self.cache['X'][:, :, t]) + self.parameters['b_a']), self.cache['A'][:, :, (t - 1)].T))
            self.cache['dW_ax'] += np.dot(da_prev, np.dot(tanh_backward(np.dot(self.parameters['W_aa'], self.cache['A'][:, :, (t - 1)]) + np.dot(self.parameters['W_ax'], self.cache['X'][:, :, t]) + self.parameters['b_a']), self.cache['X'][:, :, t].T))
            self.cache['db_a'] += np.dot(da_prev, tanh_backward(np.dot(self.parameters['W_aa'], self.cache['A'][:, :, (t - 1)]) + np.dot(self.parameters['W_ax'], self.cache['X'][:, :, t]) + self.parameters['b_a']))
            da_next = np.dot(da_prev, np.dot(self.parameters['W_aa'].T, tanh_backward(np.dot(self.parameters['W_aa'], self.cache['A'][:, :, (t - 1)]) + np.dot(self.parameters['W_ax'], self.cache['X'][:, :, t]) + self.parameters['b_a'])))

class Case:
    def __init__(self, sizes, seed):
        self.net = RNN(sizes, seed)
        self.parameters = self.net.parameters

    def cost(self):
        self.net.rnn_forward(None)
        T = self.net.T_x - 1
        return -np.sum(self.net.cache['Y'][:, :, :T] * np.log(self.net.cache['Y_pred'][:, :, :T]))

    def gradients(self):
        for k, v in self.parameters.items():
            self.net.cache['d' + k][...] = 0
        self.net.rnn_forward(None)
        self.net.rnn_backward(None)
        return {k: self.net.cache['d' + k] for k in self.parameters}

def bptt_case(sizes, seed):
    return Case(sizes, seed)
"""
