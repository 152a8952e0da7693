import numpy as np

def sigmoid(x): return 1/(1+np.exp(-x))
def dsigmoid(y): return y*(1-y)
def dtanh(y): return 1-y*y

class RecurrentNetwork:
    # LSTM with separate forgetGate, inputGate, cellStates, outputGate arrays (Medium style)
    def __init__(self, xs, ys, rl, eo, lr):
        self.x = np.zeros(xs)
        self.xs = xs
        self.y = np.zeros(ys)
        self.ys = ys
        self.w = np.random.random((ys, ys))
        self.G = np.zeros_like(self.w)
        self.rl = rl
        self.lr = lr
        self.ia = np.zeros((rl+1, xs))
        self.ca = np.zeros((rl+1, ys))
        self.oa = np.zeros((rl+1, ys))
        self.ha = np.zeros((rl+1, ys))
        self.af = np.zeros((rl+1, ys))
        self.ai = np.zeros((rl+1, ys))
        self.ac = np.zeros((rl+1, ys))
        self.ao = np.zeros((rl+1, ys))
        self.eo = np.vstack((np.zeros(eo.shape[0]), eo.T))
        self.f = np.random.random((ys, xs+ys)) - .5
        self.i = np.random.random((ys, xs+ys)) - .5
        self.c = np.random.random((ys, xs+ys)) - .5
        self.o = np.random.random((ys, xs+ys)) - .5

    def forwardProp(self):
        for t in range(1, self.rl+1):
            hs = np.hstack((self.ha[t-1], self.ia[t]))
            f = sigmoid(np.dot(self.f, hs)); i = sigmoid(np.dot(self.i, hs))
            c = np.tanh(np.dot(self.c, hs)); o = sigmoid(np.dot(self.o, hs))
            self.af[t], self.ai[t], self.ac[t], self.ao[t] = f, i, c, o
            self.ca[t] = f*self.ca[t-1] + i*c
            self.ha[t] = o*np.tanh(self.ca[t])
            self.oa[t] = sigmoid(np.dot(self.w, self.ha[t]))
        return self.oa

    def totalError(self):
        return 0.5*np.sum((self.oa[1:]-self.eo[1:])**2)

    def backProp(self):
        dh = np.zeros(self.ys); dcs = np.zeros(self.ys)
        wu = np.zeros_like(self.w)
        fu, iu, cu, ou = [np.zeros_like(self.f) for _ in range(4)]
        for t in range(self.rl, 0, -1):
            error = (self.oa[t]-self.eo[t])*dsigmoid(self.oa[t])
            wu += np.outer(error, self.ha[t])
            dh = dh + np.dot(self.w.T, error)
            tc = np.tanh(self.ca[t])
            do = dh*tc*dsigmoid(self.ao[t])
            dcs = dcs + dh*self.ao[t]*dtanh(tc)
            df = dcs*self.ca[t-1]*dsigmoid(self.af[t])
            di = dcs*self.ac[t]*dsigmoid(self.ai[t])
            dc = dcs*self.ai[t]*dtanh(self.ac[t])
            hs = np.hstack((self.ha[t-1], self.ia[t]))
            fu += np.outer(df, hs); iu += np.outer(di, hs); cu += np.outer(dc, hs); ou += np.outer(do, hs)
            dhs = np.dot(self.f.T, df) + np.dot(self.i.T, di) + np.dot(self.c.T, dc) + np.dot(self.o.T, do)
            dh = dhs[:self.ys]
            dcs = dcs*self.af[t]
        self.update(fu, iu, cu, ou, wu)

    def update(self, fu, iu, cu, ou, wu):
        self.f -= self.lr*fu; self.i -= self.lr*iu; self.c -= self.lr*cu; self.o -= self.lr*ou; self.w -= self.lr*wu

def LoadText():
    with open("eminem.txt", "r") as f:
        data = f.read()
    text = list(data)[:30]
    uniques = sorted(set(text))
    eye = np.eye(len(uniques))
    inp = np.array([eye[uniques.index(ch)] for ch in text])
    return inp, len(uniques)

inp, nch = LoadText()
RNN = RecurrentNetwork(nch, nch, len(inp)-1, inp[1:].T, 0.01)
for i in range(1000):
    RNN.ia[1:] = inp[:-1]
    RNN.forwardProp()
    print(RNN.totalError())
    RNN.backProp()
