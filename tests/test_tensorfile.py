"""Files of tensors: whole or not at all, contiguous or made so, and no trust in what is read."""

import json
import os
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bptt import tensorfile
from bptt.errors import FileError
from bptt.model import SimpleRNN
from bptt.tensorfile import read_tensors, write_tensors
from bptt.training.vocabulary import Vocabulary


def test_a_transposed_array_is_written_as_it_looks(tmp_path):
    W = np.arange(12.0).reshape(3, 4)
    write_tensors(tmp_path / "f", {"T": W.T, "step": W[:, ::2], "F": np.asfortranarray(W)}, {})
    tensors, _ = read_tensors(tmp_path / "f", "test")
    np.testing.assert_array_equal(tensors["T"], W.T)
    np.testing.assert_array_equal(tensors["step"], W[:, ::2])
    np.testing.assert_array_equal(tensors["F"], W)


def test_a_generator_s_128_bits_come_back(tmp_path):
    state = np.random.default_rng(5).bit_generator.state
    assert state["state"]["state"] > 2**64
    write_tensors(tmp_path / "f", {"W": np.zeros(1)}, {"generator": state})
    assert read_tensors(tmp_path / "f", "test")[1]["generator"] == state


def test_equal_content_is_equal_bytes(tmp_path):
    about = {str(i): i for i in range(9)}
    for name in "ab":
        write_tensors(tmp_path / name, {"W": np.ones(3), "b": np.ones(2, np.float32)}, about)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, call):
    path = tmp_path / "f"
    write_tensors(path, {"W": np.ones(3)}, {})
    before = path.read_bytes()

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tensorfile.os, call, fail)
    with pytest.raises(FileError, match="cannot be written: No space left"):
        write_tensors(path, {"W": np.zeros(3)}, {})
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["f"]


def test_the_file_and_its_directory_reach_the_disk_before_and_after_the_exchange(tmp_path, monkeypatch):
    calls = []
    for name in ("fsync", "replace"):
        original = getattr(os, name)
        monkeypatch.setattr(
            tensorfile.os, name, lambda *a, name=name, original=original: (calls.append(name), original(*a))[1]
        )
    write_tensors(tmp_path / "f", {"W": np.zeros(3)}, {})
    assert calls == ["fsync", "replace", "fsync"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "m.safetensors"
    SimpleRNN(3, 4, 3, vocabulary=Vocabulary("abc")).save(path)
    return path.read_bytes()


def header(tensors, about=None, data=b"", length=None):
    metadata = {} if about is None else {"__metadata__": {"bptt": about}}
    text = json.dumps({**metadata, **tensors}).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


W = {"dtype": "F32", "shape": [1, 1], "data_offsets": [0, 4]}
HOSTILE = {
    "nothing": b"",
    "one byte": b"x",
    "a header longer than the file": header({}, length=2**62),
    "a header of a petabyte": struct.pack("<Q", 2**50) + b"{}",
    "no JSON": struct.pack("<Q", 5) + b"12345",
    "an absurd shape": header(
        {"W_aa": {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 4]}}, data=b"0000"
    ),
    "a shape that lies": header({"W_aa": {"dtype": "F32", "shape": [9, 9], "data_offsets": [0, 4]}}, data=b"0000"),
    "offsets outside": header({"W_aa": {"dtype": "F32", "shape": [1], "data_offsets": [0, 2**40]}}, data=b"0000"),
    "offsets backwards": header({"W_aa": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}, data=b"0000"),
    "an unknown type": header({"W_aa": {"dtype": "F13", "shape": [1], "data_offsets": [0, 4]}}, data=b"0000"),
    "a type that NumPy lacks": header({"W_aa": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}, data=b"0000"),
    "metadata that are no JSON": header({"W_aa": W}, about="{", data=b"0000"),
    "metadata that are deep": header({"W_aa": W}, about="[" * 100_000, data=b"0000"),
    "metadata that are a list": header({"W_aa": W}, about="[1]", data=b"0000"),
    "nothing about itself": header({"W_aa": W}, data=b"0000"),
    "no tensors": header({}, about='{"format": "bptt 1", "activation": "tanh"}'),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_an_error_of_ours(tmp_path, name):
    path = tmp_path / "h.safetensors"
    path.write_bytes(HOSTILE[name])
    with pytest.raises(FileError) as caught:
        SimpleRNN.load(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 600


def test_a_file_cut_anywhere_is_an_error_of_ours(tmp_path, whole):
    path = tmp_path / "cut.safetensors"
    for end in range(0, len(whole), 7):
        path.write_bytes(whole[:end])
        with pytest.raises(FileError):
            SimpleRNN.load(path)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_file_is_an_error_of_ours_or_a_whole_model(tmp_path_factory, whole, data):
    path = tmp_path_factory.getbasetemp() / "damaged.safetensors"
    at, bits = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(1, 255))
    path.write_bytes(whole[:at] + bytes([whole[at] ^ bits]) + whole[at + 1 :])
    try:
        model = SimpleRNN.load(path)
    except FileError:
        return
    assert len(model.sample(5, seed=0)) == 5


LIES = {
    "another format": ({"format": "bptt 99"}, "'bptt 1' is wanted"),
    "a format that is no text": ({"format": [1]}, "is wanted"),
    "an unknown activation": ({"activation": "sine"}, "activation 'sine'"),
    "an activation that is no text": ({"activation": {}}, "activation"),
    "too long a vocabulary": ({"vocabulary": "abcd"}, "4 characters, but n_x=3 and n_y=3"),
    "a letter twice": ({"vocabulary": "aab"}, "in it twice"),
    "a vocabulary of numbers": ({"vocabulary": [1, 2, 3]}, "has a list"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_model_whose_metadata_lie_is_refused(tmp_path, name):
    change, words = LIES[name]
    model = SimpleRNN(3, 4, 3, vocabulary=Vocabulary("abc"))
    write_tensors(tmp_path / "m", model.parameters, {**model.about(), **change})
    with pytest.raises(FileError, match=words):
        SimpleRNN.load(tmp_path / "m")


BROKEN = {
    "a tensor missing": (lambda p: p.pop("W_ya"), "lacks W_ya"),
    "a NaN": (lambda p: p["b_a"].__setitem__((2, 0), np.nan), r"b_a holds nan at \[2, 0\]"),
    "an infinity": (lambda p: p["W_aa"].__setitem__((1, 1), np.inf), r"W_aa holds inf at \[1, 1\]"),
    "a wrong shape": (lambda p: p.update(W_ax=np.ones((3, 3), np.float32)), "disagree on n_a"),
    "a missing axis": (lambda p: p.update(b_y=np.ones(3, np.float32)), "b_y has 1 axis"),
    "two types": (lambda p: p.update(b_y=np.ones((3, 1))), "all float32 or all float64"),
    "integers": (lambda p: p.update({k: np.ones(v.shape, int) for k, v in p.items()}), "all float32"),
    "no elements": (lambda p: p.update(W_ax=np.ones((4, 0), np.float32)), "W_ax is empty"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_model_with_broken_parameters_is_refused(tmp_path, name):
    change, words = BROKEN[name]
    model = SimpleRNN(3, 4, 3)
    change(model.parameters)
    write_tensors(tmp_path / "m", model.parameters, model.about())
    with pytest.raises(FileError, match=words):
        SimpleRNN.load(tmp_path / "m")
