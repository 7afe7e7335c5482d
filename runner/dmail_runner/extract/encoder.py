"""Converts the UTF-8 that DuckDB writes to the encoding of the provider's format."""

import codecs
import re

# Characters that some East Asian encodings write as an ASCII character, or use to switch between character sets.
AMBIGUOUS = "\x0e\x0f\x1b\xa5\u203e"


class Unprintable(Exception):
    """Raised for a character that the file's encoding does not have."""

    def __init__(self, character: str) -> None:
        super().__init__(character)
        self.character = character


class Encoder:
    """Encodes one file, chunk by chunk.

    Python encodes Latin-1 ten times faster than other code pages. A chunk that only has characters of Latin-1, as most do, is
    therefore encoded as Latin-1, and then translated byte by byte if the file's encoding differs.
    """

    def __init__(self, encoding: str) -> None:
        self.plain = encoding == "utf-8"
        self.encoder = codecs.getincrementalencoder(encoding)()
        self.table, self.missing = latin_table(encoding)
        self.lead_bytes = {chr(code).encode()[:1] for code in self.missing}
        ambiguous = "".join(character for character in AMBIGUOUS if not round_trips(character, encoding))
        self.ambiguous = re.compile(f"[{ambiguous}]") if ambiguous else None

    def encode(self, content: bytes) -> bytes:
        """Convert a chunk of UTF-8 to the file's encoding. Raises Unprintable."""
        if self.plain:
            return content
        text = content.decode()
        if self.table is not None:
            try:
                latin = text.encode("latin-1")
            except UnicodeEncodeError:
                latin = None
            if latin is not None and not (self.may_miss(content) and len(latin.translate(None, self.missing)) < len(latin)):
                return latin.translate(self.table) if self.table else latin
        if self.ambiguous and (found := self.ambiguous.search(text)):
            raise Unprintable(found[0])
        try:
            return self.encoder.encode(text)
        except UnicodeEncodeError as error:
            raise Unprintable(error.object[error.start]) from None

    def may_miss(self, content: bytes) -> bool:
        """Whether a chunk of UTF-8 may have a character that the encoding does not have.

        Only the first bytes of such characters are searched, which is a hundred times faster than an exact test.
        """
        return any(lead in content for lead in self.lead_bytes)


def latin_table(encoding: str) -> tuple[bytes | None, bytes]:
    """The differences between an encoding and Latin-1.

    Returns:
        A translation table of 256 bytes from Latin-1 to the encoding. It is empty if the encoding is the same, and None if the
        encoding does not write each character of Latin-1 as one byte. And the characters of Latin-1 that the encoding does not
        have, as bytes of Latin-1.
    """
    written = [character.encode(encoding, "ignore") for character in map(chr, range(256))]
    missing = bytes(code for code, found in enumerate(written) if not found or not round_trips(chr(code), encoding))
    if any(len(found) > 1 for found in written) or "A".encode(encoding) * 2 != "AA".encode(encoding):
        return None, missing
    table = bytes(found[0] if found else 0 for found in written)
    same = all(found in (b"", bytes([code])) for code, found in enumerate(written))
    return b"" if same else table, missing


def round_trips(character: str, encoding: str) -> bool:
    """Whether a character is the same after encoding and decoding, or is not in the encoding at all."""
    written = character.encode(encoding, "ignore")
    return not written or written.decode(encoding, "replace") == character
