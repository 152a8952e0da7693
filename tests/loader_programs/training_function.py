import numpy as np

def train(data, hidden=32, lr=0.1, epochs=50, seed=1):
    """data: list of (x, y), x of shape (T, d), y a class label"""
    rng = np.random.default_rng(seed)
    d = data[0][0].shape[1]
    k = 1 + max(y for _, y in data)
    Wx = rng.standard_normal((hidden, d)) * 0.1
    Wh = rng.standard_normal((hidden, hidden)) * 0.1
    bh = np.zeros(hidden)
    Wo = rng.standard_normal((k, hidden)) * 0.1
    bo = np.zeros(k)
    for ep in range(epochs):
        total = 0.0
        for x, y in data:
            T = len(x)
            h = np.zeros((T + 1, hidden))
            for t in range(T):
                h[t + 1] = np.tanh(Wx @ x[t] + Wh @ h[t] + bh)
            logits = Wo @ h[T] + bo
            p = np.exp(logits - logits.max())
            p /= p.sum()
            loss = -np.log(p[y])
            total += loss
            dlog = p.copy()
            dlog[y] -= 1
            dWo = np.outer(dlog, h[T])
            dbo = dlog
            dh = Wo.T @ dlog
            dWx, dWh, dbh = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(bh)
            for t in range(T - 1, -1, -1):
                da = dh * (1 - h[t + 1] ** 2)
                dWx += np.outer(da, x[t])
                dWh += np.outer(da, h[t])
                dbh += da
                dh = Wh.T @ da
            Wx -= lr * dWx
            Wh -= lr * dWh
            bh -= lr * dbh
            Wo -= lr * dWo
            bo -= lr * dbo
        print(ep, total / len(data))
    return Wx, Wh, bh, Wo, bo

if __name__ == '__main__':
    rng = np.random.default_rng(0)
    toy = []
    for _ in range(300):
        label = int(rng.integers(3))
        seq = rng.standard_normal((rng.integers(5, 12), 4))
        seq[:, label] += 0.5
        toy.append((seq, label))
    train(toy)
