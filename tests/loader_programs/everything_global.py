import numpy as np
import sys

# RNN for adding problem; everything global, functions without return values
NX = 2; NH = 18; NY = 1; T = 20; BATCH = 10
lr = 0.02

Wx = np.random.uniform(-.3, .3, (NH, NX))
Wh = np.eye(NH) * .5
Wy = np.random.uniform(-.3, .3, (NY, NH))
bh = np.zeros((NH, 1)); by = np.zeros((NY, 1))

hs = None
xs = None
out = None

def get_batch():
    x = np.random.rand(NX, BATCH, T)
    x[1] = 0
    for b in range(BATCH):
        i, j = np.random.choice(T, 2, replace=False)
        x[1, b, i] = x[1, b, j] = 1
    return x, (x[0] * x[1]).sum(axis=1)[None]

def fprop(x):
    global hs, xs, out
    xs = x
    hs = [np.zeros((NH, x.shape[1]))]
    for t in range(T):
        hs.append(np.maximum(0, Wx.dot(x[:, :, t]) + Wh.dot(hs[-1]) + bh))
    out = Wy.dot(hs[-1]) + by

def calc_error(y):
    return np.mean((out - y) ** 2)

def bprop(y):
    global dWx, dWh, dWy, dbh, dby
    do = 2 * (out - y) / y.size
    dWy = do.dot(hs[-1].T)
    dby = do.sum(1, keepdims=True)
    dWx = np.zeros_like(Wx); dWh = np.zeros_like(Wh); dbh = np.zeros_like(bh)
    dh = Wy.T.dot(do)
    for t in range(T - 1, -1, -1):
        dh = dh * (hs[t + 1] > 0)
        dWx += dh.dot(xs[:, :, t].T)
        dWh += dh.dot(hs[t].T)
        dbh += dh.sum(1, keepdims=True)
        dh = Wh.T.dot(dh)

def update():
    global Wx, Wh, Wy, bh, by
    Wx -= lr * dWx; Wh -= lr * dWh; Wy -= lr * dWy; bh -= lr * dbh; by -= lr * dby

if __name__ == '__main__':
    for step in range(5000):
        x, y = get_batch()
        fprop(x)
        e = calc_error(y)
        bprop(y)
        update()
        if step % 100 == 0: sys.stdout.write('%d %f\n' % (step, e))
