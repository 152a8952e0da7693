import numpy as np
from numpy.random import randn
import random

from data import train_data, test_data

# Create the vocabulary.
vocab = list(set([w for text in train_data.keys() for w in text.split(' ')]))
vocab_size = len(vocab)
print('%d unique words found' % vocab_size)
word_to_idx = {w: i for i, w in enumerate(vocab)}

class SentimentRNN:
  # A many-to-one RNN: the label is predicted from the last hidden state.

  def __init__(self, input_size, output_size, hidden_size=64):
    self.Whh = randn(hidden_size, hidden_size) / 1000
    self.Wxh = randn(hidden_size, input_size) / 1000
    self.Why = randn(output_size, hidden_size) / 1000
    self.bh = np.zeros((hidden_size, 1))
    self.by = np.zeros((output_size, 1))

  def forward(self, inputs):
    '''
    Perform a forward pass of the RNN using the given inputs.
    Returns the final output and hidden state.
    - inputs is an array of one hot vectors with shape (input_size, 1).
    '''
    h = np.zeros((self.Whh.shape[0], 1))
    self.last_inputs = inputs
    self.last_hs = { 0: h }
    for i, x in enumerate(inputs):
      h = np.tanh(self.Wxh @ x + self.Whh @ h + self.bh)
      self.last_hs[i + 1] = h
    y = self.Why @ h + self.by
    return y, h

  def backprop(self, d_y, learn_rate=2e-2):
    '''
    Perform a backward pass of the RNN.
    - d_y (dL/dy) has shape (output_size, 1).
    '''
    n = len(self.last_inputs)
    d_Why = d_y @ self.last_hs[n].T
    d_by = d_y
    d_Whh = np.zeros(self.Whh.shape)
    d_Wxh = np.zeros(self.Wxh.shape)
    d_bh = np.zeros(self.bh.shape)
    # Calculate dL/dh for the last h.
    d_h = self.Why.T @ d_y
    # Backpropagate through time.
    for t in reversed(range(n)):
      # An intermediate value: dL/dh * (1 - h^2)
      temp = ((1 - self.last_hs[t + 1] ** 2) * d_h)
      d_bh += temp
      d_Whh += temp @ self.last_hs[t].T
      d_Wxh += temp @ self.last_inputs[t].T
      # Next dL/dh = dL/dh * (1 - h^2) * Whh
      d_h = self.Whh.T @ temp

    # Clip to prevent exploding gradients.
    for d in [d_Wxh, d_Whh, d_Why, d_bh, d_by]:
      np.clip(d, -1, 1, out=d)

    # Update weights and biases using gradient descent.
    self.Whh -= learn_rate * d_Whh
    self.Wxh -= learn_rate * d_Wxh
    self.Why -= learn_rate * d_Why
    self.bh -= learn_rate * d_bh
    self.by -= learn_rate * d_by

def createInputs(text):
  inputs = []
  for w in text.split(' '):
    v = np.zeros((vocab_size, 1))
    v[word_to_idx[w]] = 1
    inputs.append(v)
  return inputs

def softmax(xs):
  return np.exp(xs) / sum(np.exp(xs))

def process(rnn, inputs, target, backprop=True, learn_rate=2e-2):
  out, _ = rnn.forward(inputs)
  probs = softmax(out)
  loss = -np.log(probs[target])[0]
  if backprop:
    # Build dL/dy
    d_L_d_y = probs
    d_L_d_y[target] -= 1
    rnn.backprop(d_L_d_y, learn_rate)
  return loss

rnn = SentimentRNN(vocab_size, 2)
for epoch in range(1000):
  items = list(train_data.items())
  random.shuffle(items)
  train_loss = sum(process(rnn, createInputs(x), int(y)) for x, y in items) / len(items)
  if epoch % 100 == 99:
    print('--- Epoch %d' % (epoch + 1))
    print('Train:\tLoss %.3f' % train_loss)
