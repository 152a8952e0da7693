import numpy as np
def rnn_step(x, h, Wx, Wh, b):
    out = np.tanh(Wx @ x + Wh @ h + b)
    def backward(dout):
        dz = dout * (1 - out ** 2)
        return np.outer(dz, x), np.outer(dz, h), dz, Wh.T @ dz
    return out, backward
def loss_and_grads(xs, ys, Wx, Wh, b, Wy, by):
    h = np.zeros(Wh.shape[0])
    tape = []
    loss = 0.0
    for x, y in zip(xs, ys):
        h, back = rnn_step(x, h, Wx, Wh, b)
        e = Wy @ h + by - y
        loss += 0.5 * e @ e
        tape.append((h, back, e))
    dWx, dWh, db, dWy, dby = (np.zeros_like(w) for w in (Wx, Wh, b, Wy, by))
    dh = np.zeros_like(h)
    for h, back, e in reversed(tape):
        dWy += np.outer(e, h); dby += e
        gx, gh, gb, dh = back(Wy.T @ e + dh)
        dWx += gx; dWh += gh; db += gb
    return loss, (dWx, dWh, db, dWy, dby)
