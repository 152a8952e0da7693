"""The loop: it trains anything that has a step, stops where it must, and goes on where it stopped."""

import math

import numpy as np
import pytest

from bptt.errors import NotFiniteError
from bptt.training.batches import ArrayBatches
from bptt.training.checkpoint import pack, unpack
from bptt.training.flat import FlatTensors
from bptt.training.loop import Loop
from bptt.training.optimizers import SGD, Adam
from bptt.training.schedule import Schedule

TARGET = np.arange(6.0).reshape(2, 3)


def quadratic(kind=SGD, steps=40, spoil=None, **options):
    """Return the loop of a model that is no network: J = ½ ‖W - TARGET‖², with noise from the batch."""
    flat = FlatTensors({"W_aa": np.zeros((2, 3)), "b_a": np.ones((2, 1))})
    X = np.random.default_rng(1).normal(size=(1, 12, 2))
    calls = 0

    def step(batch, a0):
        nonlocal calls
        calls += 1
        noise = 0.01 * float(batch.X.sum()) + (0.0 if a0 is None else 0.001 * float(a0.sum()))
        gradients = {"dW_aa": flat.views["W_aa"] - TARGET + noise, "db_a": flat.views["b_a"]}
        cost = 0.5 * sum(float((g**2).sum()) for g in gradients.values())
        if spoil and calls == spoil[0]:
            name, value = spoil[1:]
            if name == "cost":
                cost = value
            elif name in gradients:
                gradients[name] = np.where(
                    np.arange(gradients[name].size).reshape(gradients[name].shape) == 1, value, 0
                )
            else:
                flat.views[name][1, 0] = value
        return cost, gradients, np.full((2, 4), noise)

    chosen = {"evaluate_every": 7, "evaluate": lambda: float(((flat.views["W_aa"] - TARGET) ** 2).sum())} | options
    return Loop(
        flat,
        step,
        ArrayBatches(X, X, None, 4, 1),
        kind(flat.values, 6),
        Schedule("cosine", 0.1, 3, steps),
        np.random.default_rng(2),
        steps=steps,
        **chosen,
    )


def test_it_trains():
    loop = quadratic()
    records = list(loop)
    assert [record.step for record in records] == list(range(1, 41))
    assert records[-1].cost < 0.05 * records[0].cost
    np.testing.assert_allclose(loop.parameters.views["W_aa"], TARGET, atol=0.5)
    assert [record.step for record in records if record.validation is not None] == [7, 14, 21, 28, 35, 40]
    assert records[6].rate == pytest.approx(Schedule("cosine", 0.1, 3, 40).rate(6))


def test_the_norm_is_logged_before_clipping_and_clipping_limits_it():
    free, clipped = next(iter(quadratic())), next(iter(quadratic(clip_norm=0.5)))
    assert free.norm == clipped.norm > 0.5
    assert (free.clipped, clipped.clipped) == (False, True)
    loop = quadratic(clip_norm=0.5)
    before = loop.parameters.values.copy()
    record = loop.advance()
    assert np.linalg.norm(loop.parameters.values - before) == pytest.approx(record.rate * 0.5)
    loop = quadratic(clip_value=0.3)
    before = loop.parameters.values.copy()
    record = loop.advance()
    assert np.abs(loop.parameters.values - before).max() == pytest.approx(record.rate * 0.3)


def test_best_is_kept_and_patience_ends_it():
    costs = iter([5.0, 3.0, 4.0, 3.5, 3.2, 1.0])
    loop = quadratic(steps=100, evaluate=lambda: next(costs), patience=3)
    best = None
    for record in loop:
        if record.best:
            best = loop.parameters.values.copy()
    assert loop.stopped_early
    assert (loop.step, loop.best_step, loop.best_cost) == (35, 14, 3.0)
    np.testing.assert_array_equal(loop.best.values, best)
    assert not np.array_equal(loop.best.values, loop.parameters.values)


def test_without_evaluation_the_mean_training_cost_takes_its_place():
    loop = quadratic(evaluate=None)
    records = list(loop)
    assert records[6].validation == pytest.approx(np.mean([record.cost for record in records[:7]]))
    assert records[39].validation == pytest.approx(np.mean([record.cost for record in records[35:]]))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["cost", "dW_aa", "db_a", "W_aa"])
def test_it_stops_at_the_first_nan_and_names_step_and_tensor(name, value):
    loop = quadratic(spoil=(5, name, value))
    words = f"The cost is {value}" if name == "cost" else f"{name} holds {value}"
    with pytest.raises(NotFiniteError, match=rf"(?s)step 5, .*{words}"):
        list(loop)
    assert loop.step == 4
    if name in ("cost", "dW_aa", "db_a"):  # what is no number has not reached the parameters
        assert np.isfinite(loop.parameters.values).all()


def test_a_step_function_that_finds_a_nan_itself_is_quoted():
    loop = quadratic()

    def step(batch, a0):
        raise NotFiniteError("A is not finite from step t = 3 on.")

    loop._compute = step
    with pytest.raises(NotFiniteError, match=r"(?s)step 1,.*from step t = 3 on"):
        loop.advance()


@pytest.mark.parametrize("kind", [SGD, Adam])
@pytest.mark.parametrize("stop", [0, 1, 6, 7, 20, 39])
def test_a_loop_that_is_packed_and_unpacked_goes_on_bit_by_bit(kind, stop):
    whole = quadratic(kind)
    records = list(whole)
    first = quadratic(kind)
    for _ in range(stop):
        first.advance()
    tensors, about = pack(first)
    tensors = {name: array.copy() for name, array in tensors.items()}
    second = quadratic(kind)
    second.generator.random(5)
    unpack(second, tensors, about)
    assert list(second) == records[stop:]
    end, other = pack(whole), pack(second)
    assert end[1] == other[1]
    assert end[0].keys() == other[0].keys()
    for name, array in end[0].items():
        assert array.tobytes() == other[0][name].tobytes(), name
