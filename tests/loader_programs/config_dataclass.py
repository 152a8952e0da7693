import numpy as np
from dataclasses import dataclass

@dataclass
class Config:
    vocab: int = 40
    hidden: int = 64
    steps: int = 20
    lr: float = 0.1
    seed: int = 1

class RNNLM:
    def __init__(self, cfg: Config):
        self.cfg = cfg
        rng = np.random.default_rng(cfg.seed)
        self.weights = {
            'emb': rng.normal(0, .1, (cfg.hidden, cfg.vocab)),
            'rec': rng.normal(0, .1, (cfg.hidden, cfg.hidden)),
            'out': rng.normal(0, .1, (cfg.vocab, cfg.hidden)),
            'bias': np.zeros(cfg.hidden),
            'obias': np.zeros(cfg.vocab),
        }

    def forward(self, tokens, h=None):
        w = self.weights
        h = np.zeros(self.cfg.hidden) if h is None else h
        hist, probs = [h], []
        for tok in tokens:
            h = np.tanh(w['emb'][:, tok] + w['rec'] @ h + w['bias'])
            z = w['out'] @ h + w['obias']
            p = np.exp(z - z.max()); p /= p.sum()
            hist.append(h); probs.append(p)
        return hist, probs

    def loss(self, probs, targets):
        return -sum(np.log(p[t]) for p, t in zip(probs, targets)) / len(targets)

    def backward(self, tokens, targets, hist, probs):
        w = self.weights
        g = {k: np.zeros_like(v) for k, v in w.items()}
        dh = np.zeros(self.cfg.hidden)
        n = len(tokens)
        for t in range(n - 1, -1, -1):
            dz = probs[t].copy()
            dz[targets[t]] -= 1
            dz /= n
            g['out'] += np.outer(dz, hist[t + 1])
            g['obias'] += dz
            da = (w['out'].T @ dz + dh) * (1 - hist[t + 1] ** 2)
            g['emb'][:, tokens[t]] += da
            g['rec'] += np.outer(da, hist[t])
            g['bias'] += da
            dh = w['rec'].T @ da
        return g

    def step(self, tokens, targets):
        hist, probs = self.forward(tokens)
        g = self.backward(tokens, targets, hist, probs)
        for k in self.weights:
            self.weights[k] -= self.cfg.lr * g[k]
        return self.loss(probs, targets)

if __name__ == '__main__':
    text = open('shakespeare.txt').read()
    chars = sorted(set(text))
    lookup = {c: i for i, c in enumerate(chars)}
    ids = [lookup[c] for c in text]
    cfg = Config(vocab=len(chars))
    model = RNNLM(cfg)
    for i in range(0, len(ids) - cfg.steps - 1, cfg.steps):
        l = model.step(ids[i:i + cfg.steps], ids[i + 1:i + cfg.steps + 1])
        if i % 1000 == 0:
            print(i, l)
