# rnn in plain numpy, no functions. learns the next value of three sines
import numpy as np

rng = np.random.default_rng(2)
n, k, hidden, steps = 5, 3, 12, 10    # samples, series, units, time steps
lr = 0.05

start = rng.uniform(0, 6.28, (n, k))
curve = np.sin(start[:, :, None] + 0.4 * np.arange(steps + 1))
inputs, wanted = curve[:, :, :-1], curve[:, :, 1:]      # (n, k, steps)

Win = rng.normal(0, .3, (k, hidden))
Wh = rng.normal(0, .3, (hidden, hidden))
bh = np.zeros(hidden)
Wout = rng.normal(0, .3, (hidden, k))
bout = np.zeros(k)

for epoch in range(1000):
    # forward
    h = np.zeros((n, steps + 1, hidden))
    guess = np.zeros((n, k, steps))
    for t in range(steps):
        h[:, t + 1, :] = np.tanh(inputs[:, :, t] @ Win + h[:, t, :] @ Wh + bh)
        guess[:, :, t] = h[:, t + 1, :] @ Wout + bout
    cost = ((guess - wanted) ** 2).sum() / n

    # backward
    dguess = 2 * (guess - wanted) / n
    dWin, dWh, dbh = np.zeros_like(Win), np.zeros_like(Wh), np.zeros_like(bh)
    dWout, dbout = np.zeros_like(Wout), np.zeros_like(bout)
    dh = np.zeros((n, hidden))
    t = steps
    while t > 0:
        t -= 1
        dh += dguess[:, :, t] @ Wout.T
        dWout += h[:, t + 1, :].T @ dguess[:, :, t]
        dbout += dguess[:, :, t].sum(axis=0)
        dz = dh * (1 - np.power(h[:, t + 1, :], 2))
        dWin += inputs[:, :, t].T @ dz
        dWh += h[:, t, :].T @ dz
        dbh += dz.sum(axis=0)
        dh = dz @ Wh.T

    for p, dp in [(Win, dWin), (Wh, dWh), (bh, dbh), (Wout, dWout), (bout, dbout)]:
        p -= lr * dp
    if epoch % 100 == 0:
        print(f'epoch {epoch}: {cost:.4f}')
