"""Right programs in the styles that people write, and single faults of them: (statement, what they wrote instead)."""

CASE = """

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
"""


def program(code, setup, cost, gradients):
    return code + CASE.format(setup=setup.replace("\n", "\n    "), cost=cost, gradients=gradients)


FUNCTIONS = program(
    """\
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
""",
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
    """\
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
""",
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
    """\
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
""",
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

VECTORS = program(
    """\
import numpy as np


def softmax(x):
    e = np.exp(x - np.max(x))
    return e / e.sum()


class RNNNumpy:
    def __init__(self, U, V, W):
        self.U, self.V, self.W = U, V, W

    def forward_propagation(self, x):
        T = len(x)
        s = np.zeros((T + 1, self.W.shape[0]))
        s[-1] = np.zeros(self.W.shape[0])
        o = np.zeros((T, self.V.shape[0]))
        for t in np.arange(T):
            s[t] = np.tanh(self.U[:, x[t]] + self.W.dot(s[t - 1]))
            o[t] = softmax(self.V.dot(s[t]))
        return [o, s]

    def loss(self, x, y):
        o, s = self.forward_propagation(x)
        return -sum(np.log(o[t][y[t]]) for t in range(len(y)))

    def bptt(self, x, y):
        T = len(y)
        o, s = self.forward_propagation(x)
        dLdU = np.zeros(self.U.shape)
        dLdV = np.zeros(self.V.shape)
        dLdW = np.zeros(self.W.shape)
        delta_o = o.copy()
        delta_o[np.arange(len(y)), y] -= 1.
        for t in np.arange(T)[::-1]:
            dLdV += np.outer(delta_o[t], s[t].T)
            delta_t = self.V.T.dot(delta_o[t]) * (1 - (s[t] ** 2))
            for bptt_step in np.arange(0, t + 1)[::-1]:
                dLdW += np.outer(delta_t, s[bptt_step - 1])
                dLdU[:, x[bptt_step]] += delta_t
                delta_t = self.W.T.dot(delta_t) * (1 - s[bptt_step - 1] ** 2)
        return [dLdU, dLdV, dLdW]
""",
    """p = {"U": n(n_a, n_x), "V": n(n_x, n_a), "W": n(n_a, n_a)}
x, y = rng.integers(n_x, size=T), rng.integers(n_x, size=T)""",
    "module.RNNNumpy(*p.values()).loss(x, y)",
    "dict(zip(p, module.RNNNumpy(*p.values()).bptt(x, y)))",
)
VECTORS_FAULTS = [
    ("dLdV +=", "dLdV += np.outer(s[t], delta_o[t])"),
    ("dLdV +=", "dLdV += np.outer(delta_o[t], s[t - 1].T)"),
    ("dLdV +=", "dLdV += np.dot(delta_o[t], s[t].T)"),
    ("delta_t = self.V", "delta_t = self.V.T.dot(delta_o[t])"),
    ("delta_t = self.V", "delta_t = self.V.T.dot(delta_o[t]) * (1 - s[t])"),
    ("dLdW +=", "dLdW += np.outer(delta_t, s[bptt_step])"),
    ("dLdW +=", "dLdW += np.outer(s[bptt_step - 1], delta_t)"),
    ("delta_t = self.W", "delta_t = self.W.dot(delta_t) * (1 - s[bptt_step - 1] ** 2)"),
    ("delta_t = self.W", "delta_t = self.W.T.dot(delta_t) * (1 - s[bptt_step] ** 2)"),
    ("delta_o[np", "delta_o[np.arange(len(y)), y] += 1."),
]

LSTM = program(
    """\
import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def lstm_forward(xs, h, c, p):
    caches, hs = [], []
    for x in xs:
        concat = np.concatenate((h, x), axis=0)
        ft = sigmoid(np.dot(p['Wf'], concat) + p['bf'])
        it = sigmoid(np.dot(p['Wi'], concat) + p['bi'])
        cct = np.tanh(np.dot(p['Wc'], concat) + p['bc'])
        ot = sigmoid(np.dot(p['Wo'], concat) + p['bo'])
        c_prev, h_prev = c, h
        c = ft * c_prev + it * cct
        h = ot * np.tanh(c)
        caches.append((concat, ft, it, cct, ot, c_prev, h_prev, c))
        hs.append(h)
    return hs, caches


def lstm_backward(dhs, caches, p):
    grads = {}
    for k in p:
        grads[k] = np.zeros_like(p[k])
    n_a = dhs[0].shape[0]
    dh_next, dc_next = np.zeros_like(dhs[0]), np.zeros_like(dhs[0])
    for t in reversed(range(len(dhs))):
        (concat, ft, it, cct, ot, c_prev, h_prev, c_next) = caches[t]
        dh = dhs[t] + dh_next
        do = dh * np.tanh(c_next)
        dc = dh * ot * (1 - np.tanh(c_next) ** 2) + dc_next
        dzo = do * ot * (1 - ot)
        dcct = dc * it
        dzc = dcct * (1 - cct ** 2)
        dzi = dc * cct * it * (1 - it)
        dzf = dc * c_prev * ft * (1 - ft)
        grads['Wf'] += np.dot(dzf, concat.T)
        grads['Wi'] += np.dot(dzi, concat.T)
        grads['Wc'] += np.dot(dzc, concat.T)
        grads['Wo'] += np.dot(dzo, concat.T)
        grads['bf'] += np.sum(dzf, axis=1, keepdims=True)
        grads['bi'] += np.sum(dzi, axis=1, keepdims=True)
        grads['bc'] += np.sum(dzc, axis=1, keepdims=True)
        grads['bo'] += np.sum(dzo, axis=1, keepdims=True)
        dconcat = np.dot(p['Wf'].T, dzf) + np.dot(p['Wi'].T, dzi) + np.dot(p['Wc'].T, dzc) + np.dot(p['Wo'].T, dzo)
        dh_next = dconcat[:n_a, :]
        dc_next = dc * ft
    return grads
""",
    """p = {k: n(n_a, n_a + n_x) if k[0] == "W" else n(n_a, 1) for k in ("Wf", "Wi", "Wc", "Wo", "bf", "bi", "bc", "bo")}
xs, h0, c0, R = [n(n_x, m) for _ in range(T)], n(n_a, m), n(n_a, m), [n(n_a, m) for _ in range(T)]""",
    "sum((h * r).sum() for h, r in zip(module.lstm_forward(xs, h0, c0, p)[0], R))",
    "module.lstm_backward(R, module.lstm_forward(xs, h0, c0, p)[1], p)",
)
LSTM_FAULTS = [
    ("dh = ", "dh = dhs[t]"),
    ("do = ", "do = dh * c_next"),
    ("dc = ", "dc = dh * ot * (1 - np.tanh(c_next) ** 2)"),
    ("dc = ", "dc = dh * ot * (1 - c_next ** 2) + dc_next"),
    ("dc = ", "dc = dh * (1 - np.tanh(c_next) ** 2) + dc_next"),
    ("dc = ", "dc = dh * ot + dc_next"),
    ("dzo = ", "dzo = do * (1 - ot)"),
    ("dzo = ", "dzo = do * (1 - ot ** 2)"),
    ("dzc = ", "dzc = dcct * cct * (1 - cct)"),
    ("dzi = ", "dzi = dc * cct"),
    ("dzi = ", "dzi = dc * it * it * (1 - it)"),
    ("dzf = ", "dzf = dc * c_next * ft * (1 - ft)"),
    ("dzf = ", "dzf = dc * ft * (1 - ft)"),
    ("grads['Wi'] +=", "grads['Wi'] += np.dot(dzf, concat.T)"),
    ("grads['bc'] +=", "grads['bc'] += np.sum(dzi, axis=1, keepdims=True)"),
    ("dconcat =", "dconcat = np.dot(p['Wf'].T, dzf) + np.dot(p['Wi'].T, dzi) + np.dot(p['Wc'].T, dzc)"),
    (
        "dconcat =",
        "dconcat = np.dot(p['Wf'].T, dzf) + np.dot(p['Wi'].T, dzi) + np.dot(p['Wc'].T, dzc) + np.dot(p['Wo'].T, dzi)",
    ),
    ("dh_next = dcon", "dh_next = dconcat[n_a:, :]"),
    ("dh_next = dcon", "dh_next = dconcat[:dh.shape[1], :]"),
    ("dc_next = dc", "dc_next = dc * it"),
    ("dc_next = dc", "dc_next = dc"),
]

GRU = program(
    """\
import numpy as np


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def forward(x, h0, Wz, Uz, bz, Wr, Ur, br, Wh, Uh, bh):
    N, T, D = x.shape
    h = np.zeros((N, T + 1, h0.shape[1]))
    h[:, -1, :] = h0
    z, r, g = np.zeros((3, N, T, h0.shape[1]))
    for t in range(T):
        xt, hp = x[:, t, :], h[:, t - 1, :]
        z[:, t, :] = sigmoid(xt @ Wz + hp @ Uz + bz)
        r[:, t, :] = sigmoid(xt @ Wr + hp @ Ur + br)
        g[:, t, :] = np.tanh(xt @ Wh + (r[:, t, :] * hp) @ Uh + bh)
        h[:, t, :] = (1 - z[:, t, :]) * hp + z[:, t, :] * g[:, t, :]
    return h, z, r, g


def backward(x, y, h0, Wz, Uz, bz, Wr, Ur, br, Wh, Uh, bh):
    N, T, D = x.shape
    h, z, r, g = forward(x, h0, Wz, Uz, bz, Wr, Ur, br, Wh, Uh, bh)
    dWz, dUz, dbz, dWr, dUr, dbr, dWh, dUh, dbh = [np.zeros(w.shape) for w in (Wz, Uz, bz, Wr, Ur, br, Wh, Uh, bh)]
    dh = np.zeros((N, h0.shape[1]))
    for t in reversed(range(T)):
        xt, hp = x[:, t, :], h[:, t - 1, :]
        dh = dh + 2 * (h[:, t, :] - y[:, t, :]) / N
        dg = dh * z[:, t, :]
        dag = dg * (1 - g[:, t, :] ** 2)
        dz = dh * (g[:, t, :] - hp)
        daz = dz * z[:, t, :] * (1 - z[:, t, :])
        drh = dag @ Uh.T
        dar = drh * hp * r[:, t, :] * (1 - r[:, t, :])
        dWh += xt.T @ dag
        dUh += (r[:, t, :] * hp).T @ dag
        dbh += dag.sum(axis=0)
        dWz += xt.T @ daz
        dUz += hp.T @ daz
        dbz += daz.sum(axis=0)
        dWr += xt.T @ dar
        dUr += hp.T @ dar
        dbr += dar.sum(axis=0)
        dh = dh * (1 - z[:, t, :]) + drh * r[:, t, :] + daz @ Uz.T + dar @ Ur.T
    return dWz, dUz, dbz, dWr, dUr, dbr, dWh, dUh, dbh


def cost(x, y, h0, *weights):
    h = forward(x, h0, *weights)[0][:, :-1, :]
    return ((h - y) ** 2).sum() / x.shape[0]
""",
    """shapes = [(n_x, n_a), (n_a, n_a), (n_a,)] * 3
p = {k: n(*s) for k, s in zip(("Wz", "Uz", "bz", "Wr", "Ur", "br", "Wh", "Uh", "bh"), shapes)}
x, y, h0 = n(m, T, n_x), n(m, T, n_a), n(m, n_a)""",
    "module.cost(x, y, h0, *p.values())",
    "dict(zip(p, module.backward(x, y, h0, *p.values())))",
)
GRU_FAULTS = [
    ("dh = dh + 2", "dh = dh + (h[:, t, :] - y[:, t, :]) / N"),
    ("dh = dh + 2", "dh = dh + 2 * (y[:, t, :] - h[:, t, :]) / N"),
    ("dh = dh + 2", "dh = 2 * (h[:, t, :] - y[:, t, :]) / N"),
    ("dh = dh + 2", "dh = dh + 2 * (h[:, t, :] - y[:, t, :])"),
    ("dg =", "dg = dh * (1 - z[:, t, :])"),
    ("dag =", "dag = dg * (1 - g[:, t, :])"),
    ("dag =", "dag = dg * g[:, t, :] * (1 - g[:, t, :])"),
    ("dz =", "dz = dh * (hp - g[:, t, :])"),
    ("dz =", "dz = dh * g[:, t, :]"),
    ("daz =", "daz = dz * (1 - z[:, t, :] ** 2)"),
    ("drh =", "drh = dag @ Uh"),
    ("dar =", "dar = drh * r[:, t, :] * (1 - r[:, t, :])"),
    ("dar =", "dar = drh * hp * z[:, t, :] * (1 - z[:, t, :])"),
    ("dUh +=", "dUh += hp.T @ dag"),
    ("dWr +=", "dWr += xt.T @ daz"),
    ("dbr +=", "dbr += daz.sum(axis=0)"),
    ("dh = dh * (1", "dh = dh * z[:, t, :] + drh * r[:, t, :] + daz @ Uz.T + dar @ Ur.T"),
    ("dh = dh * (1", "dh = dh * (1 - z[:, t, :]) + drh + daz @ Uz.T + dar @ Ur.T"),
    ("dh = dh * (1", "dh = dh * (1 - z[:, t, :]) + drh * r[:, t, :] + daz @ Uz.T"),
    ("dh = dh * (1", "dh = drh * r[:, t, :] + daz @ Uz.T + dar @ Ur.T"),
]

MANY_TO_ONE = program(
    """\
import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def forward(params, xs):
    hs = [np.zeros((params["Whh"].shape[0], xs[0].shape[1]))]
    for x in xs:
        hs.append(np.tanh(params["Wxh"] @ x + params["Whh"] @ hs[-1] + params["bh"]))
    return hs, sigmoid(params["Why"] @ hs[-1] + params["by"])


def bce(params, xs, y):
    hs, out = forward(params, xs)
    return -np.mean(y * np.log(out) + (1 - y) * np.log(1 - out))


def backward(params, xs, y):
    hs, out = forward(params, xs)
    g = {name: np.zeros_like(value) for name, value in params.items()}
    batch = y.shape[1]
    d_out = (out - y) / (y.shape[0] * batch)
    g["Why"] = d_out @ hs[-1].T
    g["by"] = np.sum(d_out, axis=1, keepdims=True)
    d_h = params["Why"].T @ d_out
    for i in range(len(xs) - 1, -1, -1):
        d_raw = d_h * (1 - hs[i + 1] ** 2)
        g["Wxh"] += d_raw @ xs[i].T
        g["Whh"] += d_raw @ hs[i].T
        g["bh"] += np.sum(d_raw, axis=1, keepdims=True)
        d_h = params["Whh"].T @ d_raw
    return g
""",
    """p = {"Wxh": n(n_a, n_x), "Whh": n(n_a, n_a), "Why": n(n_y, n_a), "bh": n(n_a, 1), "by": n(n_y, 1)}
xs, y = [n(n_x, m) for _ in range(T)], rng.integers(2, size=(n_y, m)).astype(float)""",
    "module.bce(p, xs, y)",
    "module.backward(p, xs, y)",
)
MANY_TO_ONE_FAULTS = [
    ("d_out = ", "d_out = (out - y) / batch"),
    ("d_out = ", "d_out = (out - y) * out * (1 - out) / (y.shape[0] * batch)"),
    ("d_out = ", "d_out = (y - out) / (y.shape[0] * batch)"),
    ('g["Why"] =', 'g["Why"] = d_out @ hs[-2].T'),
    ('g["by"] =', 'g["by"] = np.sum(d_out)'),
    ('d_h = params["Why', 'd_h = params["Why"].T * d_out'),
    ("d_raw =", "d_raw = d_h * (1 - hs[i] ** 2)"),
    ('g["Whh"] +=', 'g["Whh"] += d_raw @ hs[i + 1].T'),
    ('g["Wxh"] +=', 'g["Wxh"] += d_raw * xs[i].T'),
    ('d_h = params["Whh', 'd_h = params["Whh"].T @ d_h'),
]

STACKED = program(
    """\
import numpy as np


class TwoLayers:
    def __init__(self, W1, U1, b1, W2, U2, b2, V, c):
        self.W1, self.U1, self.b1, self.W2, self.U2, self.b2, self.V, self.c = W1, U1, b1, W2, U2, b2, V, c

    def forward(self, xs):
        self.xs = xs
        self.h1, self.h2, self.out = {-1: np.zeros_like(self.b1)}, {-1: np.zeros_like(self.b2)}, {}
        for t in range(len(xs)):
            self.h1[t] = np.maximum(0, self.W1.dot(xs[t]) + self.U1.dot(self.h1[t - 1]) + self.b1)
            self.h2[t] = np.tanh(self.W2.dot(self.h1[t]) + self.U2.dot(self.h2[t - 1]) + self.b2)
            self.out[t] = self.V.dot(self.h2[t]) + self.c
        return self.out

    def backward(self, ys):
        for name in ("W1", "U1", "b1", "W2", "U2", "b2", "V", "c"):
            setattr(self, "d" + name, np.zeros_like(getattr(self, name)))
        dh1_next, dh2_next = np.zeros_like(self.b1), np.zeros_like(self.b2)
        for t in range(len(ys))[::-1]:
            dout = self.out[t] - ys[t]
            self.dV += dout.dot(self.h2[t].T)
            self.dc += dout
            dh2 = self.V.T.dot(dout) + dh2_next
            dz2 = dh2 * (1 - self.h2[t] ** 2)
            self.dW2 += dz2.dot(self.h1[t].T)
            self.dU2 += dz2.dot(self.h2[t - 1].T)
            self.db2 += dz2
            dh2_next = self.U2.T.dot(dz2)
            dh1 = self.W2.T.dot(dz2) + dh1_next
            dz1 = dh1 * (self.h1[t] > 0)
            self.dW1 += dz1.dot(self.xs[t].T)
            self.dU1 += dz1.dot(self.h1[t - 1].T)
            self.db1 += dz1
            dh1_next = self.U1.T.dot(dz1)


def run(weights, xs, ys):
    net = TwoLayers(**weights)
    out = net.forward(xs)
    return net, sum(0.5 * np.sum((out[t] - ys[t]) ** 2) for t in range(len(ys)))


def gradients(weights, xs, ys):
    net, _ = run(weights, xs, ys)
    net.backward(ys)
    return {k: getattr(net, "d" + k) for k in weights}
""",
    """h = n_a + 1
p = {"W1": n(n_a, n_x), "U1": n(n_a, n_a), "b1": n(n_a, 1), "W2": n(h, n_a), "U2": n(h, h), "b2": n(h, 1),
     "V": n(n_y, h), "c": n(n_y, 1)}
xs, ys = [n(n_x, 1) for _ in range(T)], [n(n_y, 1) for _ in range(T)]""",
    "module.run(p, xs, ys)[1]",
    "module.gradients(p, xs, ys)",
)
STACKED_FAULTS = [
    ("dout = ", "dout = 2 * (self.out[t] - ys[t])"),
    ("self.dV +=", "self.dV += dout.dot(self.h1[t].T)"),
    ("dh2 = ", "dh2 = self.V.T.dot(dout)"),
    ("dz2 = ", "dz2 = dh2 * (self.h2[t] > 0)"),
    ("self.dW2 +=", "self.dW2 += dz2.dot(self.h2[t].T)"),
    ("self.dU2 +=", "self.dU2 += dz2.dot(self.h2[t].T)"),
    ("dh2_next = self", "dh2_next = self.U2.dot(dz2)"),
    ("dh1 = ", "dh1 = self.W2.T.dot(dh2) + dh1_next"),
    ("dh1 = ", "dh1 = self.W2.T.dot(dz2) + dh2_next"),
    ("dz1 = ", "dz1 = dh1 * (1 - self.h1[t] ** 2)"),
    ("dz1 = ", "dz1 = dh1"),
    ("dz1 = ", "dz1 = dh1 * self.h1[t]"),
    ("self.db1 +=", "self.db1 += dz2"),
    ("dh1_next = self", "dh1_next = self.U1.T.dot(dh1)"),
]
