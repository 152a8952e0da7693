def forward(X, Y, a0, params):
    # X is (n_x, m, T), Y is one hot (n_y, m, T)
    Wx, Wa, Wy, ba, by = params['Wx'], params['Wa'], params['Wy'], params['ba'], params['by']
    n_x, m, T = X.shape
    A = np.zeros((Wa.shape[0], m, T))
    P = np.zeros((Wy.shape[0], m, T))
    a = a0
    cost = 0
    for t in range(T):
        a = np.tanh(np.dot(Wx, X[:, :, t]) + np.dot(Wa, a) + ba)
        A[:, :, t] = a
        P[:, :, t] = softmax(np.dot(Wy, a) + by)
        cost = cost - np.sum(Y[:, :, t] * np.log(P[:, :, t]))
    return cost, A, P

def backward(X, Y, a0, A, P, params):
    Wx, Wa, Wy, ba, by = params['Wx'], params['Wa'], params['Wy'], params['ba'], params['by']
    n_x, m, T = X.shape
    dWx, dWa, dWy = np.zeros_like(Wx), np.zeros_like(Wa), np.zeros_like(Wy)
    dba, dby = np.zeros_like(ba), np.zeros_like(by)
    da_next = np.zeros_like(a0)
    for t in reversed(range(T)):
        # softmax + cross entropy, (n_y, m)
        dz2 = P[:, :, t] - Y[:, :, t]
        dWy += np.dot(dz2, A[:, :, t].T)
        dby += np.sum(dz2, axis=1, keepdims=True)
        da = np.dot(Wy.T, dz2) + da_next
        # through the tanh
        dz1 = da * (1 - A[:, :, t] ** 2)
        a_prev = a0 if t == 0 else A[:, :, t - 1]
        dWa += np.dot(dz1, a_prev.T)
        dWx += np.dot(dz1, X[:, :, t].T)
        dba += np.sum(dz1, axis=1, keepdims=True)
        da_next = np.dot(Wa.T, dz1)
    return dWx, dWa, dWy, dba, dby
