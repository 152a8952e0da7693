"""Sampling: the distribution is the softmax's, restricted as asked, and equal seeds draw equal texts."""

from itertools import islice

import numpy as np
import pytest

import bptt
from bptt.errors import ValueRangeError
from bptt.model import SimpleRNN
from bptt.sampling import BLOCK, Choice, generate, keep_probable

PARAMETERS = {name: 3 * p for name, p in SimpleRNN(6, 9, 6, dtype=np.float64, seed=1).parameters.items()}
PARAMETERS["b_y"] = np.linspace(-1, 1, 6)[:, None]


def probabilities(ids, temperature=1.0):
    """Return what the reference says about the next id after ids."""
    scaled = PARAMETERS | {name: PARAMETERS[name] / temperature for name in ("W_ya", "b_y")}
    return bptt.rnn_forward(np.asarray([ids]), None, scaled)[1][:, 0, -1]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr("bptt.sampling.BLOCK", 1)  # most tests look at one draw only


def first(choice, n, seed=0, prime=(2, 0)):
    rng = np.random.default_rng(seed)
    return [next(generate(PARAMETERS, np.array(prime), choice, rng)) for _ in range(n)]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_ids_are_drawn_from_the_softmax(temperature):
    n = 3000
    counts = np.bincount(first(Choice(temperature), n), minlength=6) / n
    p = probabilities([2, 0], temperature)
    assert (np.abs(counts - p) < 4 * np.sqrt(p * (1 - p) / n) + 1e-9).all()
    assert np.abs(p - probabilities([2, 0], 1.3)).max() > 0.02  # another temperature would be seen


def test_greedy_takes_the_most_probable_at_every_step():
    ids = list(islice(generate(PARAMETERS, np.array([2]), Choice(greedy=True), np.random.default_rng(0)), BLOCK + 5))
    Y_pred = bptt.rnn_forward(np.array([[2, *ids[:-1]]]), None, PARAMETERS)[1][:, 0]
    np.testing.assert_array_equal(ids, Y_pred.argmax(axis=0))


def test_top_k_and_top_p_leave_out_the_improbable():
    order = probabilities([2, 0]).argsort()[::-1]
    assert set(first(Choice(top_k=2), 300)) == set(order[:2].tolist())
    assert set(first(Choice(top_k=1), 30)) == {order[0]}
    assert len(set(first(Choice(top_k=99), 3000))) > 2
    p = probabilities([2, 0])[order]
    for limit in (0.3, 0.6, 0.9):
        kept = int(np.searchsorted(np.cumsum(p), limit)) + 1
        assert set(first(Choice(top_p=limit), 600)) == set(order[:kept].tolist())


def test_restricted_ids_keep_their_proportions():
    n = 3000
    counts = np.bincount(first(Choice(top_k=3), n), minlength=6) / n
    p = probabilities([2, 0])
    p[p.argsort()[:3]] = 0
    p /= p.sum()
    assert (np.abs(counts - p) < 4 * np.sqrt(p * (1 - p) / n) + 1e-9).all()


def test_ties_are_kept_in_order_and_one_is_always_kept():
    z = np.zeros(4)
    keep_probable(z, Choice(top_k=2))
    np.testing.assert_array_equal(z, [0, 0, -np.inf, -np.inf])
    z = np.array([0.0, 50.0])
    keep_probable(z, Choice(top_p=1e-9))
    np.testing.assert_array_equal(z, [-np.inf, 50])


@pytest.mark.parametrize("choice", [Choice(), Choice(top_k=3), Choice(greedy=True)])
def test_equal_seeds_draw_equal_ids_and_blocks_do_not_show(choice, monkeypatch):
    def draw(n):
        return list(islice(generate(PARAMETERS, np.array([1]), choice, np.random.default_rng(7)), n))

    long = draw(BLOCK * 2 + 3)
    assert draw(10) == long[:10]
    for block in (5, BLOCK):
        monkeypatch.setattr("bptt.sampling.BLOCK", block)
        assert draw(BLOCK * 2 + 3) == long


def test_extreme_logits_are_no_trouble():
    wild = PARAMETERS | {"W_ya": PARAMETERS["W_ya"] * 1e4}
    rng = np.random.default_rng(0)
    for choice in (Choice(0.01), Choice(100.0), Choice(0.01, top_p=0.5)):
        assert len(list(islice(generate(wild, np.array([0]), choice, rng), 50))) == 50


@pytest.mark.parametrize(
    "wrong", [{"temperature": 0}, {"temperature": float("nan")}, {"top_k": 0}, {"top_p": 0.0}, {"top_p": 1.1}]
)
def test_choices_that_make_no_sense_are_told(wrong):
    with pytest.raises(ValueRangeError, match=next(iter(wrong))):
        Choice(**wrong)


def test_a_model_without_characters_samples_ids():
    ids = SimpleRNN(4, 8, 4).sample(20, [1, 2], seed=0)
    assert ids.shape == (20,)
    assert 0 <= ids.min() <= ids.max() < 4
    assert SimpleRNN.for_text("ab", 4).sample(0) == ""
