# -*- coding: utf-8 -*-
import numpy as np
from collections import deque

class ElmanNet:
    def __init__(self, layers=(2, 16, 1), momentum=0.9, eta=0.05):
        ni, nh, no = layers
        self.weights = [np.random.uniform(-.5, .5, (ni + 1, nh)), np.random.uniform(-.5, .5, (nh, nh)), np.random.uniform(-.5, .5, (nh + 1, no))]
        self.velocity = [np.zeros_like(w) for w in self.weights]
        self.momentum, self.eta = momentum, eta

    def propagate(self, X):
        Wi, Wr, Wo = self.weights
        self.tape = deque()
        h = np.zeros(Wr.shape[0])
        for x in X:
            xb = np.append(x, 1.0)
            hn = np.tanh(xb @ Wi + h @ Wr)
            hb = np.append(hn, 1.0)
            self.tape.append((xb, h, hn, hb))
            h = hn
        self.out = np.array([hb @ Wo for _, _, _, hb in self.tape])
        return self.out

    def error(self, D):
        return 0.5 * np.sum((D - self.out) ** 2)

    def backpropagate(self, D):
        Wi, Wr, Wo = self.weights
        grads = [np.zeros_like(w) for w in self.weights]
        delta_h = np.zeros(Wr.shape[0])
        for t in range(len(self.tape) - 1, -1, -1):
            xb, h, hn, hb = self.tape[t]
            delta_o = self.out[t] - D[t]
            grads[2] += np.outer(hb, delta_o)
            delta = (Wo[:-1] @ delta_o + delta_h) * (1 - hn ** 2)
            grads[0] += np.outer(xb, delta)
            grads[1] += np.outer(h, delta)
            delta_h = Wr @ delta
        return grads

    def learn(self, X, D):
        self.propagate(X)
        for i, g in enumerate(self.backpropagate(D)):
            self.velocity[i] = self.momentum * self.velocity[i] - self.eta * g
            self.weights[i] += self.velocity[i]
        return self.error(D)

if __name__ == '__main__':
    net = ElmanNet()
    for i in range(3000):
        X = np.random.randint(0, 2, (10, 2)).astype(float)
        D = (np.roll(X[:, 0], 1) != X[:, 1]).astype(float)[:, None]
        e = net.learn(X, D)
        if not i % 500: print(i, e)
