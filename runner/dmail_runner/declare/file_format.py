"""The format of a provider's files: encoding, delimiter, line ends, padding."""

import codecs
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from dmail_runner.core.widths import in_bytes
from dmail_runner.core.yaml import Strict
from dmail_runner.declare.contract import check_pad

# Python lists these as text encodings, but they are not character sets: they change line ends or lose text.
NOT_CHARSETS = ("idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape")


def check_encoding(name: str) -> str:
    """Validate the name of a text encoding and return Python's name for it."""
    try:
        "".encode(name)
        found = codecs.lookup(name).name
    except (LookupError, UnicodeError):
        found = NOT_CHARSETS[0]
    if found in NOT_CHARSETS:
        raise ValueError("is not a text encoding, such as utf-8, latin-1, windows-1252 or ascii")
    return found


def check_delimiter(sign: str) -> str:
    """Validate a delimiter: one ASCII character that cannot be mistaken for a value, a quote or a line end."""
    if len(sign.encode()) != 1 or sign in '"\r\n\x00' or sign.isalnum():
        raise ValueError("must be one ASCII character, and not a letter, digit, quote or line end")
    return sign


class Scripts(Strict):
    """Scripts besides Latin, Greek and Cyrillic that are transliterated, each with its scheme."""

    han: Literal["pinyin"] | None = None
    """Chinese characters by their Mandarin pronunciation, without tones. Japanese names in these characters would be wrong."""
    hangul: Literal["revised"] | None = None
    """Korean, syllable by syllable, by the Revised Romanization."""
    georgian: Literal["national"] | None = None
    """Georgian, by the national system of 2002, without apostrophes."""


class FileFormat(Strict):
    """The options that all formats share."""

    line_end: Literal["lf", "crlf"] = "lf"
    """The line end after each record: LF, or CR and LF."""
    encoding: Annotated[str, AfterValidator(check_encoding)] = "utf-8"
    """A text encoding, by the name that Python has for it."""
    bom: bool = False
    """Whether a utf-8 file begins with a byte order mark."""
    transliterate: bool = False
    """Whether Latin, Greek and Cyrillic characters that the encoding lacks are replaced by similar ones. Others stop the run."""
    scripts: Scripts = Scripts()
    """Other scripts that are transliterated."""

    @property
    def marked(self) -> bool:
        """Whether files begin with a byte order mark, by option or because the encoding always writes one."""
        return (self.bom and self.encoding == "utf-8") or bool("".encode(self.encoding))


class TextFormat(FileFormat):
    """The options of formats with a delimiter between the fields."""

    header: bool = True
    """Whether the first record has the columns' labels."""
    quoting: Literal["minimal", "all", "none"] = "minimal"
    """Which values are quoted: those that need quotes (`minimal`), all, or none."""
    newlines: Literal["fold", "keep"] = "fold"
    """Whether line breaks within a value become a space (`fold`) or stay (`keep`)."""


class CsvFormat(TextFormat):
    """A comma-separated file."""

    type: Literal["csv"] = "csv"
    """A comma-separated file."""
    delimiter: Literal[","] = ","
    """A comma. Use `delimited` for any other character."""


class DelimitedFormat(TextFormat):
    """A file with a delimiter other than the comma."""

    type: Literal["delimited"]
    """A file with a delimiter of your choice."""
    delimiter: Annotated[str, AfterValidator(check_delimiter)]
    """The delimiter: one ASCII character that is not a letter or a digit."""


class FixedWidthFormat(FileFormat):
    """A file without delimiters, in which each column has a width (`config.meta.width` of the extract's columns)."""

    type: Literal["fixed_width"]
    """A file of columns with fixed widths (`config.meta.width` of the extract's columns)."""
    header: Literal[False] = False
    """Fixed-width files have no header."""
    pad: Annotated[str, AfterValidator(check_pad)] = " "
    """The character that fills a value up to the column's width."""
    width_in: Literal["characters", "bytes", "cells"] = "characters"
    """What a width counts: characters (code points), bytes of the encoding, or cells of a printer (two for a wide character)."""

    @model_validator(mode="after")
    def check_bytes(self) -> Self:
        if self.width_in == "bytes" and in_bytes("x", self.encoding) is None:
            raise ValueError(
                f"`width_in: bytes` does not support {self.encoding}: use utf-8, cp949 for EUC-KR, or one byte for a character"
            )
        if self.width_in != "characters" and not self.pad.isascii():
            raise ValueError(f"`width_in: {self.width_in}` accepts a `pad` of ASCII only")
        return self


AnyFormat = Annotated[CsvFormat | DelimitedFormat | FixedWidthFormat, Field(discriminator="type")]
