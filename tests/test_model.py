"""SimpleRNN: the same numbers as the reference, learning, equal seeds, saving and loading."""

import math

import numpy as np
import pytest

import bptt
from bptt.errors import BpttError, DimensionError, FileError, ValueRangeError
from bptt.initial import INITIALISATIONS, initial_parameters
from bptt.model import SimpleRNN
from bptt.training.settings import Settings

TEXT = "the cat sat on the mat and the rat sat on the cat.\n" * 40


def small(**options):
    return SimpleRNN(3, 5, 2, **{"dtype": np.float64, "seed": 4, **options})


def data(dtype=np.float64):
    rng = np.random.default_rng(0)
    return rng.normal(size=(3, 7, 4)).astype(dtype), rng.integers(0, 2, (7, 4)), rng.normal(size=(5, 7)).astype(dtype)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_it_calculates_what_the_reference_calculates(activation):
    model = small(activation=activation)
    X, Y, a0 = data()
    _, Y_pred, cache = bptt.rnn_forward(X, a0, model.parameters, activation)
    np.testing.assert_allclose(model.predict_proba(X, a0), Y_pred, rtol=1e-12)
    np.testing.assert_array_equal(model.predict(X, a0), Y_pred.argmax(axis=0))
    cost, gradients = model.cost_and_gradients(X, Y, a0)
    assert cost == pytest.approx(bptt.rnn_cost(Y, cache, "mean"))
    expected = bptt.rnn_backward(Y, cache, "mean")
    for name in ("dW_aa", "dW_ax", "dW_ya", "db_a", "db_y", "da0"):
        np.testing.assert_allclose(gradients[name], expected[name], rtol=1e-9, atol=1e-12)


def test_predictions_come_in_the_model_s_type():
    X, _, a0 = data()
    model = small(dtype=np.float32)
    assert model.predict_proba(X, a0).dtype == np.float32
    ids = np.array([[0, 2, 1]])
    assert model.predict_proba(ids).dtype == np.float32
    np.testing.assert_array_equal(model.predict_proba(ids), model.predict_proba(bptt.one_hot(ids, 3)))


@pytest.mark.parametrize("name", INITIALISATIONS)
def test_initialisations_have_their_shapes_and_laws(name):
    p = initial_parameters(50, 400, 30, np.random.default_rng(0), name, dtype=np.float64)
    assert [p[k].shape for k in p] == [(400, 400), (400, 50), (30, 400), (400, 1), (30, 1)]
    W = p["W_aa"]
    if name == "orthogonal":
        np.testing.assert_allclose(W @ W.T, np.eye(400), atol=1e-12)
        assert abs(W.mean()) < 1e-3  # the signs are not the QR's
    elif name == "identity":
        np.testing.assert_array_equal(W, np.eye(400))
    elif name == "normal":
        assert W.std() == pytest.approx(0.01, rel=0.02)
    else:
        limit = math.sqrt(6 / 800) if name == "glorot" else 1 / 20
        assert 0.99 * limit < np.abs(W).max() <= limit
        assert W.std() == pytest.approx(limit / math.sqrt(3), rel=0.02)
    if name == "torch":  # two biases of torch are one of ours
        assert 1 / 20 < np.abs(p["b_a"]).max() < 2 / 20
    else:
        assert not p["b_a"].any()


def test_a_scale_scales():
    rng = np.random.default_rng
    np.testing.assert_array_equal(initial_parameters(2, 3, 2, rng(0), "identity", 0.5)["W_aa"], 0.5 * np.eye(3))
    W = initial_parameters(2, 3, 2, rng(0), "orthogonal", 0.9, np.float64)["W_aa"]
    np.testing.assert_allclose(W @ W.T, 0.81 * np.eye(3), atol=1e-12)
    with pytest.raises(ValueRangeError, match="takes no scale"):
        initial_parameters(2, 3, 2, rng(0), "glorot", 0.5)


def test_it_learns_a_text_and_equal_seeds_learn_bit_by_bit_the_same():
    options = {"epochs": 12, "m": 4, "T_x": 16, "rate": 1e-2}
    models = [SimpleRNN.for_text(TEXT, 24, seed=seed) for seed in (1, 1, 2)]
    records = [model.fit(TEXT, **options) for model in models]
    assert records[0][-1].validation < 0.5 < 2 < records[0][0].cost
    assert records[0] == records[1] != records[2]
    for name, array in models[0].parameters.items():
        assert array.tobytes() == models[1].parameters[name].tobytes()
    assert models[0].sample(200, seed=3) == models[1].sample(200, seed=3)
    assert "the" in models[0].sample(200, seed=3)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("ids", [True, False])
def test_it_learns_arrays(optimizer, ids):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 3, (60, 6))
    Y = np.concatenate([np.zeros((60, 1), int), X[:, :-1]], axis=1)  # say what was said before: needs memory
    model = SimpleRNN(3, 12, 3)
    given = (X, Y) if ids else (bptt.one_hot(X, 3), bptt.one_hot(Y, 3))
    rate = 2e-2 if optimizer == "adam" else 0.3
    model.fit(*given, epochs=80, m=10, rate=rate, optimizer=optimizer, validation=0.2)
    assert (model.predict(X) == Y).mean() > 0.95


def test_the_initial_state_of_arrays_is_used():
    Y = np.repeat(np.arange(2), 20)[:, None]
    a0 = np.where(Y.T == 0, -1.0, 1.0) * np.ones((4, 1))  # only a0 tells the answer
    model = SimpleRNN(1, 4, 2)
    model.fit(np.zeros((40, 1), int), Y, a0, epochs=60, m=8, rate=3e-2, validation=0.2)
    assert (model.predict(np.zeros((40, 1), int), a0) == Y).all()


def test_what_was_saved_comes_back(tmp_path):
    model = SimpleRNN.for_text(TEXT, 8, activation="relu", dtype=np.float64)
    model.parameters["W_aa"] = model.parameters["W_aa"].T  # not contiguous
    model.save(tmp_path / "m.safetensors")
    other = SimpleRNN.load(tmp_path / "m.safetensors")
    assert (other.activation, other.vocabulary.characters) == ("relu", model.vocabulary.characters)
    for name, array in model.parameters.items():
        np.testing.assert_array_equal(other.parameters[name], array)
    assert other.sample(50, seed=1) == model.sample(50, seed=1)
    with pytest.raises(FileError, match="there is no file"):
        SimpleRNN.load(tmp_path / "none")
    with pytest.raises(FileError, match="cannot be written"):
        model.save(tmp_path / "no" / "directory")


WRONG = {
    "n_x 0": (lambda: SimpleRNN(0, 5, 2), "n_x is 0"),
    "n_a a float": (lambda: SimpleRNN(3, 5.0, 2), r"n_a is 5\.0"),
    "n_y a bool": (lambda: SimpleRNN(3, 5, True), "n_y is True"),
    "n_a huge": (lambda: SimpleRNN(3, 10**6, 2), "W_aa would have 1,000,000,000,000 numbers"),
    "activation": (lambda: small(activation="sine"), "activation is 'sine'"),
    "initialisation": (lambda: small(initialisation="magic"), "there is no initialisation 'magic'"),
    "dtype": (lambda: small(dtype=np.float16), "dtype is float16"),
    "complex": (lambda: small(dtype=np.complex128), "dtype is complex128"),
    "seed": (lambda: small(seed=-1), "seed is -1"),
    "text without vocabulary": (lambda: small().fit("text"), "has no vocabulary"),
    "unknown character": (lambda: SimpleRNN.for_text("abc").fit("abcd" * 100), "character 'd' at 3"),
    "Y missing": (lambda: small().fit(data()[0]), "Y is missing"),
    "X and Y disagree": (lambda: small().fit(data()[0], data()[1][:, 1:]), "disagree on m or T_x"),
    "a0 of another m": (lambda: small().fit(data()[0], data()[1], np.zeros((5, 3))), "disagree on m"),
    "X NaN": (lambda: small().fit(data()[0] * np.nan, data()[1]), r"X holds nan at \[0, 0, 0\]"),
    "Y sums to 2": (lambda: small().fit(data()[0], np.ones((2, 7, 4))), "sums to 2"),
    "Y negative ids": (lambda: small().fit(data()[0], -data()[1] - 1), "Y holds the id -"),
    "Y ids too large": (lambda: small().fit(data()[0], data()[1] + 1), "Y holds the id 2"),
    "X of another n_x": (lambda: small().fit(data()[0][:2], data()[1]), "disagree on n_x"),
    "X of strings": (lambda: small().fit(np.array([["a"]]), data()[1]), "numbers are wanted"),
    "X complex": (lambda: small().fit(data()[0] * 1j, data()[1]), "X is complex128"),
    "X a list": (lambda: small().fit([[1, 2]], data()[1]), "X is a list"),
    "X empty": (lambda: small().fit(np.zeros((3, 0, 4)), np.zeros((0, 4), int)), "not empty"),
    "X two numbers": (lambda: small().fit(np.zeros((7, 4)), data()[1]), "ids .m, T_x. or numbers"),
    "predict wrong n_x": (lambda: small().predict(data()[0][:2]), "n_x"),
    "predict id": (lambda: small().predict(np.array([[3]])), "the id 3"),
    "predict a list": (lambda: small().predict([[1]]), "X is a list"),
    "sample of n_x != n_y": (lambda: small().sample(3), "n_x=3 and predicts n_y=2"),
    "sample length": (lambda: SimpleRNN(2, 3, 2).sample(-1), "length is -1"),
    "sample prime": (lambda: SimpleRNN(2, 3, 2).sample(3, [2]), "whole numbers from 0 to 1"),
    "sample prime text": (lambda: SimpleRNN(2, 3, 2).sample(3, "a"), "whole numbers"),
    "sample letter": (lambda: SimpleRNN.for_text("ab", 3).sample(3, "abz"), "character 'z' at 2"),
    "empty vocabulary": (lambda: SimpleRNN.for_text(""), "n_x is 0"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_makes_no_sense_is_told(name):
    call, words = WRONG[name]
    with pytest.raises(BpttError, match=words):
        call()


@pytest.mark.parametrize(
    "wrong",
    [
        {"m": 0}, {"m": 2.5}, {"T_x": -1}, {"epochs": 0}, {"epochs": math.nan}, {"rate": -1.0}, {"rate": math.inf},
        {"momentum": 1.0}, {"weight_decay": -1}, {"clip_norm": 0}, {"validation": 1.0}, {"patience": 0}, {"steps": 0},
        {"optimizer": "magic"}, {"schedule": "magic"}, {"warm_up": -1}, {"evaluate_every": True}, {"rate": "fast"},
    ],
)  # fmt: skip
def test_settings_that_make_no_sense_are_told(wrong):
    with pytest.raises(ValueRangeError, match=next(iter(wrong))):
        Settings(**wrong)


def test_the_usual_rate_is_smaller_for_a_larger_net():
    assert [Settings().peak(n_a) for n_a in (8, 128, 256, 1024)] == [8e-3, 8e-3, 4e-3, 1e-3]
    assert Settings(optimizer="sgd").peak(1024) == 0.5
    assert Settings(rate=3e-3).peak(1024) == 3e-3


def test_an_error_in_the_shape_names_the_dimension():
    with pytest.raises(DimensionError, match="n_x"):
        small().cost_and_gradients(data()[0][:2], data()[1])
