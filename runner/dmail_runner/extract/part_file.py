"""Writes one part, plain or encrypted, and counts and hashes its content."""

import codecs
import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dmail_runner.declare.file_format import FileFormat
from dmail_runner.extract.encoder import Encoder
from dmail_runner.extract.envelope import Seal
from dmail_runner.extract.seal import Sealer, Stored


@dataclass(frozen=True)
class Content:
    """What a complete part contains.

    Attributes:
        rows: the number of rows, without the texts around them.
        bytes: the size.
        sha256: the SHA-256, in hexadecimal.
        plain: the size and the SHA-256 before encryption; None for a plain file.
    """

    rows: int
    bytes: int
    sha256: str
    plain: Stored | None = None


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


class PartFile:
    """A part that is being written. Its content is given in the file's encoding."""

    def __init__(self, path: Path | None, file_format: FileFormat, seal: Seal | None) -> None:
        self.rows = 0
        self.bytes = 0
        self.digest = hashlib.sha256()
        self.encode = Encoder(file_format.encoding).encode
        self.sink = Sealer(path, seal.encryption, seal.keys) if seal and path else PlainFile(path)
        if file_format.bom and file_format.encoding == "utf-8":
            self.write(codecs.BOM_UTF8)

    def write(self, content: bytes) -> None:
        self.bytes += len(content)
        self.digest.update(content)
        self.sink.write(content)

    def content(self) -> Content:
        """What the part contains. It waits until the encryption is complete. Raises ExtractError."""
        plain = Stored(self.bytes, self.digest.hexdigest())
        sealed = self.sink.finish()
        if sealed:
            return Content(self.rows, sealed.bytes, sealed.sha256, plain)
        return Content(self.rows, plain.bytes, plain.sha256)
