"""A provider, the mail house: the file that it wants and the route to it (`profiles/providers.yml`)."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from dmail_runner.core.errors import ConfigError, Problem
from dmail_runner.core.settings import Settings
from dmail_runner.core.yaml import Strict, parse, read_yaml, render
from dmail_runner.declare.contract import Contract
from dmail_runner.declare.file_format import AnyFormat, CsvFormat
from dmail_runner.declare.tariff import Tariff

FILE = "profiles/providers.yml"
RETENTION_DAYS = 30  # for which a run that nobody finishes is kept, where the provider does not say it


# What `parse_size` takes, for editors.
SIZE = {"anyOf": [{"type": "number", "minimum": 1}, {"type": "string", "pattern": r"^\s*\d+(\.\d+)? *([KMG]?B)?\s*$"}]}
UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}


def parse_size(value: object) -> int:
    """Bytes, of a number or of such as `500 MB`."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?) *([KMG]?B)?", str(value).strip())
    if not match or isinstance(value, bool) or float(match[1]) * UNITS[match[2] or "B"] < 1:
        raise ValueError(f"must be a number of bytes, or such as `500 MB`; the units are {', '.join(UNITS)}")
    return int(float(match[1]) * UNITS[match[2] or "B"])


class Split(Strict):
    """How large a part may be: so many records, or so many bytes."""

    rows: Annotated[int, Field(ge=1)] | None = None
    """Records of a part, at most."""
    size: Annotated[int, BeforeValidator(parse_size), WithJsonSchema(SIZE)] | None = None
    """Bytes of a part, at most, such as `500 MB`."""

    @model_validator(mode="after")
    def check_one(self) -> Self:
        if (self.rows is None) == (self.size is None):
            raise ValueError("needs either `rows` or `size`")
        return self


class Records(Strict):
    """Control records around the rows, as templates."""

    header: str | None = None
    """The first record of each part, as a template."""
    trailer: str | None = None
    """The last one."""


class PostalClass(Strict):
    """A rate that the provider mails at; the post takes it from so many pieces on."""

    min_pieces: Annotated[int, Field(ge=1)]
    """From how many pieces on the post takes it."""


def check_contract(name: str) -> str:
    """The name of a file in `profiles/contracts`, and of nothing elsewhere."""
    if not re.fullmatch(r"[a-z0-9_]+", name):
        raise ValueError("must be a name of small letters, digits and underscores: that of a file in profiles/contracts")
    return name


class SharedContract(Contract):
    """A file of `profiles/contracts`: what the entries that name it require, unless they say otherwise."""

    format: AnyFormat = CsvFormat()
    """The file's format."""


class Provider(Contract):
    """One mail house."""

    label: str
    """What people call the mail house."""
    route: str
    """The entry of profiles/routes.yml."""
    format: AnyFormat = CsvFormat()
    """The file's format."""
    prefix: str = ""
    """Stands before every file's name."""
    split: Split | None = None
    """How large a part may be; one file without it."""
    records: Records = Records()
    """Control records around the rows."""
    side_files: tuple[Literal["sha256", "manifest", "done"], ...] = ()
    """Files beside the parts, delivered last."""
    empty: Literal["no_file", "header_only"] = "no_file"
    """What is sent where nobody is included."""
    tariff: Tariff | None = None
    """What mailings cost, for an estimate."""
    require_encryption: bool = False
    """A route that does not seal is a fault."""
    retention_days: Annotated[int, Field(ge=0, le=3650)] = RETENTION_DAYS
    """How long after the slot a key must be good, and what is left of a run is kept."""
    history_days: Annotated[int, Field(ge=1, le=36500)] | None = None
    """How long the contact history remembers who was mailed, and up to a week more; for ever where it is not said."""
    postal_classes: Mapping[str, PostalClass] = Field(default_factory=dict)
    """Rates by name, with the number of pieces that each asks for."""
    contract: Annotated[str, AfterValidator(check_contract)] | None = None
    """A file of profiles/contracts that holds for what the entry does not say itself."""

    def under(self, shared: SharedContract) -> Self:
        """The entry, with what it does not say itself taken from `shared`; a column comes whole from the one or the other."""
        taken = {name: getattr(shared, name) for name in shared.model_fields_set - self.model_fields_set}
        return self.model_copy(update={**taken, "columns": {**shared.columns, **self.columns}})


def find_provider(settings: Settings, name: str) -> Provider:
    """The entry `name` of `profiles/providers.yml`. Raises ConfigError."""
    entries = read_yaml(settings.profiles_dir / "providers.yml", FILE)
    if name not in entries:
        raise ConfigError([Problem(FILE, name, "there is no such provider", ", ".join(entries))])
    provider: Provider = parse(Provider, render(entries[name], FILE, name), FILE, name)
    return provider if provider.contract is None else provider.under(find_contract(settings, provider.contract, name))


def find_contract(settings: Settings, name: str, provider: str) -> SharedContract:
    """The contract `name` of `profiles/contracts`, which the entry `provider` asks for. Raises ConfigError."""
    folder, file = settings.profiles_dir / "contracts", f"profiles/contracts/{name}.yml"
    if not (folder / f"{name}.yml").is_file():
        known = ", ".join(sorted(path.stem for path in folder.glob("*.yml")))
        raise ConfigError([Problem(FILE, f"{provider}.contract", f"there is no {file}", known)])
    content = {key: render(value, file, key) for key, value in read_yaml(folder / f"{name}.yml", file).items()}
    shared: SharedContract = parse(SharedContract, content, file, "")
    return shared
