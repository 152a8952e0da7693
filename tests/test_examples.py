"""The example that answers the question is right and learns; every example in a docstring says what it says."""

import doctest
import importlib.util
import pkgutil
from pathlib import Path

import numpy as np
import pytest

import bptt

ROOT = Path(__file__).parent.parent


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def the_asker():
    return load(ROOT / "examples" / "the_asker.py")


def test_the_askers_class_is_right(the_asker):
    X, Y = the_asker.memory_task(n=3, m=7, T_x=6)
    rnn = the_asker.RNN(X, Y, n_a=5)
    rng = np.random.default_rng(2)
    for value in rnn.parameters.values():
        value += 0.3 * rng.normal(size=value.shape)
    rnn.cache["A"][:, :, 0] = rng.normal(size=(5, 7))  # the initial state is not zero
    rnn.rnn_forward(0)
    rnn.rnn_backward(0)
    a0 = rnn.cache["A"][:, :, 0]

    def cost(p):
        return bptt.rnn_cost(Y, bptt.rnn_forward(X, a0, p)[2])

    compared = bptt.check_gradients(cost, rnn.parameters, {n: rnn.cache[f"d{n}"] for n in rnn.parameters})
    assert compared.ok, str(compared)
    assert rnn.costs[0] == pytest.approx(cost(rnn.parameters), rel=1e-12)


def test_the_askers_class_learns(the_asker, capsys):
    the_asker.main()
    assert capsys.readouterr().out.splitlines()[-1].endswith("100.0% of the symbols named")


MODULES = [m.name for m in pkgutil.walk_packages(bptt.__path__, "bptt.") if not m.name.endswith("__main__")]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_the_docstrings(name):
    module = importlib.import_module(name)
    assert doctest.testmod(module).failed == 0
