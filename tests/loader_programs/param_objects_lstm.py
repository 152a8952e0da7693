import numpy as np

def sigmoid(x):
    return 1 / (1 + np.exp(-x))

class Param:
    def __init__(self, name, value):
        self.name = name
        self.v = value
        self.d = np.zeros_like(value)
        self.m = np.zeros_like(value)

class LSTM:
    def __init__(self, X_size, H_size, weight_sd=0.1):
        z_size = X_size + H_size
        self.H_size = H_size
        self.X_size = X_size
        self.W_f = Param('W_f', np.random.randn(H_size, z_size) * weight_sd + 0.5)
        self.b_f = Param('b_f', np.zeros((H_size, 1)))
        self.W_i = Param('W_i', np.random.randn(H_size, z_size) * weight_sd + 0.5)
        self.b_i = Param('b_i', np.zeros((H_size, 1)))
        self.W_C = Param('W_C', np.random.randn(H_size, z_size) * weight_sd)
        self.b_C = Param('b_C', np.zeros((H_size, 1)))
        self.W_o = Param('W_o', np.random.randn(H_size, z_size) * weight_sd + 0.5)
        self.b_o = Param('b_o', np.zeros((H_size, 1)))
        self.W_v = Param('W_v', np.random.randn(X_size, H_size) * weight_sd)
        self.b_v = Param('b_v', np.zeros((X_size, 1)))

    def all(self):
        return [self.W_f, self.W_i, self.W_C, self.W_o, self.W_v, self.b_f, self.b_i, self.b_C, self.b_o, self.b_v]

    def forward(self, x, h_prev, C_prev):
        z = np.vstack((h_prev, x))
        f = sigmoid(np.dot(self.W_f.v, z) + self.b_f.v)
        i = sigmoid(np.dot(self.W_i.v, z) + self.b_i.v)
        C_bar = np.tanh(np.dot(self.W_C.v, z) + self.b_C.v)
        C = f * C_prev + i * C_bar
        o = sigmoid(np.dot(self.W_o.v, z) + self.b_o.v)
        h = o * np.tanh(C)
        v = np.dot(self.W_v.v, h) + self.b_v.v
        y = np.exp(v) / np.sum(np.exp(v))
        return z, f, i, C_bar, C, o, h, v, y

    def backward(self, target, dh_next, dC_next, C_prev, z, f, i, C_bar, C, o, h, v, y):
        dv = np.copy(y)
        dv[target] -= 1
        self.W_v.d += np.dot(dv, h.T)
        self.b_v.d += dv
        dh = np.dot(self.W_v.v.T, dv) + dh_next
        do = dh * np.tanh(C) * o * (1 - o)
        self.W_o.d += np.dot(do, z.T)
        self.b_o.d += do
        dC = np.copy(dC_next) + dh * o * (1 - np.tanh(C) ** 2)
        dC_bar = dC * i * (1 - C_bar ** 2)
        self.W_C.d += np.dot(dC_bar, z.T)
        self.b_C.d += dC_bar
        di = dC * C_bar * i * (1 - i)
        self.W_i.d += np.dot(di, z.T)
        self.b_i.d += di
        df = dC * C_prev * f * (1 - f)
        self.W_f.d += np.dot(df, z.T)
        self.b_f.d += df
        dz = (np.dot(self.W_f.v.T, df) + np.dot(self.W_i.v.T, di) + np.dot(self.W_C.v.T, dC_bar) + np.dot(self.W_o.v.T, do))
        return dz[:self.H_size, :], f * dC

    def forward_backward(self, inputs, targets, h_prev, C_prev):
        for p in self.all():
            p.d.fill(0)
        s, h_s, C_s = {}, {-1: np.copy(h_prev)}, {-1: np.copy(C_prev)}
        loss = 0
        for t in range(len(inputs)):
            x = np.zeros((self.X_size, 1))
            x[inputs[t]] = 1
            s[t] = self.forward(x, h_s[t - 1], C_s[t - 1])
            h_s[t], C_s[t] = s[t][6], s[t][4]
            loss += -np.log(s[t][8][targets[t], 0])
        dh_next, dC_next = np.zeros_like(h_s[0]), np.zeros_like(C_s[0])
        for t in reversed(range(len(inputs))):
            dh_next, dC_next = self.backward(targets[t], dh_next, dC_next, C_s[t - 1], *s[t])
        return loss, h_s[len(inputs) - 1], C_s[len(inputs) - 1]
