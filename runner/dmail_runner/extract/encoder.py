"""UTF-8 as DuckDB writes it, in the encoding that the provider asked for."""

import codecs
import re

# What some encodings of East Asia write by a sign of ASCII, or what switches their character sets.
AMBIGUOUS = "\x0e\x0f\x1b\xa5\u203e"


class Unprintable(Exception):
    """A character that the file's encoding does not have."""

    def __init__(self, character: str) -> None:
        super().__init__(character)
        self.character = character


class Encoder:
    """Encodes the stretches of one file, in their order. Raises Unprintable.

    Latin-1 is encoded by copying, any other code page by a table, ten times slower: where a stretch has Latin-1's characters
    alone, as most have, it is copied, and its bytes are exchanged where the two differ.
    """

    def __init__(self, encoding: str) -> None:
        self.plain = encoding == "utf-8"
        self.encoder = codecs.getincrementalencoder(encoding)()
        self.table, self.lacking = latin_table(encoding)
        self.leads = {chr(code).encode()[:1] for code in self.lacking}
        lost = "".join(character for character in AMBIGUOUS if not kept(character, encoding))
        self.lost = re.compile(f"[{lost}]") if lost else None

    def encode(self, content: bytes) -> bytes:
        """UTF-8 in the file's encoding."""
        if self.plain:
            return content
        text = content.decode()
        if self.table is not None:
            try:
                latin = text.encode("latin-1")
            except UnicodeEncodeError:
                latin = None
            if latin is not None and not (self.suspect(content) and len(latin.translate(None, self.lacking)) < len(latin)):
                return latin.translate(self.table) if self.table else latin
        if self.lost and (found := self.lost.search(text)):
            raise Unprintable(found[0])
        try:
            return self.encoder.encode(text)
        except UnicodeEncodeError as error:
            raise Unprintable(error.object[error.start]) from None

    def suspect(self, content: bytes) -> bool:
        """Whether UTF-8 may have a character that is lacking: this look is a hundred times faster than the one at each."""
        return any(lead in content for lead in self.leads)


def latin_table(encoding: str) -> tuple[bytes | None, bytes]:
    """How an encoding writes each of Latin-1's characters (empty: as Latin-1 does), and which of them it lacks.

    None where it does not write every one of them as one byte, whatever stands before it.
    """
    written = [character.encode(encoding, "ignore") for character in map(chr, range(256))]
    lacking = bytes(code for code, found in enumerate(written) if not found or not kept(chr(code), encoding))
    if any(len(found) > 1 for found in written) or "A".encode(encoding) * 2 != "AA".encode(encoding):
        return None, lacking
    table = bytes(found[0] if found else 0 for found in written)
    same = all(found in (b"", bytes([code])) for code, found in enumerate(written))
    return b"" if same else table, lacking


def kept(character: str, encoding: str) -> bool:
    """Whether an encoding that has a character gives it back as it was."""
    written = character.encode(encoding, "ignore")
    return not written or written.decode(encoding, "replace") == character
