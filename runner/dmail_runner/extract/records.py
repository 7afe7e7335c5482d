"""Where records end in a stream of bytes."""

import re
from collections.abc import Iterator

QUOTED = re.compile(rb'"[^"]*"')
TEXT = bytes(sorted(set(range(256)) - set(b'"\n')))
RECORD = re.compile(rb'(?:[^"\n]++|"[^"]*")*+\n')
LINE = re.compile(rb"[^\n]*\n")


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
