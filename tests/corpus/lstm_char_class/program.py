#coding: utf-8
import numpy as np

class LSTM:
	# tabs, column vectors, one character at a time

	def __init__(self, vocab_size, hidden_size=100, seq_len=25, lr=0.1):
		self.V, self.H, self.seq_len, self.lr = vocab_size, hidden_size, seq_len, lr
		Z = vocab_size + hidden_size
		sd = 1.0 / np.sqrt(Z)
		self.params = {}
		for name in ("Wf", "Wi", "Wc", "Wo"):
			self.params[name] = np.random.randn(hidden_size, Z) * sd
			self.params["b" + name[1]] = np.zeros((hidden_size, 1))
		self.params["Wv"] = np.random.randn(vocab_size, hidden_size) / np.sqrt(vocab_size)
		self.params["bv"] = np.zeros((vocab_size, 1))
		self.grads = {}

	def sigmoid(self, x):
		return 1 / (1 + np.exp(-x))

	def softmax(self, x):
		e_x = np.exp(x - np.max(x))
		return e_x / np.sum(e_x)

	def reset_grads(self):
		for key in self.params:
			self.grads["d" + key] = np.zeros_like(self.params[key])

	def forward_step(self, x, h_prev, c_prev):
		p = self.params
		z = np.vstack((h_prev, x))
		f = self.sigmoid(np.dot(p["Wf"], z) + p["bf"])
		i = self.sigmoid(np.dot(p["Wi"], z) + p["bi"])
		c_bar = np.tanh(np.dot(p["Wc"], z) + p["bc"])
		c = f * c_prev + i * c_bar
		o = self.sigmoid(np.dot(p["Wo"], z) + p["bo"])
		h = o * np.tanh(c)
		v = np.dot(p["Wv"], h) + p["bv"]
		return self.softmax(v), h, o, c, c_bar, i, f, z

	def backward_step(self, y, y_hat, dh_next, dc_next, c_prev, z, f, i, c_bar, c, o, h):
		p, g = self.params, self.grads
		dv = np.copy(y_hat)
		dv[y] -= 1
		g["dWv"] += np.dot(dv, h.T)
		g["dbv"] += dv

		dh = np.dot(p["Wv"].T, dv)
		dh += dh_next

		do = dh * np.tanh(c)
		da_o = do * o * (1 - o)
		g["dWo"] += np.dot(da_o, z.T)
		g["dbo"] += da_o

		dc = dh * o * (1 - np.tanh(c)**2)
		dc += dc_next

		dc_bar = dc * i
		da_c = dc_bar * (1 - c_bar**2)
		g["dWc"] += np.dot(da_c, z.T)
		g["dbc"] += da_c

		di = dc * c_bar
		da_i = di * i * (1 - i)
		g["dWi"] += np.dot(da_i, z.T)
		g["dbi"] += da_i

		df = dc * c_prev
		da_f = df * f * (1 - f)
		g["dWf"] += np.dot(da_f, z.T)
		g["dbf"] += da_f

		dz = np.dot(p["Wf"].T, da_f)
		dz += np.dot(p["Wi"].T, da_i)
		dz += np.dot(p["Wc"].T, da_c)
		dz += np.dot(p["Wo"].T, da_o)
		dh_prev = dz[:self.H, :]
		dc_prev = f * dc
		return dh_prev, dc_prev

	def forward_backward(self, x_batch, y_batch, h_prev, c_prev):
		xs, hs, cs, rest = {}, {-1: np.copy(h_prev)}, {-1: np.copy(c_prev)}, {}
		loss = 0
		T = len(x_batch)
		for t in range(T):
			xs[t] = np.zeros((self.V, 1))
			xs[t][x_batch[t]] = 1
			y_hat, hs[t], o, cs[t], c_bar, i, f, z = self.forward_step(xs[t], hs[t - 1], cs[t - 1])
			rest[t] = (y_hat, o, c_bar, i, f, z)
			loss += -np.log(y_hat[y_batch[t], 0])

		self.reset_grads()
		dh_next = np.zeros_like(hs[0])
		dc_next = np.zeros_like(cs[0])
		for t in reversed(range(T)):
			y_hat, o, c_bar, i, f, z = rest[t]
			dh_next, dc_next = self.backward_step(y_batch[t], y_hat, dh_next, dc_next, cs[t - 1], z, f, i, c_bar, cs[t], o, hs[t])
		return loss, hs[T - 1], cs[T - 1]
