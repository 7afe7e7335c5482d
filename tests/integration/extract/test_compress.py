"""Compressed files, opened by the programs that a mail house has."""

import gzip
import hashlib
import io
import os
import shutil
import subprocess
import tracemalloc
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from dmail_runner.core.errors import ExtractError
from dmail_runner.declare.file_format import CsvFormat
from dmail_runner.extract import compress
from dmail_runner.extract.compress import Packing, compressor
from dmail_runner.extract.envelope import Seal
from dmail_runner.extract.part_file import Content
from dmail_runner.extract.parts import PartWriter, part_path
from extracts import envelope
from gpg import Gpg, to

Kind = Literal["zip", "gzip"]
ROWS = [f'{number},"Jürgen Müller",{os.urandom(20).hex()}\n'.encode() for number in range(2500)]


def written(folder: Path, kind: Kind, seal: Seal | None = None, chunk: int = 1) -> list[Content]:
    """Parts of a thousand rows."""
    folder.mkdir()
    form = replace(envelope(CsvFormat(header=False), split={"rows": 1000}, compress=kind), seal=seal)
    writer = PartWriter(form, len(ROWS), folder)
    try:
        for start in range(0, len(ROWS), chunk):
            writer.take(b"".join(ROWS[start : start + chunk]))
        return writer.close()
    except BaseException:
        writer.abandon()
        raise


def opened(kind: Kind, packed: bytes) -> tuple[str, bytes]:
    """The name and the content, by the programs of the system."""
    if kind == "gzip":
        return "", subprocess.run(["gzip", "-dc"], input=packed, capture_output=True, check=True).stdout
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.testzip() is None
        (name,) = archive.namelist()
        return name, archive.read(name)


@pytest.mark.parametrize("how", ["zip", "gzip", "zip sealed", "gzip sealed"])
def test_what_comes_out_is_what_went_in(gpg: Gpg, acme: str, keys: Path, tmp_path: Path, how: str) -> None:
    kind: Kind = "zip" if how.startswith("zip") else "gzip"
    sealed = how.endswith("sealed")
    contents = written(tmp_path / "parts", kind, Seal(to(("acme.asc", acme)), keys) if sealed else None)
    assert [content.rows for content in contents] == [1000, 1000, 500]
    for number, content in enumerate(contents, start=1):
        path = part_path(tmp_path / "parts", number)
        assert content.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        packed = gpg.open(path) if sealed else path.read_bytes()
        assert (content.plain is not None) == sealed
        if content.plain:
            assert content.plain.sha256 == hashlib.sha256(packed).hexdigest()
        name, plain = opened(kind, packed)
        assert plain == b"".join(ROWS[1000 * (number - 1) : 1000 * number])
        assert content.inner
        assert (content.inner.bytes, content.inner.sha256) == (len(plain), hashlib.sha256(plain).hexdigest())
        assert content.inner.bytes > len(packed)
        if kind == "zip":
            assert name.endswith(f"_{number:04d}.csv")
            assert "/" not in name


@pytest.mark.parametrize("kind", ["zip", "gzip"])
def test_the_same_content_is_the_same_bytes(tmp_path: Path, kind: Kind) -> None:
    once, again = (written(tmp_path / f"parts{chunk}", kind, chunk=chunk) for chunk in (1, 777))
    assert once == again


@pytest.mark.parametrize("kind", ["zip", "gzip"])
def test_memory_does_not_grow_with_the_file(kind: Kind) -> None:
    packed = 0

    def count(content: bytes) -> None:
        nonlocal packed
        packed += len(content)

    packer = compressor(Packing(kind, "letters.csv"), count)
    block = os.urandom(1 << 20)
    tracemalloc.start()
    try:
        for _ in range(60):
            packer.write(block)
        packer.end()
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    assert packed > 60 << 20


def test_other_programs_open_the_archive(tmp_path: Path) -> None:
    with (tmp_path / "letters.zip").open("wb") as file:
        packer = compressor(Packing("zip", "Briefe_für_März.csv"), file.write)
        for row in ROWS:
            packer.write(row)
        packer.end()
    unzip = shutil.which("unzip") or shutil.which("bsdtar")
    if unzip:
        subprocess.run(
            [unzip, *(["-q"] if unzip.endswith("unzip") else ["-xf"]), tmp_path / "letters.zip"], cwd=tmp_path, check=True
        )
        assert (tmp_path / "Briefe_für_März.csv").read_bytes() == b"".join(ROWS)


def test_more_than_an_archive_holds_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(compress.zipfile, "ZIP64_LIMIT", 50_000)
    with pytest.raises(ExtractError, match=r"csv is larger than 2 GB.*\n.*split: {size: 2 GB}"):
        written(tmp_path / "parts", "zip")


def test_gzip_tells_neither_a_name_nor_a_time() -> None:
    packed = bytearray()
    packer = compressor(Packing("gzip", "letters.csv"), packed.extend)
    packer.write(b"row\n")
    packer.end()
    assert packed[3:8] == b"\0" * 5
    assert gzip.decompress(packed) == b"row\n"
