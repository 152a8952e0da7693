import numpy as np

# sigmoid rnn for sequence regression, no framework. shapes are (batch, time, units)

def sig(v):
    return 1/(1+np.exp(-v))

def init(nin, nh, nout):
    Wi = np.random.normal(0, .2, (nin, nh))
    Wr = np.random.normal(0, .2, (nh, nh))
    Wo = np.random.normal(0, .2, (nh, nout))
    return Wi, Wr, Wo

def predict(x, Wi, Wr, Wo):
    B, T, _ = x.shape
    states = np.zeros((B, T+1, Wr.shape[0]))
    out = np.zeros((B, T, Wo.shape[1]))
    for k in range(T):
        states[:, k+1] = sig(x[:, k] @ Wi + states[:, k] @ Wr)
        out[:, k] = states[:, k+1] @ Wo
    return states, out

def sq_error(out, target):
    return 0.5*np.sum((out - target)**2)

def train_batch(x, target, Wi, Wr, Wo, lr):
    """one SGD step, weights are changed in place. returns the error before the step"""
    states, out = predict(x, Wi, Wr, Wo)
    E = sq_error(out, target)
    B, T, _ = x.shape
    gWi = 0*Wi; gWr = 0*Wr; gWo = 0*Wo
    back = np.zeros((B, Wr.shape[0]))
    for k in range(T-1, -1, -1):
        e = out[:, k] - target[:, k]
        s = states[:, k+1]
        gWo += s.T @ e
        delta = (e @ Wo.T + back) * s * (1-s)
        gWr += states[:, k].T @ delta
        gWi += x[:, k].T @ delta
        back = delta @ Wr.T
    Wi -= lr*gWi
    Wr -= lr*gWr
    Wo -= lr*gWo
    return E

def train(x, target, nh=20, lr=.01, n_iter=2000):
    Wi, Wr, Wo = init(x.shape[2], nh, target.shape[2])
    for i in range(n_iter):
        E = train_batch(x, target, Wi, Wr, Wo, lr)
        if i % 200 == 0: print(i, E)
    return Wi, Wr, Wo

if __name__ == "__main__":
    tt = np.linspace(0, 20, 201)
    wave = np.sin(tt)[None, :, None]
    weights = train(wave[:, :-1], wave[:, 1:])
