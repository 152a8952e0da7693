"""Reading what a person gives, and writing the fix: bytes kept, all or nothing."""

from __future__ import annotations

import difflib
import os
import stat
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bptt.checking import fixes
from bptt.checking.fixes import fixed_text, write_beside, write_in_place
from bptt.checking.loading.sources import LARGEST, Source, decode, read_file
from bptt.checking.runnable import runnable_code
from bptt.errors import FileError, ValueRangeError


def unified(old: str, new: str) -> str:
    """Return a unified diff as ``diff`` writes it, with its mark for a missing last line break."""
    out = []
    for line in difflib.unified_diff(lines(old), lines(new), "f", "f"):
        out.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return "".join(out)


def lines(text: str) -> list[str]:
    parts = text.split("\n")
    return [part + "\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


texts = st.lists(st.sampled_from(["a", "b", "", "  c", "d\r", "é", "\x0c"]), max_size=12).flatmap(
    lambda parts: st.sampled_from(["\n".join(parts), "\n".join(parts) + "\n"])
)


@given(texts, texts)
def test_a_patch_gives_exactly_the_new_text(old: str, new: str) -> None:
    assert fixed_text(old, unified(old, new)) == new


def test_a_patch_of_another_text_is_refused() -> None:
    with pytest.raises(FileError, match="does not fit line 1"):
        fixed_text("x\n", unified("a\n", "b\n"))


def bad(tmp_path: Path, data: bytes, name: str = "rnn.py") -> str:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(FileError) as caught:
        read_file(str(path))
    return str(caught.value)


@pytest.mark.parametrize("data", [b"", b"\n\n  \n", b"\xef\xbb\xbf", b"\0\0\0"])
def test_an_empty_file_is_named_so(tmp_path: Path, data: bytes) -> None:
    assert "is empty" in bad(tmp_path, data)


def test_a_binary_file_is_named_so(tmp_path: Path) -> None:
    assert "NUL byte" in bad(tmp_path, b"\x89PNG\r\n\0\0\xff\xfe")
    assert "line 2 holds a NUL byte" in bad(tmp_path, b"a = 1\nb = \0\n")


def test_the_wrong_encoding_names_line_byte_and_remedy(tmp_path: Path) -> None:
    said = bad(tmp_path, "a = 1\n# Grüße\n".encode("latin-1"))
    assert "is not utf-8: line 2 holds the byte 0xfc" in said
    assert "coding: latin-1" in said
    assert "does not know" in bad(tmp_path, b"# -*- coding: klingon -*-\na = 1\n")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text("a = 1")
    with pytest.raises(FileError, match=r"is a folder; one file is wanted.\n  In it: model.py"):
        read_file(str(tmp_path))
    with pytest.raises(FileError, match=r"there is no file .*\n  Did you mean .*model.py\?"):
        read_file(str(tmp_path / "modle.py"))
    with pytest.raises(FileError, match="cannot be read"):
        read_file(str(tmp_path / "model.py" / "x.py"))
    with pytest.raises(FileError, match="null"):
        read_file("a\0b.py")


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    assert "larger than 8 MiB" in bad(tmp_path, b"#" * (LARGEST + 1))


def test_a_device_without_end_is_refused() -> None:
    with pytest.raises(FileError, match="larger than"):
        read_file("/dev/zero")


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"a = 1\r\nb = 2\r\n", "utf-8"),
        (b"\xef\xbb\xbfa = '\xc3\xa9'\n", "utf-8"),
        ("# -*- coding: latin-1 -*-\na = 'é'\n".encode("latin-1"), "iso-8859-1"),
        ("\ufeffa = 'é'\r\n".encode("utf-16-le"), "utf-16-le"),
        (b"a = 1", "utf-8"),
        (b"a = 1\rb = 2\r", "utf-8"),
    ],
)
def test_bytes_survive_reading_and_writing(data: bytes, encoding: str) -> None:
    source = decode(data, "rnn.py", None)
    assert source.encoding == encoding
    assert source.encode(source.text) == data


def source_at(path: Path, data: bytes) -> Source:
    path.write_bytes(data)
    return read_file(str(path))


def test_a_fix_keeps_everything_else(tmp_path: Path) -> None:
    path = tmp_path / "rnn.py"
    data = b"\xef\xbb\xbfa = 1\r\nb = x\r\n\tc = '\xc3\xa9'"
    source = source_at(path, data)
    path.chmod(0o754)
    kept = write_in_place(source, source.text.replace("b = x", "b = y"))
    assert path.read_bytes() == data.replace(b"b = x", b"b = y")
    assert kept.name == "rnn.py.orig"
    assert kept.read_bytes() == data
    assert stat.S_IMODE(path.stat().st_mode) == 0o754
    assert sorted(p.name for p in tmp_path.iterdir()) == ["rnn.py", "rnn.py.orig"]


def test_a_second_fix_never_overwrites_a_kept_original(tmp_path: Path) -> None:
    path = tmp_path / "rnn.py"
    write_in_place(source_at(path, b"one\n"), "two\n")
    kept = write_in_place(read_file(str(path)), "three\n")
    assert (tmp_path / "rnn.py.orig").read_text() == "one\n"
    assert kept.name == "rnn.py.orig.1"
    assert kept.read_text() == "two\n"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "rnn.py", tmp_path / "link.py"
    target.write_text("a\n")
    link.symlink_to(target)
    write_in_place(read_file(str(link)), "b\n")
    assert link.is_symlink()
    assert target.read_text() == "b\n"


def test_a_file_that_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    source = source_at(tmp_path / "rnn.py", b"a\n")
    (tmp_path / "rnn.py").write_text("mine\n")
    with pytest.raises(FileError, match="has changed"):
        write_in_place(source, "b\n")
    assert (tmp_path / "rnn.py").read_text() == "mine\n"


def test_a_failure_while_writing_leaves_the_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = source_at(tmp_path / "rnn.py", b"a\n")
    real = os.replace

    def full(old: str, new: Path) -> None:
        if str(new).endswith("rnn.py"):
            raise OSError(28, "No space left on device")
        real(old, new)

    monkeypatch.setattr(fixes.os, "replace", full)
    with pytest.raises(FileError, match="no space left"):
        write_in_place(source, "b\n")
    assert (tmp_path / "rnn.py").read_text() == "a\n"
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_a_character_that_the_encoding_lacks_is_refused(tmp_path: Path) -> None:
    source = source_at(tmp_path / "rnn.py", b"# coding: latin-1\na = 1\n")
    with pytest.raises(ValueRangeError, match="cannot be written"):
        write_in_place(source, "a = 'Σ'\n")
    assert (tmp_path / "rnn.py").read_bytes() == b"# coding: latin-1\na = 1\n"


def test_the_fix_of_a_pasted_text_goes_beside_it_and_never_over_a_file(tmp_path: Path) -> None:
    source = source_at(tmp_path / "question.txt", b"prose\n")
    assert write_beside(source, "a = 1\n").name == "question.fixed.py"
    assert write_beside(source, "a = 2\n").read_text().endswith("a = 2\n")
    (tmp_path / "question.fixed.py").write_text("my own work\n")
    with pytest.raises(FileError, match="is not ours"):
        write_beside(source, "a = 3\n")
    assert (tmp_path / "question.fixed.py").read_text() == "my own work\n"
    assert (tmp_path / "question.txt").read_text() == "prose\n"


def test_a_pasted_text_becomes_a_file_that_runs() -> None:
    code = "def f(z):\nfor t in range(3):\na = softmax(z)\nreturn tanh_backward(a)"
    text = f"Hello, I am stuck.\n\n```\n{code}\n```\nThanks!"
    code = runnable_code(text)
    space: dict[str, object] = {}
    exec(compile(code, "question.fixed.py", "exec"), space)
    assert "# Hello, I am stuck." in code
    assert "# Thanks!" in code
    assert space["f"](np.zeros((2, 1))).shape == (2, 1)  # type: ignore[operator]
