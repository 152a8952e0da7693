import numpy as np

class simpleRNN:
    def __init__(self, inputSize, hiddenSize, outputSize, learningRate=0.1):
        self.learningRate = learningRate
        self.hiddenSize = hiddenSize
        self.weightsXH = np.random.normal(size=(hiddenSize, inputSize))
        self.weightsHH = np.random.normal(size=(hiddenSize, hiddenSize))
        self.weightsHY = np.random.normal(size=(outputSize, hiddenSize))
        self.biasH = np.zeros((hiddenSize, 1))
        self.biasY = np.zeros((outputSize, 1))

    def logistic(self, a):
        return 1 / (1 + np.exp(-a))

    def forwardPass(self, sequence):
        # sequence: list of columns. every output is a yes/no
        self.sequence = sequence
        self.hidden = [np.zeros((self.hiddenSize, 1))]
        self.outputs = []
        for column in sequence:
            state = np.tanh(self.weightsXH @ column + self.weightsHH @ self.hidden[-1] + self.biasH)
            self.hidden.append(state)
            self.outputs.append(self.logistic(self.weightsHY @ state + self.biasY))
        return self.outputs

    def logLikelihood(self, answers):
        total = 0
        for o, y in zip(self.outputs, answers):
            total += np.sum(y * np.log(o) + (1 - y) * np.log(1 - o))
        return total

    def learn(self, answers):
        """one step UP the log likelihood"""
        updateXH = np.zeros(self.weightsXH.shape)
        updateHH = np.zeros(self.weightsHH.shape)
        updateHY = np.zeros(self.weightsHY.shape)
        updateBH = np.zeros(self.biasH.shape)
        updateBY = np.zeros(self.biasY.shape)
        fromNext = np.zeros((self.hiddenSize, 1))
        for step in range(len(self.sequence) - 1, -1, -1):
            errorY = answers[step] - self.outputs[step]
            updateHY += errorY @ self.hidden[step + 1].T
            updateBY += errorY
            errorH = self.weightsHY.T @ errorY + fromNext
            beforeTanh = errorH * (1 - self.hidden[step + 1] ** 2)
            updateXH += beforeTanh @ self.sequence[step].T
            updateHH += beforeTanh @ self.hidden[step].T
            updateBH += beforeTanh
            fromNext = self.weightsHH.T @ beforeTanh
        self.weightsXH += self.learningRate * updateXH
        self.weightsHH += self.learningRate * updateHH
        self.weightsHY += self.learningRate * updateHY
        self.biasH += self.learningRate * updateBH
        self.biasY += self.learningRate * updateBY
