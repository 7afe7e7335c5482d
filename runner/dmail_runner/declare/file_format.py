"""How a provider's file is printed: encoding, delimiter, widths, line ends."""

import codecs
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from dmail_runner.core.yaml import Strict
from dmail_runner.declare.contract import check_pad

# What Python calls text encodings, though no reader of a file knows them: they write line ends otherwise, or lose text.
NO_CHARSETS = ("idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape")


def check_encoding(name: str) -> str:
    """A text encoding that Python knows."""
    try:
        "".encode(name)
        found = codecs.lookup(name).name
    except (LookupError, UnicodeError):
        found = NO_CHARSETS[0]
    if found in NO_CHARSETS:
        raise ValueError("is no text encoding, such as utf-8, latin-1, windows-1252 or ascii")
    return found


def check_delimiter(sign: str) -> str:
    """One character that ends no line and quotes nothing."""
    if len(sign.encode()) != 1 or sign in '"\r\n\x00' or sign.isalnum():
        raise ValueError("must be one ASCII character, no letter, digit, quote or line end")
    return sign


class FileFormat(Strict):
    """What every format has: records that end with a line end, in an encoding."""

    line_end: Literal["lf", "crlf"] = "lf"
    """What ends a record."""
    encoding: Annotated[str, AfterValidator(check_encoding)] = "utf-8"
    """A text encoding that Python knows."""
    bom: bool = False
    """With utf-8: a byte order mark stands at the beginning."""
    transliterate: bool = False
    """A character that the encoding lacks is written by ones that it has; otherwise it stops the run."""

    @property
    def marked(self) -> bool:
        """Whether a file begins with a byte order mark."""
        return (self.bom and self.encoding == "utf-8") or bool("".encode(self.encoding))


class TextFormat(FileFormat):
    """Fields apart by a delimiter."""

    header: bool = True
    """The first record names the columns."""
    quoting: Literal["minimal", "all", "none"] = "minimal"
    """Quotes around values that need them, around all, or around none."""
    newlines: Literal["fold", "keep"] = "fold"
    """A line break within a value becomes a space, or is kept."""


class CsvFormat(TextFormat):
    """Fields apart by a comma."""

    type: Literal["csv"] = "csv"
    """Fields apart by a comma."""
    delimiter: Literal[","] = ","
    """A comma; `delimited` takes another character."""


class DelimitedFormat(TextFormat):
    """Fields apart by another character."""

    type: Literal["delimited"]
    """Fields apart by a character of your choice."""
    delimiter: Annotated[str, AfterValidator(check_delimiter)]
    """One ASCII character, no letter and no digit."""


class FixedWidthFormat(FileFormat):
    """Fields as wide as the extract's contract says (`config.meta.width`), filled up with `pad`."""

    type: Literal["fixed_width"]
    """Fields as wide as the extract's contract says."""
    header: Literal[False] = False
    """None: such files have no header."""
    pad: Annotated[str, AfterValidator(check_pad)] = " "
    """What fills a field up."""


AnyFormat = Annotated[CsvFormat | DelimitedFormat | FixedWidthFormat, Field(discriminator="type")]
