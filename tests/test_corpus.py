"""The development corpus of ``bptt check`` is what it says it is: right where it says right, wrong where it says wrong.

Nothing here uses the checker.  Each program runs through its own adapter, against central differences of its own cost.
"""

import ast
import collections
import dataclasses
import functools
import json
import types
import warnings

import numpy as np
import pytest

from corpus import HERE, Entry, parts, plain, programs

ALL = list(programs())
BASES = [entry for entry in ALL if "/" not in entry.name]
FAULTS = [entry for entry in ALL if entry.verdict == "wrong"]
RIGHT = [entry for entry in ALL if entry.verdict == "right"]
CODES = ["R1", "R2", "R3", "R4", "T1", "T2", "T3", "A1", "A2", "S1", "S2", "L1", "L2"]
CODES += ["M1", "M2", "M3", "W1", "W2", "U1", "K"]
ASSUMED = {
    "np": np,
    "softmax": lambda z: np.exp(z - z.max(axis=0)) / np.exp(z - z.max(axis=0)).sum(axis=0),
    "tanh": np.tanh,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
}


@functools.cache
def adapter_of(text: str):
    space: dict = {}
    exec(compile(text, "adapter", "exec"), space)
    return space["bptt_case"]


def loads(node: ast.stmt) -> bool:
    """Tell whether a statement at module level is a definition or a constant, and no run."""
    if isinstance(node, ast.Assign):
        calls = [ast.unparse(call.func) for call in ast.walk(node) if isinstance(call, ast.Call)]
        return all(name.startswith("np.") for name in calls)
    if isinstance(node, ast.Import | ast.ImportFrom):
        return "matplotlib" not in ast.unparse(node)  # slow, and nothing is drawn here
    return isinstance(node, ast.FunctionDef | ast.ClassDef)


def definitions(entry: Entry) -> types.ModuleType:
    """Execute the definitions and constants of a program, never its run."""
    module = types.ModuleType(entry.name)
    module.__dict__.update({name: ASSUMED[name] for name in entry.dropped})
    for node in filter(loads, ast.parse(plain(entry.python)).body):
        try:
            exec(compile(ast.Module([node], []), entry.name, "exec"), module.__dict__)
        except (ImportError, NameError):  # nltk, data; a constant that needs the data
            continue
    return module


def case(entry: Entry, at: object, seed: int = 0):
    text = entry.adapter or (HERE / entry.name.split("/")[0] / "truth.py").read_text(encoding="utf-8")
    return adapter_of(text)(definitions(entry) if entry.adapter else entry.python, at, seed)


def slope(built, array: np.ndarray, direction: np.ndarray, h: float = 3e-5) -> float:
    """The fourth-order central difference of the cost along a direction in one parameter."""
    kept, f = array.copy(), {}
    for k in (-2, -1, 1, 2):
        array[...] = kept + k * h * direction
        f[k] = built.cost()
    array[...] = kept
    return (8 * (f[1] - f[-1]) - (f[2] - f[-2])) / (12 * h)


def along(gradient: np.ndarray, shape: tuple[int, ...], direction: np.ndarray) -> float:
    """Gradient times direction; a scalar counts for every element, as it does in an update; another shape is wrong."""
    if gradient.size == 1:
        return float(gradient.reshape(()) * direction.sum())
    if [n for n in gradient.shape if n > 1] != [n for n in shape if n > 1]:
        return float("inf")
    return float((gradient.reshape(shape) * direction).sum())


def errors(entry: Entry, at: object = None, seed: int = 0, directions: int = 1, until: float = np.inf) -> dict:
    """The error of each gradient along random directions, worse of two runs; the first above ``until`` ends it."""
    built = case(entry, at or sizes(3, 5, 4, 2, 6), seed)
    rng = np.random.default_rng(seed + 1)
    kept = {name: array.copy() for name, array in built.parameters.items()}
    runs = []
    for _ in range(2):
        runs.append({name: np.array(gradient) for name, gradient in built.gradients().items()})
        for name, array in built.parameters.items():
            array[...] = kept[name]
    found: dict[str, float] = {}
    for name, array in built.parameters.items():
        for _ in range(directions):
            direction = rng.normal(size=array.shape)
            true = slope(built, array, direction)
            for run in runs:
                if name in run:
                    error = abs(along(run[name], array.shape, direction) - true) / max(abs(true), 1e-3)
                    found[name] = max(found.get(name, 0.0), error if np.isfinite(error) else np.inf)
        if found.get(name, 0.0) > until:
            break
    return found


@pytest.fixture(autouse=True)
def _quiet(capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def sizes(*numbers: int) -> types.SimpleNamespace:
    return types.SimpleNamespace(**dict(zip(("n_x", "n_a", "n_y", "m", "T_x"), numbers, strict=True)), dtype=np.float64)


@pytest.mark.parametrize("base", BASES, ids=lambda entry: entry.name)
def test_a_base_is_right_at_several_sizes(base):
    for seed, at in enumerate([sizes(3, 5, 4, 2, 6), sizes(4, 3, 5, 1, 3), sizes(2, 4, 3, 3, 1)]):
        found = errors(base, at, seed=seed, directions=3)
        assert len(found) >= 2
        assert max(found.values()) < 1e-7, (at, found)


@pytest.mark.parametrize("base", BASES, ids=lambda entry: entry.name)
def test_the_right_variants_are_right(base):
    for entry in RIGHT:
        if entry.name.startswith(base.name + "/"):
            found = errors(entry, sizes(3, 5, 4, 2, entry.truncated or 6), directions=2)
            assert max(found.values()) < 1e-7, (entry.name, found)
            if entry.truncated:
                found = errors(entry, sizes(3, 5, 4, 2, entry.truncated + 2))
                assert max(found.values()) > 1e-6, (entry.name, found)


@pytest.mark.parametrize("base", BASES, ids=lambda entry: entry.name)
def test_the_faults_make_a_gradient_wrong(base):
    """Each fault of several does so alone; a crash is one of the faults, and is named."""
    for entry in FAULTS:
        if entry.name.startswith(base.name + "/"):
            assert outcome(entry, entry.python) == (entry.raises or "wrong"), entry.name
            for alone in parts(entry) if len(entry.expected) > 1 else ():
                assert outcome(entry, alone) in ("wrong", entry.raises), entry.name


def outcome(entry: Entry, python: str) -> str:
    """The name of the exception that ends the backward pass, or "wrong", or "right"."""
    try:
        found = errors(dataclasses.replace(entry, python=python), until=1e-6)
    except Exception as error:
        return type(error).__name__
    return "wrong" if max(found.values()) > 1e-6 else "right"


def test_every_code_is_planted_often_enough_and_in_many_styles():
    single = [entry for entry in FAULTS if len(entry.expected) == 1]
    by_code = collections.Counter(entry.codes[0] for entry in single)
    assert {code: by_code[code] for code in CODES if by_code[code] < 3} == {}
    assert sum("FWD" in entry.notes for entry in RIGHT) >= 3
    assert len(single) >= 90
    assert sum(1 < len(entry.expected) <= 4 for entry in FAULTS) >= 25
    assert len({entry.style for entry in BASES}) == len(BASES) >= 16
    for code in CODES:
        assert len({entry.style for entry in single if entry.codes[0] == code}) >= 3, code


def test_the_expected_lines_are_lines_of_code_in_the_text_as_given():
    assert len({entry.name for entry in ALL}) == len(ALL)
    for entry in ALL:
        assert set(entry.notes) <= {"FWD", "clip", "truncated"}, entry.name
        assert (entry.verdict == "wrong") == bool(entry.expected), entry.name
        wanted = {line.strip() for line in entry.python.split("\n")}
        for expected in entry.expected:
            assert expected.line == expected.lines[0], entry.name
            assert expected.codes, entry.name
            assert set(expected.codes) <= {*CODES, "X"}, entry.name
            given = entry.text if expected.cell is None else json.loads(entry.text)["cells"][expected.cell]["source"]
            lines = given.split("\n") if isinstance(given, str) else [line.rstrip("\n") for line in given]
            for number in expected.lines:
                line = lines[number - 1].removeprefix("... ").strip()
                assert line in wanted, (entry.name, line)
                assert line, entry.name
                assert not line.startswith("#"), entry.name


def test_the_texts_come_in_every_form():
    forms = collections.Counter(entry.filename.rsplit(".", 1)[1] for entry in BASES)
    assert set(forms) == {"py", "ipynb", "txt", "md"}
    flat = next(entry for entry in BASES if entry.name == "forum_flat")
    assert "\nfor t in range(T):\na = np.tanh(" in flat.text
    prompt = next(entry for entry in BASES if entry.name == "prompt_post")
    assert "\n>>> def bwd(" in prompt.text
    python2 = next(entry for entry in BASES if entry.name == "oned_truncated")
    with pytest.raises(SyntaxError):
        ast.parse(python2.text)
