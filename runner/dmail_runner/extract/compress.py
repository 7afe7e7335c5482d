"""Compression of a part while it is written: the same content gives the same bytes, and takes no more memory if it is longer."""

import zipfile
import zlib
from collections.abc import Callable
from typing import BinaryIO, NamedTuple, Protocol, cast

from dmail_runner.core.errors import ExtractError
from dmail_runner.declare.provider import Compression

SUFFIXES: dict[Compression, str] = {"zip": ".zip", "gzip": ".gz"}
LEVEL = 6  # zlib's own choice
GZIP = 31  # zlib's word for the window of 32 KiB, with a header of gzip: without a name or a time
OLDEST = (1980, 1, 1, 0, 0, 0)  # the first moment that zip can tell: the same whenever a part is made
Write = Callable[[bytes], object]


class Packing(NamedTuple):
    """How a file is compressed, and its name within an archive."""

    kind: Compression
    name: str


class Compressor(Protocol):
    """Takes the content of one file, and hands on what is made of it."""

    def write(self, content: bytes) -> None: ...

    def end(self) -> None:
        """Hand on what is left: the content is complete."""


class Gzip:
    """A gzip file."""

    def __init__(self, write: Write) -> None:
        self.hand_on = write
        self.stream = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)

    def write(self, content: bytes) -> None:
        self.hand_on(self.stream.compress(content))

    def end(self) -> None:
        self.hand_on(self.stream.flush())


class Archive(zipfile.ZipFile):
    """An archive that can be given up half-way."""

    def __del__(self) -> None:
        """Say nothing, where zipfile complains that it is not complete."""


class Zip:
    """A zip archive of one file, in the format that every reader knows, which holds 2 GB."""

    def __init__(self, name: str, write: Write) -> None:
        """`name`: that of the file in the archive."""
        # Sizes come after the content, since nothing can be changed that has been handed on.
        self.archive = Archive(cast("BinaryIO", Pipe(write)), "w")
        entry = zipfile.ZipInfo(name, OLDEST)
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.create_system = 3  # Unix, wherever it was made
        entry.external_attr = 0o600 << 16
        self.name = name
        self.bytes = 0
        self.file = self.archive.open(entry, "w")

    def write(self, content: bytes) -> None:
        self.file.write(content)
        self.bytes += len(content)
        if self.bytes > zipfile.ZIP64_LIMIT:
            todo = "`split: {size: 2 GB}`, or `compress: gzip`, in profiles/providers.yml"
            raise ExtractError(f"{self.name} is larger than 2 GB, which a zip archive cannot hold", todo=todo)

    def end(self) -> None:
        self.file.close()
        self.archive.close()


class Pipe:
    """What an archive is written to: it can only be written."""

    def __init__(self, write: Write) -> None:
        self.hand_on = write

    def write(self, content: bytes) -> int:
        self.hand_on(bytes(content))
        return len(content)

    def flush(self) -> None:
        """Do nothing: every byte is passed on at once."""


def compressor(packing: Packing, write: Write) -> Compressor:
    """What compresses a file, and hands the result on to `write`."""
    return Gzip(write) if packing.kind == "gzip" else Zip(packing.name, write)
