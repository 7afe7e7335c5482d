"""The files of a run: whole records go into one part after another, with what stands around them, counted and hashed."""

from collections import deque
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from dmail_runner.core.errors import ExtractError
from dmail_runner.declare.file_format import TextFormat
from dmail_runner.declare.provider import Split
from dmail_runner.extract.envelope import Envelope
from dmail_runner.extract.part_file import Content, PartFile
from dmail_runner.extract.records import Records

# Ended parts whose sealing may still go on while the next ones are written.
SEALING = 3


class Oversized(Exception):
    """The next record is larger than a part may be."""


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
        path = part_path(self.folder, self.number) if self.folder else None
        file = PartFile(path, form, self.envelope.seal, self.envelope.packing(self.number))
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
        self.file.end()
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
