import numpy as np
def get_params(vocab_size, num_hiddens):
    num_inputs = num_outputs = vocab_size
    normal = lambda shape: np.random.normal(scale=0.01, size=shape)
    W_xh = normal((num_inputs, num_hiddens))
    W_hh = normal((num_hiddens, num_hiddens))
    b_h = np.zeros(num_hiddens)
    W_hq = normal((num_hiddens, num_outputs))
    b_q = np.zeros(num_outputs)
    return [W_xh, W_hh, b_h, W_hq, b_q]

def init_rnn_state(batch_size, num_hiddens):
    return (np.zeros((batch_size, num_hiddens)),)

def rnn(inputs, state, params):
    # inputs: (num_steps, batch_size, vocab_size)
    W_xh, W_hh, b_h, W_hq, b_q = params
    H, = state
    outputs, states = [], [H]
    for X in inputs:
        H = np.tanh(np.dot(X, W_xh) + np.dot(H, W_hh) + b_h)
        Y = np.dot(H, W_hq) + b_q
        outputs.append(Y)
        states.append(H)
    return np.concatenate(outputs, axis=0), (H,), states

def cross_entropy(y_hat, y):
    e = np.exp(y_hat - y_hat.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(len(y)), y]).mean(), p

def rnn_backward(inputs, states, p, y, params):
    W_xh, W_hh, b_h, W_hq, b_q = params
    num_steps, batch_size, _ = inputs.shape
    dY = p.copy()
    dY[np.arange(len(y)), y] -= 1
    dY /= len(y)
    dY = dY.reshape(num_steps, batch_size, -1)
    grads = [np.zeros_like(w) for w in params]
    dH = np.zeros_like(states[0])
    for t in range(num_steps - 1, -1, -1):
        grads[3] += np.dot(states[t + 1].T, dY[t])
        grads[4] += dY[t].sum(axis=0)
        dH = dH + np.dot(dY[t], W_hq.T)
        dZ = dH * (1 - states[t + 1] ** 2)
        grads[0] += np.dot(inputs[t].T, dZ)
        grads[1] += np.dot(states[t].T, dZ)
        grads[2] += dZ.sum(axis=0)
        dH = np.dot(dZ, W_hh.T)
    return grads

def train(X, Y, vocab_size, num_hiddens, lr=1, epochs=10):
    params = get_params(vocab_size, num_hiddens)
    for _ in range(epochs):
        state = init_rnn_state(X.shape[0], num_hiddens)
        inputs = np.eye(vocab_size)[X.T]
        y_hat, state, states = rnn(inputs, state, params)
        y = Y.T.reshape(-1)
        loss, p = cross_entropy(y_hat, y)
        grads = rnn_backward(inputs, states, p, y, params)
        for w, g in zip(params, grads):
            w -= lr * g
        print(loss)
