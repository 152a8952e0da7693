#!/usr/bin/env python
import numpy as np, os, pickle, logging
from dataclasses import dataclass, field

log = logging.getLogger(__name__)

@dataclass
class Config:
    hidden: int = 48
    steps: int = 12
    rate: float = 1e-2
    batch: int = 16
    path: str = 'corpus.txt'

class Corpus:
    def __init__(self, cfg):
        with open(cfg.path, encoding='utf-8') as fh:
            self.raw = fh.read()
        self.alphabet = ''.join(sorted(set(self.raw)))
        self.codes = np.array([self.alphabet.index(c) for c in self.raw])
        self.cfg = cfg

    def sample(self):
        k = np.random.randint(0, len(self.codes) - self.cfg.steps - 1, self.cfg.batch)
        idx = k[:, None] + np.arange(self.cfg.steps + 1)
        chunk = self.codes[idx]
        return chunk[:, :-1].T, chunk[:, 1:].T

@dataclass
class Weights:
    emb: np.ndarray
    rec: np.ndarray
    out: np.ndarray
    hb: np.ndarray
    ob: np.ndarray

    @classmethod
    def random(cls, cfg, n):
        g = lambda *s: np.random.randn(*s) * 0.08
        return cls(g(n, cfg.hidden), g(cfg.hidden, cfg.hidden), g(cfg.hidden, n), np.zeros(cfg.hidden), np.zeros(n))

    @classmethod
    def zeros(cls, like):
        return cls(*[np.zeros_like(v) for v in vars(like).values()])

class Trainer:
    def __init__(self, cfg):
        self.cfg = cfg
        self.corpus = Corpus(cfg)
        self.w = Weights.random(cfg, len(self.corpus.alphabet))

    def run_batch(self, x, y):
        w = self.w
        T, B = x.shape
        h = [np.zeros((B, self.cfg.hidden))]
        logp = []
        for t in range(T):
            h.append(np.tanh(w.emb[x[t]] + h[-1] @ w.rec + w.hb))
            s = h[-1] @ w.out + w.ob
            s -= s.max(1, keepdims=True)
            logp.append(s - np.log(np.exp(s).sum(1, keepdims=True)))
        nll = -sum(lp[np.arange(B), y[t]].sum() for t, lp in enumerate(logp)) / (B * T)
        g = Weights.zeros(w)
        back = np.zeros_like(h[0])
        for t in range(T)[::-1]:
            ds = np.exp(logp[t])
            ds[np.arange(B), y[t]] -= 1
            ds /= B * T
            g.out += h[t + 1].T @ ds
            g.ob += ds.sum(0)
            da = (ds @ w.out.T + back) * (1 - h[t + 1] ** 2)
            np.add.at(g.emb, x[t], da)
            g.rec += h[t].T @ da
            g.hb += da.sum(0)
            back = da @ w.rec.T
        return nll, g

    def loop(self, n=10000):
        for i in range(n):
            nll, g = self.run_batch(*self.corpus.sample())
            for name, grad in vars(g).items():
                setattr(self.w, name, getattr(self.w, name) - self.cfg.rate * grad)
            if i % 100 == 0:
                log.info('%d %.4f', i, nll)

def main():
    logging.basicConfig(level=logging.INFO)
    Trainer(Config()).loop()

if __name__ == '__main__':
    main()
