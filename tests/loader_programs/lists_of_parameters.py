import math
import numpy as np


def get_params(vocab_size, num_hiddens):
    num_inputs = num_outputs = vocab_size

    def normal(shape):
        return np.random.normal(0, 0.01, size=shape)

    W_xh = normal((num_inputs, num_hiddens))
    W_hh = normal((num_hiddens, num_hiddens))
    b_h = np.zeros(num_hiddens)
    W_hq = normal((num_hiddens, num_outputs))
    b_q = np.zeros(num_outputs)
    return [W_xh, W_hh, b_h, W_hq, b_q]


def init_rnn_state(batch_size, num_hiddens):
    return (np.zeros((batch_size, num_hiddens)),)


def rnn(inputs, state, params):
    # Shape of inputs: (num_steps, batch_size, vocab_size)
    W_xh, W_hh, b_h, W_hq, b_q = params
    H, = state
    outputs, hiddens = [], [H]
    for X in inputs:
        H = np.tanh(np.dot(X, W_xh) + np.dot(H, W_hh) + b_h)
        Y = np.dot(H, W_hq) + b_q
        outputs.append(Y)
        hiddens.append(H)
    return np.concatenate(outputs, axis=0), (H,), hiddens


def softmax_cross_entropy(y_hat, y):
    y_hat = y_hat - y_hat.max(axis=1, keepdims=True)
    p = np.exp(y_hat)
    p /= p.sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(len(y)), y]).mean()
    d = p.copy()
    d[np.arange(len(y)), y] -= 1
    return loss, d / len(y)


def rnn_backward(inputs, hiddens, d_out, params):
    W_xh, W_hh, b_h, W_hq, b_q = params
    grads = [np.zeros_like(p) for p in params]
    T, B = len(inputs), inputs[0].shape[0]
    d_out = d_out.reshape(T, B, -1)
    dH = 0
    for t in range(T - 1, -1, -1):
        grads[3] += hiddens[t + 1].T @ d_out[t]
        grads[4] += d_out[t].sum(axis=0)
        dH = dH + d_out[t] @ W_hq.T
        dZ = dH * (1 - hiddens[t + 1] ** 2)
        grads[0] += inputs[t].T @ dZ
        grads[1] += hiddens[t].T @ dZ
        grads[2] += dZ.sum(axis=0)
        dH = dZ @ W_hh.T
    return grads


def grad_clipping(grads, theta):
    norm = math.sqrt(sum((g ** 2).sum() for g in grads))
    if norm > theta:
        for g in grads:
            g[:] *= theta / norm


def train_epoch(params, data_iter, num_hiddens, vocab_size, lr):
    for X, Y in data_iter:
        state = init_rnn_state(X.shape[0], num_hiddens)
        inputs = np.eye(vocab_size)[X.T]
        y = Y.T.reshape(-1)
        y_hat, state, hiddens = rnn(inputs, state, params)
        l, d_out = softmax_cross_entropy(y_hat, y)
        grads = rnn_backward(inputs, hiddens, d_out, params)
        grad_clipping(grads, 1)
        for p, g in zip(params, grads):
            p -= lr * g
    return l


if __name__ == '__main__':
    batch_size, num_steps, num_hiddens = 32, 35, 256
    corpus = np.random.randint(0, 28, 10000)
    vocab_size = 28

    def seq_data_iter():
        for i in range(0, 5):
            s = np.random.randint(0, len(corpus) - num_steps - 1, batch_size)
            yield np.stack([corpus[j:j + num_steps] for j in s]), np.stack([corpus[j + 1:j + 1 + num_steps] for j in s])

    params = get_params(vocab_size, num_hiddens)
    for epoch in range(500):
        l = train_epoch(params, seq_data_iter(), num_hiddens, vocab_size, 1)
        if epoch % 10 == 0:
            print(epoch, math.exp(l))
