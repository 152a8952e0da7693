import numpy as np

rng = np.random.RandomState(3)

def softmax(x):
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)

class AttnSeq:
    """tanh encoder, one attention read-out, class scores; batch first"""
    def __init__(self, d_in, d_h, n_cls):
        self.p = dict(Wx=rng.randn(d_in, d_h) * .2, Wh=rng.randn(d_h, d_h) * .2, bh=np.zeros(d_h),
                      v=rng.randn(d_h) * .2, Wo=rng.randn(d_h, n_cls) * .2, bo=np.zeros(n_cls))

    def loss_and_grad(self, x, y):
        p = self.p
        N, T, _ = x.shape
        H = np.zeros((N, T + 1, len(p['bh'])))
        for t in range(T):
            H[:, t + 1] = np.tanh(x[:, t] @ p['Wx'] + H[:, t] @ p['Wh'] + p['bh'])
        hs = H[:, 1:]
        score = hs @ p['v']
        a = softmax(score)
        ctx = np.einsum('nt,nth->nh', a, hs)
        prob = softmax(ctx @ p['Wo'] + p['bo'])
        loss = -np.log(prob[np.arange(N), y]).mean()
        g = {}
        dz = prob.copy(); dz[np.arange(N), y] -= 1; dz /= N
        g['Wo'] = ctx.T @ dz
        g['bo'] = dz.sum(0)
        dctx = dz @ p['Wo'].T
        da = np.einsum('nh,nth->nt', dctx, hs)
        dhs = np.einsum('nh,nt->nth', dctx, a)
        ds = a * (da - (a * da).sum(1, keepdims=True))
        g['v'] = np.einsum('nt,nth->h', ds, hs)
        dhs += ds[:, :, None] * p['v']
        g['Wx'] = np.zeros_like(p['Wx']); g['Wh'] = np.zeros_like(p['Wh']); g['bh'] = np.zeros_like(p['bh'])
        dnext = np.zeros((N, hs.shape[2]))
        for t in reversed(range(T)):
            d = (dhs[:, t] + dnext) * (1 - H[:, t + 1] ** 2)
            g['Wx'] += x[:, t].T @ d
            g['Wh'] += H[:, t].T @ d
            g['bh'] += d.sum(0)
            dnext = d @ p['Wh'].T
        return loss, g

net = AttnSeq(5, 24, 3)
for it in range(400):
    x = rng.randn(64, 11, 5)
    y = rng.randint(0, 3, 64)
    loss, g = net.loss_and_grad(x, y)
    for k in net.p:
        net.p[k] -= .1 * g[k]
    if it % 100 == 0:
        print(it, loss)
