"""Writes one part, plain or encrypted, and counts and hashes its content."""

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
    """The content of a complete part.

    Attributes:
        rows: the number of rows, without the texts around them.
        bytes: the size.
        sha256: the SHA-256, in hexadecimal.
        plain: the size and the SHA-256 before encryption; None for a plain file.
        inner: the size and the SHA-256 before compression, which comes before encryption; None if the file is not compressed.
    """

    rows: int
    bytes: int
    sha256: str
    plain: Stored | None = None
    inner: Stored | None = None


class PlainFile:
    """A plain file that only this user can read. Without a path the content is discarded."""

    ready = True

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.file = os.fdopen(os.open(path or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")

    def write(self, content: bytes) -> None:
        self.file.write(content)

    def end(self) -> None:
        """Close the file and flush it to the disk."""
        self.file.flush()
        if self.path is not None:
            os.fsync(self.file.fileno())
        self.file.close()

    def finish(self) -> None:
        """Return None, because the stored content is the plain content."""

    def abandon(self) -> None:
        """Close and delete the file."""
        with suppress(OSError):
            self.file.close()
        if self.path is not None:
            self.path.unlink(missing_ok=True)


class Counted:
    """Counts and hashes the written bytes, and passes them on."""

    def __init__(self, write: Write) -> None:
        self.pass_on = write
        self.bytes = 0
        self.digest = hashlib.sha256()

    def write(self, content: bytes) -> None:
        self.bytes += len(content)
        self.digest.update(content)
        self.pass_on(content)

    def stored(self) -> Stored:
        return Stored(self.bytes, self.digest.hexdigest())


class PartFile:
    """A part that is being written. Its content is given in the file's encoding, and may be compressed and encrypted."""

    def __init__(self, path: Path | None, file_format: FileFormat, seal: Seal | None, packing: Packing | None = None) -> None:
        self.rows = 0
        self.encode = Encoder(file_format.encoding).encode
        self.sink = Sealer(path, seal.encryption, seal.keys) if seal and path else PlainFile(path)
        self.plain = Counted(self.sink.write)
        self.compressor = compressor(packing, self.plain.write) if packing else None
        self.inner = Counted(self.compressor.write) if self.compressor else self.plain
        self.write = self.inner.write
        if file_format.bom and file_format.encoding == "utf-8":
            self.write(codecs.BOM_UTF8)

    @property
    def bytes(self) -> int:
        """The number of bytes written to it, before compression and encryption."""
        return self.inner.bytes

    def end(self) -> None:
        """End the content. The encryption may continue."""
        if self.compressor:
            self.compressor.end()
        self.sink.end()

    def content(self) -> Content:
        """The content of the part. It waits until the encryption is complete. Raises ExtractError."""
        inner = self.inner.stored() if self.compressor else None
        plain = self.plain.stored()
        sealed = self.sink.finish()
        if sealed:
            return Content(self.rows, sealed.bytes, sealed.sha256, plain, inner)
        return Content(self.rows, plain.bytes, plain.sha256, inner=inner)
