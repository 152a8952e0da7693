import numpy as np


class Reader:
    def __init__(self, words, classes, hidden=16):
        self.A = np.random.randn(hidden, words) * 0.1
        self.R = np.random.randn(hidden, hidden) * 0.1
        self.s = np.zeros((hidden, 1))
        self.V = np.random.randn(classes, hidden) * 0.1
        self.c = np.zeros((classes, 1))

    def read(self, phrase):
        self.phrase, self.states = phrase, [np.zeros_like(self.s)]
        for word in phrase:
            self.states.append(np.tanh(self.A @ word + self.R @ self.states[-1] + self.s))
        return self.V @ self.states[-1] + self.c

    def unread(self, dscore, rate=0.05):
        dV, dc = dscore @ self.states[-1].T, dscore
        dA, dR, ds = np.zeros_like(self.A), np.zeros_like(self.R), np.zeros_like(self.s)
        dh = self.V.T @ dscore
        for k in range(len(self.phrase), 0, -1):
            dz = dh * (1 - self.states[k] ** 2)
            dA += dz @ self.phrase[k - 1].T
            dR += dz @ self.states[k - 1].T
            ds += dz
            dh = self.R.T @ dz
        self.A -= rate * dA
        self.R -= rate * dR
        self.s -= rate * ds
        self.V -= rate * dV
        self.c -= rate * dc


def learn_one(reader, phrase, label, rate=0.05):
    score = reader.read(phrase)
    p = np.exp(score) / np.exp(score).sum()
    loss = -np.log(p[label, 0])
    dscore = p.copy()
    dscore[label] -= 1
    reader.unread(dscore, rate)
    return loss


def one_hot(text, vocabulary):
    return [np.eye(len(vocabulary))[[vocabulary.index(w)]].T for w in text.split()]


if __name__ == "__main__":
    data = [("yes", 1), ("no", 0), ("not yes at all", 0), ("well yes of course", 1), ("no and no again", 0)]
    vocabulary = sorted({w for text, _ in data for w in text.split()})
    reader = Reader(len(vocabulary), 2)
    for epoch in range(200):
        losses = [learn_one(reader, one_hot(text, vocabulary), label) for text, label in data]
        print(epoch, np.mean(losses))
