"""
How an RNN counts ones: a linear recurrence with two scalar weights.
s_k = s_{k-1} * w_rec + x_k * w_x ;   y = s_n
"""
# Imports
import sys
import numpy as np
import matplotlib
import matplotlib.pyplot as plt
print('Python: {}'.format(sys.version))

np.random.seed(seed=1)

# Create dataset
nb_of_samples = 20
sequence_len = 10
X = np.zeros((nb_of_samples, sequence_len))
for row_idx in range(nb_of_samples):
    X[row_idx, :] = np.around(np.random.rand(sequence_len)).astype(int)
t = np.sum(X, axis=1)


def update_state(xk, sk, wx, w_rec):
    """Compute state k from the previous state (sk) and current input (xk)."""
    return xk * wx + sk * w_rec


def forward_states(X, wx, w_rec):
    """Unfold the network: S[:, k] is the state before input k, so S has one column more than X."""
    S = np.zeros((X.shape[0], X.shape[1] + 1))
    for k in range(0, X.shape[1]):
        S[:, k+1] = update_state(X[:, k], S[:, k], wx, w_rec)
    return S


def loss(y, t):
    """MSE between the targets t and the outputs y."""
    return np.mean((t - y)**2)


def output_gradient(y, t):
    """Gradient of the MSE loss with respect to the output y."""
    return 2. * (y - t) / y.shape[0]


def backward_gradient(X, S, grad_out, w_rec):
    """
    Backpropagate the gradient at the output (grad_out) through the network.
    Accumulates the parameter gradients for wx and w_rec by addition for each step.
    """
    # gradient array over time, needed for the plots further down
    grad_over_time = np.zeros((X.shape[0], X.shape[1] + 1))
    grad_over_time[:, -1] = grad_out
    wx_grad = 0
    w_rec_grad = 0
    for k in range(X.shape[1], 0, -1):
        wx_grad += np.sum(grad_over_time[:, k] * X[:, k-1], axis=0)
        w_rec_grad += np.sum(grad_over_time[:, k] * S[:, k-1], axis=0)
        grad_over_time[:, k-1] = grad_over_time[:, k] * w_rec
    return (wx_grad, w_rec_grad), grad_over_time


# Perform gradient descent with resilient step sizes
params = [1.2, 1.2]
for i in range(500):
    S = forward_states(X, params[0], params[1])
    (g0, g1), _ = backward_gradient(X, S, output_gradient(S[:, -1], t), params[1])
    params = [params[0] - 1e-4 * np.sign(g0), params[1] - 1e-4 * np.sign(g1)]
print('Final weights are: wx = {0}, w_rec = {1}'.format(*params))
plt.plot(S[0]); plt.show()
