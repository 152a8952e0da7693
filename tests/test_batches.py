"""Text and arrays as batches: every prediction once, states carried, places that can be returned to."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bptt.errors import BpttError, FileError
from bptt.training.batches import ArrayBatches, TextBatches, side_by_side, windows
from bptt.training.data import array_data, read_arrays, text_data
from bptt.training.settings import Settings
from bptt.training.text import default_text, read_text
from bptt.training.vocabulary import Vocabulary


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 200), st.integers(1, 9), st.integers(1, 20), st.integers(0, 9))
def test_a_text_epoch_is_m_continuous_streams_of_next_characters(n, m, T_x, seed):
    ids = np.arange(n)
    if (n - 1) // m < T_x:
        with pytest.raises(BpttError, match="too short"):
            TextBatches(ids, m, T_x)
        return
    batches, rng = TextBatches(ids, m, T_x), np.random.default_rng(seed)
    for _ in range(2):
        epoch = [batches.next(rng) for _ in range(batches.steps_per_epoch)]
        assert [batch.fresh for batch in epoch] == [True] + [False] * (len(epoch) - 1)
        X, Y = (np.concatenate([getattr(b, name) for b in epoch], axis=1) for name in "XY")
        assert X.shape == (m, T_x * batches.steps_per_epoch)
        np.testing.assert_array_equal(Y, (X + 1) % n)  # the text is a circle
        np.testing.assert_array_equal(X[:, 1:], Y[:, :-1])  # the streams go on
        assert len(np.unique(X)) == X.size  # nothing is seen twice


@pytest.mark.parametrize("kind", ["text", "arrays", "long arrays"])
def test_a_place_can_be_returned_to(kind):
    def make():
        if kind == "text":
            return TextBatches(np.arange(101), 4, 5)
        X = np.arange(7 * 12).reshape(7, 12)
        return ArrayBatches(X, X, None, 3, 12 if kind == "arrays" else 5)

    first, rng = make(), np.random.default_rng(0)
    for _ in range(17):
        first.next(rng)
    cursor, order, state = first.cursor(), first.order(), rng.bit_generator.state
    expected = [first.next(rng) for _ in range(23)]
    again, rng = make(), np.random.default_rng(99)
    rng.bit_generator.state = state
    again.seek(cursor, order)
    for batch in expected:
        other = again.next(rng)
        np.testing.assert_array_equal(batch.X, other.X)
        assert batch.fresh == other.fresh


@pytest.mark.parametrize(
    "cursor", [{"start": -1, "window": 0}, {"start": 0, "window": 99}, {"start": 500, "window": 0}]
)
def test_a_place_that_is_not_there_is_refused(cursor):
    with pytest.raises(BpttError, match="not in this text"):
        TextBatches(np.arange(101), 4, 5).seek(cursor, None)


def test_long_sequences_are_cut_and_their_state_is_carried():
    X = np.arange(6 * 10).reshape(6, 10)
    a0 = np.arange(2 * 6.0).reshape(2, 6)
    batches, rng = ArrayBatches(X, X, a0, 4, 4), np.random.default_rng(0)
    epoch = [batches.next(rng) for _ in range(batches.steps_per_epoch)]
    assert [batch.X.shape for batch in epoch] == [(4, 4), (4, 4), (4, 2)]
    assert [batch.fresh for batch in epoch] == [True, False, False]
    examples = epoch[0].X[:, 0] // 10
    np.testing.assert_array_equal(epoch[0].a0, a0[:, examples])
    np.testing.assert_array_equal(np.concatenate([b.X for b in epoch], axis=1), X[examples])


def test_evaluation_sees_everything_held_back_once():
    X, Y = side_by_side(np.arange(50), 3)
    seen = [(b.X, b.Y) for b in windows(X, Y, None, 3, 7)]
    np.testing.assert_array_equal(np.concatenate([x for x, _ in seen], axis=1), X)
    np.testing.assert_array_equal(Y, X + 1)


def test_what_is_held_back_is_not_trained_on():
    data = text_data(np.arange(1000), Settings(validation=0.1, m=2, T_x=10))
    rng = np.random.default_rng(0)
    trained = {int(i) for _ in range(200) for i in data.batches.next(rng).X.ravel()}
    held = {int(i) for batch in data.evaluation() for i in batch.Y.ravel()}
    assert max(trained) == 899
    assert not trained & held
    X = np.arange(40).reshape(20, 2)
    arrays = array_data(X, X, None, Settings(validation=0.2, m=4))
    kept = {int(i) for _ in range(12) for i in arrays.batches.next(rng).X.ravel()}
    back = {int(i) for batch in arrays.evaluation() for i in batch.X.ravel()}
    assert (len(kept), len(back)) == (32, 8)
    assert not kept & back


@pytest.mark.parametrize("n", [2, 3, 10, 50, 500, 3000])
def test_a_short_text_gets_a_smaller_batch_but_what_was_named_stays(n):
    batches = text_data(np.zeros(n, int), Settings()).batches
    assert batches.steps_per_epoch >= 1
    with pytest.raises(BpttError, match="too short"):
        text_data(np.zeros(n, int), Settings(m=64, T_x=64))


def test_the_vocabulary_goes_there_and_back():
    text = "naïve 😀 text\n"
    vocabulary = Vocabulary.of(text)
    assert vocabulary.decode(vocabulary.encode(text)) == text
    with pytest.raises(BpttError, match="'z' at 2"):
        vocabulary.encode("text"[:2] + "z")


def test_the_default_text_is_real_and_hashed():
    text = default_text()
    assert len(text.content) > 300_000
    assert len(text.sha256) == 64
    assert 'The "while" statement' in text.content


def test_a_python_without_the_default_text_is_told(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pydoc_data.topics", None)
    with pytest.raises(FileError, match=r"came without pydoc_data\.topics"):
        default_text()


BAD_TEXTS = {
    "empty": (b"", "is empty"),
    "white": (b" \n\n ", "white space"),
    "binary": (b"\x7fELF\x00\x00\x01", "NUL"),
    "program": (bytes(range(256)), "no text"),
    "latin": ("café".encode("latin-1"), "byte 3 is 0xe9.*\n.*--encoding cp1252"),
    "utf16": ("text".encode("utf-16"), "--encoding utf-16"),
    "cut": ("é".encode()[:1], "not in utf-8"),
    "surrogate": (b"a\xed\xa0\x80", "byte 1"),
}


@pytest.mark.parametrize("name", BAD_TEXTS)
def test_bad_text_files_are_told_apart(tmp_path, name):
    content, words = BAD_TEXTS[name]
    path = tmp_path / "t.txt"
    path.write_bytes(content)
    with pytest.raises(FileError, match=words):
        read_text(path)


def test_text_files_are_read_as_they_are_meant(tmp_path):
    path = tmp_path / "t.txt"
    path.write_bytes("\ufeffa\r\nb\rc\n".encode())
    assert read_text(path).content == "a\nb\nc\n"
    path.write_bytes("ab".encode("utf-16"))
    assert read_text(path, "utf-16").content == "ab"
    with pytest.raises(FileError, match="no encoding 'klingon'"):
        read_text(path, "klingon")
    with pytest.raises(FileError, match="there is no file"):
        read_text(tmp_path / "none")
    with pytest.raises(FileError, match="is a directory"):
        read_text(tmp_path)


def test_bad_array_files_are_told_apart(tmp_path):
    path = tmp_path / "a.npz"
    X = np.zeros((2, 5), int)
    np.savez(path, X=X, Y=X)
    whole = path.read_bytes()
    assert [None if a is None else a.shape for a in read_arrays(path)] == [(2, 5), (2, 5), None]
    for content, words in [(whole[:100], "no npz"), (b"", "empty"), (b"PK\x03\x04 nonsense", "no npz")]:
        path.write_bytes(content)
        with pytest.raises(FileError, match=words):
            read_arrays(path)
    for at in range(30, len(whole), 37):  # damaged anywhere: an error of ours, or the arrays as they were
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            found = read_arrays(path)[0]
        except FileError:
            continue
        assert isinstance(found, np.ndarray)
    np.savez(path, X=np.array([print], dtype=object), Y=X)
    with pytest.raises(FileError, match="pickled Python objects"):
        read_arrays(path)
    np.savez(path, x=X, Y=X)
    with pytest.raises(FileError, match="lacks X"):
        read_arrays(path)
    with open(path, "wb") as file:
        np.save(file, X)
    with pytest.raises(FileError, match="no npz file"):
        read_arrays(path)
