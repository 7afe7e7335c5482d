"""Compresses a part while it is written. The same content gives the same bytes, in constant memory."""

import zipfile
import zlib
from collections.abc import Callable
from typing import BinaryIO, NamedTuple, Protocol, cast

from dmail_runner.core.errors import ExtractError
from dmail_runner.declare.provider import Compression

SUFFIXES: dict[Compression, str] = {"zip": ".zip", "gzip": ".gz"}
LEVEL = 6  # zlib's default
GZIP = 31  # zlib's code for a window of 32 KiB and a gzip header, without a name or a time
OLDEST = (1980, 1, 1, 0, 0, 0)  # the earliest time of the zip format, so that the time of writing does not change the file
Write = Callable[[bytes], object]


class Packing(NamedTuple):
    """The compression of a file, and its name within an archive."""

    kind: Compression
    name: str


class Compressor(Protocol):
    """Compresses the content of one file, and passes the result on."""

    def write(self, content: bytes) -> None: ...

    def end(self) -> None:
        """Pass the rest on, because the content is complete."""


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
    """An archive that can be abandoned before it is complete."""

    def __del__(self) -> None:
        """Do nothing. zipfile would print an error for an incomplete archive."""


class Zip:
    """A zip archive of one file. It uses the format without extensions, which every reader supports, for up to 2 GB."""

    def __init__(self, name: str, write: Write) -> None:
        """Begin an archive. `name`: the name of the file in it. `write`: receives the archive."""
        # Sizes follow the content, because the archive is written as a stream.
        self.archive = Archive(cast("BinaryIO", Pipe(write)), "w")
        entry = zipfile.ZipInfo(name, OLDEST)
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.create_system = 3  # Unix, on every system
        entry.external_attr = 0o600 << 16
        self.name = name
        self.bytes = 0
        self.file = self.archive.open(entry, "w")

    def write(self, content: bytes) -> None:
        self.file.write(content)
        self.bytes += len(content)
        if self.bytes > zipfile.ZIP64_LIMIT:
            todo = "`split: {size: 2 GB}`, or `compress: gzip`, in profiles/providers.yml"
            raise ExtractError(f"{self.name} is larger than 2 GB, the limit of a zip archive", todo=todo)

    def end(self) -> None:
        self.file.close()
        self.archive.close()


class Pipe:
    """The output of an archive: a file that can only be written."""

    def __init__(self, write: Write) -> None:
        self.hand_on = write

    def write(self, content: bytes) -> int:
        self.hand_on(bytes(content))
        return len(content)

    def flush(self) -> None:
        """Do nothing: every byte is passed on at once."""


def compressor(packing: Packing, write: Write) -> Compressor:
    """A compressor that passes its result to `write`."""
    return Gzip(write) if packing.kind == "gzip" else Zip(packing.name, write)
