"""Right programs in the styles that people write, and single faults of them: (statement, what they wrote instead)."""

CASE = '''

def bptt_case(module, sizes, seed):
    rng = np.random.default_rng(seed)
    n_x, n_a, n_y, m, T = sizes.n_x, sizes.n_a, sizes.n_y, sizes.m, sizes.T_x

    def n(*shape):
        return 0.6 * rng.normal(size=shape)

    {setup}

    class Case:
        parameters = p

        def cost(self):
            return {cost}

        def gradients(self):
            return {gradients}

    return Case()
'''


def program(code, setup, cost, gradients):
    return code + CASE.format(setup=setup.replace("\n", "\n    "), cost=cost, gradients=gradients)


FUNCTIONS = program(
    '''\
import numpy as np


def softmax(z):
    e = np.exp(z - z.max(axis=0))
    return e / e.sum(axis=0)


def forward(p, X, a0):
    A, P = {-1: a0}, {}
    for t in range(X.shape[2]):
        A[t] = np.tanh(p["Waa"] @ A[t - 1] + p["Wax"] @ X[:, :, t] + p["ba"])
        P[t] = softmax(p["Wya"] @ A[t] + p["by"])
    return A, P


def cost(p, X, Y, a0):
    A, P = forward(p, X, a0)
    return -sum((Y[:, :, t] * np.log(P[t])).sum() for t in range(X.shape[2]))


def backward(p, X, Y, a0):
    A, P = forward(p, X, a0)
    d = {k: np.zeros_like(v) for k, v in p.items()}
    da_next = np.zeros_like(a0)
    for t in reversed(range(X.shape[2])):
        dz = P[t] - Y[:, :, t]
        d["Wya"] += dz @ A[t].T
        d["by"] += dz.sum(axis=1, keepdims=True)
        da = p["Wya"].T @ dz + da_next
        dr = (1 - A[t] ** 2) * da
        d["Waa"] += dr @ A[t - 1].T
        d["Wax"] += dr @ X[:, :, t].T
        d["ba"] += dr.sum(axis=1, keepdims=True)
        da_next = p["Waa"].T @ dr
    return d
''',
    """p = {"Waa": n(n_a, n_a), "Wax": n(n_a, n_x), "Wya": n(n_y, n_a), "ba": n(n_a, 1), "by": n(n_y, 1)}
X, a0, Y = n(n_x, m, T), n(n_a, m), rng.dirichlet(np.ones(n_y), size=(m, T)).transpose(2, 0, 1)""",
    "module.cost(p, X, Y, a0)",
    "module.backward(p, X, Y, a0)",
)
FUNCTIONS_FAULTS = [
    ("dz = P[t] - Y[:, :, t]", "dz = Y[:, :, t] - P[t]"),
    ("dz = P[t] - Y[:, :, t]", "dz = P[t] * (1 - P[t]) * (P[t] - Y[:, :, t])"),
    ("dz = P[t] - Y[:, :, t]", "dz = -Y[:, :, t] / P[t]"),
    ("dz = P[t] - Y[:, :, t]", "dz = P[t] - Y[:, :, t - 1]"),
    ('d["Wya"] +=', 'd["Wya"] += dz @ A[t - 1].T'),
    ('d["Wya"] +=', 'd["Wya"] = dz @ A[t].T'),
    ('d["Wya"] +=', 'd["Wya"] += A[t] @ dz.T'),
    ('d["by"] +=', 'd["by"] += dz.sum()'),
    ('d["by"] +=', 'd["by"] += dz.mean(axis=1, keepdims=True)'),
    ("da = ", 'da = p["Wya"].T @ dz'),
    ("da = ", "da = da_next"),
    ("dr = ", "dr = (1 - A[t]) ** 2 * da"),
    ("dr = ", "dr = da"),
    ("dr = ", "dr = (1 - np.tanh(A[t]) ** 2) * da"),
    ("dr = ", 'dr = (1 - (p["Waa"] @ A[t - 1] + p["Wax"] @ X[:, :, t] + p["ba"]) ** 2) * da'),
    ('d["Waa"] +=', 'd["Waa"] += dr @ A[t].T'),
    ('d["Wax"] +=', 'd["Wax"] += da @ X[:, :, t].T'),
    ('d["ba"] +=', 'd["ba"] += dr'),
    ("da_next = p", 'da_next = p["Waa"] @ dr'),
    ("da_next = p", 'da_next = p["Waa"].T @ da'),
]

CACHED_CLASS = program(
    '''\
import numpy as np


class RNN:
    """Everything is kept in self."""

    def __init__(self, parameters, X, Y):
        self.parameters = parameters
        self.n_a = parameters["W_aa"].shape[0]
        self.m, self.T_x = X.shape[1], X.shape[2]
        self.cache = {'X': X, 'Y': Y, 'A': np.zeros((self.n_a, self.m, self.T_x + 1)), 'Y_pred': np.zeros(Y.shape)}

    def forward(self):
        for t in range(self.T_x):
            z = np.dot(self.parameters['W_aa'], self.cache['A'][:, :, t]) + np.dot(self.parameters['W_ax'], self.cache['X'][:, :, t]) + self.parameters['b_a']
            self.cache['A'][:, :, t + 1] = np.tanh(z)
            zy = np.dot(self.parameters['W_ya'], self.cache['A'][:, :, t + 1]) + self.parameters['b_y']
            e = np.exp(zy - zy.max(axis=0, keepdims=True))
            self.cache['Y_pred'][:, :, t] = e / np.sum(e, axis=0, keepdims=True)

    def cost(self):
        self.forward()
        return -np.sum(self.cache['Y'] * np.log(self.cache['Y_pred'])) / self.m

    def backward(self):
        self.forward()
        grads = {}
        for k in self.parameters:
            grads['d' + k] = np.zeros(self.parameters[k].shape)
        da_next = np.zeros((self.n_a, self.m))
        for t in range(self.T_x - 1, -1, -1):
            dz_y = (self.cache['Y_pred'][:, :, t] - self.cache['Y'][:, :, t]) / self.m
            grads['dW_ya'] += np.dot(dz_y, self.cache['A'][:, :, t + 1].T)
            grads['db_y'] += np.sum(dz_y, axis=1, keepdims=True)
            da = np.dot(self.parameters['W_ya'].T, dz_y) + da_next
            dz_a = da * (1 - self.cache['A'][:, :, t + 1] ** 2)
            grads['dW_aa'] += np.dot(dz_a, self.cache['A'][:, :, t].T)
            grads['dW_ax'] += np.dot(dz_a, self.cache['X'][:, :, t].T)
            grads['db_a'] += np.sum(dz_a, axis=1, keepdims=True)
            da_next = np.dot(self.parameters['W_aa'].T, dz_a)
        return grads
''',
    """p = {"W_aa": n(n_a, n_a), "W_ax": n(n_a, n_x), "W_ya": n(n_y, n_a), "b_a": n(n_a, 1), "b_y": n(n_y, 1)}
X, Y = n(n_x, m, T), rng.dirichlet(np.ones(n_y), size=(m, T)).transpose(2, 0, 1)""",
    "module.RNN(p, X, Y).cost()",
    "{k[1:]: v for k, v in module.RNN(p, X, Y).backward().items()}",
)
CACHED_CLASS_FAULTS = [
    ("dz_y =", "dz_y = self.cache['Y_pred'][:, :, t] - self.cache['Y'][:, :, t]"),
    ("dz_y =", "dz_y = self.cache['Y'][:, :, t] / self.cache['Y_pred'][:, :, t] / self.m"),
    ("dz_y =", "dz_y = (self.cache['Y_pred'][:, :, t] - self.cache['Y'][:, :, t]) / self.T_x"),
    ("grads['dW_ya'] +=", "grads['dW_ya'] += np.dot(dz_y, self.cache['A'][:, :, t].T)"),
    ("grads['db_y'] +=", "grads['db_y'] += np.sum(dz_y, axis=0, keepdims=True)"),
    ("da =", "da = np.dot(dz_y, self.parameters['W_ya']) + da_next"),
    ("da =", "da = np.dot(self.parameters['W_ya'].T, dz_y) * da_next"),
    ("dz_a =", "dz_a = np.dot(da, 1 - self.cache['A'][:, :, t + 1] ** 2)"),
    ("dz_a =", "dz_a = da * (1 - self.cache['A'][:, :, t] ** 2)"),
    ("dz_a =", "dz_a = da * (1 - np.tanh(self.cache['A'][:, :, t + 1]) ** 2)"),
    ("grads['dW_aa'] +=", "grads['dW_aa'] += np.dot(dz_a, self.cache['A'][:, :, t - 1].T)"),
    ("grads['dW_ax'] +=", "grads['dW_ax'] += np.dot(self.cache['X'][:, :, t], dz_a.T)"),
    ("grads['db_a'] +=", "grads['db_a'] += dz_a"),
    ("da_next = np.dot", "da_next = np.dot(self.parameters['W_aa'], dz_a)"),
    ("da_next = np.dot", "da_next = da"),
]

ROWS = program(
    '''\
import numpy as np


def rnn_step_forward(x, prev_h, Wx, Wh, b):
    next_h = np.tanh(x.dot(Wx) + prev_h.dot(Wh) + b)
    return next_h, (x, prev_h, Wx, Wh, next_h)


def rnn_step_backward(dnext_h, cache):
    x, prev_h, Wx, Wh, next_h = cache
    dz = dnext_h * (1 - next_h * next_h)
    dx = dz.dot(Wx.T)
    dprev_h = dz.dot(Wh.T)
    dWx = x.T.dot(dz)
    dWh = prev_h.T.dot(dz)
    db = dz.sum(axis=0)
    return dx, dprev_h, dWx, dWh, db


def rnn_forward(x, h0, Wx, Wh, b):
    N, T, D = x.shape
    h, caches, prev = np.zeros((N, T, h0.shape[1])), [], h0
    for t in range(T):
        prev, cache = rnn_step_forward(x[:, t, :], prev, Wx, Wh, b)
        h[:, t, :] = prev
        caches.append(cache)
    return h, caches


def rnn_backward(dh, caches):
    N, T, H = dh.shape
    D = caches[0][0].shape[1]
    dx, dprev = np.zeros((N, T, D)), np.zeros((N, H))
    dWx, dWh, db = np.zeros((D, H)), np.zeros((H, H)), np.zeros(H)
    for t in range(T)[::-1]:
        dnext = dh[:, t, :] + dprev
        dx[:, t, :], dprev, a, c, e = rnn_step_backward(dnext, caches[t])
        dWx += a
        dWh += c
        db += e
    return dx, dprev, dWx, dWh, db
''',
    """p = {"x": n(m, T, n_x), "h0": n(m, n_a), "Wx": n(n_x, n_a), "Wh": n(n_a, n_a), "b": n(n_a)}
R = n(m, T, n_a)""",
    "(module.rnn_forward(p['x'], p['h0'], p['Wx'], p['Wh'], p['b'])[0] * R).sum()",
    "dict(zip(p, module.rnn_backward(R, module.rnn_forward(p['x'], p['h0'], p['Wx'], p['Wh'], p['b'])[1])))",
)
ROWS_FAULTS = [
    ("dz = ", "dz = dnext_h * (1 - next_h)"),
    ("dz = ", "dz = dnext_h"),
    ("dz = ", "dz = dnext_h * (1 - np.tanh(next_h) ** 2)"),
    ("dz = ", "dz = dnext_h * next_h * (1 - next_h)"),
    ("dz = ", "dz = dnext_h * (1 - prev_h * prev_h)"),
    ("dx = ", "dx = dz.dot(Wx)"),
    ("dx = ", "dx = dnext_h.dot(Wx.T)"),
    ("dprev_h = ", "dprev_h = dz.dot(Wh)"),
    ("dWx = x", "dWx = dz.T.dot(x)"),
    ("dWh = prev", "dWh = next_h.T.dot(dz)"),
    ("db = ", "db = dz.sum(axis=1)"),
    ("db = ", "db = dz.mean(axis=0)"),
    ("dnext = ", "dnext = dh[:, t, :]"),
    ("dnext = ", "dnext = dh[:, t - 1, :] + dprev"),
    ("dWh += c", "dWh = c"),
    ("dWx += a", "dWx += 2 * a"),
]

CHARS = program(
    '''\
import numpy as np


def lossFun(inputs, targets, hprev, Wxh, Whh, Why, bh, by):
    xs, hs, ys, ps = {}, {}, {}, {}
    hs[-1] = np.copy(hprev)
    loss = 0
    for t in range(len(inputs)):
        xs[t] = np.zeros((Wxh.shape[1], 1))
        xs[t][inputs[t]] = 1
        hs[t] = np.tanh(np.dot(Wxh, xs[t]) + np.dot(Whh, hs[t-1]) + bh)
        ys[t] = np.dot(Why, hs[t]) + by
        ps[t] = np.exp(ys[t]) / np.sum(np.exp(ys[t]))
        loss += -np.log(ps[t][targets[t], 0])
    dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
    dbh, dby = np.zeros_like(bh), np.zeros_like(by)
    dhnext = np.zeros_like(hs[0])
    for t in reversed(range(len(inputs))):
        dy = np.copy(ps[t])
        dy[targets[t]] -= 1
        dWhy += np.dot(dy, hs[t].T)
        dby += dy
        dh = np.dot(Why.T, dy) + dhnext
        dhraw = (1 - hs[t] * hs[t]) * dh
        dbh += dhraw
        dWxh += np.dot(dhraw, xs[t].T)
        dWhh += np.dot(dhraw, hs[t-1].T)
        dhnext = np.dot(Whh.T, dhraw)
    return loss, dWxh, dWhh, dWhy, dbh, dby
''',
    """p = {"Wxh": n(n_a, n_x), "Whh": n(n_a, n_a), "Why": n(n_y, n_a), "bh": n(n_a, 1), "by": n(n_y, 1)}
h0 = n(n_a, 1)
ins, outs = [int(i) for i in rng.integers(n_x, size=T)], [int(i) for i in rng.integers(n_y, size=T)]""",
    "module.lossFun(ins, outs, h0, *p.values())[0]",
    "dict(zip(p, module.lossFun(ins, outs, h0, *p.values())[1:]))",
)
CHARS_FAULTS = [
    ("dy[targets[t]] -=", "dy[targets[t]] -= 2"),
    ("dWhy += ", "dWhy += np.dot(dy, hs[t-1].T)"),
    ("dby += ", "dby = dy"),
    ("dby += ", "dby += ys[t]"),
    ("dh = ", "dh = np.dot(Why.T, dy)"),
    ("dhraw = ", "dhraw = (1 - hs[t]) * dh"),
    ("dhraw = ", "dhraw = hs[t] * (1 - hs[t]) * dh"),
    ("dbh += ", "dbh += dh"),
    ("dWxh += ", "dWxh += np.dot(dh, xs[t].T)"),
    ("dWhh += ", "dWhh += np.dot(dhraw, hs[t].T)"),
    ("dhnext = np.dot", "dhnext = np.dot(Whh, dhraw)"),
    ("dhnext = np.dot", "dhnext = np.dot(Whh.T, dh)"),
]
