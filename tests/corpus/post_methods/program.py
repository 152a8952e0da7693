def forward(self, X):
    # X has the dimension (n_in, batch, T)
    self.X = X
    self.states = [self.first_state]
    self.probs = []
    for t in range(self.T):
        z = np.dot(self.weights['input'], X[:, :, t]) + np.dot(self.weights['state'], self.states[t]) + self.weights['bias_state']
        self.states.append(tanh(z))
        # one probability per class
        self.probs.append(softmax(np.dot(self.weights['output'], self.states[t + 1]) + self.weights['bias_output']))
    return self.probs

def cost(self, labels):
    return -sum(np.sum(labels[:, :, t] * np.log(self.probs[t])) for t in range(self.T))

def backward(self, labels):
    self.gradients = {name: np.zeros_like(w) for name, w in self.weights.items()}
    # nothing comes from after the last step
    from_next = np.zeros((self.n_state, self.batch))
    for t in reversed(range(self.T)):
        dz_out = self.probs[t] - labels[:, :, t]
        self.gradients['output'] += np.dot(dz_out, self.states[t + 1].T)
        self.gradients['bias_output'] += np.sum(dz_out, axis=1, keepdims=True)
        # dimension (n_state, batch), this confused me at first
        d_state = np.dot(self.weights['output'].T, dz_out) + from_next
        dz = (1 - np.square(self.states[t + 1])) * d_state
        self.gradients['state'] += np.dot(dz, self.states[t].T)
        self.gradients['input'] += np.dot(dz, self.X[:, :, t].T)
        self.gradients['bias_state'] += np.sum(dz, axis=1, keepdims=True)
        from_next = np.dot(self.weights['state'].T, dz)
