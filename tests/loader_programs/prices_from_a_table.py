import numpy as np
import pandas as pd
import matplotlib.pyplot as plt
from sklearn.preprocessing import MinMaxScaler
from sklearn.model_selection import train_test_split

df = pd.read_csv('GOOG.csv')
df = df.dropna()
df['Date'] = pd.to_datetime(df['Date'])
prices = df['Close'].values.reshape(-1, 1)
scaler = MinMaxScaler(feature_range=(0, 1))
scaled = scaler.fit_transform(prices)

window = 10
X, y = [], []
for i in range(window, len(scaled)):
    X.append(scaled[i - window:i, 0])
    y.append(scaled[i, 0])
X, y = np.array(X), np.array(y)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, shuffle=False)

hidden_dim = 20
U = np.random.uniform(0, 1, (hidden_dim, 1)) * 0.1
W = np.random.uniform(0, 1, (hidden_dim, hidden_dim)) * 0.1
V = np.random.uniform(0, 1, (1, hidden_dim)) * 0.1
lr = 0.001


def step(x, target):
    s = np.zeros((hidden_dim, 1))
    states = [s]
    for t in range(len(x)):
        s = np.tanh(U * x[t] + W @ s)
        states.append(s)
    out = (V @ s)[0, 0]
    loss = 0.5 * (out - target) ** 2
    dU, dW, dV = np.zeros_like(U), np.zeros_like(W), np.zeros_like(V)
    e = out - target
    dV += e * s.T
    ds = e * V.T
    for t in range(len(x))[::-1]:
        dz = ds * (1 - states[t + 1] ** 2)
        dU += dz * x[t]
        dW += dz @ states[t].T
        ds = W.T @ dz
    return loss, dU, dW, dV


for epoch in range(25):
    total = 0
    for i in range(len(X_train)):
        loss, dU, dW, dV = step(X_train[i], y_train[i])
        total += loss
        U -= lr * dU
        W -= lr * dW
        V -= lr * dV
    print('Epoch', epoch, total / len(X_train))
plt.plot(df['Close'])
plt.show()
