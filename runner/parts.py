"""The files of a run: whole records go into one part after another, with what stands around them, counted and hashed."""

import codecs
import hashlib
import os
import re
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from runner.encoder import Encoder
from runner.envelope import Envelope, Seal
from runner.errors import ExtractError
from runner.provider import FileFormat, Split, TextFormat
from runner.seal import Sealer, Stored


@dataclass(frozen=True)
class Content:
    """What one file holds: rows without what stands around them, bytes, SHA-256. `plain`: the same before it was sealed."""

    rows: int
    bytes: int
    sha256: str
    plain: Stored | None = None


# Ended parts whose sealing may still go on while the next ones are written.
SEALING = 3

QUOTED = re.compile(rb'"[^"]*"')
TEXT = bytes(sorted(set(range(256)) - set(b'"\n')))
RECORD = re.compile(rb'(?:[^"\n]++|"[^"]*")*+\n')
LINE = re.compile(rb"[^\n]*\n")


class Oversized(Exception):
    """The next record is larger than a part may be."""


class Records:
    """Finds where records end in a stream of chunks. A line break within quotes ends no record."""

    def __init__(self, *, quotes: bool) -> None:
        self.quotes = quotes
        self.rest = b""

    def take(self, chunk: bytes) -> tuple[bytes, int]:
        """The whole records that are there now, and how many they are; what is left waits for the next chunk."""
        block = self.rest + chunk if self.rest else chunk
        end = self.last_end(block)
        self.rest = block[end:]
        whole = block[:end]
        return whole, (unquoted(whole) if self.quotes else whole).count(b"\n")

    def last_end(self, block: bytes) -> int:
        """Where the last whole record ends."""
        end = block.rfind(b"\n") + 1
        # A doubled quote within quotes closes and opens them again at once: the parity stays right.
        odd = self.quotes and block.count(b'"', 0, end) % 2
        while odd:
            # Within quotes: go back to where they open, and to the line before.
            limit = block.rfind(b'"', 0, end)
            end = block.rfind(b"\n", 0, limit) + 1
            odd = (odd - 1 - block.count(b'"', end, limit)) % 2
        return end

    def ends(self, block: bytes) -> Iterator[int]:
        """Where each record of a block of whole records ends."""
        return (match.end() for match in (RECORD if self.quotes else LINE).finditer(block))


def unquoted(block: bytes) -> bytes:
    """The line ends of whole records, without those within quotes.

    With the text gone most quotes stand in pairs, which hold nothing: few are left for the slower look.
    """
    return QUOTED.sub(b"", block.translate(None, TEXT).replace(b'""', b""))


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


class PartFile:
    """One file: text and records go in as they are printed, in the file's encoding."""

    def __init__(self, path: Path | None, form: FileFormat, seal: Seal | None) -> None:
        self.rows = 0
        self.bytes = 0
        self.digest = hashlib.sha256()
        self.encode = Encoder(form.encoding).encode
        self.sink = Sealer(path, seal.encryption, seal.keys) if seal and path else PlainFile(path)
        if form.bom and form.encoding == "utf-8":
            self.write(codecs.BOM_UTF8)

    def write(self, content: bytes) -> None:
        self.bytes += len(content)
        self.digest.update(content)
        self.sink.write(content)

    def content(self) -> Content:
        """What the ended file holds, once it is whole, and on the disk."""
        plain = Stored(self.bytes, self.digest.hexdigest())
        sealed = self.sink.finish()
        if sealed:
            return Content(self.rows, sealed.bytes, sealed.sha256, plain)
        return Content(self.rows, plain.bytes, plain.sha256)


Finished = Callable[[int, Content], None]


def nothing(_: int, __: Content) -> None:
    """Nobody waits for the parts."""


class PartWriter:
    """Takes the records of a run as UTF-8 chunks and spreads them over parts in `folder` (or nowhere).

    `finished` is told of each part when it is whole, by its number.
    """

    def __init__(self, envelope: Envelope, total: int, folder: Path | None, finished: Finished = nothing) -> None:
        form = envelope.provider.format
        self.envelope = envelope
        self.total = total
        self.folder = folder
        self.finished = finished
        self.split = envelope.provider.split
        self.records = Records(quotes=isinstance(form, TextFormat) and form.quoting != "none" and form.newlines == "keep")
        self.parts = parts_known(self.split, total)
        self.done: list[Content] = []
        self.ended: deque[PartFile] = deque()
        self.rows = 0
        self.file = self.open()

    def take(self, chunk: bytes) -> None:
        """The next chunk, cut anywhere."""
        block, count = self.records.take(chunk)
        while count:
            fitting = self.fitting(block, count)
            if fitting == count:
                self.add(block, count)
                return
            if fitting:
                end = next(islice(self.records.ends(block), fitting - 1, None))
                self.add(block[:end], fitting)
                block, count = block[end:], count - fitting
            elif self.file.rows == 0:
                raise Oversized
            self.end()
            self.file = self.open()

    def add(self, block: bytes, count: int) -> None:
        self.file.write(self.file.encode(block))
        self.file.rows += count
        self.rows += count

    def fitting(self, block: bytes, count: int) -> int:
        """How many of the block's records the present part has room for."""
        if self.split is None:
            return count
        if self.split.rows is not None:
            return min(count, self.split.rows - self.file.rows)
        room = (self.split.size or 0) - self.file.bytes - self.tail()
        if len(self.file.encode(block)) <= room:
            return count
        fit, start = 0, 0
        for end in self.records.ends(block):
            room -= len(self.file.encode(block[start:end]))
            if room < 0:
                break
            fit, start = fit + 1, end
        return fit

    @property
    def number(self) -> int:
        """The part that is being written, from 1."""
        return len(self.done) + len(self.ended) + 1

    def tail(self) -> int:
        """Bytes to keep free for what stands after the records, at its longest."""
        after = self.envelope.after(self.number, self.parts, max(self.total, 1))
        return len(self.file.encode(after.encode()))

    def open(self) -> PartFile:
        form = self.envelope.provider.format
        file = PartFile(part_path(self.folder, self.number) if self.folder else None, form, self.envelope.seal)
        file.write(file.encode(self.envelope.before(self.number, self.parts, self.expected(self.number)).encode()))
        return file

    def expected(self, number: int) -> int | None:
        """How many rows a part will have, where that is known beforehand."""
        if self.split is None:
            return self.total
        if self.split.rows is None:
            return None
        return min(self.split.rows, self.total - (number - 1) * self.split.rows)

    def end(self) -> None:
        """The present part has all its records. Its sealing goes on beside the next part's."""
        self.file.write(self.file.encode(self.envelope.after(self.number, self.parts, self.file.rows).encode()))
        self.file.sink.end()
        self.ended.append(self.file)
        self.settle(SEALING)

    def settle(self, waiting: int) -> None:
        """Tell of the ended parts that are whole, in their order; wait until no more than so many are `waiting`."""
        while len(self.ended) > waiting or (self.ended and self.ended[0].sink.ready):
            self.done.append(self.ended[0].content())
            self.ended.popleft()
            self.finished(len(self.done), self.done[-1])

    def close(self) -> list[Content]:
        """Every part, whole and synced. Raises ExtractError where the last record has no end."""
        if self.records.rest:
            raise ExtractError("the last record has no end")
        self.end()
        self.settle(0)
        return self.done

    def abandon(self) -> None:
        """Nothing of it is left."""
        for file in (*self.ended, self.file):
            file.sink.abandon()
        if self.folder is not None:
            for number in range(1, self.number + 1):
                part_path(self.folder, number).unlink(missing_ok=True)


def parts_known(split: Split | None, total: int) -> int | None:
    """How many parts there will be, where the rows say so."""
    if split is None:
        return 1
    return None if split.rows is None else max(1, -(-total // split.rows))


def part_path(folder: Path, number: int) -> Path:
    """A part's file in a spool folder."""
    return folder / f"{number:05d}.part"
