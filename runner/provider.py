"""A provider, the mail house: the file that it wants and the route to it (`profiles/providers.yml`)."""

import codecs
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from runner.config import Strict, parse, read_yaml, render
from runner.errors import ConfigError, Problem
from runner.settings import Settings

FILE = "profiles/providers.yml"


def check_encoding(name: str) -> str:
    """A text encoding that Python knows."""
    try:
        "".encode(name)
    except LookupError:
        raise ValueError("is no text encoding, such as utf-8, latin-1, windows-1252 or ascii") from None
    return codecs.lookup(name).name


def check_delimiter(sign: str) -> str:
    """One character that ends no line and quotes nothing."""
    if len(sign.encode()) != 1 or sign in '"\r\n\x00' or sign.isalnum():
        raise ValueError("must be one ASCII character, no letter, digit, quote or line end")
    return sign


class FileFormat(Strict):
    """What every format has: records that end with a line end, in an encoding."""

    line_end: Literal["lf", "crlf"] = "lf"
    encoding: Annotated[str, AfterValidator(check_encoding)] = "utf-8"
    bom: bool = False


class TextFormat(FileFormat):
    """Fields apart by a delimiter. `newlines`: what becomes of line breaks within a field."""

    header: bool = True
    quoting: Literal["minimal", "all", "none"] = "minimal"
    newlines: Literal["fold", "keep"] = "fold"


class CsvFormat(TextFormat):
    """Fields apart by a comma."""

    type: Literal["csv"] = "csv"
    delimiter: Literal[","] = ","


class DelimitedFormat(TextFormat):
    """Fields apart by another character."""

    type: Literal["delimited"]
    delimiter: Annotated[str, AfterValidator(check_delimiter)]


class FixedWidthFormat(FileFormat):
    """Fields as wide as the extract's contract says (`config.meta.width`), filled up with `pad`."""

    type: Literal["fixed_width"]
    header: Literal[False] = False
    pad: Annotated[str, Field(min_length=1, max_length=1)] = " "


AnyFormat = Annotated[CsvFormat | DelimitedFormat | FixedWidthFormat, Field(discriminator="type")]


class Provider(Strict):
    """One mail house."""

    label: str
    route: str
    format: AnyFormat = CsvFormat()


def find_provider(settings: Settings, name: str) -> Provider:
    """The entry `name` of `profiles/providers.yml`. Raises ConfigError."""
    entries = read_yaml(settings.profiles_dir / "providers.yml", FILE)
    if name not in entries:
        raise ConfigError([Problem(FILE, name, "there is no such provider", ", ".join(entries))])
    provider: Provider = parse(Provider, render(entries[name], FILE, name), FILE, name)
    return provider
