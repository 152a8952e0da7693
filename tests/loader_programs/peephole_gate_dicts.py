import numpy as np
class PeepholeLSTM:
    def __init__(self, nin, nh, seed=1):
        rs = np.random.RandomState(seed)
        self.W = {g: rs.randn(nh, nin) * .1 for g in 'ifoz'}
        self.R = {g: rs.randn(nh, nh) * .1 for g in 'ifoz'}
        self.b = {g: np.zeros((nh, 1)) for g in 'ifoz'}
        self.p = {g: rs.randn(nh, 1) * .1 for g in 'ifo'}
        self.nh = nh
    @staticmethod
    def sig(x):
        return 1/(1+np.exp(-x))
    def forward(self, X):
        # X: (T, nin, B)
        T, _, B = X.shape
        self.X = X
        self.y = {-1: np.zeros((self.nh, B))}; self.c = {-1: np.zeros((self.nh, B))}
        self.z, self.i, self.f, self.o = {}, {}, {}, {}
        for t in range(T):
            pre = {g: self.W[g] @ X[t] + self.R[g] @ self.y[t-1] + self.b[g] for g in 'ifoz'}
            self.z[t] = np.tanh(pre['z'])
            self.i[t] = self.sig(pre['i'] + self.p['i'] * self.c[t-1])
            self.f[t] = self.sig(pre['f'] + self.p['f'] * self.c[t-1])
            self.c[t] = self.z[t]*self.i[t] + self.c[t-1]*self.f[t]
            self.o[t] = self.sig(pre['o'] + self.p['o'] * self.c[t])
            self.y[t] = np.tanh(self.c[t]) * self.o[t]
        return np.stack([self.y[t] for t in range(T)])
    def backward(self, dY):
        T = len(dY)
        self.dW = {g: np.zeros_like(v) for g, v in self.W.items()}
        self.dR = {g: np.zeros_like(v) for g, v in self.R.items()}
        self.db = {g: np.zeros_like(v) for g, v in self.b.items()}
        self.dp = {g: np.zeros_like(v) for g, v in self.p.items()}
        dX = np.zeros_like(self.X)
        dc_next = np.zeros_like(self.c[0]); dy_next = np.zeros_like(self.y[0])
        for t in reversed(range(T)):
            dy = dY[t] + dy_next
            do = dy * np.tanh(self.c[t]) * self.o[t] * (1 - self.o[t])
            dc = dy * self.o[t] * (1 - np.tanh(self.c[t])**2) + self.p['o'] * do + dc_next
            di = dc * self.z[t] * self.i[t] * (1 - self.i[t])
            df = dc * self.c[t-1] * self.f[t] * (1 - self.f[t])
            dz = dc * self.i[t] * (1 - self.z[t]**2)
            d = dict(i=di, f=df, o=do, z=dz)
            for g in 'ifoz':
                self.dW[g] += d[g] @ self.X[t].T
                self.dR[g] += d[g] @ self.y[t-1].T
                self.db[g] += d[g].sum(axis=1, keepdims=True)
            self.dp['i'] += (di * self.c[t-1]).sum(1, keepdims=True)
            self.dp['f'] += (df * self.c[t-1]).sum(1, keepdims=True)
            self.dp['o'] += (do * self.c[t]).sum(1, keepdims=True)
            dX[t] = sum(self.W[g].T @ d[g] for g in 'ifoz')
            dy_next = sum(self.R[g].T @ d[g] for g in 'ifoz')
            dc_next = dc * self.f[t] + self.p['i'] * di + self.p['f'] * df
        return dX
