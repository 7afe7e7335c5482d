"""A provider, the mail house: the file that it wants and the route to it (`profiles/providers.yml`)."""

from typing import Literal

from runner.config import Strict, parse, read_yaml, render
from runner.errors import ConfigError, Problem
from runner.settings import Settings

FILE = "profiles/providers.yml"


class FileFormat(Strict):
    """A comma-separated file in UTF-8, quoted where a value needs it, with a header."""

    type: Literal["csv"] = "csv"
    line_end: Literal["lf", "crlf"] = "lf"


class Provider(Strict):
    """One mail house."""

    label: str
    route: str
    format: FileFormat = FileFormat()


def find_provider(settings: Settings, name: str) -> Provider:
    """The entry `name` of `profiles/providers.yml`. Raises ConfigError."""
    entries = read_yaml(settings.profiles_dir / "providers.yml", FILE)
    if name not in entries:
        raise ConfigError([Problem(FILE, name, "there is no such provider", ", ".join(entries))])
    provider: Provider = parse(Provider, render(entries[name], FILE, name), FILE, name)
    return provider
