"""Finds the ends of records in a stream of bytes."""

import re
from collections.abc import Iterator

QUOTED = re.compile(rb'"[^"]*"')
TEXT = bytes(sorted(set(range(256)) - set(b'"\n')))
RECORD = re.compile(rb'(?:[^"\n]++|"[^"]*")*+\n')
LINE = re.compile(rb"[^\n]*\n")


class Records:
    """Splits a stream of chunks at the ends of records. If `quotes`, line breaks within quotes do not end a record."""

    def __init__(self, *, quotes: bool) -> None:
        self.quotes = quotes
        self.rest = b""

    def take(self, chunk: bytes) -> tuple[bytes, int]:
        """Add a chunk. Returns the complete records and their number; the rest is kept for the next call."""
        block = self.rest + chunk if self.rest else chunk
        end = self.last_end(block)
        self.rest = block[end:]
        complete = block[:end]
        return complete, (unquoted(complete) if self.quotes else complete).count(b"\n")

    def last_end(self, block: bytes) -> int:
        """The position after the last complete record."""
        end = block.rfind(b"\n") + 1
        # A doubled quote counts as two, so the parity of quotes shows whether a position is within quotes.
        odd = self.quotes and block.count(b'"', 0, end) % 2
        while odd:
            # The line break is within quotes: continue before the quote that opens them.
            limit = block.rfind(b'"', 0, end)
            end = block.rfind(b"\n", 0, limit) + 1
            odd = (odd - 1 - block.count(b'"', end, limit)) % 2
        return end

    def ends(self, block: bytes) -> Iterator[int]:
        """The position after each record, in a block of complete records."""
        return (match.end() for match in (RECORD if self.quotes else LINE).finditer(block))


def unquoted(block: bytes) -> bytes:
    """The line ends of complete records, without those within quotes.

    The text is removed first. Most quotes are adjacent pairs then, so the slow regular expression has little to do.
    """
    return QUOTED.sub(b"", block.translate(None, TEXT).replace(b'""', b""))
