import numpy as np

def make_rnn(n_in, n_hid, n_out, scale=0.1):
    params = dict(
        W=np.random.randn(n_hid, n_in) * scale,
        R=np.random.randn(n_hid, n_hid) * scale,
        b=np.zeros(n_hid),
        V=np.random.randn(n_out, n_hid) * scale,
        c=np.zeros(n_out))

    def forward(xs):
        h = np.zeros(n_hid)
        trace = []
        for x in xs:
            h_old = h
            h = np.tanh(params['W'] @ x + params['R'] @ h_old + params['b'])
            y = params['V'] @ h + params['c']
            trace.append((x, h_old, h, y))
        return trace

    def backward(trace, dys):
        grads = {k: np.zeros_like(v) for k, v in params.items()}
        dh = np.zeros(n_hid)
        for (x, h_old, h, y), dy in zip(reversed(trace), reversed(dys)):
            grads['V'] += np.outer(dy, h)
            grads['c'] += dy
            dh = dh + params['V'].T @ dy
            da = dh * (1 - h * h)
            grads['W'] += np.outer(da, x)
            grads['R'] += np.outer(da, h_old)
            grads['b'] += da
            dh = params['R'].T @ da
        return grads

    return params, forward, backward

if __name__ == '__main__':
    t = np.linspace(0, 20, 201)
    sine = np.sin(t)
    params, forward, backward = make_rnn(1, 15, 1)
    for epoch in range(500):
        total = 0
        for s in range(0, 180, 20):
            xs = sine[s:s + 20, None]
            ts = sine[s + 1:s + 21, None]
            trace = forward(xs)
            dys = [y - t for (_, _, _, y), t in zip(trace, ts)]
            total += sum(0.5 * (d @ d) for d in dys)
            g = backward(trace, dys)
            for k in params:
                params[k] -= 0.01 * g[k]
        print(epoch, total)
