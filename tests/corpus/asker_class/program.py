import numpy as np


def softmax(z):
    z = z - np.max(z, axis=0, keepdims=True)
    return np.exp(z) / np.sum(np.exp(z), axis=0, keepdims=True)


def tanh(z):
    return np.tanh(z)


def tanh_backward(z):
    return 1 - np.square(np.tanh(z))


class SimpleRNN:
    def __init__(self, n_x, n_a, n_y, m, T_x):
        self.n_x, self.n_a, self.n_y = n_x, n_a, n_y
        self.m = m
        self.T_x = T_x
        self.parameters = {
            'W_aa': np.random.randn(n_a, n_a) * 0.1,
            'W_ax': np.random.randn(n_a, n_x) * 0.1,
            'W_ya': np.random.randn(n_y, n_a) * 0.1,
            'b_a': np.zeros((n_a, 1)),
            'b_y': np.zeros((n_y, 1)),
        }
        self.cache = {
            'A': np.zeros((n_a, m, T_x + 1)),
            'Y_pred': np.zeros((n_y, m, T_x)),
        }

    def rnn_forward(self):
        for t in range(self.T_x):
            # single (n_x, m), m is the training set size
            xt = self.cache['X'][:, :, t]
            # hidden state of the previous step; A[:, :, 0] is the initial state
            a_prev = self.cache['A'][:, :, t]
            a_next = tanh(np.dot(self.parameters['W_aa'], a_prev) + np.dot(self.parameters['W_ax'], xt) + self.parameters['b_a'])
            yt_pred = softmax(np.dot(self.parameters['W_ya'], a_next) + self.parameters['b_y'])
            self.cache['A'][:, :, (t + 1)] = a_next
            self.cache['Y_pred'][:, :, t] = yt_pred

    def cost(self):
        return -np.sum(self.cache['Y'] * np.log(self.cache['Y_pred']))

    def init_gradients(self):
        for name in ['W_aa', 'W_ax', 'W_ya', 'b_a', 'b_y']:
            self.cache['d' + name] = np.zeros_like(self.parameters[name])

    def rnn_backward(self):
        self.init_gradients()
        # initialized da
        da_next = np.zeros((self.n_a, self.m))
        for t in reversed(range(self.T_x)):
            # cost and softmax together (n_y, m)
            dz_y = self.cache['Y_pred'][:, :, t] - self.cache['Y'][:, :, t]
            self.cache['dW_ya'] += np.dot(dz_y, self.cache['A'][:, :, (t + 1)].T)
            self.cache['db_y'] += np.sum(dz_y, axis=1, keepdims=True)
            # gradient of the state, from the output and from the next step
            da = np.dot(self.parameters['W_ya'].T, dz_y) + da_next
            z_a = np.dot(self.parameters['W_aa'], self.cache['A'][:, :, t]) + np.dot(self.parameters['W_ax'], self.cache['X'][:, :, t]) + self.parameters['b_a']
            dz_a = da * tanh_backward(z_a)
            self.cache['dW_aa'] += np.dot(dz_a, self.cache['A'][:, :, t].T)
            self.cache['dW_ax'] += np.dot(dz_a, self.cache['X'][:, :, t].T)
            self.cache['db_a'] += np.sum(dz_a, axis=1, keepdims=True)
            da_next = np.dot(self.parameters['W_aa'].T, dz_a)

    def update_parameters(self, learning_rate):
        for name in self.parameters:
            self.parameters[name] = self.parameters[name] - learning_rate * self.cache['d' + name]

    def train(self, X, Y, epochs=100, learning_rate=0.01):
        self.cache['X'] = X
        self.cache['Y'] = Y
        for e in range(epochs):
            self.rnn_forward()
            print('epoch', e, 'cost', self.cost())
            self.rnn_backward()
            self.update_parameters(learning_rate)
