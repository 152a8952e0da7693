import numpy as np
H, V = 20, 30
rng = np.random.default_rng(42)
params = {}
for n in ('z', 'r', 'h'):
    params['W' + n] = rng.standard_normal((H, V)) * 0.1
    params['U' + n] = rng.standard_normal((H, H)) * 0.1
    params['b' + n] = np.zeros(H)
params['Wy'] = rng.standard_normal((V, H)) * 0.1
params['by'] = np.zeros(V)
def sigmoid(x): return 1/(1+np.exp(-x))
def softmax(x):
    e = np.exp(x - x.max()); return e/e.sum()
def run(seq, h):
    """forward over a list of char ids; keeps everything"""
    tape = []
    for c in seq:
        z = sigmoid(params['Wz'][:, c] + params['Uz'] @ h + params['bz'])
        r = sigmoid(params['Wr'][:, c] + params['Ur'] @ h + params['br'])
        g = np.tanh(params['Wh'][:, c] + params['Uh'] @ (r*h) + params['bh'])
        hn = z*h + (1-z)*g
        p = softmax(params['Wy'] @ hn + params['by'])
        tape.append((c, h, z, r, g, hn, p))
        h = hn
    return tape, h
def nll(tape, nxt):
    return -sum(np.log(f[-1][y]) for f, y in zip(tape, nxt))
def grads_of(tape, nxt):
    G = {k: np.zeros_like(v) for k, v in params.items()}
    back = np.zeros(H)
    for (c, h, z, r, g, hn, p), y in zip(tape[::-1], nxt[::-1]):
        e = p.copy(); e[y] -= 1
        G['Wy'] += np.outer(e, hn); G['by'] += e
        dh = params['Wy'].T @ e + back
        dg = dh*(1-z)*(1-g*g)
        dz = dh*(h-g)*z*(1-z)
        drh = params['Uh'].T @ dg
        dr = drh*h*r*(1-r)
        for n, d, hh in (('z', dz, h), ('r', dr, h), ('h', dg, r*h)):
            G['W'+n][:, c] += d; G['U'+n] += np.outer(d, hh); G['b'+n] += d
        back = dh*z + drh*r + params['Uz'].T @ dz + params['Ur'].T @ dr
    return G
def step(seq, nxt, h, eta=0.1):
    tape, h = run(seq, h)
    G = grads_of(tape, nxt)
    for k in params:
        params[k] -= eta*G[k]
    return nll(tape, nxt), h
