# %% [markdown]
# # Will the series go up?
#
# A small RNN reads a window of values and says with what probability the next one is higher.
# Loss: binary cross-entropy on the **last** step only.
# %%
#%matplotlib inline
import numpy as np
import matplotlib.pyplot as plt
# %%
WINDOW = 8
HIDDEN = 6

def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))

def init_params(n_features=1, hidden=HIDDEN, seed=3):
    rng = np.random.RandomState(seed)
    return {
        'Wx': rng.randn(n_features, hidden) * 0.3,
        'Wh': rng.randn(hidden, hidden) * 0.3,
        'bh': np.zeros((1, hidden)),
        'wo': rng.randn(hidden, 1) * 0.3,
        'bo': np.zeros((1, 1)),
    }
# %% [markdown]
# ## Forward
# H[0] is the zero state
# %%
def forward(X, params):
    """X: (batch, window, features). Returns p (batch, 1) and the list of hidden states."""
    batch, window, _ = X.shape
    H = [np.zeros((batch, params['Wh'].shape[0]))]
    for step in range(window):
        z = X[:, step, :] @ params['Wx'] + H[-1] @ params['Wh'] + params['bh']
        H.append(np.tanh(z))
    p = sigmoid(H[-1] @ params['wo'] + params['bo'])
    return p, H

def bce(p, y):
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
# %% [markdown]
# ## Backward
# With the sigmoid, dL/dlogit is just p - y (divided by the batch size, because of the mean).
# %%
def backward(X, y, p, H, params):
    batch, window, _ = X.shape
    grads = {k: np.zeros_like(v) for k, v in params.items()}
    dlogit = (p - y) / batch
    grads['wo'] = H[-1].T @ dlogit
    grads['bo'] = dlogit.sum(axis=0, keepdims=True)
    dH = dlogit @ params['wo'].T
    for step in reversed(range(window)):
        dz = dH * (1 - H[step + 1] ** 2)
        grads['Wx'] += X[:, step, :].T @ dz
        grads['Wh'] += H[step].T @ dz
        grads['bh'] += dz.sum(axis=0, keepdims=True)
        dH = dz @ params['Wh'].T
    return grads
# %%
series = np.cumsum(np.random.RandomState(0).randn(600))
X = np.stack([series[i:i + WINDOW] for i in range(500)])[:, :, None]
X = (X - X.mean(axis=1, keepdims=True)) / X.std()
y = (series[WINDOW:WINDOW + 500] > series[WINDOW - 1:WINDOW + 499]).astype(float)[:, None]
# %%
params = init_params()
history = []
for epoch in range(300):
    p, H = forward(X, params)
    history.append(bce(p, y))
    grads = backward(X, y, p, H, params)
    for k in params:
        params[k] -= 0.5 * grads[k]
plt.plot(history); plt.xlabel('epoch'); plt.ylabel('BCE')
history[-1]
