"""Files are read once, and again after each write."""

import hashlib
import os
from pathlib import Path

import pytest

from dmail_runner.core import file_hash as module
from dmail_runner.core.file_hash import file_hash


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_file_is_read_again_after_each_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SETTLED", -1.0)
    file = tmp_path / "profiles.csv"
    for content in (b"one", b"two", b"a longer one"):
        file.write_bytes(content)
        assert file_hash(file) == sha(content)
    before = file.stat()
    other = tmp_path / "other.csv"
    other.write_bytes(b"another one!")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(file)
    assert file_hash(file) == sha(b"another one!"), "a file that was replaced by one of the same size and time"


def test_it_is_not_read_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SETTLED", -1.0)
    file = tmp_path / "profiles.csv"
    file.write_bytes(b"one")
    first = file_hash(file)
    monkeypatch.setattr(hashlib, "file_digest", lambda *_: pytest.fail("it was read again"))
    assert file_hash(file) == first


def test_one_that_was_just_written_is_always_read(tmp_path: Path) -> None:
    file = tmp_path / "profiles.csv"
    file.write_bytes(b"one")
    times = file.stat()
    assert file_hash(file) == sha(b"one")
    with file.open("r+b") as opened:
        opened.write(b"two")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert file_hash(file) == sha(b"two")
