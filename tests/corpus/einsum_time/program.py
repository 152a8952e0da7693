import numpy as np
from numpy import einsum


class ElmanNetwork:
    """Time-major Elman network. Index letters: t time, b batch, i input, h/g hidden, o output."""

    PARAMS = ("w_ih", "w_hh", "b_h", "w_ho", "b_o")

    def __init__(self, i, h, o, dtype=np.float64):
        gen = np.random.default_rng()
        self.w_ih = gen.uniform(-0.1, 0.1, (i, h)).astype(dtype)
        self.w_hh = gen.uniform(-0.1, 0.1, (h, h)).astype(dtype)
        self.b_h = np.zeros(h, dtype)
        self.w_ho = gen.uniform(-0.1, 0.1, (h, o)).astype(dtype)
        self.b_o = np.zeros(o, dtype)

    def __call__(self, x, h0):
        t, b, _ = x.shape
        # slot 0 is the initial state; slot 0 of the probabilities is never used
        self.x = x
        self.h = np.zeros((t + 1, b, self.b_h.size), x.dtype)
        self.h[0] = h0
        self.p = np.zeros((t + 1, b, self.b_o.size), x.dtype)
        drive = einsum("tbi,ih->tbh", x, self.w_ih) + self.b_h
        for k in range(1, t + 1):
            self.h[k] = np.tanh(drive[k - 1] + einsum("bg,gh->bh", self.h[k - 1], self.w_hh))
            logits = einsum("bh,ho->bo", self.h[k], self.w_ho) + self.b_o
            e = np.exp(logits - logits.max(-1, keepdims=True))
            self.p[k] = e / e.sum(-1, keepdims=True)
        return self.p[1:]

    def nll(self, labels):
        """labels: integers (t, b); sum over time, mean over the batch"""
        t, b = labels.shape
        picked = self.p[1:][np.arange(t)[:, None], np.arange(b)[None, :], labels]
        return -np.log(picked).sum() / b

    def grad(self, labels):
        t, b = labels.shape
        onehot = np.eye(self.b_o.size)[labels]
        d_logits = (self.p[1:] - onehot) / b
        d_pre = np.zeros((t, b, self.b_h.size))
        flow = np.zeros((b, self.b_h.size))
        for k in range(t, 0, -1):
            d_h = einsum("bo,ho->bh", d_logits[k - 1], self.w_ho) + flow
            d_pre[k - 1] = d_h * (1 - self.h[k] ** 2)
            flow = einsum("bh,gh->bg", d_pre[k - 1], self.w_hh)
        return dict(
            w_ho=einsum("tbh,tbo->ho", self.h[1:], d_logits),
            b_o=einsum("tbo->o", d_logits),
            w_ih=einsum("tbi,tbh->ih", self.x, d_pre),
            w_hh=einsum("tbg,tbh->gh", self.h[:-1], d_pre),
            b_h=einsum("tbh->h", d_pre),
            h0=flow,
        )

    def sgd(self, x, h0, labels, lr=0.1):
        self(x, h0)
        grads = self.grad(labels)
        for name in self.PARAMS:
            setattr(self, name, getattr(self, name) - lr * grads[name])
        return self.nll(labels)
