"""The development corpus of ``bptt check`` is what it says it is: right where it says right, wrong where it says wrong.

Nothing here uses the checker.  Each program runs through its own adapter, against central differences of its own cost.
"""

import ast
import collections
import json
import types
import warnings

import numpy as np
import pytest
from corpus import HERE, Entry, plain, programs

ALL = list(programs())
BASES = [entry for entry in ALL if "/" not in entry.name]
FAULTS = [entry for entry in ALL if entry.verdict == "wrong"]
RIGHT = [entry for entry in ALL if entry.verdict == "right"]
CODES = "R1 R2 R3 R4 T1 T2 T3 A1 A2 S1 S2 L1 L2 M1 M2 M3 W1 W2 U1 K".split()
ASSUMED = {
    "np": np,
    "softmax": lambda z: np.exp(z - z.max(axis=0)) / np.exp(z - z.max(axis=0)).sum(axis=0),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
}
SIZES = types.SimpleNamespace(n_x=3, n_a=5, n_y=4, m=2, T_x=6, dtype=np.float64)


def definitions(entry: Entry) -> types.ModuleType:
    """Execute the definitions and constants of a program, never its run."""
    module = types.ModuleType(entry.name)
    module.__dict__.update({name: ASSUMED[name] for name in entry.dropped})
    for node in ast.parse(plain(entry.python)).body:
        if isinstance(node, ast.Assign) and not all(
            isinstance(c.func, ast.Attribute) and ast.unparse(c.func).startswith("np.")
            for c in ast.walk(node)
            if isinstance(c, ast.Call)
        ):
            continue
        if isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef | ast.Assign):
            try:
                exec(compile(ast.Module([node], []), entry.name, "exec"), module.__dict__)
            except (ImportError, NameError):  # nltk, matplotlib; a constant that needs the data
                continue
    return module


def case(entry: Entry, sizes: object = SIZES, seed: int = 0):
    text = entry.adapter or (HERE / entry.name.split("/")[0] / "truth.py").read_text(encoding="utf-8")
    adapter: dict = {}
    exec(compile(text, f"{entry.name} adapter", "exec"), adapter)
    return adapter["bptt_case"](definitions(entry) if entry.adapter else entry.python, sizes, seed)


def slope(built, array: np.ndarray, direction: np.ndarray, h: float = 3e-4) -> float:
    """The fourth-order central difference of the cost along a direction in one parameter."""
    kept, f = array.copy(), {}
    for k in (-2, -1, 1, 2):
        array[...] = kept + k * h * direction
        f[k] = built.cost()
    array[...] = kept
    return (8 * (f[1] - f[-1]) - (f[2] - f[-2])) / (12 * h)


def errors(entry: Entry, sizes: object = SIZES, seed: int = 0, directions: int = 1) -> dict[str, float]:
    """The relative error of each parameter's gradient along random directions, the worse of two runs in a row."""
    built = case(entry, sizes, seed)
    shapes = {name: array.shape for name, array in built.parameters.items()}
    rng = np.random.default_rng(seed + 1)
    probes = [(name, rng.normal(size=shape)) for name, shape in shapes.items() for _ in range(directions)]
    true = [slope(built, built.parameters[name], direction) for name, direction in probes]
    scale = max(map(abs, true))
    found: dict[str, float] = {}
    for _ in range(2):
        theirs = {name: np.array(g) for name, g in built.gradients().items()}
        for (name, direction), wanted in zip(probes, true, strict=True):
            if name not in theirs:
                continue
            if theirs[name].shape != shapes[name] and theirs[name].size > 1 and theirs[name].squeeze().shape != tuple(
                n for n in shapes[name] if n != 1
            ):
                return {name: float("inf")}
            got = float(np.sum(np.broadcast_to(theirs[name].reshape(shapes[name]) if theirs[name].size > 1 else theirs[name], shapes[name]) * direction))
            error = abs(got - wanted) / max(abs(wanted), 1e-3 * scale)
            found[name] = max(found.get(name, 0.0), error if np.isfinite(error) else float("inf"))
    return found


@pytest.fixture(autouse=True)
def _quiet(capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("entry", BASES, ids=lambda entry: entry.name)
def test_a_base_is_right_at_several_sizes(entry):
    for number, sizes in enumerate([(3, 5, 4, 2, 6), (4, 3, 5, 1, 3), (2, 4, 3, 3, 1)]):
        named = types.SimpleNamespace(**dict(zip(("n_x", "n_a", "n_y", "m", "T_x"), sizes)), dtype=np.float64)
        found = errors(entry, named, seed=number, directions=3)
        assert len(found) >= 2
        assert max(found.values()) < 1e-7, (sizes, found)


@pytest.mark.parametrize("entry", [e for e in RIGHT if "/" in e.name], ids=lambda entry: entry.name)
def test_a_right_variant_is_right(entry):
    found = errors(entry, directions=2)
    assert max(found.values()) < 1e-7, found


@pytest.mark.parametrize("entry", FAULTS, ids=lambda entry: entry.name)
def test_a_fault_makes_a_gradient_wrong(entry):
    try:
        found = errors(entry)
    except Exception as error:
        assert entry.raises == type(error).__name__, repr(error)
    else:
        assert entry.raises is None, "it does not raise"
        assert max(found.values()) > 1e-6, found
