import numpy as np
def init_params(key, n_in, n_hidden, n_out):
    rng = np.random.default_rng(key)
    return {'rnn': {'Wx': rng.normal(size=(n_in, n_hidden))*0.1, 'Wh': rng.normal(size=(n_hidden, n_hidden))*0.1, 'b': np.zeros(n_hidden)},
            'head': {'W': rng.normal(size=(n_hidden, n_out))*0.1, 'b': np.zeros(n_out)}}

def forward(params, xs):
    T, B, D = xs.shape
    H = params['rnn']['Wh'].shape[0]
    h = np.zeros((B, H))
    hs = [h]
    for t in range(T):
        h = np.tanh(xs[t] @ params['rnn']['Wx'] + h @ params['rnn']['Wh'] + params['rnn']['b'])
        hs.append(h)
    logits = np.stack([h @ params['head']['W'] + params['head']['b'] for h in hs[1:]])
    return logits, hs

def softmax_xent(logits, labels):
    z = logits - logits.max(axis=-1, keepdims=True)
    logp = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    T, B = labels.shape
    loss = -np.mean(np.take_along_axis(logp, labels[..., None], axis=-1))
    d = np.exp(logp)
    np.put_along_axis(d, labels[..., None], np.take_along_axis(d, labels[..., None], -1) - 1, -1)
    return loss, d / (T * B)

def value_and_grad(params, xs, labels):
    logits, hs = forward(params, xs)
    loss, dlogits = softmax_xent(logits, labels)
    g = {'rnn': {k: np.zeros_like(v) for k, v in params['rnn'].items()}, 'head': {k: np.zeros_like(v) for k, v in params['head'].items()}}
    dh = np.zeros_like(hs[0])
    for t in reversed(range(len(xs))):
        g['head']['W'] += hs[t+1].T @ dlogits[t]
        g['head']['b'] += dlogits[t].sum(0)
        dh = dh + dlogits[t] @ params['head']['W'].T
        dz = dh * (1 - hs[t+1]**2)
        g['rnn']['Wx'] += xs[t].T @ dz
        g['rnn']['Wh'] += hs[t].T @ dz
        g['rnn']['b'] += dz.sum(0)
        dh = dz @ params['rnn']['Wh'].T
    return loss, g
