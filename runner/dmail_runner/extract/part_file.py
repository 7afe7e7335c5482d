"""One part of a run's file: bytes in, counted and hashed, plain or sealed."""

import codecs
import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dmail_runner.declare.file_format import FileFormat
from dmail_runner.extract.compress import Packing, Write, compressor
from dmail_runner.extract.encoder import Encoder
from dmail_runner.extract.envelope import Seal
from dmail_runner.extract.seal import Sealer, Stored


@dataclass(frozen=True)
class Content:
    """What one file holds: rows without what stands around them, bytes, SHA-256.

    `plain`: the same before it was sealed. `inner`: before it was compressed, which comes first.
    """

    rows: int
    bytes: int
    sha256: str
    plain: Stored | None = None
    inner: Stored | None = None


class PlainFile:
    """A file for this user alone; without a path nothing is kept."""

    ready = True

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.file = os.fdopen(os.open(path or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")

    def write(self, content: bytes) -> None:
        self.file.write(content)

    def end(self) -> None:
        """The file is whole, and on the disk."""
        self.file.flush()
        if self.path is not None:
            os.fsync(self.file.fileno())
        self.file.close()

    def finish(self) -> None:
        """Nothing is stored but what was written."""

    def abandon(self) -> None:
        """Nothing of it is left."""
        with suppress(OSError):
            self.file.close()
        if self.path is not None:
            self.path.unlink(missing_ok=True)


class Counted:
    """Counts and hashes what goes through."""

    def __init__(self, write: Write) -> None:
        self.hand_on = write
        self.bytes = 0
        self.digest = hashlib.sha256()

    def write(self, content: bytes) -> None:
        self.bytes += len(content)
        self.digest.update(content)
        self.hand_on(content)

    def stored(self) -> Stored:
        return Stored(self.bytes, self.digest.hexdigest())


class PartFile:
    """One file: text and records go in as they are printed, in the file's encoding. It may be compressed on its way."""

    def __init__(self, path: Path | None, form: FileFormat, seal: Seal | None, packing: Packing | None = None) -> None:
        self.rows = 0
        self.encode = Encoder(form.encoding).encode
        self.sink = Sealer(path, seal.encryption, seal.keys) if seal and path else PlainFile(path)
        self.plain = Counted(self.sink.write)
        self.compressor = compressor(packing, self.plain.write) if packing else None
        self.inner = Counted(self.compressor.write) if self.compressor else self.plain
        self.write = self.inner.write
        if form.bom and form.encoding == "utf-8":
            self.write(codecs.BOM_UTF8)

    @property
    def bytes(self) -> int:
        """Bytes that went in."""
        return self.inner.bytes

    def end(self) -> None:
        """Everything was written."""
        if self.compressor:
            self.compressor.end()
        self.sink.end()

    def content(self) -> Content:
        """What the ended file holds, once it is whole, and on the disk."""
        inner = self.inner.stored() if self.compressor else None
        plain = self.plain.stored()
        sealed = self.sink.finish()
        if sealed:
            return Content(self.rows, sealed.bytes, sealed.sha256, plain, inner)
        return Content(self.rows, plain.bytes, plain.sha256, inner=inner)
