"""Distributes the records of a run over its parts."""

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

# The number of parts whose encryption may continue while the next ones are written.
MAX_ENCRYPTING = 3


class Oversized(Exception):
    """Raised if the next record is larger than a part may be. `written` is the number of records before it."""

    def __init__(self, written: int) -> None:
        super().__init__(written)
        self.written = written


# Called with the number and the content of a part that is complete.
OnPart = Callable[[int, Content], None]


def ignore_part(_: int, __: Content) -> None:
    """Ignore finished parts."""


class PartWriter:
    """Writes the records of a run into parts, by the provider's largest size of a part.

    Args:
        envelope: the names and texts of the files.
        total: the expected number of records.
        folder: the folder for the parts; None counts without writing files.
        on_part: called with the number and the content of each part when it is complete.
    """

    def __init__(self, envelope: Envelope, total: int, folder: Path | None, on_part: OnPart = ignore_part) -> None:
        file_format = envelope.provider.format
        self.envelope = envelope
        self.total = total
        self.folder = folder
        self.on_part = on_part
        self.split = envelope.provider.split
        self.records = Records(
            quotes=isinstance(file_format, TextFormat) and file_format.quoting != "none" and file_format.newlines == "keep"
        )
        self.parts = expected_parts(self.split, total)
        self.done: list[Content] = []
        self.ended: deque[PartFile] = deque()
        self.rows = 0
        self.file = self.open_part()

    def take(self, chunk: bytes) -> None:
        """Write the next chunk of UTF-8, which may end within a record. Raises Oversized and Unprintable."""
        block, count = self.records.take(chunk)
        while count:
            fitting = self.count_fitting(block, count)
            if fitting == count:
                self.add(block, count)
                return
            if fitting:
                end = next(islice(self.records.ends(block), fitting - 1, None))
                self.add(block[:end], fitting)
                block, count = block[end:], count - fitting
            elif self.file.rows == 0:
                raise Oversized(self.rows)
            self.end_part()
            self.file = self.open_part()

    def add(self, block: bytes, count: int) -> None:
        self.file.write(self.file.encode(block))
        self.file.rows += count
        self.rows += count

    def count_fitting(self, block: bytes, count: int) -> int:
        """The number of records of the block that fit into the current part."""
        if self.split is None:
            return count
        if self.split.rows is not None:
            return min(count, self.split.rows - self.file.rows)
        room = (self.split.size or 0) - self.file.bytes - self.reserved()
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
        """The number of the current part, from 1."""
        return len(self.done) + len(self.ended) + 1

    def reserved(self) -> int:
        """The largest number of bytes that the text after the records may need."""
        after = self.envelope.text_after(self.number, self.parts, max(self.total, 1))
        return len(self.file.encode(after.encode()))

    def open_part(self) -> PartFile:
        path = part_path(self.folder, self.number) if self.folder else None
        file = PartFile(path, self.envelope.provider.format, self.envelope.seal, self.envelope.packing(self.number))
        file.write(file.encode(self.envelope.text_before(self.number, self.parts, self.expected_rows(self.number)).encode()))
        return file

    def expected_rows(self, number: int) -> int | None:
        """The number of rows that a part will have; None if it is not known in advance."""
        if self.split is None:
            return self.total
        if self.split.rows is None:
            return None
        return min(self.split.rows, self.total - (number - 1) * self.split.rows)

    def end_part(self) -> None:
        """End the current part. Its encryption may continue while the next part is written."""
        self.file.write(self.file.encode(self.envelope.text_after(self.number, self.parts, self.file.rows).encode()))
        self.file.end()
        self.ended.append(self.file)
        self.collect(MAX_ENCRYPTING)

    def collect(self, waiting: int) -> None:
        """Report the complete parts, in order. Wait until at most `waiting` parts are incomplete."""
        while len(self.ended) > waiting or (self.ended and self.ended[0].sink.ready):
            self.done.append(self.ended[0].content())
            self.ended.popleft()
            self.on_part(len(self.done), self.done[-1])

    def close(self) -> list[Content]:
        """End the last part and wait for all. Raises ExtractError if the last record has no line end.

        Returns:
            What each part contains, in order.
        """
        if self.records.rest:
            raise ExtractError("the last record has no line end")
        self.end_part()
        self.collect(0)
        return self.done

    def abandon(self) -> None:
        """Delete all parts."""
        for file in (*self.ended, self.file):
            file.sink.abandon()
        if self.folder is not None:
            for number in range(1, self.number + 1):
                part_path(self.folder, number).unlink(missing_ok=True)


def expected_parts(split: Split | None, total: int) -> int | None:
    """The number of parts; None if it depends on their size in bytes."""
    if split is None:
        return 1
    return None if split.rows is None else max(1, -(-total // split.rows))


def part_path(folder: Path, number: int) -> Path:
    """The path of a part in a spool folder."""
    return folder / f"{number:05d}.part"
