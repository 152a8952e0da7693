"""Faults of form: (program, what is right, what they wrote); several lines where order matters."""

FORMS = [
    ("FUNCTIONS", "in reversed(range(X.shape[2])):\n        dz", "in range(X.shape[2]):\n        dz"),
    ("FUNCTIONS", "in reversed(range(X.shape[2])):\n        dz", "in reversed(range(1, X.shape[2])):\n        dz"),
    ("FUNCTIONS", 'd["Waa"] += dr', 'd["Waa"] = dr'),
    ("FUNCTIONS", 'd["Wax"] += dr', 'd["Wax"] -= dr'),
    ("FUNCTIONS", 'd["ba"] += dr', 'd["by"] += dr'),
    ("FUNCTIONS", '        da_next = p["Waa"].T @ dr\n    return d', '    da_next = p["Waa"].T @ dr\n    return d'),
    (
        "FUNCTIONS",
        '        da = p["Wya"].T @ dz + da_next\n        dr = (1 - A[t] ** 2) * da\n',
        '        dr = (1 - A[t] ** 2) * da\n        da = p["Wya"].T @ dz + da_next\n',
    ),
    (
        "FUNCTIONS",
        "    da_next = np.zeros_like(a0)\n    for t in reversed(range(X.shape[2])):\n",
        "    for t in reversed(range(X.shape[2])):\n        da_next = np.zeros_like(a0)\n",
    ),
    ("CACHED_CLASS", "range(self.T_x - 1, -1, -1)", "range(self.T_x - 1, 0, -1)"),
    ("CACHED_CLASS", "range(self.T_x - 1, -1, -1)", "range(self.T_x - 2, -1, -1)"),
    ("CACHED_CLASS", "range(self.T_x - 1, -1, -1)", "range(self.T_x)"),
    ("CACHED_CLASS", "grads['db_a'] += np", "grads['db_a'] = np"),
    ("CACHED_CLASS", "grads['dW_ax'] += np", "grads['dW_aa'] += np"),
    ("ROWS", "return dx, dprev_h, dWx, dWh, db", "return dx, dprev_h, dWh, dWx, db"),
    ("ROWS", "        dWh += c", "        dWh = c"),
    ("ROWS", "for t in range(T)[::-1]:", "for t in range(T):"),
    ("ROWS", "return dx, dprev, dWx, dWh, db\n", "return dx, dprev, dWh, dWx, db\n"),
    ("CHARS", "    for t in reversed(range(len(inputs))):", "    for t in range(len(inputs)):"),
    ("CHARS", "        dWhh += np", "        dWhh = np"),
    ("VECTORS", "np.arange(0, t + 1)[::-1]", "np.arange(1, t + 1)[::-1]"),
    ("VECTORS", "np.arange(0, t + 1)[::-1]", "np.arange(0, t)[::-1]"),
    ("LSTM", "grads['Wi'] += np", "grads['Wf'] += np"),
    ("LSTM", "    return grads\n", ""),
    ("GRU", "reversed(range(T)):\n        xt", "reversed(range(T - 1)):\n        xt"),
    ("MANY_TO_ONE", "range(len(xs) - 1, -1, -1)", "range(len(xs) - 1, 0, -1)"),
    ("STACKED", "range(len(ys))[::-1]", "range(1, len(ys))[::-1]"),
    ("STACKED", "self.dW2 +=", "self.dW2 ="),
]

CARRIES = [
    ("FUNCTIONS", '        da_next = p["Waa"].T @ dr\n', ""),
    ("CACHED_CLASS", "            da_next = np.dot(self.parameters['W_aa'].T, dz_a)\n", ""),
    ("CHARS", "        dhnext = np.dot(Whh.T, dhraw)\n", ""),
]
