"""The tester is tested: planted faults fail, right gradients pass, and what cannot be judged is refused."""

import numpy as np
import pytest

import bptt
from bptt.differences import carries_complex, central_difference, complex_step
from bptt.errors import BpttError, DimensionError, DtypeError, NotFiniteError, ValueRangeError
from problems import draw

RNG = np.random.default_rng(5)
POINT = {"W": RNG.normal(size=(4, 3)), "b": RNG.normal(size=(4, 1))}
x = RNG.normal(size=(3, 6))


def cost(p):
    return (np.tanh(p["W"] @ x + p["b"]) ** 2).sum()


def right():
    a = np.tanh(POINT["W"] @ x + POINT["b"])
    dz = 2 * a * (1 - a * a)
    return {"W": dz @ x.T, "b": dz.sum(axis=1, keepdims=True)}


def real_only(p):
    return float(np.real(cost(p)))


@pytest.mark.parametrize("method", ["complex", "central", "auto"])
def test_a_right_gradient_is_right(method):
    compared = bptt.check_gradients(cost, POINT, right(), method=method)
    assert compared.ok, str(compared)
    assert {row.name for row in compared.rows} == {"W", "b"}
    assert compared.method == ("complex" if method == "auto" else method)


def fault_factor(g):
    g["W"] *= 1.001


def fault_one_element(g):
    g["W"][2, 1] += 1e-6 * np.abs(g["W"]).max()


def fault_sign(g):
    g["b"] *= -1


def fault_transposed(g):
    g["W"] = np.flip(g["W"], axis=0)


def fault_dropped_term(g):
    a = np.tanh(POINT["W"] @ x[:, :-1] + POINT["b"])
    g["b"] = (2 * a * (1 - a * a)).sum(axis=1, keepdims=True)  # one example of the batch left out


def fault_nan(g):
    g["W"][0, 0] = np.nan


def fault_zero(g):
    g["b"][:] = 0


FAULTS = [fault_factor, fault_one_element, fault_sign, fault_transposed, fault_dropped_term, fault_nan, fault_zero]


@pytest.mark.parametrize("method", ["complex", "central"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.__name__)
def test_a_planted_fault_is_found_and_the_other_parameter_stays_right(fault, method):
    g = right()
    fault(g)
    compared = bptt.check_gradients(cost, POINT, g, method=method)
    changed = [name for name in g if not np.array_equal(g[name], right()[name])]
    assert [row.name for row in compared.rows if row.status == "wrong"] == changed
    assert not compared.ok


@pytest.mark.parametrize("method", ["complex", "central"])
def test_a_wrong_gradient_of_1e_8_beside_one_of_1_is_found(method):
    point = {"big": np.array([1.5]), "tiny": np.array([0.7])}

    def both(p):
        return (p["big"] ** 2 + 1e-8 * np.sin(p["tiny"])).sum()

    gradients = {"big": 2 * point["big"], "tiny": 1e-8 * np.cos(point["tiny"])}
    assert bptt.check_gradients(both, point, gradients, method=method, tolerance=1e-3).ok
    gradients["tiny"] = gradients["tiny"] * 1.5
    assert bptt.check_gradients(both, point, gradients, method=method, tolerance=1e-3)["tiny"].status == "wrong"


def test_a_gradient_below_the_rounding_of_the_function_is_undecided_not_right():
    point = {"big": np.array([1.5]), "tiny": np.array([0.7])}

    def both(p):
        return float(np.real(p["big"] ** 2 + 1e-15 * np.sin(p["tiny"])).sum())

    gradients = {"big": 2 * point["big"], "tiny": np.array([1e-14])}
    row = bptt.check_gradients(both, point, gradients, method="central")["tiny"]
    assert row.status == "right"  # beside the largest gradient, 3, it is 0 to rounding
    assert row.noise > 0


def test_a_kink_is_undecided_not_wrong():
    point = {"v": np.array([1.0, 1e-5])}
    gradients = {"v": np.array([1.0, 1.0])}
    row = bptt.check_gradients(lambda p: np.maximum(p["v"].real, 0).sum(), point, gradients, method="central")["v"]
    assert row.status == "undecided"
    assert "kink" in row.note


def test_the_numbers_of_a_row():
    g = right()
    g["W"][2, 1] += 0.5
    row = bptt.check_gradients(cost, POINT, g)["W"]
    assert row.worst_index == (2, 1)
    assert row.yours - row.numeric == pytest.approx(0.5)
    assert row.relative_error == pytest.approx(0.5 / np.abs(right()["W"]).max())
    assert "W" in str(bptt.check_gradients(cost, POINT, g))
    with pytest.raises(KeyError):
        bptt.check_gradients(cost, POINT, g)["V"]


def test_the_two_methods_share_nothing_and_agree():
    exact = complex_step(cost, POINT, "W")
    slope, rough = central_difference(cost, POINT, "W")
    np.testing.assert_allclose(exact, right()["W"], atol=1e-14)
    np.testing.assert_allclose(slope, exact, atol=1e-9)
    assert rough < 1e-4


def test_who_carries_complex_numbers():
    def through_a_buffer(p):
        out = np.zeros((4, 6))
        out[:] = (p["W"] @ x + p["b"]).real
        return (out**2).sum()

    def drops_one(p):
        return (np.tanh(p["W"] @ x + p["b"].real) ** 2).sum()

    def through_a_conjugate(p):
        return (np.abs(p["W"] @ x) ** 2).sum() + p["b"].sum()

    assert carries_complex(cost, POINT)
    for function in (real_only, through_a_buffer, drops_one, through_a_conjugate):
        assert not carries_complex(function, POINT)
        assert bptt.check_gradients(function, POINT, {"b": right()["b"]}).method == "central"


def test_inputs_are_never_mutated():
    before = {name: value.copy() for name, value in POINT.items()}
    for method in ("complex", "central"):
        bptt.check_gradients(cost, POINT, right(), method=method)
    for name in POINT:
        np.testing.assert_array_equal(POINT[name], before[name])


def test_what_cannot_be_judged_is_refused():
    with pytest.raises(DtypeError, match="W is float32, float64 is wanted"):
        bptt.check_gradients(cost, {**POINT, "W": POINT["W"].astype(np.float32)}, right())
    with pytest.raises(ValueRangeError, match="two runs of the function at the same parameters differ"):
        bptt.check_gradients(lambda p: cost(p) + np.random.default_rng().normal(), POINT, right())
    with pytest.raises(ValueRangeError, match="writes into its parameter W"):
        bptt.check_gradients(lambda p: np.multiply(p["W"], 2, out=p["W"]).sum(), POINT, right())
    with pytest.raises(DimensionError, match="the gradient of W does not have the shape of W"):
        bptt.check_gradients(cost, POINT, {"W": right()["W"].T})
    with pytest.raises(ValueRangeError, match="under its parameter's own name"):
        bptt.check_gradients(cost, POINT, {"dW": right()["W"]})
    with pytest.raises(ValueRangeError, match="gradients is empty"):
        bptt.check_gradients(cost, POINT, {})
    with pytest.raises(ValueRangeError, match="a scalar cost is wanted"):
        bptt.check_gradients(lambda p: p["W"], POINT, right())
    with pytest.raises(NotFiniteError, match="a finite cost is wanted"):
        bptt.check_gradients(lambda p: np.nan * cost(p), POINT, right())
    with pytest.raises(NotFiniteError, match="W holds a value that is not finite"):
        bptt.check_gradients(cost, {**POINT, "W": POINT["W"] * np.inf}, right())
    with pytest.raises(ValueRangeError, match="method is 'forward'"):
        bptt.check_gradients(cost, POINT, right(), method="forward")
    with pytest.raises(ValueRangeError, match="tolerance is -1"):
        bptt.check_gradients(cost, POINT, right(), tolerance=-1)
    with pytest.raises(BpttError, match="W is a list"):
        bptt.check_gradients(cost, {"W": [1.0]}, {"W": np.ones(1)})


# ---- the suite is tested: a fault in the network's own backward pass must not go unseen


def test_a_missing_step_of_the_network_is_found():
    p = draw((3, 5, 2, 7, 4))
    cache = bptt.rnn_forward(p["X"], p["a0"], p["parameters"])[2]
    short = bptt.rnn_forward(p["X"][:, :, :3], p["a0"], p["parameters"])[2]
    gradients = bptt.rnn_backward(p["Y"][:, :, :3], short)

    def whole(q):
        return bptt.rnn_cost(p["Y"], bptt.rnn_forward(p["X"], p["a0"], q)[2])

    names = p["parameters"]
    compared = bptt.check_gradients(whole, names, {name: gradients[f"d{name}"] for name in names})
    assert {row.status for row in compared.rows} == {"wrong"}
    right_ones = bptt.rnn_backward(p["Y"], cache)
    assert bptt.check_gradients(whole, names, {name: right_ones[f"d{name}"] for name in names}).ok
